"""The phases of a subscription schedule, built from parameters or from a subscription as it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.subscriptions.steps import DAY, clocked, plan, subscribe
from tests.support.api import NOW, Api

PATH = "/v1/subscription_schedules"


def test_each_phase_begins_where_the_one_before_it_ends(api: Api) -> None:
    _, who = clocked(api)
    items = [{"price": plan(api)}]
    two_weeks = {"interval": "week", "interval_count": 2}
    phases = [{"items": items, "iterations": 2}, {"items": items, "duration": two_weeks}, {"items": items}]
    made = api.under("2025-08-27.basil").ok("POST", PATH, customer=who, start_date="now", phases=phases)
    dates = [(phase["start_date"], phase["end_date"]) for phase in made["phases"]]
    march = NOW + 59 * DAY
    assert dates == [(NOW, march), (march, march + 14 * DAY), (march + 14 * DAY, march + 45 * DAY)]


@pytest.mark.parametrize(
    ("phase", "param"),
    [
        ({"end_date": NOW + DAY}, "phases[0][items]"),
        ({"items": [{"price": "price_none"}]}, "phases[0][items][0][price]"),
        ({"items": "monthly", "end_date": NOW - DAY}, "phases[0][end_date]"),
    ],
)
def test_a_phase_without_items_with_an_unknown_price_or_that_ends_before_it_begins_is_refused(
    api: Api, phase: dict[str, Any], param: str
) -> None:
    _, who = clocked(api)
    if phase.get("items") == "monthly":
        phase = {**phase, "items": [{"price": plan(api)}]}
    refused = api.post(PATH, customer=who, start_date="now", phases=[phase])
    assert (refused.status, refused.error["param"]) == (400, param)


def test_the_phase_of_a_trialing_subscription_has_its_items_and_ends_with_its_trial(api: Api) -> None:
    _, who = clocked(api)
    price = plan(api)
    sub = subscribe(api, who, price, trial_period_days=10)
    (phase,) = api.ok("POST", PATH, from_subscription=sub["id"])["phases"]
    assert (phase["start_date"], phase["end_date"], phase["trial_end"]) == (NOW, NOW + 10 * DAY, NOW + 10 * DAY)
    assert [(item["price"], item["quantity"]) for item in phase["items"]] == [(price, 1)]
