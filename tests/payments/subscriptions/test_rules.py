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
    metered_plan,
    plan,
    schedule,
    subscribe,
)
from tests.support.api import NOW, Api, rule_table
from tests.support.versions import BEFORE_ENDIVE

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
    (
        "add_invoice_items[0][price]",
        "only accepts prices with `type=one_time`",
        lambda a, _: {"add_invoice_items": [{"price": monthly(a)}]},
    ),
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
    (
        None,
        "only specify 'days_until_due' if invoice collection method is 'send_invoice'.",
        lambda a, _: {"days_until_due": 5},
    ),
    (None, "is 'send_invoice', you must specify 'days_until_due'.", lambda a, _: {"collection_method": "send_invoice"}),
    ("default_payment_method", "does not have a payment method", lambda a, _: {"default_payment_method": others(a)}),
    ("default_source", "No such source", lambda a, _: {"default_source": others_source(a)}),
    ("default_tax_rates[0]", "is inactive", lambda a, _: {"default_tax_rates": [inactive_rate(a)]}),
    ("discounts[0][coupon]", "Coupon expired", lambda a, _: {"discounts": [{"coupon": used_up(a, max_redemptions=1)}]}),
    ("items", "at most 20 items", lambda a, _: {"items": [{"price": plan(a)} for _ in range(21)]}),
    ("items[0][price]", "prices with `type=recurring`", lambda a, _: {"items": [{"price": one_time(a)}]}),
    (
        "items[1][price]",
        "This `price` has `currency=eur`, but other items use `currency=usd`.",
        lambda a, _: {"items": [{"price": plan(a)}, {"price": plan(a, currency="eur")}]},
    ),
    ("plan", "Subscription Items with the same Price: ", lambda a, _: {"items": [{"price": plan(a)}] * 2}),
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
    (
        "pending_invoice_item_interval[interval_count]",
        "at most one year",
        lambda a, _: {"pending_invoice_item_interval": {"interval": "week", "interval_count": 53}},
    ),
    (
        "trial_end",
        "Invalid timestamp: must be an integer Unix timestamp in the future",
        lambda a, _: {"trial_end": NOW - DAY},
    ),
    ("trial_end", "maximum number of trial period days is 730", lambda a, _: {"trial_end": NOW + 731 * DAY}),
    (None, "when `trial_from_plan=true`.", lambda a, _: {"trial_from_plan": True, "trial_end": NOW + DAY}),
    (None, "when `trial_from_plan=true`.", lambda a, _: {"trial_from_plan": True, "trial_period_days": 3}),
    ("trial_end", "only specify one", lambda a, _: {"trial_end": NOW + DAY, "trial_period_days": 3}),
    (
        "payment_behavior",
        "has no effect when creating a subscription.",
        lambda a, _: {"payment_behavior": "pending_if_incomplete"},
    ),
]


@rule_table
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
    (
        None,
        "only specify 'days_until_due' if invoice collection method is 'send_invoice'.",
        lambda a, _: {"days_until_due": 5},
    ),
    ("default_payment_method", "does not have a payment method", lambda a, _: {"default_payment_method": others(a)}),
    ("default_source", "No such source", lambda a, _: {"default_source": others_source(a)}),
    ("default_tax_rates[0]", "is inactive", lambda a, _: {"default_tax_rates": [inactive_rate(a)]}),
    ("items", "at most 20 items", lambda a, _: {"items": [{"price": plan(a)} for _ in range(20)]}),
    (
        "pending_invoice_item_interval[interval_count]",
        "at most one year",
        lambda a, _: {"pending_invoice_item_interval": {"interval": "month", "interval_count": 13}},
    ),
    ("proration_date", "within the current period", lambda a, _: {**price(a), "proration_date": NOW - 1}),
    ("proration_date", "within the current period", lambda a, _: {**price(a), "proration_date": NOW + 32 * DAY}),
    ("trial_end", "maximum number of trial period days is 730", lambda a, _: {"trial_end": NOW + 731 * DAY}),
    (None, "when `trial_from_plan=true`.", lambda a, _: {"trial_from_plan": True, "trial_end": NOW + DAY}),
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


@pytest.mark.parametrize(("interval", "count"), [("day", 365), ("week", 52), ("month", 12), ("year", 1)])
def test_pending_items_are_billed_once_a_year_at_least(api: Api, interval: str, count: int) -> None:
    _, who = clocked(api)
    every = {"interval": interval, "interval_count": count}
    assert subscribe(api, who, plan(api), pending_invoice_item_interval=every)["pending_invoice_item_interval"] == every


def _taxed(api: Api) -> tuple[str, str]:
    """A customer whose location is known, and a tax rate."""
    _, who = clocked(api)
    api.ok("post", f"/v1/customers/{who}", address={"country": "US", "postal_code": "94111", "state": "CA"})
    return who, str(api.ok("post", "/v1/tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"])


@pytest.mark.parametrize("of", ["subscription", "item"])
def test_automatic_tax_goes_with_no_tax_rates(api: Api, of: str) -> None:
    who, rate = _taxed(api)
    item = {"price": plan(api), **({"tax_rates": [rate]} if of == "item" else {})}
    own = {"default_tax_rates": [rate]} if of == "subscription" else {}
    automatic = {"enabled": True}
    refused = api.post("/v1/subscriptions", customer=who, items=[item], automatic_tax=automatic, **own)
    assert (refused.status, refused.error["param"]) == (400, "automatic_tax")
    sub = api.ok("post", "/v1/subscriptions", customer=who, items=[item], **own)
    path = f"/v1/subscriptions/{sub['id']}"
    assert api.post(path, automatic_tax=automatic).error["param"] == "automatic_tax"
    gone = {"default_tax_rates": "", "items": [{"id": sub["items"]["data"][0]["id"], "tax_rates": ""}]}
    assert api.ok("post", path, automatic_tax=automatic, **gone)["automatic_tax"]["enabled"] is True
    items = f"/v1/subscription_items/{sub['items']['data'][0]['id']}"
    assert api.post(items, tax_rates=[rate]).error["param"] == "automatic_tax"
    assert api.post(path, default_tax_rates=[rate]).error["param"] == "automatic_tax"


def test_the_tax_rates_of_an_item_replace_those_of_the_subscription(api: Api) -> None:
    who, rate = _taxed(api)
    half = api.ok("post", "/v1/tax_rates", display_name="Half", percentage=10, inclusive=False)["id"]
    items = [{"price": plan(api), "tax_rates": [half]}, {"price": plan(api, 500)}]
    sub = api.ok("post", "/v1/subscriptions", customer=who, items=items, default_tax_rates=[rate])
    lines = api.get(f"/v1/invoices/{sub['latest_invoice']}")["lines"]["data"]
    assert sorted((line["amount"], line["taxes"][0]["amount"]) for line in lines) == [(500, 100), (1000, 100)]


def test_a_threshold_moves_no_anchor_of_usage_that_is_not_added_up(api: Api) -> None:
    api = api.under("2025-02-24.acacia")
    _, who = clocked(api)
    of_plan = {"usage_type": "metered", "aggregate_usage": "last_ever", "product": {"name": "Seats"}}
    seats = api.ok("post", "/v1/plans", amount=10, currency="usd", interval="month", **of_plan)["id"]
    thresholds = {"amount_gte": 500, "reset_billing_cycle_anchor": True}
    named = "billing_thresholds[reset_billing_cycle_anchor]"
    refused = told(api, "/v1/subscriptions", customer=who, items=[{"plan": seats}], billing_thresholds=thresholds)
    assert refused[0] == named
    kept = {"amount_gte": 500, "reset_billing_cycle_anchor": False}
    sub = api.ok("post", "/v1/subscriptions", customer=who, items=[{"plan": seats}], billing_thresholds=kept)["id"]
    assert told(api, f"/v1/subscriptions/{sub}", billing_thresholds=thresholds)[0] == named


def test_a_preview_with_automatic_tax_says_whom_to_tax(api: Api) -> None:
    who, _ = _taxed(api)
    details = {"items": [{"price": plan(api)}]}
    asked = {"automatic_tax": {"enabled": True}, "subscription_details": details}
    assert "`customer` or a `subscription`" in told(api, "/v1/invoices/create_preview", **asked)[1]
    address = {"address": {"country": "US", "postal_code": "94111", "state": "CA"}}
    for whom in ({"customer": who}, {"customer_details": address}):
        api.ok("post", "/v1/invoices/create_preview", **asked, **whom)


def test_a_deleted_plan_takes_no_new_subscribers(api: Api) -> None:
    _, who = clocked(api)
    price = plan(api)
    sub = subscribe(api, who, price)["id"]
    api.ok("delete", f"/v1/plans/{price}")
    assert told(api, "/v1/subscriptions", customer=who, items=[{"price": price}])[0] == "items[0][price]"
    assert current(api, sub)["status"] == "active"


@pytest.mark.parametrize("path", ["/v1/subscriptions/{sub}", "/v1/customers/{who}/subscriptions/{sub}"])
def test_the_anchor_of_a_change_is_a_hash_at_both_paths(api: Api, path: str) -> None:
    _, who = clocked(api)
    path = path.format(who=who, sub=subscribe(api, who, plan(api))["id"])
    assert told(api, path, billing_cycle_anchor="now")[0] == "billing_cycle_anchor"
    assert api.post(path, billing_cycle_anchor={"type": "now"}).status == 200
    older = api.under(BEFORE_ENDIVE)
    assert older.post(path, billing_cycle_anchor="now").status == 200


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
    assert told(api, f"/v1/subscriptions/{sub}/resume") == (
        None,
        "You can only resume a subscription if it is `paused`.",
    )
    advance(api, clock, NOW + 2 * DAY)
    assert current(api, sub)["status"] == "paused"
    assert told(api, f"/v1/subscriptions/{sub}", trial_end=NOW + 9 * DAY) == (
        None,
        "You cannot set `trial_end` while a subscription is `paused`. Resume the subscription first before setting"
        " `trial_end`.",
    )
    api.ok("post", f"/v1/subscriptions/{sub}", collection_method="send_invoice", days_until_due=3)
    assert "`charge_automatically`" in told(api, f"/v1/subscriptions/{sub}/resume")[1]


def test_a_pause_leaves_the_status_and_an_end_what_is_pending(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    assert api.ok("post", f"/v1/subscriptions/{sub}", pause_collection={"behavior": "void"})["status"] == "active"
    item = api.ok("post", "/v1/invoiceitems", customer=who, subscription=sub, amount=500, currency="usd")["id"]
    api.ok("delete", f"/v1/subscriptions/{sub}")
    assert api.get(f"/v1/invoiceitems/{item}")["invoice"] is None


def test_money_is_promised_to_accounts_that_there_are(api: Api) -> None:
    (_, who), price = clocked(api), plan(api)
    told = {"customer": who, "items": [{"price": price}]}
    made = api.ok("POST", "/v1/subscriptions", **told)["id"]
    invoice = api.ok("POST", "/v1/invoices", customer=who)["id"]
    for path, given in (
        ("/v1/subscriptions", told),
        (f"/v1/subscriptions/{made}", {}),
        ("/v1/invoices", {"customer": who}),
        (f"/v1/invoices/{invoice}", {}),
    ):
        refused = api.post(path, **given, transfer_data={"destination": "acct_no"})
        assert (refused.status, refused.error["param"]) == (400, "transfer_data[destination]")
