"""What a server does by the clock: work that is due, and what is kept for a time only.

Any number of nodes may do it at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from tollkey.db import Conflict, Database, Edge, OutcomeUnknown, StorageError, Tx, Unreachable
from tollkey.platform.connections import platform_of
from tollkey.platform.request_logs import forget_old
from tollkey.wire import Call, Due, Setup, do_due, due_now, idempotency
from tollkey.wire.due import put_off, told

log = logging.getLogger("tollkey")
_DAY = 86_400


async def do_what_is_due(setup: Setup, edge: Edge, now: int) -> int:
    """Do what is due on real time, each in a transaction of its own, and return how many pieces this node claimed.

    Work that raises is put off by ``do_due``; work whose transaction is lost is put off here. Neither holds up the
    others.
    now: UTC epoch seconds. Raises Unreachable when the database is away, which no work is to blame for.
    """
    waiting = await edge.read(
        lambda tx: [(item, platform_of(tx, item.scope) or item.scope.account) for item in due_now(tx, now)]
    )
    return sum([await _do_one(setup, edge, item, owner, now) for item, owner in waiting])


async def _do_one(setup: Setup, edge: Edge, item: Due, owner: str, now: int) -> bool:
    """Claim and do one piece of work, under the lock of the account that it belongs to; whether this node did."""
    lock = f"{owner}:{int(item.scope.livemode)}"

    def work(tx: Tx) -> bool:
        return do_due(Call(setup, tx, item.scope, now, platform=platform_of(tx, item.scope)), item)

    try:
        return await edge.write(work, lock=lock)
    except (Unreachable, OutcomeUnknown):
        raise
    except Conflict:
        log.warning(
            "scheduled work %s of %s lost its conflicts with other writes; it is tried again", item.kind, item.id
        )
    except Exception as error:
        log.error("scheduled work %s of %s was undone: %s", item.kind, item.id, told(error))
        lost = error
        try:
            await edge.write(lambda tx: put_off(tx, item, now, lost), lock=lock)
        except StorageError as problem:
            log.error("scheduled work %s of %s could not be put off: %s", item.kind, item.id, problem)
    return False


async def tidy(edge: Edge, logs: Database, now: int, log_days: int) -> None:
    """Forget answers of idempotency keys after a day, and request logs after ``log_days``, in pieces; requests go
    between.

    edge: where the answers are. logs: where request logs are written; a thread waits for them. now: UTC epoch seconds.
    """
    old = now - log_days * _DAY
    await _until_done(lambda: edge.write(lambda tx: idempotency.forget_old(tx, now)))
    await _until_done(lambda: asyncio.to_thread(logs.write, lambda tx: forget_old(tx, old)))


async def _until_done(piece: Callable[[], Awaitable[bool]]) -> None:
    while await piece():
        await asyncio.sleep(0)
