"""Changes of a stored PaymentMethod."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.versions import BEFORE_ENDIVE

BANK = {"account_number": "000123456789", "routing_number": "110000000", "account_holder_type": "individual"}


def _saved(api: Api, method: str = "pm_card_visa") -> Answer:
    customer = api.ok("POST", "/v1/customers")["id"]
    return api.ok("POST", f"/v1/payment_methods/{method}/attach", customer=customer)


def _account(api: Api) -> str:
    owner = {"name": "Jenny Rosen"}
    method = api.ok("POST", "/v1/payment_methods", type="us_bank_account", us_bank_account=BANK, billing_details=owner)
    return str(_saved(api, method["id"])["id"])


def test_a_card_is_given_a_later_expiry_and_a_preferred_network(api: Api) -> None:
    path = f"/v1/payment_methods/{_saved(api)['id']}"
    changed = api.ok("POST", path, card={"exp_month": 10, "exp_year": 2034, "networks": {"preferred": "visa"}})
    assert (changed["card"]["exp_month"], changed["card"]["exp_year"]) == (10, 2034)
    assert changed["card"]["networks"]["preferred"] == "visa"
    assert api.get(path)["card"] == changed["card"]


@pytest.mark.parametrize(
    ("card", "code"),
    [({"exp_month": 13}, "invalid_expiry_month"), ({"exp_year": 2001}, "invalid_expiry_year")],
)
def test_a_card_is_given_no_expiry_that_is_no_date_or_past(api: Api, card: dict[str, Any], code: str) -> None:
    method = _saved(api)
    refused = api.post(f"/v1/payment_methods/{method['id']}", card=card)
    assert (refused.status, refused.error["code"]) == (402, code)
    assert api.get(f"/v1/payment_methods/{method['id']}") == method


def test_what_another_type_has_is_refused(api: Api) -> None:
    refused = api.post(f"/v1/payment_methods/{_saved(api)['id']}", us_bank_account={"account_holder_type": "company"})
    assert (refused.status, refused.error["param"]) == (400, "us_bank_account")
    refused = api.post(f"/v1/payment_methods/{_account(api)}", card={"exp_month": 10})
    assert (refused.status, refused.error["param"]) == (400, "card")


def test_the_account_of_payto_is_changed(api: Api) -> None:
    old = api.under(BEFORE_ENDIVE)
    sent = {"bsb_number": "000000", "account_number": "12345678"}
    made = old.ok("POST", "/v1/payment_methods", type="payto", payto=sent)
    assert (made["payto"]["bsb_number"], made["payto"]["last4"]) == ("000000", "5678")
    path = f"/v1/payment_methods/{_saved(old, made['id'])['id']}"
    changed = old.ok("POST", path, payto={"account_number": "87654321", "pay_id": "jo@example.com"})["payto"]
    assert changed == {"bsb_number": "000000", "last4": "4321", "pay_id": "jo@example.com"}
    refused = old.post(f"/v1/payment_methods/{_saved(old)['id']}", payto={"pay_id": "jo@example.com"})
    assert (refused.status, refused.error["param"]) == (400, "payto")


def test_the_holder_of_an_account_is_changed(api: Api) -> None:
    changed = api.ok("POST", f"/v1/payment_methods/{_account(api)}", us_bank_account={"account_holder_type": "company"})
    assert changed["us_bank_account"]["account_holder_type"] == "company"


def test_an_address_is_changed_line_by_line(api: Api) -> None:
    path = f"/v1/payment_methods/{_saved(api)['id']}"
    api.ok("POST", path, billing_details={"name": "Jenny Rosen", "address": {"line1": "1 Main St", "city": "Bonn"}})
    changed = api.ok("POST", path, billing_details={"address": {"city": "Berlin"}})["billing_details"]
    assert (changed["name"], changed["address"]["line1"], changed["address"]["city"]) == (
        "Jenny Rosen",
        "1 Main St",
        "Berlin",
    )
