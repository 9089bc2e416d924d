"""What parameters of a subscription's requests may not be together, or not in its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.payments.steps import monthly, told
from tests.payments.subscriptions.steps import (
    DAY,
    advance,
    clocked,
    current,
    customer,
    metered_plan,
    plan,
    schedule,
    subscribe,
)
from tests.support.api import NOW, Api

Given = Callable[[Api, str], dict[str, Any]]


def price(api: Api, **more: Any) -> dict[str, Any]:
    return {"items": [{"price": plan(api, **more)}]}


def one_time(api: Api) -> str:
    product = api.ok("post", "/v1/products", name="Once")["id"]
    return str(api.ok("post", "/v1/prices", product=product, unit_amount=100, currency="usd")["id"])


def inactive_rate(api: Api) -> str:
    made = api.ok("post", "/v1/tax_rates", display_name="Tax", inclusive=False, percentage=10, active=False)
    return str(made["id"])


def others(api: Api, card: str = "pm_card_visa") -> str:
    """A payment method that another customer has."""
    who = api.ok("post", "/v1/customers")["id"]
    return str(api.ok("post", f"/v1/payment_methods/{card}/attach", customer=who)["id"])


def others_source(api: Api) -> str:
    return str(api.ok("post", "/v1/customers", source="tok_visa")["default_source"])


def used_up(api: Api, **coupon: Any) -> str:
    """A coupon that somebody has redeemed as often as it may be."""
    made = api.ok("post", "/v1/coupons", percent_off=5, duration="once", **coupon)["id"]
    if "max_redemptions" in coupon:
        subscribe(
            api, api.ok("post", "/v1/customers", source="tok_visa")["id"], plan(api), discounts=[{"coupon": made}]
        )
    return str(made)


#: Name of the parameter that is refused, or None -> words of the sentence, and the parameters of a new subscription.
NEW: list[tuple[str | None, str, Given]] = [
    ("add_invoice_items", "at most 20", lambda a, _: {"add_invoice_items": [{"price": one_time(a)}] * 21}),
    ("price", "only accepts prices with `type=one_time`", lambda a, _: {"add_invoice_items": [{"price": monthly(a)}]}),
    ("application_fee_percent", "at most two decimal places", lambda a, _: {"application_fee_percent": "1.234"}),
    ("application_fee_percent", "on behalf of another account", lambda a, _: {"application_fee_percent": 10}),
    ("application_fee_percent", "between 0 and 100", lambda a, _: {"application_fee_percent": 120}),
    ("automatic_tax", "location isn't recognized", lambda a, _: {"automatic_tax": {"enabled": True}}),
    ("backdate_start_date", "must be in the past", lambda a, _: {"backdate_start_date": NOW + DAY}),
    ("billing_cycle_anchor", "next natural billing date", lambda a, _: {"billing_cycle_anchor": NOW + 32 * DAY}),
    (
        "billing_cycle_anchor",
        "only specify one",
        lambda a, _: {"billing_cycle_anchor": NOW + DAY, "billing_cycle_anchor_config": {"day_of_month": 3}},
    ),
    (
        "billing_cycle_anchor_config",
        "monthly or yearly",
        lambda a, _: {**price(a, interval="week"), "billing_cycle_anchor_config": {"day_of_month": 3}},
    ),
    ("cancel_at", "only specify one", lambda a, _: {"cancel_at": NOW + DAY, "cancel_at_period_end": True}),
    ("days_until_due", "if `collection_method` is `send_invoice`", lambda a, _: {"days_until_due": 5}),
    ("days_until_due", "You must pass", lambda a, _: {"collection_method": "send_invoice"}),
    ("default_payment_method", "does not have a payment method", lambda a, _: {"default_payment_method": others(a)}),
    ("default_source", "No such source", lambda a, _: {"default_source": others_source(a)}),
    ("default_tax_rates[0]", "is inactive", lambda a, _: {"default_tax_rates": [inactive_rate(a)]}),
    ("discounts[0]", "Coupon expired", lambda a, _: {"discounts": [{"coupon": used_up(a, max_redemptions=1)}]}),
    ("items", "at most 20 items", lambda a, _: {"items": [{"price": plan(a)} for _ in range(21)]}),
    ("items[0][price]", "prices with `type=recurring`", lambda a, _: {"items": [{"price": one_time(a)}]}),
    (
        "items[1][price]",
        "doesn't match the expected currency",
        lambda a, _: {"items": [{"price": plan(a)}, {"price": plan(a, currency="eur")}]},
    ),
    ("items", "with the same plan", lambda a, _: {"items": [{"price": plan(a)}] * 2}),
    ("items[0][price]", "is inactive", lambda a, _: {"items": [{"price": monthly(a, active=False)}]}),
    (
        "items[0][quantity]",
        "quantity for metered plans",
        lambda a, _: {"items": [{"price": metered_plan(a), "quantity": 2}]},
    ),
    (
        None,
        "Prices require an `unit_amount`",
        lambda a, _: {
            "items": [
                {
                    "price_data": {
                        "currency": "usd",
                        "product": a.ok("post", "/v1/products", name="Gold")["id"],
                        "recurring": {"interval": "month"},
                    }
                }
            ]
        },
    ),
    ("trial_end", "must be an integer Unix timestamp in the future", lambda a, _: {"trial_end": NOW - DAY}),
    ("trial_end", "maximum number of trial period days is 730", lambda a, _: {"trial_end": NOW + 731 * DAY}),
    ("trial_from_plan", "only specify one", lambda a, _: {"trial_from_plan": True, "trial_end": NOW + DAY}),
    ("trial_from_plan", "only specify one", lambda a, _: {"trial_from_plan": True, "trial_period_days": 3}),
    ("trial_end", "only specify one", lambda a, _: {"trial_end": NOW + DAY, "trial_period_days": 3}),
]


@pytest.mark.parametrize(("param", "words", "given"), NEW, ids=lambda value: value if isinstance(value, str) else "")
def test_a_new_subscription_is_refused(api: Api, param: str | None, words: str, given: Given) -> None:
    _, who = clocked(api)
    refused = told(api, "/v1/subscriptions", customer=who, **{**price(api), **given(api, who)})
    assert refused[0] == param
    assert words in refused[1]


CHANGED: list[tuple[str | None, str, Given]] = [
    ("add_invoice_items", "at most 20", lambda a, _: {"add_invoice_items": [{"price": one_time(a)}] * 21}),
    ("application_fee_percent", "on behalf of another account", lambda a, _: {"application_fee_percent": 10}),
    (
        "billing_cycle_anchor[type]",
        "must be one of now or unchanged",
        lambda a, _: {"billing_cycle_anchor": {"type": "timestamp"}},
    ),
    ("days_until_due", "if `collection_method` is `send_invoice`", lambda a, _: {"days_until_due": 5}),
    ("default_payment_method", "does not have a payment method", lambda a, _: {"default_payment_method": others(a)}),
    ("default_source", "No such source", lambda a, _: {"default_source": others_source(a)}),
    ("default_tax_rates[0]", "is inactive", lambda a, _: {"default_tax_rates": [inactive_rate(a)]}),
    ("items", "at most 20 items", lambda a, _: {"items": [{"price": plan(a)} for _ in range(20)]}),
    ("proration_date", "within the current period", lambda a, _: {**price(a), "proration_date": NOW - 1}),
    ("proration_date", "within the current period", lambda a, _: {**price(a), "proration_date": NOW + 32 * DAY}),
    ("trial_end", "maximum number of trial period days is 730", lambda a, _: {"trial_end": NOW + 731 * DAY}),
    ("trial_from_plan", "only specify one", lambda a, _: {"trial_from_plan": True, "trial_end": NOW + DAY}),
]


@pytest.mark.parametrize(
    ("param", "words", "given"), CHANGED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_change_is_refused(api: Api, param: str | None, words: str, given: Given) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    refused = told(api, f"/v1/subscriptions/{sub}", **given(api, who))
    assert refused[0] == param
    assert words in refused[1]


PREVIEWED: list[tuple[str | None, str, Given]] = [
    ("invoice_items", "at most 250", lambda a, _: {"invoice_items": [{"amount": 1, "currency": "usd"}] * 251}),
    ("schedule", "only specify one", lambda a, who: {"schedule": schedule(a, who, price(a))["id"]}),
    ("schedule_details", "only specify one", lambda a, _: {"schedule_details": {"phases": [price(a)]}}),
    (
        "subscription_details",
        "only specify one",
        lambda a, _: {"subscription": "", "schedule_details": {"phases": [price(a)]}, "subscription_details": price(a)},
    ),
    (
        "subscription_details[billing_cycle_anchor]",
        "must be one of now or unchanged",
        lambda a, _: {"subscription_details": {"billing_cycle_anchor": {"type": "timestamp", "timestamp": NOW + DAY}}},
    ),
    (
        "subscription_details[proration_date]",
        "within the current period",
        lambda a, _: {"subscription_details": {**price(a), "proration_date": NOW + 32 * DAY}},
    ),
    (
        "subscription_details[proration_date]",
        "without `items` or `trial_end`",
        lambda a, _: {"subscription_details": {"proration_date": NOW + DAY}},
    ),
    (
        "subscription_details[proration_date]",
        "when `proration_behavior` is `none`",
        lambda a, _: {"subscription_details": {**price(a), "proration_date": NOW, "proration_behavior": "none"}},
    ),
    (
        "subscription_details[trial_end]",
        "without `items` or a `subscription`",
        lambda a, _: {"subscription": "", "subscription_details": {"trial_end": NOW + DAY}},
    ),
]


@pytest.mark.parametrize(
    ("param", "words", "given"), PREVIEWED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_preview_is_refused(api: Api, param: str | None, words: str, given: Given) -> None:
    _, who = clocked(api)
    asked = {"subscription": subscribe(api, who, plan(api))["id"], **given(api, who)}
    if not asked["subscription"]:
        asked = {**{name: value for name, value in asked.items() if name != "subscription"}, "customer": who}
    refused = told(api, "/v1/invoices/create_preview", **asked)
    assert refused[0] == param
    assert words in refused[1]


def test_an_anchor_that_is_a_time_is_refused_as_the_text_of_older_versions_too(api: Api) -> None:
    api = api.under("2025-02-24.acacia")
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    given = {"billing_cycle_anchor": NOW + DAY}
    param, words = told(api, f"/v1/subscriptions/{sub}", **given)
    assert (param, "must be one of now or unchanged" in words) == ("billing_cycle_anchor", True)
    param, words = told(api, "/v1/invoices/create_preview", subscription=sub, subscription_details=given)
    assert (param, "must be one of now or unchanged" in words) == ("subscription_details[billing_cycle_anchor]", True)


def test_of_an_incomplete_subscription_nothing_that_is_billed_can_be_changed(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api), payment_behavior="default_incomplete")
    assert sub["status"] == "incomplete"
    item = {"id": sub["items"]["data"][0]["id"], "quantity": 2}
    assert "`incomplete` status" in told(api, f"/v1/subscriptions/{sub['id']}", items=[item])[1]
    assert api.ok("post", f"/v1/subscriptions/{sub['id']}", metadata={"a": "b"})["metadata"] == {"a": "b"}


def test_only_paused_subscriptions_that_are_charged_automatically_are_resumed(api: Api) -> None:
    clock, who = clocked(api, None)
    settings = {"end_behavior": {"missing_payment_method": "pause"}}
    sub = subscribe(api, who, plan(api), trial_end=NOW + DAY, trial_settings=settings)["id"]
    assert "This subscription's status is `trialing`" in told(api, f"/v1/subscriptions/{sub}/resume")[1]
    advance(api, clock, NOW + 2 * DAY)
    assert current(api, sub)["status"] == "paused"
    api.ok("post", f"/v1/subscriptions/{sub}", collection_method="send_invoice", days_until_due=3)
    assert "`charge_automatically`" in told(api, f"/v1/subscriptions/{sub}/resume")[1]


def test_the_usage_of_a_licensed_item_cannot_be_cleared(api: Api) -> None:
    _, who = clocked(api)
    items = [{"price": plan(api)}, {"price": metered_plan(api)}]
    sub = api.ok("post", "/v1/subscriptions", customer=who, items=items)
    licensed, metered = sorted(sub["items"]["data"], key=lambda one: one["price"]["recurring"]["usage_type"])
    refused = api.delete(f"/v1/subscription_items/{licensed['id']}", clear_usage=True)
    assert (refused.status, refused.error["param"]) == (400, "clear_usage")
    assert api.delete(f"/v1/subscription_items/{metered['id']}", clear_usage=True).status == 200


def test_the_last_item_stays_and_an_ended_subscription_gets_none(api: Api) -> None:
    who = customer(api)
    api.ok("post", f"/v1/customers/{who}", source="tok_visa")
    sub = subscribe(api, who, plan(api))
    refused = api.delete(f"/v1/subscription_items/{sub['items']['data'][0]['id']}")
    assert (refused.status, "at least one active plan" in refused.error["message"]) == (400, True)
    assert told(api, "/v1/subscription_items", subscription=sub["id"])[1].startswith("Missing required param")
    api.ok("delete", f"/v1/subscriptions/{sub['id']}")
    added = told(api, "/v1/subscription_items", subscription=sub["id"], price=plan(api))
    assert added[1].startswith("A canceled subscription")


def test_another_price_sets_the_quantity_to_one_unless_it_is_given(api: Api) -> None:
    _, who = clocked(api)
    sub = api.ok("post", "/v1/subscriptions", customer=who, items=[{"price": plan(api), "quantity": 3}])
    item = f"/v1/subscription_items/{sub['items']['data'][0]['id']}"
    assert api.ok("post", item, price=plan(api))["quantity"] == 1
    assert api.ok("post", item, price=plan(api), quantity=4)["quantity"] == 4
    assert api.ok("post", item, metadata={"a": "b"})["quantity"] == 4


def test_a_pause_leaves_the_status_and_an_end_what_is_pending(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    assert api.ok("post", f"/v1/subscriptions/{sub}", pause_collection={"behavior": "void"})["status"] == "active"
    item = api.ok("post", "/v1/invoiceitems", customer=who, subscription=sub, amount=500, currency="usd")["id"]
    api.ok("delete", f"/v1/subscriptions/{sub}")
    assert api.get(f"/v1/invoiceitems/{item}")["invoice"] is None
