"""Test clocks: simulated time for up to three customers and their objects. Test mode only.

    ready ──advance──▶ advancing ──all that is due has been done, in the order of its time──▶ ready
      └──delete (or 30 days pass)──▶ deleted, with its customers and their subscriptions

The server's timer advances the clock in small steps, so that other requests are processed meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.payments.catalog import arithmetic
from tollkey.payments.shared import clock as shared_clock
from tollkey.payments.subscriptions import lifecycle
from tollkey.payments.testing import jobs, states
from tollkey.wire import Action, ApiError, Call, Endpoint, Resource, invalid, new_object
from tollkey.wire.jobs import run_job
from tollkey.wire.kinds import Job, Kind
from tollkey.wire.live import only_in_test
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.subscriptions.stored import StoredSubscription
    from tollkey.payments.testing.stored import StoredTestClock
    from tollkey.wire import operations

PERMISSION = Permission("billing_clock", "Test clocks", "Core")
KEPT_DAYS = 30
#: Jobs run in one transaction; other requests are answered between two of them.
STEP = 8
_SUBSCRIPTION: Kind[StoredSubscription] = Kind("subscription")
_CUSTOMER: Kind[StoredCustomer] = Kind("customer")
#: What a customer may not have when it is attached to a clock, since it follows real time.
_TIMED: tuple[Kind[Any], ...] = (
    _SUBSCRIPTION,
    Kind("subscription_schedule"),
    Kind("quote"),
    Kind("invoice"),
    Kind("invoiceitem"),
)
ADVANCE = Job("test_clock.advance")
_ENDED = ("canceled", "incomplete_expired")


def create(call: Call, params: operations.PostTestHelpersTestClocks) -> StoredTestClock:
    """Create a test clock at ``frozen_time``."""
    clock = new_object(
        shared_clock.CLOCK,
        id=call.ids.new("clock"),
        created=call.now,
        deletes_after=call.now + KEPT_DAYS * arithmetic.DAY,
        frozen_time=params["frozen_time"],
        livemode=False,
        name=params.get("name"),
        status=states.CLOCK.start("ready"),
        status_details={},
    )
    call.schedule.add(clock["deletes_after"], jobs.TEST_CLOCK_DELETE, clock["id"])
    made = call.objects.insert(clock, "test_helpers.test_clock.created")
    if params.get("customer"):
        _attach(call, params["customer"], made["id"])
    return made


def _attach(call: Call, id: str, clock: str) -> None:
    """Attach an existing customer to a new clock, which it keeps.

    id, clock: of both. Raises ApiError 400 for a customer of another clock, or with objects whose time is the real one.
    """
    customer = call.objects.get(_CUSTOMER, id, "customer")
    if customer.get("test_clock"):
        raise invalid(f"The customer {id} is already attached to the test clock {customer['test_clock']}.", "customer")
    for kind in _TIMED:
        if call.objects.query(kind, {"customer": id}, limit=1):
            raise invalid(f"The customer {id} cannot be attached to a test clock: it has a {kind}.", "customer")
    customer["test_clock"] = clock
    call.objects.save(customer, "customer.updated")


def advance(call: Call, params: operations.PostTestHelpersTestClocksTestClockAdvance) -> StoredTestClock:
    """Start to advance a test clock.

    Raises ApiError 400 for a time in the past, or more than two billing intervals ahead.
    """
    clock = call.objects.get(shared_clock.CLOCK, call.path["test_clock"])
    target = params["frozen_time"]
    if clock["status"] == "advancing":
        raise ApiError(
            429,
            code="lock_timeout",
            message=f"Test clock advancement underway - cannot perform modifications: {clock['id']}",
        )
    if target <= clock["frozen_time"]:
        raise invalid("`frozen_time` must be after the test clock's current `frozen_time`.", "frozen_time")
    latest = furthest(call, clock)
    if target > latest:
        raise invalid(
            f"Cannot advance the test clock more than two intervals of the shortest subscription from its current"
            f" `frozen_time`; the latest"
            f" allowed time is {latest}.",
            "frozen_time",
        )
    states.CLOCK.set(clock, "advancing")
    clock["status_details"] = {"advancing": {"target_frozen_time": target}}
    clock["_done"] = 0
    call.objects.save(clock)
    call.emit("test_helpers.test_clock.advancing", clock)
    call.schedule.add(call.now, ADVANCE, clock["id"])
    return clock


def furthest(call: Call, clock: StoredTestClock) -> int:
    """Return how far a clock can advance at once: two intervals of its shortest subscription, or two years."""
    now: int = clock["frozen_time"]
    limits = []
    for subscription in call.objects.query("subscription", {"test_clock": clock["id"]}, limit=20_000):
        if subscription["status"] not in _ENDED:
            recurring = subscription["items"]["data"][0]["price"]["recurring"]
            limits.append(arithmetic.shift(now, recurring["interval"], 2 * recurring["interval_count"]))
    return min(limits, default=arithmetic.shift(now, "year", 2))


def advance_step(call: Call, id: str) -> None:
    """Run the next jobs of an advancing clock; when none is due up to the target, the clock becomes ready."""
    clock = call.objects.find(shared_clock.CLOCK, id)
    if clock is None or clock["status"] != "advancing":
        return
    target = clock["status_details"]["advancing"]["target_frozen_time"]
    for _ in range(STEP):
        item = call.schedule.next(id, target)
        if item is None:
            states.CLOCK.set(clock, "ready")
            clock.update({"frozen_time": target, "status_details": {}})
            call.objects.save(clock)
            call.emit("test_helpers.test_clock.ready", clock)
            return
        clock["_done"] = clock.get("_done", 0) + 1
        clock["frozen_time"] = max(item.at, clock["frozen_time"])  # shows the progress
        call.objects.save(clock)
        run_job(call.at(clock["frozen_time"]), item)
        clock = call.objects.get(shared_clock.CLOCK, id)  # a job that failed has made the call forget it
    call.schedule.add(call.now, ADVANCE, id)


def delete(call: Call, params: operations.DeleteTestHelpersTestClocksTestClock) -> Deleted:
    """Delete a test clock with its customers; their subscriptions are canceled."""
    return remove(call, call.objects.get(shared_clock.CLOCK, call.path["test_clock"]))


def remove(call: Call, clock: StoredTestClock) -> Deleted:
    """Delete a clock and its objects."""
    then = call.at(clock["frozen_time"])
    for subscription in then.objects.query(_SUBSCRIPTION, {"test_clock": clock["id"]}, limit=2_000):
        if subscription["status"] not in _ENDED:
            lifecycle.end(then, subscription, None)
    for customer in then.objects.query(_CUSTOMER, {"test_clock": clock["id"]}, limit=100):
        then.objects.delete(customer, "customer.deleted")
    call.schedule.forget_clock(clock["id"])
    call.schedule.cancel(jobs.TEST_CLOCK_DELETE, clock["id"])
    call.schedule.cancel(ADVANCE, clock["id"])
    return call.objects.delete(clock, "test_helpers.test_clock.deleted")


def expire(call: Call, id: str) -> None:
    """Delete a clock 30 days after its creation."""
    clock = call.objects.find(shared_clock.CLOCK, id)
    if clock is not None:
        remove(call, clock)


TEST_CLOCK = Resource(
    object="test_helpers.test_clock",
    prefix="clock",
    permission=PERMISSION,
    live=only_in_test("Test clocks can only be used in test mode."),
    label="test_clock",
    path_param="test_clock",
    endpoints=(
        listing("test_helpers.test_clock", "/v1/test_helpers/test_clocks"),
        Endpoint("POST", "/v1/test_helpers/test_clocks", create),
        retrieve("test_helpers.test_clock", "/v1/test_helpers/test_clocks/{test_clock}"),
        Endpoint("POST", "/v1/test_helpers/test_clocks/{test_clock}/advance", advance),
        Endpoint("DELETE", "/v1/test_helpers/test_clocks/{test_clock}", delete),
    ),
    on_due={ADVANCE: advance_step, jobs.TEST_CLOCK_DELETE: expire},
    title="Test clocks",
    columns=("name", "id", "frozen_time", "status", "created"),
    actions=(
        Action("Advance", "/v1/test_helpers/test_clocks/{test_clock}/advance", ("frozen_time",), when=("ready",)),
        Action("Delete", "/v1/test_helpers/test_clocks/{test_clock}", method="DELETE"),
    ),
)
