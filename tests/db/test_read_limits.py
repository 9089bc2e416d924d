"""Costly reads of one caller take turns; a single slow one is no reason."""

from __future__ import annotations

import time
from math import inf

from tollkey.db.read_limits import COSTLY_SECONDS, LONG_SECONDS, ReadCosts

COSTLY = LONG_SECONDS / 2


def test_one_slow_read_among_quick_ones_changes_nothing() -> None:
    costs = ReadCosts()
    for seconds in (0.0001, 1.0, 0.0001):
        costs.record("acct_1:0", "/v1/customers", seconds)
        assert costs.expected("acct_1:0", "/v1/customers") == (False, False)


def test_two_costly_reads_make_the_next_one_wait_for_its_turn() -> None:
    costs = ReadCosts()
    costs.record("acct_1:0", "/v1/customers", COSTLY)
    costs.record("acct_1:0", "/v1/customers", COSTLY)
    assert costs.expected("acct_1:0", "/v1/customers") == (True, False)
    assert costs.expected("acct_1:0", "/v1/prices") == (False, False)
    assert costs.expected("acct_2:0", "/v1/customers") == (False, False)


def test_a_read_that_was_given_up_on_the_loop_goes_to_a_thread_the_next_time() -> None:
    costs = ReadCosts()
    costs.record("acct_1:0", "/v1/customers", 0.0001)
    costs.record("acct_1:0", "/v1/customers", inf)
    assert costs.expected("acct_1:0", "/v1/customers") == (True, True)


def test_cpu_time_is_measured_only_after_a_read_that_took_long() -> None:
    costs, caller, kind = ReadCosts(time.monotonic, time.thread_time), "acct_1:0", "/v1/customers"
    assert costs.clock(caller, kind) is time.monotonic
    costs.record(caller, kind, 0.0001, time.monotonic)
    assert costs.clock(caller, kind) is time.monotonic
    costs.record(caller, kind, COSTLY, time.monotonic)  # the machine may have been busy with something else
    assert costs.expected(caller, kind) == (False, False)
    assert costs.clock(caller, kind) is time.thread_time
    costs.record(caller, kind, 0.0001, time.thread_time)
    costs.record(caller, kind, 0.0001, time.thread_time)
    assert costs.clock(caller, kind) is time.monotonic


def test_a_read_that_is_nearly_costly_stays_measured() -> None:
    costs, caller, kind = ReadCosts(time.monotonic, time.thread_time), "acct_1:0", "/v1/country_specs"
    costs.record(caller, kind, COSTLY_SECONDS * 1.1, time.monotonic)
    for _ in range(2):
        costs.record(caller, kind, COSTLY_SECONDS * 0.95, time.thread_time)
    assert costs.clock(caller, kind) is time.thread_time
    for _ in range(2):
        costs.record(caller, kind, COSTLY_SECONDS * 1.1, time.thread_time)
    assert costs.expected(caller, kind) == (True, False)
