"""Delivers webhooks: claims due deliveries, sends them, records the result and schedules retries.

Events are delivered at least once, in no particular order. A delivery is claimed with a lease before it is sent, so
several servers share the deliveries; when a server dies, its leases run out and another one sends again (receivers can
detect the repetition by the event id). The time of the next attempt is in the database, so retries survive a restart.
A 2xx status is success; redirects are not followed and count as failures.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from tollkey.db import Ids, Scope, StorageError, Tx
from tollkey.db.edge import Edge
from tollkey.outbox import claims
from tollkey.outbox.claims import Attempt, Claim
from tollkey.outbox.connections import Poster
from tollkey.outbox.lanes import Lanes
from tollkey.outbox.signature import sign
from tollkey.outbox.store import Destination, Result, State

MINUTE, HOUR = 60, 3600
#: Seconds between attempts: in live mode over 66 hours (Stripe retries up to three days), in test mode three retries.
LIVE_RETRIES = (5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 12 * HOUR, 12 * HOUR, 12 * HOUR, 12 * HOUR)
TEST_RETRIES = (5 * MINUTE, 30 * MINUTE, 2 * HOUR)
_EXCERPT = 4096  # bytes of a response body that are stored
_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-cache",
    "Accept": "*/*; q=0.5, application/xml",
    "Accept-Encoding": "identity",
}
_log = logging.getLogger("tollkey.outbox")


def retry_delay(attempts_made: int, livemode: bool) -> int | None:
    """Return the delay before the next attempt in seconds, or None if there is none.

    attempts_made: including the one that just failed. livemode: the mode of the event.
    """
    schedule = LIVE_RETRIES if livemode else TEST_RETRIES
    return schedule[attempts_made - 1] if attempts_made <= len(schedule) else None


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """The result of an attempt, passed to ``on_attempt`` in the transaction that records it.

    attempt: its number, from 1. at: UTC epoch seconds. duration_ms: milliseconds.
    status: HTTP status; None without a response, ``error`` gives the reason then.
    state: of the delivery. next_attempt_at: UTC epoch seconds; None unless the delivery is pending.
    """

    scope: Scope
    delivery_id: int
    event_id: str
    event_type: str
    endpoint_id: str
    attempt: int
    at: int
    status: int | None
    error: str | None
    duration_ms: int
    state: State
    next_attempt_at: int | None


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a deliverer.

    timeout_seconds: for a whole attempt. lease_seconds: must be greater than the timeout.
    in_flight: concurrent attempts. per_endpoint: concurrent attempts of one endpoint that answers; one that fails has a
        single one (``lanes.py``).
    poll_seconds: how often the database is checked for deliveries of other processes.
    stop_seconds: how long attempts in flight may go on when the deliverer stops. One that is given up is made again
        when its lease ends.
    """

    timeout_seconds: float = 20.0
    lease_seconds: int = 60
    in_flight: int = 512
    per_endpoint: int = 64
    poll_seconds: float = 1.0
    stop_seconds: float = 3.0


def _ignore(tx: Tx, outcome: AttemptResult) -> None:
    return None


_FRESH_SECONDS = 2  # after a claim; later the endpoint may have changed while this process was stopped
_Sending = tuple[Claim, Destination | str]  # a claimed delivery, and where it goes or why that is not known


class Deliverer:
    """Sends the deliveries that ``enqueue`` created.

    edge: the database. poster: sends the requests; the caller closes it.
    clock: returns UTC epoch seconds.
    lookup: returns the current state of a webhook endpoint, or None if it was deleted or disabled.
    on_attempt: called in the transaction that records an attempt, for example to disable a failing endpoint.
    schedule: called with attempts made and livemode, returns seconds to the next attempt, or None for no more.
    headers: further request headers, for example User-Agent. ids: generates leases.
    timer: returns seconds of a monotonic clock, for durations.
    """

    def __init__(
        self,
        edge: Edge,
        poster: Poster,
        clock: Callable[[], float],
        lookup: Callable[[Tx, Scope, str], Destination | None],
        on_attempt: Callable[[Tx, AttemptResult], None] = _ignore,
        schedule: Callable[[int, bool], int | None] = retry_delay,
        *,
        limits: Limits | None = None,
        headers: Mapping[str, str] | None = None,
        ids: Ids | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._edge, self._poster, self._clock = edge, poster, clock
        self._lookup, self._on_attempt, self._schedule = lookup, on_attempt, schedule
        self.limits = limits or Limits()
        self._headers = dict(headers or {})
        self._ids = ids or Ids()
        self._timer = timer
        self._lanes = Lanes(self.limits.in_flight, self.limits.per_endpoint)
        self._unrecorded: list[tuple[Attempt, asyncio.Future[None]]] = []
        self._recorder: asyncio.Task[None] | None = None
        self._wake_event: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- the loop

    def wake(self) -> None:
        """Start looking for due deliveries now. May be called from any thread; pass it to ``enqueue`` as ``wake``."""
        loop, wake_event = self._loop, self._wake_event
        if loop is not None and wake_event is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(wake_event.set)

    async def run_once(self) -> int:
        """Make one attempt of each due delivery, up to the limits, and return how many. A server uses ``run``."""
        sendings = await self._claim_due()
        await asyncio.gather(*(self._deliver(*sending) for sending in sendings))
        return len(sendings)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop`` is set, then wait for the attempts in flight, up to ``Limits.stop_seconds``."""
        self._loop, self._wake_event = asyncio.get_running_loop(), asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._wake_event.clear()
                for sending in await self._claim_logged():
                    task = asyncio.create_task(self._deliver(*sending))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                await self._wait_for_work(stopping)
        finally:
            stopping.cancel()
            if tasks:
                _, given_up = await asyncio.wait(tasks, timeout=self.limits.stop_seconds)
                for task in given_up:
                    task.cancel()
                await asyncio.gather(*given_up, return_exceptions=True)
            self._loop = self._wake_event = None

    async def _claim_logged(self) -> list[_Sending]:
        try:
            return await self._claim_due()
        except Exception:  # the database is not available: try again after the poll interval
            _log.exception("could not read the due webhook deliveries")
            return []

    async def _wait_for_work(self, stopping: asyncio.Task[bool]) -> None:
        """Wait for ``wake``, for room for an endpoint that has more deliveries, for the poll interval, or for
        ``stop``.
        """
        wake_event = self._wake_event
        assert wake_event is not None
        waking = asyncio.create_task(wake_event.wait())
        try:
            timeout = self.limits.poll_seconds
            await asyncio.wait({waking, stopping}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()

    async def _claim_due(self) -> list[_Sending]:
        """Claim due deliveries of the endpoints with room, and look these endpoints up."""
        now = int(self._clock())
        rooms = self._lanes.rooms(await self._edge.read(lambda tx: claims.waiting(tx, now)))
        if not rooms:
            return []  # an idle server does not write
        lease, until = self._ids.text(22), now + self.limits.lease_seconds
        claimed, sendings = await self._edge.write(lambda tx: self._claim(tx, now, lease, until, rooms))
        self._lanes.claimed(rooms, claimed)
        for claim, _ in sendings:
            self._lanes.begin(claim.endpoint_id)
        return sendings

    def _claim(
        self, tx: Tx, now: int, lease: str, until: int, rooms: Mapping[str, int]
    ) -> tuple[list[str], list[_Sending]]:
        """Return the endpoint of each claimed delivery, and what is to be sent. Other deliveries are abandoned."""
        claimed = claims.claim(tx, now, lease, until, rooms)
        found = {place: self._looked_up(tx, *place) for place in {(one.scope, one.endpoint_id) for one in claimed}}
        gone, sendings = [], []
        for one in claimed:
            endpoint = found[one.scope, one.endpoint_id]
            if endpoint is None:
                gone.append(one)
            else:
                sendings.append((one, endpoint))
        claims.abandon(tx, gone)
        return [one.endpoint_id for one in claimed], sendings

    def _looked_up(self, tx: Tx, scope: Scope, endpoint_id: str) -> Destination | str | None:
        """Return an endpoint, why it cannot be read, or None if it was deleted or disabled."""
        try:
            return self._lookup(tx, scope, endpoint_id)
        except StorageError:
            raise
        except Exception as problem:  # for example a secret that cannot be unsealed: counts as a failed attempt
            _log.exception("endpoint %s could not be read", endpoint_id)
            return f"the endpoint could not be read: {type(problem).__name__}"

    # -- one delivery

    async def _deliver(self, claim: Claim, endpoint: Destination | str) -> None:
        succeeded = False
        try:
            current = await self._current(claim, endpoint)
            if current is None:
                return
            if self._clock() + self.limits.timeout_seconds > claim.lease_until:
                return  # this process was held up: whoever claims the delivery next sends it
            if isinstance(current, str):
                result = Result(int(self._clock()), False, None, "", current, 0)
            else:
                result = await self._post(current, claim)
            succeeded = result.succeeded
            await self._recorded(self._attempt(claim, result))
        except Exception:  # when the lease ends, the delivery is claimed again
            _log.exception("delivery %d of %s was not recorded", claim.id, claim.event_id)
        finally:
            if self._lanes.end(claim.endpoint_id, succeeded) and self._wake_event is not None:
                self._wake_event.set()

    async def _current(self, claim: Claim, endpoint: Destination | str) -> Destination | str | None:
        """Return the endpoint of a claim, looked up again if this process was held up since; None if it is gone."""
        if self._clock() - (claim.lease_until - self.limits.lease_seconds) < _FRESH_SECONDS:
            return endpoint
        current = await self._edge.read(lambda tx: self._looked_up(tx, claim.scope, claim.endpoint_id))
        if current is None:
            await self._edge.write(lambda tx: claims.abandon(tx, [claim]))
        return current

    def _attempt(self, claim: Claim, result: Result) -> Attempt:
        delay = None if result.succeeded else self._schedule(claim.attempts + 1, claim.scope.livemode)
        state: State = "delivered" if result.succeeded else "failed" if delay is None else "pending"
        return Attempt(claim, result, state, None if delay is None else result.at + delay)

    async def _recorded(self, attempt: Attempt) -> None:
        """Wait until an attempt is recorded, in one transaction with all that ended meanwhile."""
        recorded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unrecorded.append((attempt, recorded))
        if self._recorder is None or self._recorder.done():
            self._recorder = asyncio.create_task(self._record_all())
        await recorded

    async def _record_all(self) -> None:
        while self._unrecorded:
            batch, self._unrecorded = self._unrecorded, []
            try:
                await self._edge.write(partial(self._record, attempts=[one for one, _ in batch]))
            except Exception as problem:
                await self._record_alone(batch, problem)
            for _, recorded in batch:
                if not recorded.done():
                    recorded.set_result(None)

    async def _record_alone(self, batch: list[tuple[Attempt, asyncio.Future[None]]], problem: Exception) -> None:
        """Record attempts one by one after ``on_attempt`` has failed for one of them."""
        for one, recorded in batch:
            try:
                if isinstance(problem, StorageError):
                    raise problem
                await self._edge.write(partial(self._record, attempts=[one]))
            except Exception as error:
                if not recorded.done():
                    recorded.set_exception(error)

    def _record(self, tx: Tx, attempts: list[Attempt]) -> None:
        for claim, result, state, due in claims.record(tx, attempts):
            identity = (claim.scope, claim.id, claim.event_id, claim.event_type, claim.endpoint_id)
            number, took = claim.attempts + 1, result.duration_ms
            told = AttemptResult(*identity, number, result.at, result.status, result.error, took, state, due)
            self._on_attempt(tx, told)

    async def _post(self, endpoint: Destination, claim: Claim) -> Result:
        at, start = int(self._clock()), self._timer()
        status, text, error = None, "", None
        try:
            async with asyncio.timeout(self.limits.timeout_seconds):
                status, text = await self._send(endpoint, claim.body, at)
        except TimeoutError:
            error = "timed out"
        except Exception as problem:  # any client error counts as a failed attempt
            error = f"{type(problem).__name__}: {problem}"[:_EXCERPT]
        duration = max(0, round((self._timer() - start) * 1000))
        return Result(at, status is not None and 200 <= status < 300, status, text, error, duration)

    async def _send(self, endpoint: Destination, body: bytes, at: int) -> tuple[int, str]:
        """Send the request and return the status and the beginning of the response body."""
        headers = {**_HEADERS, **self._headers, "Stripe-Signature": sign(body, endpoint.secrets, at)}
        status, kept = await self._poster.post(endpoint.url, body, headers, _EXCERPT)
        return status, kept.decode("utf-8", "replace").replace("\0", "\ufffd")  # PostgreSQL's TEXT cannot contain NUL
