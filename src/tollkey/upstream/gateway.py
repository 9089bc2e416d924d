"""Passes calls on to an upstream account: with its key instead of the caller's, and otherwise as they are.

The order: the operation and the caller's permission for it and for what it expands; card data; caps; the record of the
call, durable before its first byte leaves; the call; its outcome. An answer leaves as it came but for hop-by-hop
headers, the mask of the upstream key, and fields that a restricted key could act with and may not read. Where no answer
came, nothing is guessed: ``not sent`` and ``unknown`` are told apart.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote

import orjson

from tollkey.db import Ids, Scope, StorageError, Tx
from tollkey.db.edge import Edge
from tollkey.keys import Key
from tollkey.keys.errors import SealBroken
from tollkey.outbox.connections import Answer, NotSent, Poster
from tollkey.upstream import capping, hooks, refusals, spending, store
from tollkey.upstream.admitting import admit
from tollkey.upstream.answers import header, hidden, response_of
from tollkey.upstream.calls import ACCOUNTS, Asked, own_headers
from tollkey.upstream.capping import Capped
from tollkey.upstream.caps import NAMES, Caps
from tollkey.upstream.memory import Upstreams
from tollkey.upstream.operations import Operations
from tollkey.upstream.store import Passed, Upstream
from tollkey.wire import ApiError, idempotency
from tollkey.wire.admission import Recheck
from tollkey.wire.messages import Request, Response
from tollkey.wire.refusals import overloaded
from tollkey.wire.reveals import Reveals

log = logging.getLogger("tollkey.upstream")

#: What stays here: the keys of this server.
_LOCAL = re.compile(r"/v1/api_key(s|_audit_entries)(/|\Z)")
#: What stays here where the events of the upstream account arrive.
_HOOKS = re.compile(r"/v1/webhook_endpoints(/|\Z)")
_LARGEST_ANSWER = 32 * 1024 * 1024  # bytes
_LARGEST_AT_ONCE = 128 * 1024  # bytes of an answer whose fields are hidden on the event loop
_LARGEST_LOOK = 1024 * 1024  # bytes of an object that caps look at
_EVENT_DAYS = 40  # longer than an upstream account can be asked for an event
_ENDED_SECONDS = 300  # after the time of a call is over: its process has ended, or it would be recorded
_SHARE = 0.8  # of the calls at once, for one account: a server elsewhere that is slow holds up no other account
_CHECK_SECONDS = 0.5  # between two looks whether the caller's key is still valid, while an answer is awaited


@dataclass
class Limits:
    """Bounds. most: calls at once. seconds: of one call."""

    most: int = 500
    seconds: float = 80.0


@dataclass
class Gateway:
    """The upstream accounts of a server, as ``wire.policy.Elsewhere``.

    operations: returns those of the API; they are asked for at the first call. now: returns UTC epoch seconds.
    """

    edge: Edge
    operations: Callable[[], Operations]
    reveals: Reveals
    upstreams: Upstreams
    http: Poster
    ids: Ids
    now: Callable[[], float]
    dashboard_url: str
    limits: Limits = field(default_factory=Limits)
    _in_flight: idempotency.InFlight = field(default_factory=idempotency.InFlight)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _reads: list[tuple[Scope, Passed]] = field(default_factory=list)
    _uses: dict[Scope, dict[bool, int]] = field(default_factory=dict)
    _running: Counter[Scope] = field(default_factory=Counter)

    # -- called by the wire

    def serves(self, key: Key, path: str) -> bool:
        """Return whether ``answer`` has to be asked: the account has an upstream account, or that is not known."""
        known = self.upstreams.known()
        if known is None or (key.metadata and not NAMES.isdisjoint(key.metadata)):
            return True
        upstream = known.get(Scope(key.account, key.livemode)) if known else None
        return upstream is not None and not _stays(path, upstream)

    async def answer(self, request: Request, key: Key, request_id: str) -> Response | None:
        """Pass a call on and return the answer; None when it is to be answered here. Raises ApiError, StorageError."""
        upstream, limits = await self._upstream(key.scope), capping.caps_of(key)
        local = _stays(request.path, upstream)
        if limits is not None and local and request.method != "GET":
            raise refusals.not_for_capped_keys()
        if upstream is None and limits is not None and not local:
            raise refusals.caps_only_upstream()
        if upstream is None or local:
            return None
        most, running = self.limits.most, self._running
        if max(running.total(), len(self._tasks)) >= most or running[key.scope] >= most * _SHARE:
            raise overloaded()
        running[key.scope] += 1
        try:
            return await self._passed_on(request, key, upstream, limits, request_id)
        finally:
            running[key.scope] -= 1

    async def _passed_on(
        self, request: Request, key: Key, upstream: Upstream, limits: Caps | None, request_id: str
    ) -> Response:
        recheck = Recheck(lambda tx: request.verify_again(tx))
        asked = await admit(
            self.operations(), self.dashboard_url, request, key, upstream, request_id, capped=limits is not None
        )
        call = None
        if limits is not None:
            call = await capping.capped(asked, limits, lambda path: self._look(asked, path), int(self.now()))
        if not asked.writes:
            await self._still(recheck)
            return await self._read(asked, recheck)
        if call is not None and call.caps.dry_run:
            dry = asked.record("dry_run", int(self.now()))
            await self.edge.write(lambda tx: store.add_calls(tx, [(key.scope, dry)]))
            raise capping.dry_run(asked, call)
        write = partial(self._write, asked, call, recheck)
        said = request.headers.get("idempotency-key")
        if said is None:
            return await self._awaited(write(), recheck)
        return await self._awaited(self._in_flight.run(write, key.scope, said), recheck)

    async def flush(self) -> None:
        """Write what is gathered in memory: reads that were passed on, and when upstream keys were last used."""
        reads, self._reads = self._reads, []
        uses, self._uses = self._uses, {}
        if not reads and not uses:
            return

        def write(tx: Tx) -> None:
            if reads:
                store.add_calls(tx, reads)
            for scope, each in sorted(uses.items()):
                for taken, at in each.items():
                    store.note_use(tx, scope, at, taken=taken)

        await self.edge.write(write)

    async def tidy(self, days: int) -> None:
        """Record calls without an outcome as unknown once they must have ended, and delete what is older than ``days``.

        Several nodes may do it at the same time.
        """
        now = int(self.now())
        ended = now - int(self.limits.seconds) - _ENDED_SECONDS
        await self.edge.write(lambda tx: store.give_up(tx, ended))
        while await self.edge.write(lambda tx: store.delete_calls(tx, now - days * spending.DAY)):
            pass
        await self.edge.write(lambda tx: spending.delete_old(tx, now - days * spending.DAY))
        await self.edge.write(lambda tx: hooks.delete_events(tx, now - _EVENT_DAYS * spending.DAY))

    async def stop(self) -> None:
        """Wait for the calls that are under way, so that their outcomes are recorded."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self.flush()

    # -- before the call

    async def _upstream(self, scope: Scope) -> Upstream | None:
        known = self.upstreams.known()
        if known is None:
            epoch = self.upstreams.epoch
            try:
                known = await self.edge.read(lambda tx: self.upstreams.load(tx, epoch))
            except SealBroken as problem:
                log.error("the key of an upstream account cannot be unsealed: %s", problem)
                raise refusals.sealed_away() from None
        return known.get(scope)

    async def _look(self, asked: Asked, path: str) -> dict[str, Any] | None:
        """Return an object of the upstream account, None if it is not there. Raises ApiError."""
        accounts = {name: asked.headers[name] for name in ACCOUNTS if name in asked.headers}
        headers, base = accounts | own_headers(asked.upstream.key), asked.upstream.hosts.api
        try:
            async with asyncio.timeout(self.limits.seconds):
                answer = await self.http.exchange("GET", base, path.encode(), b"", headers, _LARGEST_LOOK)
        except NotSent as problem:
            raise refusals.not_sent(_reason(problem)) from None
        except OSError:
            raise refusals.nothing_changed() from None
        self._check_taken(asked, answer)
        try:
            found = orjson.loads(answer.body) if answer.status == 200 else None
        except orjson.JSONDecodeError:
            return None
        return found if isinstance(found, dict) else None

    # -- the call

    async def _awaited(self, call: Coroutine[Any, Any, Response], recheck: Recheck) -> Response:
        """Return the answer of a call, which goes on and is recorded whatever becomes of the caller's key.

        Raises ApiError: 401 within a second when the key has ended meanwhile.
        """
        task: asyncio.Task[Response] = self._started(call)
        while True:
            done, _ = await asyncio.wait({task}, timeout=_CHECK_SECONDS)
            await self._still(recheck)
            if done:
                return task.result()

    def _started(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # so that nobody is told that it was never retrieved: its caller has gone

    async def _write(self, asked: Asked, call: Capped | None, recheck: Recheck) -> Response:
        """Pass on a call that may change something: recorded before its first byte leaves, and what became of it."""
        lock = capping.lock_of(asked.key.scope) if call is not None and call.moved is not None else None
        began = self.now()
        if refusal := await self.edge.write(lambda tx: self._record(tx, asked, call, recheck), lock=lock):
            raise refusal
        state, answer = "unknown", None
        try:
            if self.now() - began > self.limits.seconds:
                raise NotSent("this process was held up")
            async with asyncio.timeout(self.limits.seconds):
                answer = await self._exchange(asked, recheck)
        except (ApiError, StorageError):
            state = "not_sent"
            raise
        except NotSent as problem:
            state = "not_sent"
            raise refusals.not_sent(_reason(problem)) from None
        except OSError:
            raise refusals.unknown(not asked.repeats and asked.request.method == "POST") from None
        else:
            state = "answered"
            return await self._response(asked, answer)
        finally:
            ended = self._started(self._record_end(asked, call, state, answer))
            if call is not None:  # its next call finds what this one has moved
                await ended

    def _record(self, tx: Tx, asked: Asked, call: Capped | None, recheck: Recheck) -> ApiError | None:
        """Record a call that is about to leave; return why it may not. Raises ApiError for a key that has ended."""
        recheck(tx)
        now = int(self.now())
        if call is not None:
            refusal = capping.reserve(tx, asked, call, self.ids.new("apr"), now)
            if refusal is not None:
                return refusal
        record = asked.record("sent", now)
        if call is not None and call.moved is not None:
            record = record._replace(amount=call.moved.amount, currency=call.moved.currency)
        store.add_calls(tx, [(asked.key.scope, record)])
        return None

    async def _record_end(self, asked: Asked, call: Capped | None, state: str, answer: Answer | None) -> None:
        """Record what became of a call: where that fails, ``sent`` stays, and is found as ``unknown`` later."""
        status, theirs = (None, None) if answer is None else (answer.status, header(answer, b"request-id"))

        def write(tx: Tx) -> None:
            store.end_call(tx, asked.key.scope, asked.request_id, state, status, theirs)
            if call is not None:
                capping.settle(tx, asked, call, answer, sent=state != "not_sent")

        try:
            await self.edge.write(write)
        except StorageError as problem:
            log.error("%s the outcome of a call was not recorded: %s", asked.request_id, problem)

    async def _read(self, asked: Asked, recheck: Recheck) -> Response:
        """Pass on a read, which is sent again once when its answer is lost.

        Raises ApiError: 401 within a second when the caller's key has ended meanwhile.
        """
        try:
            async with _watched(self.limits.seconds, lambda: self.edge.read(recheck)):
                answer = await self._exchange(asked, recheck)
        except NotSent as problem:
            raise refusals.not_sent(_reason(problem)) from None
        except OSError:
            raise refusals.nothing_changed() from None
        await self._still(recheck)
        call = asked.record("answered", int(self.now()))
        theirs = header(answer, b"request-id")
        self._reads.append((asked.key.scope, call._replace(status=answer.status, upstream_request=theirs)))
        return await self._response(asked, answer)

    async def _exchange(self, asked: Asked, recheck: Recheck) -> Answer:
        """Send a call, and once more when its answer was lost and it is a read, or its idempotency key is one of ours.

        Raises NotSent, another OSError; ApiError, StorageError for a key that had ended before a byte of it left.
        """
        try:
            return await self._send(asked, recheck)
        except NotSent:
            raise
        except OSError:
            if asked.writes and not asked.repeats:
                raise
        try:
            return await self._send(asked, recheck)
        except (NotSent, ApiError, StorageError) as problem:  # the first time it was sent
            raise ConnectionError(str(problem)) from None

    async def _send(self, asked: Asked, recheck: Recheck) -> Answer:
        """Send a call once, unless its key has ended by the time that there is a connection."""
        request, ready = asked.request, partial(self._still, recheck)
        how, most = "GET" if request.method == "HEAD" else request.method, _LARGEST_ANSWER
        return await self.http.exchange(how, asked.base, asked.target, request.body, asked.headers, most, ready)

    async def _still(self, recheck: Recheck) -> None:
        """Raise ApiError when the caller's key has ended since it was last looked at."""
        if recheck.due:
            await self.edge.read(recheck)

    # -- after the call

    async def _response(self, asked: Asked, answer: Answer) -> Response:
        """Return the answer as it leaves. Raises ApiError for a refused upstream key, and for a very long answer."""
        self._check_taken(asked, answer)
        if not answer.whole:
            raise refusals.too_long(_LARGEST_ANSWER)
        if asked.key.kind == "restricted" and self.reveals.may_touch(asked.key, answer.body):
            if len(answer.body) > _LARGEST_AT_ONCE:
                answer = await asyncio.to_thread(hidden, self.reveals, asked, answer)
            else:
                answer = hidden(self.reveals, asked, answer)
        return response_of(asked, answer)

    def _check_taken(self, asked: Asked, answer: Answer) -> None:
        """Note whether the upstream account took its key. Raises ApiError 502 if it did not."""
        scope, taken = asked.key.scope, answer.status != 401
        self._uses.setdefault(scope, {})[taken] = int(self.now())
        if not taken:
            log.error("the upstream account of %s refuses its key %s", scope.account, asked.upstream.shown)
            raise refusals.credential()


def _stays(path: str, upstream: Upstream | None) -> bool:
    """Return whether a call is answered here: the keys of this server, and webhook endpoints where events arrive.

    path: as sent; it is one of them however it is encoded.
    """
    path, hooked = unquote(path), upstream is not None and upstream.hooked
    return _LOCAL.match(path) is not None or (hooked and _HOOKS.match(path) is not None)


@asynccontextmanager
async def _watched(seconds: float, check: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Let the block run for so many seconds; ``check`` is called twice a second, and what it raises ends the block.

    Raises TimeoutError. It starts no task before half a second: most blocks end sooner.
    """
    loop, ended, watching = asyncio.get_running_loop(), list[Exception](), list[asyncio.Task[None]]()

    async def watch() -> None:
        try:
            while True:
                await check()
                await asyncio.sleep(_CHECK_SECONDS)
        except (ApiError, StorageError) as problem:
            ended.append(problem)
            limit.reschedule(loop.time())

    timer = loop.call_later(_CHECK_SECONDS, lambda: watching.append(loop.create_task(watch())))
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if ended:
            raise ended[0] from None
        raise
    finally:
        timer.cancel()
        for task in watching:
            task.cancel()


def _reason(problem: Exception) -> str:
    """Return why nothing was sent, without addresses and secrets."""
    return "the connection was refused" if "refused" in str(problem).lower() else "no connection could be made"
