"""Steps that several tests of usage share."""

from __future__ import annotations

from typing import Any

from tests.payments.subscriptions.steps import advance, clocked, metered_plan, ok, subscribe
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

PATH = "/v1/billing/alerts"


def alert(api: Api, meter: str, gte: int = 100, **more: object) -> str:
    threshold = {"gte": gte, "meter": meter, "recurrence": "one_time", **more}
    made = api.ok("POST", PATH, alert_type="usage_threshold", title="Much", usage_threshold=threshold)
    assert_valid("POST", PATH, 200, made, strict=True)
    found: str = made["id"]
    return found


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
    price = metered_plan(api)
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
