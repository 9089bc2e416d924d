"""Access to test clocks for other packages: the time at which a customer's requests run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.testing.stored import StoredTestClock

CLOCK: Kind[StoredTestClock] = Kind("test_helpers.test_clock")
#: Maximum number of customers of a clock, and of subscriptions of such a customer. A server can override it (service
#: ``test_clock_limit``).
LIMIT = 3


def limit(call: Call) -> int:
    """Return how many customers a clock may have, and how many subscriptions each of them."""
    given = call.services.test_clock_limit
    return LIMIT if given is None else given


def at_clock(call: Call, clock: str | None) -> Call:
    """Return the call at the time of a test clock; without a clock, the same call.

    Raises ApiError 429 while the clock advances, when requests may not change its objects; jobs of the clock may.
    """
    found = call.objects.find(CLOCK, clock) if clock is not None else None
    if found is not None and found["status"] == "advancing" and call.origin.request_id is not None:
        raise ApiError(
            429, message=f"Test clock advancement underway - cannot perform modifications: {clock}", code="lock_timeout"
        )
    return call if found is None else call.at(found["frozen_time"])


def for_customer(call: Call, customer: Mapping[str, Any] | None) -> Call:
    """Return the call at the time of the customer's test clock, if it has one."""
    return at_clock(call, (customer or {}).get("test_clock"))


def join(call: Call, clock: str) -> Call:
    """Return the call at a clock's time, for a new customer of the clock.

    Raises ApiError 400 if the clock does not exist or has its maximum number of customers.
    """
    call.objects.get(CLOCK, clock, "test_clock")
    if call.objects.table("customer").count(call.tx, call.scope, {"test_clock": clock}) >= limit(call):
        most = limit(call)
        raise invalid(
            f"Test clocks are limited to {most} customers. This test clock already has {most} customers.", "test_clock"
        )
    return at_clock(call, clock)
