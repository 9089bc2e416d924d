"""Security codes in memory."""

from __future__ import annotations

import os

from tests.conftest import Clock
from tollkey.payments.processors.vault.codes import SECONDS, Codes


def test_a_code_is_given_once(clock: Clock) -> None:
    codes = Codes(clock)
    codes.put("a", "123")
    taken = codes.take("a")
    assert taken is not None
    assert taken.text == "123"
    assert codes.take("a") is None


def test_it_is_too_old_after_a_quarter_of_an_hour(clock: Clock) -> None:
    codes = Codes(clock)
    codes.put("a", "123")
    clock.advance(SECONDS)
    assert codes.take("a") is None
    codes.put("b", "123")
    clock.advance(SECONDS)
    codes.tidy()
    assert len(codes) == 0


def test_one_that_was_not_sent_goes_back_for_the_time_that_it_had_left(clock: Clock) -> None:
    codes = Codes(clock)
    codes.put("a", "123")
    clock.advance(SECONDS - 1)
    taken = codes.take("a")
    assert taken is not None
    codes.put_back("a", taken)
    clock.advance(1)
    assert codes.take("a") is None


def test_beyond_the_bound_the_oldest_is_forgotten(clock: Clock) -> None:
    codes = Codes(clock, most=2)
    for reference in "abc":
        codes.put(reference, "123")
    assert (len(codes), codes.take("a")) == (2, None)


def test_a_fork_has_none(clock: Clock) -> None:
    codes = Codes(clock)
    codes.put("a", "123")
    child = os.fork()
    if child == 0:
        os._exit(0 if codes.take("a") is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert codes.take("a") is not None


def test_no_repr_shows_one(clock: Clock) -> None:
    codes = Codes(clock)
    codes.put("a", "123")
    assert "123" not in repr(codes.take("a")) + repr(codes.__dict__)
