"""Background tasks: run jobs that are due, delete expired data. Several nodes may run them at the same time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from tollkey.db import Database, Scope, StorageError, Tx
from tollkey.db.edge import Edge
from tollkey.db.engine import Conflict, LockTimeout, OutcomeUnknown, Unreachable
from tollkey.keys.authority import Authority
from tollkey.keys.rotating import due_in, rotate_in
from tollkey.outbox.store import delete_settled
from tollkey.platform._contents import discard_unclaimed
from tollkey.platform.connections import platform_of
from tollkey.platform.events import delete_old_events
from tollkey.platform.request_log_batches import index_oldest, may_index
from tollkey.platform.request_logs import delete_old, give_back
from tollkey.wire import Call, idempotency
from tollkey.wire.call import Setup
from tollkey.wire.jobs import ScheduledJob, count_lost_attempt, due_jobs, error_summary, run_job

log = logging.getLogger("tollkey")
_DAY = 86_400


async def run_due_jobs(setup: Setup, edge: Edge, now: int) -> int:
    """Run the jobs that are due, each in its own transaction. Jobs on test clocks are not run here.

    A job that raises is rescheduled by ``run_job``; one whose transaction fails is rescheduled here. Neither stops the
    other jobs. now: UTC epoch seconds. Returns how many jobs this node claimed. Raises Unreachable when the database
    is down.
    """
    waiting = await edge.read(
        lambda tx: [(item, platform_of(tx, item.scope) or item.scope.account) for item in due_jobs(tx, now)]
    )
    return sum([await _run_job(setup, edge, item, owner, now) for item, owner in waiting])


async def _run_job(setup: Setup, edge: Edge, item: ScheduledJob, owner: str, now: int) -> bool:
    """Claim and run a job under the lock of the account that owns it. Returns whether this node ran it."""
    lock = Scope(owner, item.scope.livemode).name

    def claim_and_run(tx: Tx) -> bool:
        platform = platform_of(tx, item.scope)
        if owner != (platform or item.scope.account):
            return False  # the account has left its platform meanwhile: the next time runs it under its own lock
        return run_job(Call(setup, tx, item.scope, now, platform=platform), item)

    try:
        return await edge.write(claim_and_run, lock=lock)
    except (Unreachable, OutcomeUnknown):
        raise
    except (Conflict, LockTimeout):
        log.warning("job %s of %s conflicted with other writes and will be retried", item.kind, item.id)
    except Exception as error:
        log.error("job %s of %s was rolled back: %s", item.kind, item.id, error_summary(error))
        lost = error
        try:
            await edge.write(lambda tx: count_lost_attempt(tx, item, now, lost), lock=lock)
        except StorageError as problem:
            log.error("job %s of %s could not be rescheduled: %s", item.kind, item.id, problem)
    return False


@dataclass(frozen=True, slots=True)
class Kept:
    """How many days is kept: request logs, events, and webhook deliveries that have ended, with their attempts."""

    logs: int = 30
    events: int = 30
    deliveries: int = 30


async def delete_expired(edge: Edge, logs: Database, now: int, kept: Kept) -> None:
    """Delete all that is older than it is kept, in pieces: responses of idempotency keys after a day, uploads that a
    crash left without a file object after an hour, the others after the days of ``kept``.

    edge: of the main database. logs: the database of the request logs. now: UTC epoch seconds.
    """
    old_logs, old_events, old_deliveries = (now - days * _DAY for days in (kept.logs, kept.events, kept.deliveries))
    pieces: tuple[Callable[[], Awaitable[bool]], ...] = (
        lambda: edge.write(lambda tx: idempotency.forget_old(tx, now)),
        lambda: edge.write(lambda tx: discard_unclaimed(tx, now), heavy=True),
        lambda: edge.write(lambda tx: delete_old_events(tx, old_events)),
        lambda: edge.write(lambda tx: delete_settled(tx, old_deliveries) > 0),
        lambda: asyncio.to_thread(logs.write, lambda tx: delete_old(tx, old_logs)),
        lambda: asyncio.to_thread(logs.write, give_back),
    )
    await each_of(*(partial(_repeat, piece) for piece in pieces))


async def index_logs(logs: Database, now: Callable[[], float], busy: Callable[[], bool] = lambda: False) -> None:
    """Index the request logs that wait for it, in pieces, as long as the servers are not busy.

    logs: the database of the request logs. now: returns UTC epoch seconds. busy: whether this server is, though it has
    not written it yet. Raises StorageError.
    """

    async def piece() -> bool:
        if busy() or not await asyncio.to_thread(logs.read, lambda tx: may_index(tx, int(now()))):
            return False
        return await asyncio.to_thread(logs.write, lambda tx: index_oldest(tx, int(now())))

    await _repeat(piece)


async def each_of(*steps: Callable[[], Awaitable[object]]) -> None:
    """Do all steps, one after the other: one that fails again and again must not keep the others from being done.

    Raises what they raised, as an ExceptionGroup, and Unreachable at once.
    """
    failed: list[Exception] = []
    for step in steps:
        try:
            await step()
        except Unreachable:
            raise
        except Exception as error:
            failed.append(error)
    if failed:
        raise ExceptionGroup("steps of a background task failed", failed)


async def rotate_keys(edge: Edge, authority: Authority, now: int, grace_days: int) -> int:
    """Roll the keys whose scheduled rotation is due, each in its own transaction, and return how many this node rolled.

    now: UTC epoch seconds. grace_days: how long the old keys stay valid; 0: nothing is rolled. Raises StorageError.
    """
    if grace_days == 0:
        return 0
    rolled, grace_seconds = 0, grace_days * _DAY
    for key in await edge.read(lambda tx: due_in(tx, authority, now, now)):
        one = await edge.write(partial(rotate_in, authority=authority, key=key, grace_seconds=grace_seconds, now=now))
        rolled += one is not None
    return rolled


async def _repeat(piece: Callable[[], Awaitable[bool]]) -> None:
    """Call ``piece`` until nothing is left. After each, others write for as long as it took."""
    clock = asyncio.get_running_loop().time
    began = clock()
    while await piece():
        await asyncio.sleep(clock() - began)
        began = clock()
