"""How tests make the objects of ``payments.usage`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.payments.catalog.recipes import recurring_price
from tests.payments.customers.recipes import paying_customer
from tests.support.recipes import META, Body, Json, Maker


def _meter_event(m: Maker) -> str:
    found: str = m.post("/v1/billing/meter_events", **m.body("POST /v1/billing/meter_events"))["identifier"]
    return found


def used(m: Maker, **subscription: Any) -> None:
    """Usage of a metered price, just reported. subscription: more parameters of the subscription to that price."""
    meter = m.make("billing.meter")
    customer = paying_customer(m)["id"]
    metered = {"interval": "month", "usage_type": "metered", "meter": meter["id"]}
    price = recurring_price(m, unit_amount=5, recurring=metered)
    m.post("/v1/subscriptions", customer=customer, items=[{"price": price}], **subscription)
    alert = {"gte": 100, "meter": meter["id"], "recurrence": "one_time"}
    m.post("/v1/billing/alerts", alert_type="usage_threshold", title="Much", usage_threshold=alert)
    payload = {"stripe_customer_id": customer, "value": 300}
    m.post("/v1/billing/meter_events", event_name=meter["event_name"], payload=payload)


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "billing.credit_balance_transaction": lambda m: (
        m.make("billing.credit_grant"),
        m.first("/v1/billing/credit_balance_transactions"),
    )[1],
}


BODIES: dict[str, Body] = {
    "POST /v1/billing/alerts": lambda m: {
        "alert_type": "usage_threshold", "title": "Much",
        "usage_threshold": {"gte": 100, "meter": m.make("billing.meter")["id"], "recurrence": "one_time"}},
    "POST /v1/billing/credit_grants": lambda m: {
        "customer": m.id("customer"), "amount": {"type": "monetary", "monetary": {"value": 500, "currency": "usd"}},
        "applicability_config": {"scope": {"price_type": "metered"}}},
    "POST /v1/billing/credit_grants/{}": META,
    "GET /v1/billing/credit_balance_summary": lambda m: {
        "customer": m.make("billing.credit_grant")["customer"],
        "filter": {"type": "applicability_scope", "applicability_scope": {"price_type": "metered"}}},
    "POST /v1/billing/meter_event_adjustments": lambda m: {
        "event_name": m.shared("billing.meter")["event_name"], "type": "cancel",
        "cancel": {"identifier": _meter_event(m)}},
    "POST /v1/billing/meter_events": lambda m: {
        "event_name": m.shared("billing.meter")["event_name"], "identifier": f"id{m.next()}",
        "payload": {"stripe_customer_id": m.id("customer"), "value": "5"}},
    "POST /v2/billing/meter_event_adjustments": lambda m: {
        "event_name": m.shared("billing.meter")["event_name"], "type": "cancel",
        "cancel": {"identifier": _meter_event(m)}},
    "POST /v2/billing/meter_events": lambda m: m.body("POST /v1/billing/meter_events"),
    "POST /v2/billing/meter_event_stream": lambda m: {"events": [m.body("POST /v1/billing/meter_events")]},
    "POST /v1/billing/meters": lambda m: {
        "display_name": "Calls", "event_name": f"calls_{m.next()}", "default_aggregation": {"formula": "sum"},
        "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
        "value_settings": {"event_payload_key": "value"}},
    "POST /v1/billing/meters/{}": {"display_name": "More calls"},
    "GET /v1/billing/meters/{}/event_summaries": lambda m: {
        "customer": m.id("customer"), "start_time": m.api.now - m.api.now % 60 - 3600,
        "end_time": m.api.now - m.api.now % 60},
}  # fmt: skip


PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "POST /v1/billing/alerts/{}/activate": lambda m: [m.after("billing.alert", "/v1/billing/alerts/{}/deactivate")],
    "POST /v1/billing/meters/{}/reactivate": lambda m: [m.after("billing.meter", "/v1/billing/meters/{}/deactivate")],
}


DUE: dict[str, Callable[[Maker], object]] = {
    "billing.alert.check": used,
    "credit_grant.expire": lambda m: m.post(
        "/v1/billing/credit_grants", **m.body("POST /v1/billing/credit_grants"), expires_at=m.api.now + 60
    ),
}
