"""Health and readiness over HTTP, for load balancers and orchestrators.

``/healthz``: the process answers, so do not restart it. ``/readyz``: send it requests. Both need no key and say nothing
but the reason; they read nothing from the database, so that asking often costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tollkey.db import Database

_Message = MutableMapping[str, Any]


def unready(database: Database) -> str | None:
    """Return why requests cannot be answered: the database is away, or its disk failed. None when they can be."""
    return None if database.away is None else "the database cannot be used"


class Health:
    """An ASGI application for ``paths``. reason: returns why the server is not ready; None when it is."""

    paths = frozenset({"/healthz", "/readyz"})

    def __init__(self, reason: Callable[[], str | None]) -> None:
        self._reason = reason

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Answer 200, or 503 with the reason; 405 for other methods than GET and HEAD."""
        status, said = self._answer(scope["path"], scope["method"])
        body = json.dumps(said).encode() + b"\n"
        headers = [
            (b"content-type", b"application/json"),
            (b"cache-control", b"no-store"),
            (b"content-length", b"%d" % len(body)),
        ]
        if status == 405:
            headers.append((b"allow", b"GET, HEAD"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _answer(self, path: str, method: str) -> tuple[int, dict[str, str]]:
        if method not in ("GET", "HEAD"):
            return 405, {"status": "refused", "reason": "use GET"}
        if path == "/healthz":
            return 200, {"status": "ok"}
        reason = self._reason()
        return (200, {"status": "ready"}) if reason is None else (503, {"status": "unavailable", "reason": reason})
