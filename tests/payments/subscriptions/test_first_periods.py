"""Where a new subscription begins: trials, anchors, backdated starts; and the lines of its first invoice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.payments.subscriptions.steps import advance, current, ok, plan, totals
from tests.support.api import Answer, Api, rule_table


def at(month: int, day: int, hour: int = 0) -> int:
    return int(datetime(2024, month, day, hour, tzinfo=UTC).timestamp())


def customer(api: Api, now: int) -> tuple[str, str]:
    clock = ok(api, "POST", "/v1/test_helpers/test_clocks", frozen_time=now)["id"]
    card = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    return clock, ok(api, "POST", "/v1/customers", test_clock=clock, **card)["id"]


def subscribe(api: Api, who: str, *prices: str, **params: object) -> Answer:
    items = [{"price": price} for price in prices]
    return ok(api, "POST", "/v1/subscriptions", customer=who, items=items, expand=["latest_invoice"], **params)


def lines(api: Api, invoice: str) -> list[tuple[int, int, int]]:
    """Amount, start and end of each line, by its start."""
    data = api.get(f"/v1/invoices/{invoice}/lines", limit=100)["data"]
    return sorted(((one["amount"], one["period"]["start"], one["period"]["end"]) for one in data), key=lambda x: x[1])


@pytest.mark.parametrize("behavior", ["create_prorations", "none"])
def test_from_the_end_of_a_trial_to_a_later_anchor_the_share_of_a_month_is_billed(api: Api, behavior: str) -> None:
    clock, who = customer(api, at(1, 11))
    times = {"trial_end": at(1, 22), "billing_cycle_anchor": at(2, 1), "proration_behavior": behavior}
    sub = subscribe(api, who, plan(api, 3100), **times)
    assert (sub["status"], sub["latest_invoice"]["total"]) == ("trialing", 0)
    advance(api, clock, at(1, 22, 4))
    sub = current(api, sub["id"])
    item = sub["items"]["data"][0]
    assert (sub["status"], sub["billing_cycle_anchor"]) == ("active", at(2, 1))
    assert (item["current_period_start"], item["current_period_end"]) == (at(1, 22), at(2, 1))
    advance(api, clock, at(2, 1, 4))
    assert totals(api, sub["id"]) == ([0, 1000, 3100] if behavior == "create_prorations" else [0, 3100])


def test_an_anchor_more_than_a_period_after_the_trial_is_refused(api: Api) -> None:
    _, who = customer(api, at(1, 11))
    times = {"trial_end": at(1, 22), "billing_cycle_anchor": at(2, 23)}
    refused = api.post("/v1/subscriptions", customer=who, items=[{"price": plan(api)}], **times)
    assert (refused.status, refused.error["param"]) == (400, "billing_cycle_anchor")
    assert f"next natural billing date ({at(2, 22)})" in refused.error["message"]


def test_a_backdated_start_has_a_line_for_each_natural_period_in_the_flexible_mode(api: Api) -> None:
    _, who = customer(api, at(3, 11))
    times = {"backdate_start_date": at(1, 16), "billing_cycle_anchor": at(4, 1)}
    sub = subscribe(api, who, plan(api, 3100), **times)
    assert lines(api, sub["latest_invoice"]["id"]) == [
        (1600, at(1, 16), at(2, 1)),
        (3100, at(2, 1), at(3, 1)),
        (3100, at(3, 1), at(4, 1)),
    ]
    assert sub["start_date"] == at(1, 16)
    assert sub["items"]["data"][0]["current_period_end"] == at(4, 1)


def test_a_backdated_start_is_the_anchor_in_the_flexible_mode_when_none_is_given(api: Api) -> None:
    _, who = customer(api, at(3, 11))
    sub = subscribe(api, who, plan(api, 3100), backdate_start_date=at(1, 16))
    assert lines(api, sub["latest_invoice"]["id"]) == [(3100, at(1, 16), at(2, 16)), (3100, at(2, 16), at(3, 16))]
    assert (sub["billing_cycle_anchor"], sub["items"]["data"][0]["current_period_start"]) == (at(1, 16), at(2, 16))


def test_a_backdated_start_has_one_line_in_the_classic_mode_counted_from_the_start(api: Api) -> None:
    _, who = customer(api, at(3, 11))
    times = {"backdate_start_date": at(1, 16), "billing_cycle_anchor": at(4, 1), "billing_mode": {"type": "classic"}}
    sub = subscribe(api, who, plan(api, 2900), **times)
    # the months of 16 January and 16 February, and 16 of the 31 days of that of 16 March
    assert lines(api, sub["latest_invoice"]["id"]) == [(2 * 2900 + 1497, at(1, 16), at(4, 1))]


def test_a_classic_backdated_start_without_an_anchor_begins_its_periods_now(api: Api) -> None:
    _, who = customer(api, at(3, 1))
    times = {"backdate_start_date": at(2, 15), "billing_mode": {"type": "classic"}}
    sub = subscribe(api, who, plan(api, 2900), **times)
    assert lines(api, sub["latest_invoice"]["id"]) == [(1500, at(2, 15), at(3, 1)), (2900, at(3, 1), at(4, 1))]


def test_a_trial_after_a_backdated_start_bills_the_time_before_it(api: Api) -> None:
    _, who = customer(api, at(3, 1))
    sub = subscribe(api, who, plan(api, 2900), backdate_start_date=at(1, 15), trial_end=at(3, 15))
    assert lines(api, sub["latest_invoice"]["id"]) == [
        (2900, at(1, 15), at(2, 15)),
        (1500, at(2, 15), at(3, 1)),
        (0, at(3, 1), at(3, 15)),
    ]


def test_a_start_that_makes_more_lines_than_an_invoice_holds_is_refused(api: Api) -> None:
    _, who = customer(api, at(12, 1))
    daily = plan(api, 100, interval="day")
    refused = api.post("/v1/subscriptions", customer=who, items=[{"price": daily}], backdate_start_date=at(1, 1))
    assert (refused.status, refused.error["param"]) == (400, "backdate_start_date")


def test_items_of_several_intervals_have_periods_of_their_own_from_one_anchor(api: Api) -> None:
    clock, who = customer(api, at(1, 1))
    month, two, quarter = plan(api, 1500), plan(api, 2000, interval_count=2), plan(api, 10_000, interval_count=3)
    sub = subscribe(api, who, month, two, quarter)
    assert sub["latest_invoice"]["total"] == 13_500
    seen = []
    for now in (at(1, 1), at(2, 1), at(3, 1), at(4, 1)):
        advance(api, clock, now + 4000) if now > at(1, 1) else None
        items = sorted(current(api, sub["id"])["items"]["data"], key=lambda one: one["price"]["unit_amount"])
        seen.append([(one["current_period_start"], one["current_period_end"]) for one in items])
    assert seen == [
        [(at(1, 1), at(2, 1)), (at(1, 1), at(3, 1)), (at(1, 1), at(4, 1))],
        [(at(2, 1), at(3, 1)), (at(1, 1), at(3, 1)), (at(1, 1), at(4, 1))],
        [(at(3, 1), at(4, 1)), (at(3, 1), at(5, 1)), (at(1, 1), at(4, 1))],
        [(at(4, 1), at(5, 1)), (at(3, 1), at(5, 1)), (at(4, 1), at(7, 1))],
    ]
    assert totals(api, sub["id"]) == [13_500, 1500, 3500, 11_500]
    older = api.get(f"/v1/subscriptions/{sub['id']}", headers={"Stripe-Version": "2024-06-20"})
    assert (older["current_period_start"], older["current_period_end"]) == (at(4, 1), at(5, 1))


def test_items_of_several_intervals_share_the_end_of_their_trial(api: Api) -> None:
    clock, who = customer(api, at(1, 1))
    sub = subscribe(api, who, plan(api, 1500), plan(api, 10_000, interval="year"), trial_end=at(1, 15))
    assert {one["current_period_end"] for one in sub["items"]["data"]} == {at(1, 15)}
    advance(api, clock, at(1, 15, 4))
    ends = sorted(one["current_period_end"] for one in current(api, sub["id"])["items"]["data"])
    assert ends == [at(2, 15), at(1, 15) + 366 * 86_400]
    assert totals(api, sub["id"]) == [0, 11_500]


def test_an_item_of_another_interval_is_added_at_the_anchor_of_the_others(api: Api) -> None:
    clock, who = customer(api, at(1, 1))
    sub = subscribe(api, who, plan(api, 1500))
    advance(api, clock, at(1, 16))
    added = api.ok("post", "/v1/subscription_items", subscription=sub["id"], price=plan(api, 36_600, interval="year"))
    assert added["current_period_end"] == at(1, 1) + 366 * 86_400
    waiting = api.get("/v1/invoiceitems", customer=who)["data"]
    assert [one["amount"] for one in waiting] == [36_600 - 1500]  # 351 of 366 days


def test_another_interval_leaves_the_anchor_where_it_is_in_the_flexible_mode(api: Api) -> None:
    clock, who = customer(api, at(1, 1))
    sub = subscribe(api, who, plan(api, 3100))
    advance(api, clock, at(1, 16))
    item = sub["items"]["data"][0]["id"]
    yearly = [{"id": item, "price": plan(api, 36_600, interval="year")}]
    sub = api.ok("post", f"/v1/subscriptions/{sub['id']}", items=yearly)
    assert sub["billing_cycle_anchor"] == at(1, 1)
    assert sorted(one["amount"] for one in api.get("/v1/invoiceitems", customer=who)["data"]) == [-1600, 35_100]
    assert totals(api, sub["id"]) == [3100]


@rule_table
@pytest.mark.parametrize(("name", "least", "most"), [
    ("day_of_month", 1, 31), ("hour", 0, 23), ("minute", 0, 59), ("month", 1, 12), ("second", 0, 59),
])  # fmt: skip
def test_the_parts_of_an_anchor_are_within_their_ranges(api: Api, name: str, least: int, most: int) -> None:
    price = plan(api, interval="year")
    given = {"customer": api.ok("POST", "/v1/customers")["id"], "items": [{"price": price}]}
    for value in (least - 1, most + 1):
        config = {"day_of_month": 1, name: value}
        refused = api.post("/v1/subscriptions", **given, billing_cycle_anchor_config=config)
        assert (refused.status, refused.error["param"]) == (400, f"billing_cycle_anchor_config[{name}]")
