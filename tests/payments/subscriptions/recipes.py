"""How tests make the objects of ``payments.subscriptions`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.payments.catalog.recipes import recurring_price
from tests.payments.customers.recipes import paying_customer
from tests.payments.usage.recipes import used
from tests.support.recipes import BAD_CARD, CARD, DAY, META, Body, Json, Maker


def new_subscription(m: Maker, **more: Any) -> Json:
    """A monthly subscription; of a customer with a card, unless another is given."""
    customer = more.pop("customer", None) or paying_customer(m)["id"]
    return m.post("/v1/subscriptions", customer=customer, items=[{"price": recurring_price(m)}], **more)


def new_quote(m: Maker, final: bool = False) -> Json:
    made = m.post(
        "/v1/quotes", customer=paying_customer(m)["id"], line_items=[{"price": recurring_price(m), "quantity": 1}]
    )
    return m.post(f"/v1/quotes/{made['id']}/finalize") if final else made


def _schedule(m: Maker) -> Json:
    return m.post("/v1/subscription_schedules", from_subscription=new_subscription(m)["id"])


def _metered(m: Maker) -> str:
    """An item whose use is counted by records, as plans were metered before meters."""
    older = m.under("2025-02-24.acacia")
    plan = older.post(
        "/v1/plans", amount=10, currency="usd", interval="month", usage_type="metered", product={"name": "Calls"}
    )["id"]
    made = older.post("/v1/subscriptions", customer=paying_customer(m)["id"], items=[{"plan": plan}])
    found: str = made["items"]["data"][0]["id"]
    return found


def _product_feature(m: Maker, product: str | None = None) -> Json:
    product = product or m.make("product")["id"]
    made = m.post(f"/v1/products/{product}/features", entitlement_feature=m.make("entitlements.feature")["id"])
    return {**made, "_parent": product}


def _entitled(m: Maker) -> Json:
    """What a customer may use who is subscribed to a product with a feature."""
    product = m.make("product")["id"]
    _product_feature(m, product)
    price = m.post("/v1/prices", currency="usd", unit_amount=1500, recurring={"interval": "month"}, product=product)[
        "id"
    ]
    customer = paying_customer(m)["id"]
    m.post("/v1/subscriptions", customer=customer, items=[{"price": price}])
    return {**m.first("/v1/entitlements/active_entitlements", customer=customer), "_customer": customer}


def _second_item(m: Maker) -> str:
    found: str = m.post("/v1/subscription_items", subscription=new_subscription(m)["id"], price=recurring_price(m))[
        "id"
    ]
    return found


def _paused(m: Maker) -> str:
    customer = m.post("/v1/customers")["id"]
    made = m.post(
        "/v1/subscriptions", customer=customer, items=[{"price": recurring_price(m)}], trial_period_days=1,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )  # fmt: skip
    m.api.advance(3 * 86400)
    pm = m.post("/v1/payment_methods", type="card", card=CARD)["id"]
    m.post(f"/v1/payment_methods/{pm}/attach", customer=customer)
    m.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": pm})
    found: str = made["id"]
    return found


def with_bad_card(m: Maker) -> Json:
    """A subscription that was paid once and whose customer's card fails from now on."""
    made = new_subscription(m)
    bad = m.post(f"/v1/payment_methods/{BAD_CARD}/attach", customer=made["customer"])["id"]
    m.post(f"/v1/customers/{made['customer']}", invoice_settings={"default_payment_method": bad})
    return made


def _change_fails(m: Maker) -> None:
    made = with_bad_card(m)
    items = [{"id": made["items"]["data"][0]["id"], "price": recurring_price(m, unit_amount=9_000)}]
    changed = {"items": items, "payment_behavior": "pending_if_incomplete", "proration_behavior": "always_invoice"}
    m.post(f"/v1/subscriptions/{made['id']}", **changed)


def _phases(m: Maker, iterations: int = 1) -> None:
    phase = {"items": [{"price": recurring_price(m)}], "duration": {"interval": "month", "interval_count": iterations}}
    customer = paying_customer(m)["id"]
    m.post("/v1/subscription_schedules", customer=customer, start_date="now", phases=[phase], end_behavior="cancel")


def _pending_items(m: Maker) -> None:
    made = new_subscription(m, pending_invoice_item_interval={"interval": "week", "interval_count": 1})
    m.post("/v1/invoiceitems", customer=made["customer"], subscription=made["id"], amount=333, currency="usd")


def _not_collected(m: Maker) -> None:
    """A subscription whose invoices are not collected for three days."""
    paused = {"behavior": "void", "resumes_at": m.api.now + 3 * DAY}
    m.post(f"/v1/subscriptions/{new_subscription(m)['id']}", pause_collection=paused)


COLLECTIONS = {
    "/v1/customers/{}/subscriptions": "subscription",
}


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "product_feature": _product_feature,
    "entitlements.active_entitlement": _entitled,
    "quote": new_quote,
    "subscription": new_subscription,
    "subscription_schedule": _schedule,
    "subscription_item": lambda m: new_subscription(m)["items"]["data"][0],
}


BODIES: dict[str, Body] = {
    "POST /v1/customers/{}/subscriptions": lambda m: {"items": [{"price": recurring_price(m)}]},
    "POST /v1/customers/{}/subscriptions/{}": META,
    "GET /v1/subscriptions/search": {"query": "status:'active'"},
    "POST /v1/invoices/create_preview": lambda m: {"customer": new_subscription(m)["customer"]},
    "GET /v1/invoices/upcoming": lambda m: {"customer": new_subscription(m)["customer"]},
    "GET /v1/invoices/upcoming/lines": lambda m: {"customer": new_subscription(m)["customer"]},
    "POST /v1/products/{}/features": lambda m: {"entitlement_feature": m.make("entitlements.feature")["id"]},
    "POST /v1/entitlements/features": lambda m: {"name": "Chat", "lookup_key": f"chat_{m.next()}"},
    "POST /v1/entitlements/features/{}": META,
    "GET /v1/entitlements/active_entitlements": lambda m: {
        "customer": m.make("entitlements.active_entitlement")["_customer"]},
    "POST /v1/quotes": lambda m: {"customer": m.id("customer"), "line_items": [{"price": recurring_price(m),
    "quantity": 1}]},
    "POST /v1/quotes/{}": META,
    "POST /v1/subscriptions": lambda m: {
        "customer": paying_customer(m)["id"], "items": [{"price": recurring_price(m)}]},
    "POST /v1/subscriptions/{}": META,
    "POST /v1/subscriptions/{}/migrate": {"billing_mode": {"type": "flexible"}},
    "POST /v1/subscriptions/{}/resume": {"billing_cycle_anchor": {"type": "now"}},
    "POST /v1/subscription_items": lambda m: {"subscription": new_subscription(m)["id"], "price": recurring_price(m)},
    "POST /v1/subscription_items/{}": META,
    "POST /v1/subscription_items/{}/usage_records": lambda m: {"quantity": 5, "timestamp": m.api.now},
    "GET /v1/subscription_items": lambda m: {"subscription": new_subscription(m)["id"]},
    "POST /v1/subscription_schedules": lambda m: {"from_subscription": new_subscription(m)["id"]},
    "POST /v1/subscription_schedules/{}": META,
    "POST /v1/quotes/{}/finalize": {},
}  # fmt: skip


PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "DELETE /v1/subscription_items/{}": lambda m: [_second_item(m)],
    "GET /v1/quotes/{}/pdf": lambda m: [new_quote(m, final=True)["id"]],
    "POST /v1/subscription_items/{}/usage_records": lambda m: [_metered(m)],
    "POST /v1/quotes/{}/accept": lambda m: [new_quote(m, final=True)["id"]],
    "POST /v1/customers/{}/subscriptions": lambda m: [paying_customer(m)["id"]],
    "POST /v1/subscriptions/{}/pause": lambda m: [new_subscription(m)["id"]],
    "POST /v1/subscriptions/{}/resume": lambda m: [_paused(m)],
}


def _resumption_fails(m: Maker) -> None:
    """A paused subscription whose resumption waits for the payment of its invoice."""
    made = new_subscription(m)
    path = f"/v1/subscriptions/{made['id']}"
    m.api.advance(15 * DAY)
    m.post(f"{path}/pause")
    failing = m.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=made["customer"])["id"]
    m.post(path, default_payment_method=failing)
    m.post(f"{path}/resume")


DUE: dict[str, Callable[[Maker], object]] = {
    "quote.expire": lambda m: new_quote(m, final=True),
    "subscription.cancel": lambda m: new_subscription(m, cancel_at=m.api.now + 5 * DAY),
    "subscription.drop_pending": _change_fails,
    "subscription.expire": lambda m: new_subscription(
        m, customer=paying_customer(m, BAD_CARD)["id"], payment_behavior="allow_incomplete"
    ),
    "subscription.pending_items": _pending_items,
    "subscription.renew": new_subscription,
    "subscription.resume": _not_collected,
    "subscription.resume_expire": _resumption_fails,
    "subscription.thresholds": lambda m: used(m, billing_thresholds={"amount_gte": 500}),
    "subscription.trial_will_end": lambda m: new_subscription(m, trial_period_days=10),
    "subscription.upcoming": new_subscription,
    "subscription_schedule.expiring": lambda m: _phases(m, 2),
    "subscription_schedule.step": _phases,
}
