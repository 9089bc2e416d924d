"""Deliver webhooks: take what is due, post it, write down what came of it, try again later.

At least once, in no order. A delivery is leased before it is sent, so several servers share the
work and each sends other deliveries; a server that dies loses its lease and another one sends again: the
receiver knows the event's id. When to try next is in the
database, so retries survive a restart. 2xx is success; a redirect is not followed and is a failure.
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

from tollkey.db import Edge, Ids, Scope, StorageError, Tx
from tollkey.outbox import store
from tollkey.outbox.signature import sign
from tollkey.outbox.store import Claim, Endpoint, Result, State

MINUTE, HOUR = 60, 3600
#: Seconds between attempts, growing: live for 66 hours (within three days), test three times within hours.
LIVE_RETRIES = (5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 12 * HOUR, 12 * HOUR, 12 * HOUR, 12 * HOUR)
TEST_RETRIES = (5 * MINUTE, 30 * MINUTE, 2 * HOUR)
_EXCERPT = 4096  # bytes of an answer that are kept
_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-cache",
    "Accept": "*/*; q=0.5, application/xml",
    "Accept-Encoding": "identity",
}
_log = logging.getLogger("tollkey.outbox")


def retry_delay(attempts_made: int, livemode: bool) -> int | None:
    """Seconds from the attempt just made to the next one; None when there is none."""
    schedule = LIVE_RETRIES if livemode else TEST_RETRIES
    return schedule[attempts_made - 1] if attempts_made <= len(schedule) else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt came to, told to the server in the transaction that records it.

    attempt: its number, from 1. status: None when no answer came; error says why.
    next_attempt_at: UTC epoch seconds; None when the delivery is settled.
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
    """How hard a deliverer works.

    timeout_seconds: for a whole attempt. lease_seconds: must be longer than that.
    in_flight: attempts at once. per_endpoint: once an endpoint has this many under way, it gets no more for now,
    so that one that hangs does not hold up the others. poll_seconds: how long work of other processes may go unseen.
    """

    timeout_seconds: float = 20.0
    lease_seconds: int = 60
    in_flight: int = 64
    per_endpoint: int = 16
    poll_seconds: float = 1.0


def _nothing(tx: Tx, outcome: Outcome) -> None:
    return None


class Deliverer:
    """Sends what ``enqueue`` promised.

    edge: where database work runs. client: makes the requests; the caller opens and closes it.
    clock: UTC epoch seconds, now. lookup: the endpoint as it stands, or None when it must get nothing any more.
    on_attempt: called in the transaction that records an attempt, to count failures or switch an endpoint off.
    schedule: (attempts made, livemode) -> seconds to the next attempt, or None to give up.
    headers: further request headers, for example User-Agent. timer: monotonic seconds, for durations.
    """

    def __init__(
        self,
        edge: Edge,
        client: httpx.AsyncClient,
        clock: Callable[[], float],
        lookup: Callable[[Tx, Scope, str], Endpoint | None],
        on_attempt: Callable[[Tx, Outcome], None] = _nothing,
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
        self._under_way: Counter[str] = Counter()
        self._bell: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- the loop

    def wake(self) -> None:
        """There is new work. May be called from any thread; give it to ``enqueue`` as ``wake``."""
        loop, bell = self._loop, self._bell
        if loop is not None and bell is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is left to wake
                loop.call_soon_threadsafe(bell.set)

    async def run_once(self) -> int:
        """Deliver what is due now and return how many attempts were made.

        For tests and commands; a server uses ``run``.
        """
        claims = await self._take(self._limits.in_flight)
        await asyncio.gather(*(self._guarded(claim) for claim in claims))
        return len(claims)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop`` is set, then finish what is under way."""
        self._loop, self._bell = asyncio.get_running_loop(), asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._bell.clear()
                for claim in await self._claims(self._limits.in_flight - len(tasks)):
                    task = asyncio.create_task(self._guarded(claim))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                await self._rest(tasks, stopping)
        finally:
            stopping.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=self._limits.timeout_seconds)
            self._loop = self._bell = None

    async def _claims(self, room: int) -> list[Claim]:
        if room <= 0:
            return []
        try:
            return await self._take(min(room, self._limits.per_endpoint))
        except Exception:  # the database is away: look again after the pause, the deliveries are still there
            _log.exception("could not look for webhooks to deliver")
            return []

    async def _rest(self, tasks: set[asyncio.Task[None]], stopping: asyncio.Task[bool]) -> None:
        """Until there is new work, room for more, or the time to look again has come."""
        bell = self._bell
        assert bell is not None
        ringing = asyncio.create_task(bell.wait())
        try:
            await asyncio.wait(
                {ringing, stopping, *tasks}, timeout=self._limits.poll_seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ringing.cancel()

    # -- one delivery

    async def _take(self, limit: int) -> list[Claim]:
        now = int(self._clock())
        lease = self._ids.text(22)
        busy = [endpoint for endpoint, count in self._under_way.items() if count >= self._limits.per_endpoint]
        if not await self._edge.read(lambda tx: store.any_due(tx, now)):
            return []  # an idle server does not write
        until = now + self._limits.lease_seconds
        return await self._edge.write(lambda tx: store.claim(tx, now, lease, until, limit, busy))

    async def _guarded(self, claim: Claim) -> None:
        self._under_way[claim.endpoint_id] += 1
        try:
            await self._deliver(claim)
        except Exception:  # the lease runs out and the delivery is tried again
            _log.exception("delivery %d of %s was not recorded", claim.id, claim.event_id)
        finally:
            self._under_way[claim.endpoint_id] -= 1
            self._under_way += Counter()  # drops the zeros

    async def _deliver(self, claim: Claim) -> None:
        try:
            endpoint = await self._edge.read(lambda tx: self._lookup(tx, claim.scope, claim.endpoint_id))
        except StorageError:
            raise
        except Exception as problem:  # a secret that cannot be unsealed: counted, or it would be tried for ever
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

    async def _post(self, endpoint: Endpoint, claim: Claim) -> Result:
        at, start = int(self._clock()), self._timer()
        status, text, error = None, "", None
        try:
            async with asyncio.timeout(self._limits.timeout_seconds):
                status, text = await self._exchange(endpoint, claim.body, at)
        except (TimeoutError, httpx.TimeoutException):
            error = "timed out"
        except (
            Exception
        ) as problem:  # whatever an address can do to a client: it is a failed attempt, never one without a record
            error = f"{type(problem).__name__}: {problem}"[:_EXCERPT]
        duration = max(0, round((self._timer() - start) * 1000))
        return Result(at, status is not None and 200 <= status < 300, status, text, error, duration)

    async def _exchange(self, endpoint: Endpoint, body: bytes, at: int) -> tuple[int, str]:
        """Send, and return the status with the beginning of the answer."""
        headers = {**_HEADERS, **self._headers, "Stripe-Signature": sign(body, endpoint.secrets, at)}
        limits = httpx.Timeout(self._limits.timeout_seconds, connect=10.0)
        async with self._client.stream(
            "POST", endpoint.url, content=body, headers=headers, timeout=limits, follow_redirects=False
        ) as answer:
            kept = b""
            async for part in answer.aiter_raw():  # nothing is unpacked: a small answer could become a very large one
                kept += part
                if len(kept) >= _EXCERPT:
                    break
            # NUL is the one character that PostgreSQL's text cannot hold.
            return answer.status_code, kept[:_EXCERPT].decode("utf-8", "replace").replace("\0", "\ufffd")

    def _record(self, tx: Tx, claim: Claim, result: Result) -> None:
        made = claim.attempts + 1
        delay = None if result.succeeded else self._schedule(made, claim.scope.livemode)
        state: State = "delivered" if result.succeeded else "failed" if delay is None else "pending"
        due = None if delay is None else result.at + delay
        if not store.record(tx, claim, result, state, due):
            return
        about = (claim.scope, claim.id, claim.event_id, claim.event_type, claim.endpoint_id)
        self._on_attempt(
            tx, Outcome(*about, made, result.at, result.status, result.error, result.duration_ms, state, due)
        )
