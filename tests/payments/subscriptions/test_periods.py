"""Where a subscription stands in time: intervals, trials, anchors, notices."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.subscriptions.steps import DAY, clocked, plan
from tests.support.api import NOW, Api
from tollkey.payments.subscriptions.periods import are_multiples, shortest


@pytest.mark.parametrize(
    ("trial", "param"),
    [
        ({"trial_end": NOW}, "trial_end"),
        ({"trial_end": NOW + 6 * 365 * DAY}, "trial_end"),
        ({"trial_period_days": 731}, "trial_period_days"),
        ({"trial_end": NOW + DAY, "trial_period_days": 1}, "trial_end"),
    ],
)
def test_a_trial_ends_in_the_future_within_two_years_of_days_or_five_of_a_moment(
    api: Api, trial: dict[str, Any], param: str
) -> None:
    _, who = clocked(api)
    refused = api.post("/v1/subscriptions", customer=who, items=[{"price": plan(api)}], **trial)
    assert (refused.status, refused.error["param"]) == (400, param)


@pytest.mark.parametrize(
    ("trial", "end"), [({"trial_end": NOW + 1}, NOW + 1), ({"trial_period_days": 730}, NOW + 730 * DAY)]
)
def test_the_shortest_and_the_longest_trial(api: Api, trial: dict[str, Any], end: int) -> None:
    _, who = clocked(api)
    made = api.ok("POST", "/v1/subscriptions", customer=who, items=[{"price": plan(api)}], **trial)
    assert (made["status"], made["trial_end"], made["billing_cycle_anchor"]) == ("trialing", end, end)


@pytest.mark.parametrize(
    ("config", "anchor"),
    [
        ({"day_of_month": 15, "hour": 0, "minute": 0, "second": 0}, NOW + 14 * DAY),
        ({"day_of_month": 1}, NOW + 31 * DAY),
        ({"day_of_month": 31}, NOW + 30 * DAY),
    ],
)
def test_an_anchor_is_the_next_such_day_and_time(api: Api, config: dict[str, int], anchor: int) -> None:
    _, who = clocked(api)
    given = {"billing_cycle_anchor_config": config, "proration_behavior": "none"}
    made = api.ok("POST", "/v1/subscriptions", customer=who, items=[{"price": plan(api)}], **given)
    assert made["billing_cycle_anchor"] == anchor


@pytest.mark.parametrize(
    "intervals",
    [
        [("month", 1), ("month", 3)],
        [("month", 1), ("year", 1)],
        [("day", 1), ("week", 1)],
        [("day", 1), ("month", 3)],
        [("day", 1), ("year", 2)],
        [("week", 2), ("week", 4)],
        [("month", 2), ("month", 4), ("month", 6)],
    ],
)
def test_multiples_of_the_shortest_interval_stand_together(intervals: list[tuple[str, int]]) -> None:
    assert are_multiples(intervals)
    assert shortest(reversed(intervals)) == intervals[0]


@pytest.mark.parametrize(
    "intervals",
    [
        [("month", 2), ("month", 3)],
        [("month", 4), ("month", 6)],
        [("week", 1), ("month", 1)],
        [("day", 2), ("week", 1)],
        [("day", 2), ("month", 1)],
        [("month", 5), ("year", 1)],
    ],
)
def test_other_intervals_do_not(intervals: list[tuple[str, int]]) -> None:
    assert not are_multiples(intervals)
