"""Billing credit grants: money given in advance that invoices of metered prices use up before taxes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.subscriptions.steps import advance, clocked, metered_plan, ok
from tests.payments.usage.steps import grant, left, metered, renewed, transactions
from tests.support.api import Api
from tests.support.openapi import assert_valid

GRANTS = "/v1/billing/credit_grants"


def test_what_is_left_goes_when_the_time_is_over(api: Api) -> None:
    clock, who = clocked(api)
    given = grant(api, who, 300, expires_at=api.now + 100)
    advance(api, clock, api.now + 200)
    assert (left(api, who), transactions(api, who)) == (0, [("credits_granted", 300), ("credits_expired", 300)])
    assert api.post(f"{GRANTS}/{given['id']}", expires_at=api.now + 900).status == 400


def test_a_grant_can_be_expired_or_voided_by_hand_but_only_voided_while_unused(api: Api) -> None:
    clock, who, sub, _ = metered(api, 10)
    one, two = grant(api, who, 300), grant(api, who, 200)
    ended = ok(api, "POST", f"{GRANTS}/{two['id']}/void", GRANTS + "/{id}/void")
    assert ended["voided_at"] == ended["updated"]
    renewed(api, clock, sub)
    assert api.post(f"{GRANTS}/{one['id']}/void").status == 400
    ok(api, "POST", f"{GRANTS}/{one['id']}/expire", GRANTS + "/{id}/expire")
    assert transactions(api, who) == [
        ("credits_granted", 300), ("credits_granted", 200), ("credits_voided", 200), ("credits_applied", 50),
        ("credits_expired", 250),
    ]  # fmt: skip
    listed = api.get(GRANTS, customer=who)
    assert_valid("GET", GRANTS, 200, dict(listed))
    assert len(listed["data"]) == 2


METERED = {"scope": {"price_type": "metered"}}


@pytest.mark.parametrize(
    ("value", "change", "param"),
    [
        (0, {}, "amount[monetary][value]"),
        (1, {"expires_at": 1_767_225_600}, "expires_at"),
        (1, {"applicability_config": {"scope": {}}}, "applicability_config"),
    ],
)
def test_a_grant_is_worth_something_for_some_prices_until_later(
    api: Api, value: int, change: dict[str, Any], param: str
) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    amount = {"type": "monetary", "monetary": {"value": value, "currency": "usd"}}
    given = {"customer": customer, "amount": amount, "applicability_config": METERED}
    refused = api.post(GRANTS, **{**given, **change})
    assert (refused.status, refused.error["param"]) == (400, param)


def test_credits_are_for_metered_prices(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    licensed = api.ok("POST", "/v1/prices", currency="usd", unit_amount=5, product_data={"name": "Gold"})["id"]
    amount = {"type": "monetary", "monetary": {"value": 100, "currency": "usd"}}
    scope = {"scope": {"prices": [{"id": licensed}]}}
    refused = api.post(GRANTS, customer=customer, amount=amount, applicability_config=scope)
    assert refused.error["param"] == "applicability_config[scope][prices][0][id]"


@pytest.mark.parametrize(("after", "status"), [(0, 400), (1, 200)])
def test_credits_end_after_they_begin(api: Api, after: int, status: int) -> None:
    customer, begins = api.ok("POST", "/v1/customers")["id"], api.now + 100
    amount = {"type": "monetary", "monetary": {"value": 100, "currency": "usd"}}
    given = {"customer": customer, "amount": amount, "applicability_config": METERED, "effective_at": begins}
    made = api.ok("POST", GRANTS, **given)
    for path, params in ((GRANTS, given), (f"{GRANTS}/{made['id']}", {})):
        answer = api.post(path, **params, expires_at=begins + after)
        assert (answer.status, answer.get("error", {}).get("param")) == (
            status,
            "expires_at" if status == 400 else None,
        )


def test_credits_are_money(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    units = {"type": "units", "monetary": {"value": 100, "currency": "usd"}}
    refused = api.post(GRANTS, customer=customer, amount=units, applicability_config=METERED)
    assert (refused.status, refused.error["param"]) == (400, "amount[type]")


def test_credits_are_for_a_kind_of_price_or_for_some_prices(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    amount = {"type": "monetary", "monetary": {"value": 100, "currency": "usd"}}
    both = {"scope": {"price_type": "metered", "prices": [{"id": metered_plan(api)}]}}
    refused = api.post(GRANTS, customer=customer, amount=amount, applicability_config=both)
    assert (refused.status, refused.error["param"]) == (400, "applicability_config[scope]")


def test_credits_are_for_prices_with_a_meter(api: Api) -> None:
    """Older versions had metered prices without one, whose usage was sent as usage records."""
    old = api.under("2025-02-24.acacia")
    clock, who = clocked(api)
    monthly = {"interval": "month", "usage_type": "metered"}
    price = old.ok("POST", "/v1/prices", currency="usd", unit_amount=5, product_data={"name": "x"}, recurring=monthly)
    amount = {"type": "monetary", "monetary": {"value": 100, "currency": "usd"}}
    scope = {"scope": {"prices": [{"id": price["id"]}]}}
    refused = api.post(GRANTS, customer=who, amount=amount, applicability_config=scope)
    assert (refused.status, refused.error["param"]) == (400, "applicability_config[scope][prices][0][id]")
    grant(api, who, 300)
    sub = old.ok("POST", "/v1/subscriptions", customer=who, items=[{"price": price["id"]}])
    old.ok("POST", f"/v1/subscription_items/{sub['items']['data'][0]['id']}/usage_records", quantity=10)
    advance(api, clock, api.now + 32 * 86_400)
    assert (api.get("/v1/invoices", customer=who)["data"][0]["total"], left(api, who)) == (50, 300)


@pytest.mark.parametrize("ended", ["void", "expire"])
def test_a_grant_that_has_ended_is_neither_voided_nor_expired(api: Api, ended: str) -> None:
    made = grant(api, api.ok("POST", "/v1/customers")["id"], 300)
    api.ok("POST", f"{GRANTS}/{made['id']}/{ended}")
    said = {"void": "This credit grant has been voided.", "expire": "This credit grant has expired."}[ended]
    for step in ("void", "expire"):
        refused = api.post(f"{GRANTS}/{made['id']}/{step}")
        assert (refused.status, refused.error["message"]) == (400, said)
