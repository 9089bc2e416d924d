"""Billing credits: granted, used up by metered invoices, expired, voided, given back."""

from __future__ import annotations

from typing import Any

from tests.payments.subscriptions.test_billing_lifecycles import advance, clocked, ok, plan, subscribe
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

GRANTS = "/v1/billing/credit_grants"
METERED = {"scope": {"price_type": "metered"}}


def grant(api: Api, who: str, value: int, **params: Any) -> Answer:
    amount = {"type": "monetary", "monetary": {"value": value, "currency": "usd"}}
    return ok(api, "POST", GRANTS, **{"customer": who, "amount": amount, "applicability_config": METERED, **params})


def left(api: Api, who: str, **scope: Any) -> int:
    wanted = {"type": "applicability_scope", "applicability_scope": scope or {"price_type": "metered"}}
    told = ok(api, "GET", "/v1/billing/credit_balance_summary", customer=who, filter=wanted)
    return int(told["balances"][0]["available_balance"]["monetary"]["value"]) if told["balances"] else 0


def transactions(api: Api, who: str) -> list[tuple[str, int]]:
    """What happened to a customer's credits, oldest first."""
    found = api.ok("get", "/v1/billing/credit_balance_transactions", customer=who)["data"]
    details = [one["credit"] or one["debit"] for one in reversed(found)]
    return [(one["type"], one["amount"]["monetary"]["value"]) for one in details]


def metered(api: Api, used: int) -> tuple[str, str, Answer, str]:
    """Clock, customer, subscription and price; ``used`` units of 5 cents in the first month."""
    clock, who = clocked(api)
    meter = ok(
        api,
        "POST",
        "/v1/billing/meters",
        display_name="Calls",
        event_name="calls",
        default_aggregation={"formula": "sum"},
    )
    price = plan(api, 5, usage_type="metered", meter=meter["id"])
    sub = subscribe(api, who, price)
    ok(
        api,
        "POST",
        "/v1/billing/meter_events",
        event_name="calls",
        payload={"stripe_customer_id": who, "value": used},
        identifier="a",
    )
    return clock, who, sub, price


def renewed(api: Api, clock: str, sub: Answer) -> Answer:
    advance(api, clock, sub["items"]["data"][0]["current_period_end"] + 2 * 3_600)
    id = api.get("/v1/invoices", subscription=sub["id"])["data"][0]["id"]
    return ok(api, "GET", f"/v1/invoices/{id}", "/v1/invoices/{invoice}")


def test_credits_pay_metered_lines_before_anything_is_charged(api: Api) -> None:
    clock, who, sub, _ = metered(api, 100)
    given = grant(api, who, 300, name="Welcome", category="promotional")
    invoice = renewed(api, clock, sub)
    assert (invoice["subtotal"], invoice["total"], invoice["amount_paid"], invoice["status"]) == (500, 200, 200, "paid")
    used = invoice["total_pretax_credit_amounts"]
    assert [(one["type"], one["amount"]) for one in used] == [("credit_balance_transaction", 300)]
    assert transactions(api, who) == [("credits_granted", 300), ("credits_applied", 300)]
    applied = api.get("/v1/billing/credit_balance_transactions", credit_grant=given["id"])["data"][0]["debit"][
        "credits_applied"
    ]
    assert applied == {"invoice": invoice["id"], "invoice_line_item": invoice["lines"]["data"][0]["id"]}
    assert left(api, who) == 0
    types = [event["type"] for event in api.events() if "credit" in event["type"]]
    assert types == ["billing.credit_grant.created", *["billing.credit_balance_transaction.created"] * 2]


def test_grants_are_used_by_priority_then_by_expiry(api: Api) -> None:
    clock, who, sub, price = metered(api, 100)
    last = grant(api, who, 400)
    soon = grant(api, who, 200, expires_at=api.now + 90 * 86_400)
    first = grant(api, who, 100, priority=0, applicability_config={"scope": {"prices": [{"id": price}]}})
    assert left(api, who, prices=[{"id": price}]) == 700
    assert renewed(api, clock, sub)["total"] == 0
    spent = [
        one["credit_grant"]
        for one in api.get("/v1/billing/credit_balance_transactions", customer=who)["data"]
        if one["debit"]
    ]
    assert spent == [last["id"], soon["id"], first["id"]]
    assert left(api, who) == 200


def test_a_licensed_price_uses_no_credits(api: Api) -> None:
    _, who = clocked(api)
    grant(api, who, 300)
    subscribe(api, who, plan(api))
    assert api.get("/v1/invoices", customer=who)["data"][0]["total"] == 1_000
    assert left(api, who) == 300
    refused = api.post(
        GRANTS,
        customer=who,
        amount={"type": "monetary", "monetary": {"value": 1, "currency": "usd"}},
        applicability_config={"scope": {"prices": [{"id": plan(api)}]}},
    )
    assert (refused.status, refused.error["param"]) == (400, "applicability_config[scope][prices][0][id]")


def test_a_voided_invoice_gives_its_credits_back(api: Api) -> None:
    clock, who, sub, _ = metered(api, 100)
    grant(api, who, 300)
    bad = api.ok("post", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    api.ok("post", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bad})
    invoice = renewed(api, clock, sub)
    assert (invoice["status"], left(api, who)) == ("open", 0)
    api.ok("post", f"/v1/invoices/{invoice['id']}/void")
    assert left(api, who) == 300
    assert transactions(api, who)[-1] == ("credits_application_invoice_voided", 300)


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
