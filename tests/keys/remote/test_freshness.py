"""A cache is used only while it is certain that nothing older than a second is unheard."""

from __future__ import annotations

from tollkey.keys.lease import Lease
from tollkey.keys.remote.freshness import Freshness


def test_a_new_client_uses_no_memory() -> None:
    assert not Freshness(Lease()).fresh(0.0)


def test_a_tick_counts_from_the_time_at_which_it_was_sent_at_the_earliest() -> None:
    freshness = Freshness(Lease())
    freshness.opened(asked=100.0)
    freshness.heard(at=7.0, now=100.2)
    assert freshness.fresh(100.99)
    assert not freshness.fresh(101.0)


def test_each_tick_renews_by_how_far_the_server_s_clock_went() -> None:
    freshness = Freshness(Lease())
    freshness.opened(asked=100.0)
    for step in range(5):
        freshness.heard(at=7.0 + step / 2, now=100.1 + step / 2)
    assert freshness.fresh(102.9)
    assert not freshness.fresh(103.0)


def test_ticks_that_were_held_back_do_not_count_as_heard_now() -> None:
    """A proxy that buffers the stream delivers three seconds of ticks at once."""
    freshness = Freshness(Lease())
    freshness.opened(asked=100.0)
    for at in (7.0, 7.5, 8.0, 8.5):
        freshness.heard(at, now=105.0)
    assert not freshness.fresh(105.0)


def test_a_server_s_clock_that_runs_ahead_does_not_reach_beyond_now() -> None:
    freshness = Freshness(Lease())
    freshness.opened(asked=100.0)
    freshness.heard(at=7.0, now=100.1)
    freshness.heard(at=1e15, now=100.5)
    assert not freshness.fresh(101.5)


def test_a_clock_that_runs_a_little_faster_than_ours_is_allowed_for() -> None:
    freshness = Freshness(Lease())
    freshness.opened(asked=100.0)
    freshness.heard(at=0.0, now=100.0)
    freshness.heard(at=600.0, now=700.0)
    assert not freshness.fresh(700.95)


def test_a_reopened_stream_measures_anew() -> None:
    freshness = Freshness(Lease())
    freshness.opened(asked=100.0)
    freshness.heard(at=7.0, now=100.1)
    freshness.opened(asked=200.0)
    freshness.heard(at=3.0, now=200.1)
    assert freshness.fresh(200.9)
