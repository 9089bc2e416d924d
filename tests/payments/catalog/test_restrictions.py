"""What a promotion code demands of its customer and of what is bought, and which currencies a coupon is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.payments.catalog.steps import EARLIER, LESS, MINIMUM, bought, code, first_time, paid_for
from tests.payments.checkout.steps import DONE, line, session
from tests.payments.subscriptions.steps import DAY, clocked, plan, subscribe
from tests.support.api import NOW, Api

# -- for new customers


def _no_card(api: Api, who: str) -> None:
    api.ok("post", "/v1/payment_intents", amount=500, currency="usd", customer=who)


def _charged(api: Api, who: str) -> None:
    source = api.ok("post", f"/v1/customers/{who}/sources", source="tok_visa")["id"]
    api.ok("post", "/v1/charges", amount=500, currency="usd", customer=who, source=source)


def _failed(api: Api, who: str) -> None:
    source = api.ok("post", f"/v1/customers/{who}/sources", source="tok_chargeCustomerFail")["id"]
    assert api.post("/v1/charges", amount=500, currency="usd", customer=who, source=source).status == 402


def _gave_up(api: Api, who: str) -> None:
    intent = api.ok("post", "/v1/payment_intents", amount=500, currency="usd", customer=who)["id"]
    api.ok("post", f"/v1/payment_intents/{intent}/cancel")


def _tried(api: Api, who: str) -> None:
    sub = subscribe(api, who, plan(api), trial_period_days=7)["id"]
    api.ok("delete", f"/v1/subscriptions/{sub}")


def _invoiced(api: Api, who: str, finalize: bool = True) -> None:
    sent = {"collection_method": "send_invoice", "days_until_due": 30}
    invoice = api.ok("post", "/v1/invoices", customer=who, **sent)["id"]
    api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, amount=1000, currency="usd")
    if finalize:
        api.ok("post", f"/v1/invoices/{invoice}/finalize")


#: What a customer has done before -> how, and whether that makes it an old customer.
HISTORY: dict[str, tuple[Callable[[Api, str], None], bool]] = {
    "nothing": (lambda api, who: None, False),
    "an intent that was not paid": (_no_card, True),
    "a charge": (_charged, True),
    "a trial that was canceled": (_tried, True),
    "an open invoice": (_invoiced, True),
    "a failed charge": (_failed, False),
    "a canceled intent": (_gave_up, False),
    "a draft": (lambda api, who: _invoiced(api, who, finalize=False), False),
}


@pytest.mark.parametrize("before", HISTORY)
def test_a_code_for_new_customers_is_refused_after_any_transaction(api: Api, before: str) -> None:
    act, old = HISTORY[before]
    (_, who), new = clocked(api), first_time(api)
    act(api, who)
    for answer in (paid_for(api, new, customer=who), bought(api, who, new)):
        assert answer.status == (400 if old else 200), answer
        if old:
            assert (answer.error["message"], answer.error["param"], answer.error["code"]) == (
                EARLIER,
                "discounts[0][promotion_code]",
                "promotion_code_customer_not_first_time",
            )


# -- a minimum amount


@pytest.mark.parametrize(("amount", "status"), [(999, 400), (1000, 200)])
def test_a_code_is_for_purchases_of_its_minimum_amount(api: Api, amount: int, status: int) -> None:
    _, who = clocked(api)
    invoice = api.ok("post", "/v1/invoices", customer=who)["id"]
    api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, amount=amount, currency="usd")
    entry = {"discounts": [{"promotion_code": code(api, **MINIMUM)}]}
    monthly = line(amount, 1, recurring={"interval": "month"})
    for answer in (
        api.post("/v1/subscriptions", customer=who, items=[{"price": plan(api, amount)}], **entry),
        paid_for(api, entry["discounts"][0]["promotion_code"], line_items=[line(amount, 1)]),
        paid_for(api, entry["discounts"][0]["promotion_code"], mode="subscription", line_items=[monthly]),
        api.post(f"/v1/invoices/{invoice}", **entry),
    ):
        assert answer.status == status, answer
        if status == 400:
            assert (answer.error["message"], answer.error["param"]) == (LESS, "discounts[0][promotion_code]")


def test_further_currencies_have_minimum_amounts_of_their_own(api: Api) -> None:
    least = code(api, **MINIMUM)
    assert paid_for(api, least, line_items=[line(100, 1, "eur")]).status == 200
    path = f"/v1/promotion_codes/{least}"
    options = {"restrictions": {"currency_options": {"eur": {"minimum_amount": 101}}}}
    changed = api.ok("post", path, **options, expand=["restrictions.currency_options"])
    assert changed["restrictions"]["currency_options"] == {
        "eur": {"minimum_amount": 101},
        "usd": {"minimum_amount": 1000},
    }
    assert "currency_options" not in api.get(path)["restrictions"]
    assert paid_for(api, least, line_items=[line(100, 1, "eur")]).error["message"] == LESS
    unknown = api.post(path, restrictions={"currency_options": {"xxx": {"minimum_amount": 1}}})
    assert unknown.error["param"] == "restrictions[currency_options][xxx]"


def test_a_code_with_a_minimum_is_for_no_amount_that_may_still_change(api: Api) -> None:
    _, who = clocked(api)
    least = code(api, **{**MINIMUM, "minimum_amount": 1})
    entry = {"discounts": [{"promotion_code": least}]}
    sub = subscribe(api, who, plan(api))
    phase = {"items": [{"price": plan(api)}], "duration": {"interval": "month"}}
    schedules, later = "/v1/subscription_schedules", {**phase, **entry}
    added = [{"price_data": {"currency": "usd", "unit_amount": 5, "product": sub["plan"]["product"]}, **entry}]
    answers = {
        "subscription update": api.post(f"/v1/subscriptions/{sub['id']}", **entry),
        "subscription item": api.post(f"/v1/subscription_items/{sub['items']['data'][0]['id']}", **entry),
        "invoice item": api.post("/v1/invoiceitems", customer=who, amount=500, currency="usd", **entry),
        "customer": api.under("2025-02-24.acacia").post(f"/v1/customers/{who}", promotion_code=least),
        "subscription schedule": api.post(schedules, customer=who, phases=[phase, later], start_date="now"),
    }
    for place, answer in answers.items():
        assert (answer.status, answer.error["message"]) == (
            400,
            f"This promotion code cannot be redeemed on a {place} because it uses the `minimum_amount` restriction and"
            " the amount may change.",
        )
    items = [{"price": plan(api)}]
    assert api.post("/v1/subscriptions", customer=who, items=items, add_invoice_items=added).status == 400
    future = {"customer": who, "start_date": NOW + DAY, "phases": [{**phase, **entry}]}
    assert api.post(schedules, **future).status == 400
    assert api.post(schedules, **{**future, "start_date": "now"}).status == 200


# -- currencies and products

USD = {"amount_off": 100, "currency": "usd"}


@pytest.mark.parametrize("options", [{}, {"currency_options": {"eur": {"amount_off": 90}}}])
@pytest.mark.parametrize("kind", ["coupon", "promotion code"])
def test_an_amount_is_taken_off_in_the_currencies_that_the_coupon_has(
    api: Api, kind: str, options: dict[str, Any]
) -> None:
    _, who = clocked(api)
    if kind == "coupon":
        named = {"coupon": api.ok("post", "/v1/coupons", **USD, **options, duration="forever")["id"]}
    else:
        named = {"promotion_code": code(api, {**USD, **options})}
    entry = {"discounts": [named]}
    sub = subscribe(api, who, plan(api, 1000, "eur"))
    invoice = api.ok("post", "/v1/invoices", customer=who, currency="eur")["id"]
    lines = [line(1500, 1, "eur")]
    phase = {"items": [{"price": plan(api, 1000, "eur")}], "duration": {"interval": "month"}}
    phases = [phase, {**phase, **entry}]
    answers = {
        "schedule": api.post("/v1/subscription_schedules", customer=who, start_date="now", phases=phases),
        "new": api.post("/v1/subscriptions", customer=who, items=[{"price": plan(api, 1000, "eur")}], **entry),
        "update": api.post(f"/v1/subscriptions/{sub['id']}", **entry),
        "item": api.post(f"/v1/subscription_items/{sub['items']['data'][0]['id']}", **entry),
        "invoice": api.post(f"/v1/invoices/{invoice}", **entry),
        "invoice item": api.post("/v1/invoiceitems", customer=who, amount=500, currency="eur", **entry),
        "quote": api.post("/v1/quotes", customer=who, line_items=[{"price": plan(api, 1000, "eur")}], **entry),
        "checkout": api.post("/v1/checkout/sessions", mode="payment", success_url=DONE, line_items=lines, **entry),
    }
    for place, answer in answers.items():
        assert answer.status == (200 if options else 400), (place, answer)
        if not options:
            assert answer.error["message"] == (
                f"The {kind} default currency (usd) does not match the line item currency (eur)."
            )
            assert answer.error["param"].endswith(f"discounts[0][{next(iter(named))}]".removeprefix("discounts"))


def test_a_coupon_for_other_products_is_refused_in_checkout_and_takes_nothing_off_a_subscription(api: Api) -> None:
    other = api.ok("post", "/v1/products", name="Hat")["id"]
    coupon = api.ok("post", "/v1/coupons", percent_off=50, applies_to={"products": [other]})["id"]
    _, who = clocked(api)
    entry = {"discounts": [{"coupon": coupon}]}
    refused = api.post("/v1/checkout/sessions", mode="payment", success_url=DONE, line_items=[line()], **entry)
    assert (refused.status, refused.error["code"]) == (400, "coupon_applies_to_nothing")
    assert refused.error["message"] == (
        "This coupon cannot be redeemed because it does not apply to anything in this order."
    )
    data = {"currency": "usd", "unit_amount": 1000, "product": other}
    lines = [line(), {"price_data": data, "quantity": 1}]
    assert session(api, line_items=lines, **entry)["amount_total"] == 3500
    sub = subscribe(api, who, plan(api), **entry)
    assert api.get(f"/v1/invoices/{sub['latest_invoice']}")["total"] == 1000


@pytest.mark.parametrize("path", ["subscriptions", "invoices", "invoiceitems", "quotes", "subscription_schedules"])
def test_an_entry_of_discounts_names_a_coupon_or_a_code(api: Api, path: str) -> None:
    who, items = clocked(api)[1], [{"price": plan(api)}]
    coupon = api.ok("post", "/v1/coupons", percent_off=5, duration="once")["id"]
    promised = {"type": "coupon", "coupon": coupon}
    both = [{"coupon": coupon, "promotion_code": api.ok("post", "/v1/promotion_codes", promotion=promised)["id"]}]
    given: dict[str, dict[str, Any]] = {
        "subscriptions": {"items": items, "discounts": both},
        "invoices": {"discounts": both},
        "invoiceitems": {"amount": 500, "currency": "usd", "discounts": both},
        "quotes": {"line_items": items, "discounts": both},
        "subscription_schedules": {"phases": [{"items": items, "discounts": both, "duration": {"interval": "month"}}]},
    }
    refused = api.post(f"/v1/{path}", customer=who, **given[path])
    within = "phases[0]" if path == "subscription_schedules" else ""
    named = f"{within}[discounts]" if within else "discounts"
    assert refused.refusal == (
        400,
        None,
        f"{named}[0][promotion_code]",
        "You may only specify one of these parameters: coupon, promotion_code.",
    )
