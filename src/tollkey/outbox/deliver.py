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
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from tollkey.db import Ids, Scope, StorageError, Tx
from tollkey.db.edge import Edge
from tollkey.outbox import store
from tollkey.outbox.signature import sign
from tollkey.outbox.store import Claim, Destination, Result, State

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
    in_flight: concurrent attempts. per_endpoint: concurrent attempts of one endpoint, so that one that hangs does not
        delay the others.
    poll_seconds: how often the database is checked for deliveries of other processes.
    stop_seconds: how long attempts in flight may go on when the deliverer stops. One that is given up is made again
        when its lease ends.
    """

    timeout_seconds: float = 20.0
    lease_seconds: int = 60
    in_flight: int = 64
    per_endpoint: int = 16
    poll_seconds: float = 1.0
    stop_seconds: float = 3.0


def _ignore(tx: Tx, outcome: AttemptResult) -> None:
    return None


class Deliverer:
    """Sends the deliveries that ``enqueue`` created.

    edge: the database. client: sends the requests; the caller opens and closes it.
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
        client: httpx.AsyncClient,
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
        self._edge, self._client, self._clock = edge, client, clock
        self._lookup, self._on_attempt, self._schedule = lookup, on_attempt, schedule
        self._limits = limits or Limits()
        self._headers = dict(headers or {})
        self._ids = ids or Ids()
        self._timer = timer
        self._in_flight: Counter[str] = Counter()
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
        """Make one attempt of each due delivery, up to the limit, and return how many. A server uses ``run``."""
        claims = await self._claim_due(self._limits.in_flight)
        await asyncio.gather(*(self._deliver_logged(claim) for claim in claims))
        return len(claims)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop`` is set, then wait for the attempts in flight, up to ``Limits.stop_seconds``."""
        self._loop, self._wake_event = asyncio.get_running_loop(), asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._wake_event.clear()
                for claim in await self._claim_logged(self._limits.in_flight - len(tasks)):
                    task = asyncio.create_task(self._deliver_logged(claim))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                await self._wait_for_work(tasks, stopping)
        finally:
            stopping.cancel()
            if tasks:
                _, late = await asyncio.wait(tasks, timeout=self._limits.stop_seconds)
                for task in late:
                    task.cancel()
            self._loop = self._wake_event = None

    async def _claim_logged(self, capacity: int) -> list[Claim]:
        if capacity <= 0:
            return []
        try:
            return await self._claim_due(min(capacity, self._limits.per_endpoint))
        except Exception:  # the database is not available: try again after the poll interval
            _log.exception("could not read the due webhook deliveries")
            return []

    async def _wait_for_work(self, tasks: set[asyncio.Task[None]], stopping: asyncio.Task[bool]) -> None:
        """Wait for ``wake``, for an attempt to finish, for the poll interval, or for ``stop``."""
        wake_event = self._wake_event
        assert wake_event is not None
        waking = asyncio.create_task(wake_event.wait())
        try:
            await asyncio.wait(
                {waking, stopping, *tasks}, timeout=self._limits.poll_seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            waking.cancel()

    # -- one delivery

    async def _claim_due(self, limit: int) -> list[Claim]:
        now = int(self._clock())
        lease = self._ids.text(22)
        busy = [endpoint for endpoint, count in self._in_flight.items() if count >= self._limits.per_endpoint]
        if not await self._edge.read(lambda tx: store.any_due(tx, now)):
            return []  # an idle server does not write
        until = now + self._limits.lease_seconds
        return await self._edge.write(lambda tx: store.claim(tx, now, lease, until, limit, busy))

    async def _deliver_logged(self, claim: Claim) -> None:
        self._in_flight[claim.endpoint_id] += 1
        try:
            await self._deliver(claim)
        except Exception:  # when the lease ends, the delivery is claimed again
            _log.exception("delivery %d of %s was not recorded", claim.id, claim.event_id)
        finally:
            self._in_flight[claim.endpoint_id] -= 1
            self._in_flight += Counter()  # removes zero counts

    async def _deliver(self, claim: Claim) -> None:
        try:
            endpoint = await self._edge.read(lambda tx: self._lookup(tx, claim.scope, claim.endpoint_id))
        except StorageError:
            raise
        except Exception as problem:  # for example a secret that cannot be unsealed: counts as a failed attempt
            _log.exception("endpoint %s could not be read", claim.endpoint_id)
            result = Result(
                int(self._clock()), False, None, "", f"the endpoint could not be read: {type(problem).__name__}", 0
            )
        else:
            if endpoint is None:
                await self._edge.write(lambda tx: store.abandon(tx, claim))
                return
            result = await self._post(endpoint, claim)
        await self._edge.write(lambda tx: self._record(tx, claim, result))

    async def _post(self, endpoint: Destination, claim: Claim) -> Result:
        at, start = int(self._clock()), self._timer()
        status, text, error = None, "", None
        try:
            async with asyncio.timeout(self._limits.timeout_seconds):
                status, text = await self._send(endpoint, claim.body, at)
        except (TimeoutError, httpx.TimeoutException):
            error = "timed out"
        except Exception as problem:  # any client error counts as a failed attempt
            error = f"{type(problem).__name__}: {problem}"[:_EXCERPT]
        duration = max(0, round((self._timer() - start) * 1000))
        return Result(at, status is not None and 200 <= status < 300, status, text, error, duration)

    async def _send(self, endpoint: Destination, body: bytes, at: int) -> tuple[int, str]:
        """Send the request and return the status and the beginning of the response body."""
        headers = {**_HEADERS, **self._headers, "Stripe-Signature": sign(body, endpoint.secrets, at)}
        limits = httpx.Timeout(self._limits.timeout_seconds, connect=10.0)
        async with self._client.stream(
            "POST", endpoint.url, content=body, headers=headers, timeout=limits, follow_redirects=False
        ) as response:
            kept = b""
            async for part in response.aiter_raw():  # raw: a small compressed body could expand to a very large one
                kept += part
                if len(kept) >= _EXCERPT:
                    break
            # PostgreSQL's TEXT cannot contain NUL.
            return response.status_code, kept[:_EXCERPT].decode("utf-8", "replace").replace("\0", "\ufffd")

    def _record(self, tx: Tx, claim: Claim, result: Result) -> None:
        attempts_made = claim.attempts + 1
        delay = None if result.succeeded else self._schedule(attempts_made, claim.scope.livemode)
        state: State = "delivered" if result.succeeded else "failed" if delay is None else "pending"
        due = None if delay is None else result.at + delay
        if not store.record(tx, claim, result, state, due):
            return
        identity = (claim.scope, claim.id, claim.event_id, claim.event_type, claim.endpoint_id)
        self._on_attempt(
            tx,
            AttemptResult(
                *identity, attempts_made, result.at, result.status, result.error, result.duration_ms, state, due
            ),
        )
