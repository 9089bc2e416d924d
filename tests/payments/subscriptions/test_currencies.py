"""The currency of a customer's subscriptions: one at a time."""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import DAY, clocked, ok, plan, subscribe
from tests.support.api import NOW, Api


def _eur_customer(api: Api) -> tuple[str, str]:
    """A customer who is billed in euros, and their subscription."""
    _, who = clocked(api)
    return who, str(subscribe(api, who, plan(api, 1000, "eur"))["id"])


def _scheduled(api: Api, who: str) -> None:
    phases = [{"items": [{"price": plan(api, 1000, "eur")}], "duration": {"interval": "month"}}]
    ok(api, "POST", "/v1/subscription_schedules", customer=who, start_date=NOW + 3 * DAY, phases=phases)


def _discounted(api: Api, who: str) -> None:
    coupon = ok(api, "POST", "/v1/coupons", amount_off=100, currency="eur", duration="forever")["id"]
    api.ok("post", f"/v1/customers/{who}", coupon=coupon, headers={"Stripe-Version": "2024-06-20"})


def _quoted(api: Api, who: str) -> None:
    quote = ok(api, "POST", "/v1/quotes", customer=who, line_items=[{"price": plan(api, 1000, "eur")}])["id"]
    api.ok("post", f"/v1/quotes/{quote}/finalize")


def _pending(api: Api, who: str) -> None:
    ok(api, "POST", "/v1/invoiceitems", customer=who, amount=900, currency="eur")


def _subscribed(api: Api, who: str) -> None:
    subscribe(api, who, plan(api, 1000, "eur"))


@pytest.mark.parametrize("active", [_subscribed, _scheduled, _discounted, _quoted, _pending])
def test_what_is_active_in_a_currency_keeps_subscriptions_in_it(api: Api, active: object) -> None:
    who, first = _eur_customer(api)
    assert callable(active)
    active(api, who)
    api.delete(f"/v1/subscriptions/{first}")
    refused = api.post("/v1/subscriptions", customer=who, items=[{"price": plan(api)}])
    assert (refused.status, refused.error["message"]) == (
        400,
        "You cannot combine currencies on a single customer. This customer has an active subscription, subscription"
        " schedule, discount, quote, or invoice item with currency eur",
    )


def test_a_customer_changes_to_another_currency_once_nothing_is_active_in_the_first(api: Api) -> None:
    who, first = _eur_customer(api)
    for amount, currency in ((-300, "eur"), (-500, "usd")):
        api.ok("post", f"/v1/customers/{who}/balance_transactions", amount=amount, currency=currency)
    api.delete(f"/v1/subscriptions/{first}")
    sub = subscribe(api, who, plan(api))
    assert (sub["status"], api.get(f"/v1/invoices/{sub['latest_invoice']}")["amount_due"]) == ("active", 500)
    customer = api.get(f"/v1/customers/{who}", expand=["invoice_credit_balance"])
    assert (customer["currency"], customer["balance"]) == ("usd", 0)
    assert customer["invoice_credit_balance"] == {"eur": -300}


@pytest.mark.parametrize("currency", ["EUR", "eur"])
def test_currencies_are_taken_in_capitals_too(api: Api, currency: str) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api, 1000, "eur"), currency=currency)
    assert sub["currency"] == "eur"


def test_an_unknown_currency_is_refused(api: Api) -> None:
    _, who = clocked(api)
    refused = api.post("/v1/subscriptions", customer=who, items=[{"price": plan(api)}], currency="zzz")
    assert (refused.status, refused.error["param"]) == (400, "currency")


def test_all_prices_of_a_subscription_have_one_currency(api: Api) -> None:
    _, who = clocked(api)
    refused = api.post(
        "/v1/subscriptions", customer=who, items=[{"price": plan(api)}, {"price": plan(api, 100, "eur")}]
    )
    assert (refused.status, refused.error["param"]) == (400, "items[1][price]")
