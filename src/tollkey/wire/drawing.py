"""Bodies that are drawn after the transaction (PDF): in a thread, one at a time, and no account's before all others'.

Drawing takes up to seconds, and whoever has the address of one document may ask for it a thousand times.
"""

from __future__ import annotations

from tollkey.db import Scope
from tollkey.db.engine import Busy
from tollkey.db.read_limits import LongReads
from tollkey.wire import refusals
from tollkey.wire.admission import Admission
from tollkey.wire.messages import Response


class Drawing:
    """Draws the bodies of responses. Used on one event loop. admission: bounds how long one waits."""

    def __init__(self, admission: Admission) -> None:
        self._admission, self._queue = admission, LongReads(threads=1)

    async def finish(self, response: Response, scope: Scope) -> Response:
        """Return a response with its body; one that has nothing to be drawn as it is.

        scope: whose documents wait for one another. Raises ApiError 429 when too many of them do, 503 when its time is
        over.
        """
        draw = response.drawn
        if draw is None:
            return response

        async def run() -> bytes:
            return await self._queue.run(draw, scope.name)

        try:
            response.body, response.drawn = await self._admission.run(run), None
        except Busy:
            raise refusals.too_many_requests(scope.livemode, "global-concurrency") from None
        return response
