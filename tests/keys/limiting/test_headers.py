"""The RateLimit headers."""

from __future__ import annotations

import pytest

from tollkey.keys.key import LimitState
from tollkey.keys.limiting import rate_limit_headers, retry_after_headers

STATES = (LimitState("free", 20, 3, 0.7, 2.0), LimitState("free.month", 10_000, 0, 86_399.2, 2_678_400.0))


def test_each_limit_is_an_item_with_whole_seconds() -> None:
    headers = dict(rate_limit_headers(STATES))
    assert headers == {
        "ratelimit-policy": '"free";q=20;w=2, "free.month";q=10000;w=2678400',
        "ratelimit": '"free";r=3;t=1, "free.month";r=0;t=86400',
    }


def test_a_limit_without_a_window_has_no_w() -> None:
    assert dict(rate_limit_headers((LimitState("own", 5, 2, 0.0),))) == {
        "ratelimit-policy": '"own";q=5',
        "ratelimit": '"own";r=2;t=0',
    }


def test_without_limits_there_are_no_headers() -> None:
    assert rate_limit_headers(()) == ()


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "1"), (0.2, "1"), (1.0, "1"), (1.01, "2"), (3600.0, "3600")])
def test_retry_after_is_never_too_early(seconds: float, text: str) -> None:
    assert retry_after_headers(seconds) == (("retry-after", text),)


def test_what_never_helps_is_not_advised() -> None:
    assert retry_after_headers(None) == ()
