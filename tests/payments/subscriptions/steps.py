"""Steps that several tests of subscriptions share."""

from __future__ import annotations

from typing import Any

from tests.support.api import NOW, Answer, Api
from tests.support.openapi import assert_valid


def customer(api: Api, **params: object) -> str:
    return str(api.ok("post", "/v1/customers", email="a@example.com", **params)["id"])


def totals(api: Api, sub: str) -> list[int]:
    """What the subscription's invoices came to, oldest first."""
    return [one["total"] for one in reversed(api.get("/v1/invoices", subscription=sub)["data"])]


def schedule(api: Api, who: str, *phases: dict[str, object], **params: object) -> Answer:
    month = {"duration": {"interval": "month", "interval_count": 1}}
    wanted = [{**month, **phase} for phase in phases]
    return ok(api, "POST", "/v1/subscription_schedules", customer=who, start_date="now", phases=wanted, **params)


DAY = 86_400


def ok(api: Api, method: str, path: str, template: str | None = None, **params: object) -> Answer:
    answer = api.ok(method.lower(), path, **params)
    assert_valid(method, template or path, 200, dict(answer))
    return answer


def plan(api: Api, amount: int = 1000, currency: str = "usd", **recurring: object) -> str:
    product = ok(api, "POST", "/v1/products", name="Plan")
    made = ok(
        api,
        "POST",
        "/v1/prices",
        product=product["id"],
        unit_amount=amount,
        currency=currency,
        recurring={"interval": "month", **recurring},
    )
    return str(made["id"])


def calls_meter(api: Api) -> str:
    """A meter that adds up the events ``calls``."""
    sums = {"formula": "sum"}
    meter: str = ok(
        api, "POST", "/v1/billing/meters", display_name="Calls", event_name="calls", default_aggregation=sums
    )["id"]
    return meter


def metered_plan(api: Api) -> str:
    """A monthly price of 5 cents for what a meter counts."""
    return plan(api, 5, usage_type="metered", meter=calls_meter(api))


def clocked(api: Api, card: str | None = "pm_card_visa") -> tuple[str, str]:
    clock = ok(api, "POST", "/v1/test_helpers/test_clocks", frozen_time=NOW)["id"]
    saved = {"payment_method": card, "invoice_settings": {"default_payment_method": card}} if card else {}
    return clock, ok(api, "POST", "/v1/customers", email="a@example.com", test_clock=clock, **saved)["id"]


def advance(api: Api, clock: str, to: int) -> None:
    ok(
        api,
        "POST",
        f"/v1/test_helpers/test_clocks/{clock}/advance",
        "/v1/test_helpers/test_clocks/{test_clock}/advance",
        frozen_time=to,
    )
    api.advance(1)
    assert api.get(f"/v1/test_helpers/test_clocks/{clock}")["status"] == "ready"


def subscribe(api: Api, who: str, price: str, **params: object) -> Answer:
    return ok(api, "POST", "/v1/subscriptions", customer=who, items=[{"price": price}], **params)


def current(api: Api, id: str) -> Answer:
    return ok(api, "GET", f"/v1/subscriptions/{id}", "/v1/subscriptions/{subscription_exposed_id}")


FEATURES = "/v1/entitlements/features"


def featured(api: Api, *keys: str) -> tuple[str, list[Answer]]:
    """A monthly price of a product with new features of these lookup keys."""
    product = ok(api, "POST", "/v1/products", name="Plan")["id"]
    features = [ok(api, "POST", FEATURES, name=key.title(), lookup_key=key) for key in keys]
    for feature in features:
        ok(
            api,
            "POST",
            f"/v1/products/{product}/features",
            "/v1/products/{product}/features",
            entitlement_feature=feature["id"],
        )
    price = ok(
        api, "POST", "/v1/prices", product=product, unit_amount=1_000, currency="usd", recurring={"interval": "month"}
    )
    return price["id"], features


def metered(api: Api, item: dict[str, Any] | None = None, **params: Any) -> tuple[str, str, Answer]:
    """Clock, customer and a subscription to a metered price of 5 cents."""
    clock, who = clocked(api)
    price = metered_plan(api)
    return (
        clock,
        who,
        ok(api, "POST", "/v1/subscriptions", customer=who, items=[{"price": price, **(item or {})}], **params),
    )


def use(api: Api, who: str, units: int) -> None:
    api.ok("post", "/v1/billing/meter_events", event_name="calls", payload={"stripe_customer_id": who, "value": units})
    api.advance(1)
