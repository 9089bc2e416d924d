"""Rates and quotas as people write them."""

from __future__ import annotations

import pytest

from tollkey.keys.config import Quota, Rate


@pytest.mark.parametrize(
    ("text", "requests", "seconds"),
    [("10/s", 10, 1), ("600/minute", 600, 60), (" 5 / hour ", 5, 3600), ("0.5/s", 0.5, 1), ("2/day", 2, 86400)],
)
def test_a_rate_is_a_number_in_a_unit_of_time(text: str, requests: float, seconds: int) -> None:
    assert Rate.parse(text) == Rate(requests, seconds)
    assert Rate.parse(text).per_second == requests / seconds


@pytest.mark.parametrize("text", ["", "10", "0/s", "-1/s", "10/sek", "1e3/s", "10/s/s", "ten/s", "10/month"])
def test_what_is_no_rate_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate; write a number above 0 and a unit: 10/s"):
        Rate.parse(text)


@pytest.mark.parametrize("text", ["10000/month", "10_000/month"])
def test_a_quota_is_a_number_in_a_calendar_period(text: str) -> None:
    assert Quota.parse(text) == Quota(10_000, "month")


@pytest.mark.parametrize("text", ["", "10/s", "0/month", "1.5/day", "10/year", "10"])
def test_what_is_no_quota_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is no quota; write a number above 0 and a period: 10000/month"):
        Quota.parse(text)


def test_amounts_built_in_python_are_checked_too() -> None:
    for wrong in (lambda: Rate(0), lambda: Rate(1, 0), lambda: Quota(0, "month"), lambda: Rate(float("nan"))):
        with pytest.raises(ValueError, match="needs a number of requests"):
            wrong()


def test_amounts_are_shown_in_words() -> None:
    shown = [str(Rate.parse(text)) for text in ("10/s", "600/min", "5/hour", "0.5/day")]
    assert shown == ["10 a second", "600 a minute", "5 an hour", "0.5 a day"]
    assert [str(Quota.parse(text)) for text in ("10000/month", "5/hour")] == ["10,000 a month", "5 an hour"]
    assert str(Rate(3, 7)) == "3 in 7 seconds"
