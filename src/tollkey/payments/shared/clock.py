"""Test clocks as other files need them: the time a customer lives in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.testing.stored import StoredTestClock

CLOCK: Kind[StoredTestClock] = Kind("test_helpers.test_clock")
#: Most customers of one clock, and most subscriptions of one such customer. A server may say otherwise (service
#: ``test_clock_limit``).
LIMIT = 3


def limit(call: Call) -> int:
    """How many customers a clock may have, and subscriptions each of them."""
    given = call.services.test_clock_limit
    return LIMIT if given is None else given


def at_clock(call: Call, clock: str | None) -> Call:
    """The call at the time of a test clock; the same call without one.

    Raises ApiError 429 while the clock advances: no request may change then what lives on it. The work of the clock
        itself may.
    """
    found = call.objects.find(CLOCK, clock) if clock is not None else None
    if found is not None and found["status"] == "advancing" and call.origin.request_id is not None:
        raise ApiError(
            429, message=f"Test clock advancement underway - cannot perform modifications: {clock}", code="lock_timeout"
        )
    return call if found is None else call.at(found["frozen_time"])


def for_customer(call: Call, customer: Mapping[str, Any] | None) -> Call:
    """The call at the time that the customer lives in."""
    return at_clock(call, (customer or {}).get("test_clock"))


def join(call: Call, clock: str) -> Call:
    """The call at a clock's time, for a new customer of it.

    Raises ApiError when there is none or it has three customers already.
    """
    call.objects.get(CLOCK, clock, "test_clock")
    if call.objects.table("customer").count(call.tx, call.scope, {"test_clock": clock}) >= limit(call):
        most = limit(call)
        raise invalid(
            f"Test clocks are limited to {most} customers. This test clock already has {most} customers.", "test_clock"
        )
    return at_clock(call, clock)
