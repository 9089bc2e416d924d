"""How long a client waits before it tries again."""

from __future__ import annotations

from tollkey.keys.remote.backoff import Backoff


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(0.5, 3.0, chance=lambda: 1.0)
    assert [backoff.next() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_chance_takes_away_up_to_half_of_a_wait() -> None:
    backoff = Backoff(1.0, 8.0, chance=lambda: 0.0)
    assert [backoff.next() for _ in range(3)] == [0.5, 1.0, 2.0]


def test_a_success_begins_anew() -> None:
    backoff = Backoff(1.0, 8.0, chance=lambda: 1.0)
    backoff.next()
    backoff.next()
    backoff.reset()
    assert backoff.next() == 1.0
