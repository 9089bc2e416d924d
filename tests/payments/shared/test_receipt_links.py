"""Receipts name the merchant as customers know it."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.connected import acting, connected


def receipt(api: Api, **params: object) -> bytes:
    charge = api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_visa", **params)
    return api.send("GET", charge["receipt_url"].removeprefix(api.core.setup.base_url), key=None).body


def test_the_name_of_the_business_is_on_the_receipt(api: Api) -> None:
    account = connected(api)
    path = f"/v1/accounts/{account['id']}"
    assert b"Rosen Hats" not in receipt(api, headers=acting(account))
    api.ok("POST", path, business_profile={"name": "Rosen Hats"})
    assert b"Rosen Hats" in receipt(api, headers=acting(account))


def test_a_receipt_cannot_be_guessed_from_the_charge(api: Api) -> None:
    charge = api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_visa")
    assert charge["id"] not in charge["receipt_url"]
    assert api.send("GET", f"/receipts/{charge['id']}", key=None).status == 404
