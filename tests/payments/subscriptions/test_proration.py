"""A change in mid-period credits what its line really cost, whatever discounts have come or gone since."""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, ok, plan
from tests.support.api import NOW, Answer, Api

MONTH = 31 * DAY  # January 2026


def half_way(api: Api, **discount: object) -> tuple[Answer, str]:
    """A subscription at 10 dollars with this discount, at the middle of its month; a price of 20 dollars."""
    clock, who = clocked(api)
    cheap, dear = plan(api), plan(api, 2000)
    coupon = ok(api, "POST", "/v1/coupons", **discount)["id"] if discount else None
    given = {"discounts": [{"coupon": coupon}]} if coupon else {}
    sub = ok(api, "POST", "/v1/subscriptions", customer=who, items=[{"price": cheap}], **given)
    advance(api, clock, NOW + MONTH // 2)
    return sub, dear


def change(api: Api, sub: Answer, price: str) -> list[dict[str, object]]:
    """The invoice items of an upgrade: what it credits, then what it debits."""
    item = sub["items"]["data"][0]["id"]
    ok(
        api,
        "POST",
        f"/v1/subscriptions/{sub['id']}",
        "/v1/subscriptions/{subscription_exposed_id}",
        items=[{"id": item, "price": price}],
    )
    made = api.get("/v1/invoiceitems", customer=sub["customer"])["data"]
    return sorted(made, key=lambda one: one["amount"])


def test_a_discount_that_counted_once_is_not_paid_back(api: Api) -> None:
    sub, dear = half_way(api, percent_off=50, duration="once")
    credit, debit = change(api, sub, dear)
    assert (credit["amount"], debit["amount"]) == (-250, 1000)


def test_a_discount_that_came_after_the_invoice_does_not_lower_the_credit(api: Api) -> None:
    sub, dear = half_way(api)
    coupon = ok(api, "POST", "/v1/coupons", percent_off=50, duration="forever")["id"]
    api.ok("post", f"/v1/subscriptions/{sub['id']}", discounts=[{"coupon": coupon}])
    assert change(api, sub, dear)[0]["amount"] == -500


def test_an_amount_off_lowers_the_credit_by_its_share(api: Api) -> None:
    sub, dear = half_way(api, amount_off=400, currency="usd", duration="once")
    credit, _ = change(api, sub, dear)
    assert credit["amount"] == -300
    first = api.get(f"/v1/invoices/{sub['latest_invoice']}")
    line = first["lines"]["data"][0]["id"]
    upcoming = api.ok("post", "/v1/invoices/create_preview", subscription=sub["id"])
    details = [one["parent"]["subscription_item_details"] for one in upcoming["lines"]["data"] if one["amount"] == -300]
    assert details[0]["proration_details"]["credited_items"] == {"invoice": first["id"], "invoice_line_items": [line]}


def test_a_debit_that_waits_for_its_invoice_is_credited_with_the_discount_within_it(api: Api) -> None:
    sub, dear = half_way(api, percent_off=50, duration="forever")
    item = sub["items"]["data"][0]["id"]
    change(api, sub, dear)
    api.ok("post", f"/v1/subscriptions/{sub['id']}", items=[{"id": item, "price": plan(api, 4000)}])
    made = api.get("/v1/invoiceitems", customer=sub["customer"])["data"]
    assert sorted(one["amount"] for one in made) == [-500, -250, 500, 1000]
    assert {one["discountable"] for one in made} == {False}
    assert api.ok("post", "/v1/invoices/create_preview", subscription=sub["id"])["total"] == 750 + 4000 // 2


def swap(api: Api, sub: Answer, price: str, behavior: str) -> None:
    item = sub["items"]["data"][0]["id"]
    api.ok("post", f"/v1/subscriptions/{sub['id']}", items=[{"id": item, "price": price}], proration_behavior=behavior)


@pytest.mark.parametrize(("mode", "amounts"), [("flexible", [-500, 500]), ("classic", [-1000, 500])])
def test_a_price_that_was_never_billed_is_credited_in_the_classic_mode_only(
    api: Api, mode: str, amounts: list[int]
) -> None:
    clock, who = clocked(api)
    cheap = plan(api)
    sub = ok(api, "POST", "/v1/subscriptions", customer=who, items=[{"price": cheap}], billing_mode={"type": mode})
    advance(api, clock, NOW + MONTH // 2)
    swap(api, sub, plan(api, 2000), "none")
    swap(api, sub, cheap, "create_prorations")
    assert sorted(one["amount"] for one in api.get("/v1/invoiceitems", customer=who)["data"]) == amounts


def test_a_period_that_was_free_has_nothing_to_credit(api: Api) -> None:
    clock, who = clocked(api)
    free = {"billing_cycle_anchor": NOW + MONTH, "proration_behavior": "none"}
    sub = ok(api, "POST", "/v1/subscriptions", customer=who, items=[{"price": plan(api)}], **free)
    advance(api, clock, NOW + MONTH // 2)
    swap(api, sub, plan(api, 2000), "create_prorations")
    assert [one["amount"] for one in api.get("/v1/invoiceitems", customer=who)["data"]] == [1000]


def test_discounts_of_a_credit_may_stand_apart_from_its_amount(api: Api) -> None:
    clock, who = clocked(api)
    coupon = ok(api, "POST", "/v1/coupons", percent_off=50, duration="forever")["id"]
    mode = {"type": "flexible", "flexible": {"proration_discounts": "itemized"}}
    sub = ok(
        api,
        "POST",
        "/v1/subscriptions",
        customer=who,
        items=[{"price": plan(api)}],
        discounts=[{"coupon": coupon}],
        billing_mode=mode,
    )
    advance(api, clock, NOW + MONTH // 2)
    swap(api, sub, plan(api, 2000), "always_invoice")
    latest = api.get(f"/v1/subscriptions/{sub['id']}")["latest_invoice"]
    invoice = ok(api, "GET", f"/v1/invoices/{latest}", "/v1/invoices/{invoice}")
    taken = [
        (line["amount"], [part["amount"] for part in line["discount_amounts"]]) for line in invoice["lines"]["data"]
    ]
    assert (taken, invoice["subtotal"], invoice["total"]) == ([(-500, [-250]), (1000, [500])], 500, 250)


def test_the_discounts_of_an_invoice_do_not_count_for_its_prorations(api: Api) -> None:
    sub, dear = half_way(api, percent_off=20, duration="forever")
    swap(api, sub, dear, "always_invoice")
    invoice = api.get(f"/v1/invoices/{current(api, sub['id'])['latest_invoice']}")
    assert [(line["amount"], line["discountable"]) for line in invoice["lines"]["data"]] == [
        (-400, False),
        (800, False),
    ]
    assert (invoice["subtotal"], invoice["total"]) == (400, 400)


def test_an_amount_off_that_goes_on_is_spread_over_the_items_of_a_debit(api: Api) -> None:
    clock, who = clocked(api)
    coupon = ok(api, "POST", "/v1/coupons", amount_off=600, currency="usd", duration="forever")["id"]
    items = [{"price": plan(api, 1000)}, {"price": plan(api, 2000)}]
    sub = ok(api, "POST", "/v1/subscriptions", customer=who, items=items, discounts=[{"coupon": coupon}])
    advance(api, clock, NOW + MONTH // 2)
    first = next(item for item in sub["items"]["data"] if item["price"]["unit_amount"] == 1000)
    api.ok("post", f"/v1/subscription_items/{first['id']}", price=plan(api, 4000))
    made = sorted(one["amount"] for one in api.get("/v1/invoiceitems", customer=who)["data"])
    assert made == [-400, 1800]  # (1000 - 200) / 2; then 4000 of 6000 carry 400 of the 600 off


@pytest.mark.parametrize("mode", ["classic", "flexible"])
def test_a_change_before_the_first_anchor_costs_its_share_of_a_whole_month(api: Api, mode: str) -> None:
    clock, who = clocked(api)
    anchor = {"billing_cycle_anchor": NOW + 20 * DAY, "billing_mode": {"type": mode}}
    sub = ok(api, "POST", "/v1/subscriptions", customer=who, items=[{"price": plan(api, 3100)}], **anchor)
    advance(api, clock, NOW + 10 * DAY)
    swap(api, sub, plan(api, 6200), "create_prorations")
    made = sorted(one["amount"] for one in api.get("/v1/invoiceitems", customer=who)["data"])
    assert made == [-1000, 2000]  # ten of the 31 days from 21 December to 21 January
