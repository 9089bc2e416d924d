"""Store a long part of a request in several short transactions, before the transaction of its handler.

A transaction of 16 MB would make all other writes wait until the disk has taken it. So an endpoint whose parameters may
be that long (``Endpoint.stage``) has them stored in steps, between which other writes run. Nothing refers to what the
steps have stored until the handler's transaction claims it. When that transaction refuses, fails, or answers a
repetition with the stored response, it is discarded; what a crash leaves is deleted by a background task.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tollkey.db import StorageError, Tx
from tollkey.db.edge import Edge
from tollkey.wire.messages import Response

log = logging.getLogger("tollkey.wire")


class Staged(NamedTuple):
    """What an endpoint stores before its handler's transaction.

    steps: run in this order, each in a transaction of its own, which must be short.
    given: the parameters for the handler; they name what the steps stored.
    discard: deletes a part of it unless it was claimed, and returns whether more is left.
    """

    steps: Sequence[Callable[[Tx], None]]
    given: dict[str, Any]
    discard: Callable[[Tx], bool]


async def write_staged(edge: Edge, staged: Staged, callback: Callable[[Tx], Response], lock: str) -> Response:
    """Run the steps, then the handler's transaction, and discard what that has not claimed.

    Raises what they raise.
    """
    try:
        for step in staged.steps:
            await edge.write(step, heavy=True)
        response = await edge.write(callback, lock=lock)
    except BaseException:  # also when the request's time is over, which cancels it
        await _discard(edge, staged)
        raise
    if response.status >= 400 or "Idempotent-Replayed" in response.headers:
        await _discard(edge, staged)
    return response


async def _discard(edge: Edge, staged: Staged) -> None:
    try:
        while await edge.write(staged.discard, heavy=True):
            pass
    except StorageError as error:  # the background task deletes it later
        log.warning("what a refused request had stored was not deleted yet: %s", error)
