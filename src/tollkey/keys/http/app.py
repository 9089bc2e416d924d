"""The ASGI application: all endpoints, and the tasks that run beside them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import Receive, Scope, Send

from tollkey.db import StorageError, migrate
from tollkey.keys.brake import Brake
from tollkey.keys.header import without_keys
from tollkey.keys.http import (
    accounts,
    forwarding,
    health,
    idempotency,
    imports,
    listing,
    managing,
    openapi,
    portal_sessions,
    reports,
    streaming,
    tokens,
    uses,
    verifying,
)
from tollkey.keys.http.callers import Callers
from tollkey.keys.http.changes import ChangeStream
from tollkey.keys.http.dispatch import Dispatch, send_answer
from tollkey.keys.http.endpoint import Endpoint, Server
from tollkey.keys.http.errors import ApiError
from tollkey.keys.notices import Notices
from tollkey.keys.portal import Portal
from tollkey.keys.scanning.routes import declared_routes
from tollkey.keys.service import KeyService

FLUSH_SECONDS = 1.0
_FLUSHES = 3600  # between two times that old answers are deleted
ROTATION_SECONDS = 60.0  # between two looks for keys to roll
NOTICES_SECONDS = 2.0  # between two looks for what notices are about
ENDPOINTS: tuple[Endpoint, ...] = (
    *verifying.ENDPOINTS,
    streaming.ENDPOINT,
    *managing.ENDPOINTS,
    *listing.ENDPOINTS,
    *accounts.ENDPOINTS,
    *reports.ENDPOINTS,
    *tokens.ENDPOINTS,
    imports.ENDPOINT,
    uses.ENDPOINT,
    *health.ENDPOINTS,
)
_FORWARD_AUTH = forwarding.PATH.encode()
_log = logging.getLogger(__name__)


class KeyServer:
    """The service as an ASGI application (HTTP and lifespan).

    keys: the keys to serve, with what is declared for them; the caller closes it afterwards. clock: returns UTC epoch
    seconds. monotonic: returns seconds of a monotonic clock. new_id: returns a new id with a prefix.
    forward_auth_key: whether proxies must send a service key to ``forward-auth``. key_header: the header in which
    clients send their key.
    portal: where customers manage their own keys; None for none. notices: sent while the server runs; None for none.
    guess_limit: wrong service keys a minute from one address before its further ones are refused unread, and as many
        wrong reports of leaked keys; 0 for no limit.
    rotation_grace: seconds that keys stay valid which the server rolls on their schedule, up to 604800; 0: the server
        rolls none, since the host does (``KeyService.rotate_due``).
    Raises StorageError.
    """

    def __init__(
        self,
        keys: KeyService,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        new_id: Callable[[str], str],
        forward_auth_key: bool = False,
        key_header: str = "authorization",
        portal: Portal | None = None,
        notices: Notices | None = None,
        rotation_grace: int = 0,
        guess_limit: int = 60,
    ) -> None:
        migrate(keys.database, (idempotency.MIGRATION, listing.MIGRATION))
        callers = Callers(keys, Brake(monotonic, guess_limit), clock)
        self.server = Server(
            keys,
            callers,
            ChangeStream(keys, monotonic),
            clock,
            new_id,
            forward_auth_key,
            key_header.lower(),
        )
        offered = (*ENDPOINTS, *portal_sessions.endpoints(portal)) if portal else ENDPOINTS
        offered = (*offered, openapi.endpoint(offered))
        pages = portal.routes() if portal else []
        leaks = declared_routes(keys, keys.config, clock, monotonic, new_id, guess_limit)
        self._forward_auth = forwarding.ForwardAuth(self.server)
        found = [*forwarding.routes(self._forward_auth), *leaks, *pages, *routes(self.server, offered)]
        self._router = Router(found, redirect_slashes=False, default=_NotFound(new_id))
        #: Paths without parameters need no search through the routes.
        self._plain = {
            route.path: route.app
            for route in found
            if isinstance(route, Route) and isinstance(route.endpoint, Dispatch) and "{" not in route.path
        }
        self._notices, self._rotation_grace = notices, rotation_grace
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(self, receive, send)
        elif scope["type"] == "http":
            await self._plain.get(scope["path"], self._router)(scope, receive, send)
        else:
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": 1008, "reason": ""})

    def serves(self, scope: Scope) -> bool:
        """Return whether a request is for this server: for a path of it, or any below ``/v1/``."""
        path = scope["path"]
        if path in self._plain or path.startswith("/v1/"):
            return True
        return any(route.matches(scope)[0] is not Match.NONE for route in self._router.routes)

    def at_once(
        self, url: bytes, sent: Sequence[tuple[bytes, bytes]], ip: str | None, secure: bool
    ) -> tuple[int, bytes, bytes] | None:
        """Answer a proxy's GET without awaiting anything, so that the HTTP server need not start a task.

        url: path and query as sent. sent: headers, names in lower case. ip, secure: of the connection.
        Returns status, header lines and body; None when the request must go through ``__call__``.
        """
        return self._forward_auth.at_once(url, sent) if url.startswith(_FORWARD_AUTH) else None

    async def start(self) -> None:
        """Start following the changes of keys. Raises StorageError if the database cannot be read."""
        await self.server.changes.step()
        self._tasks = [
            asyncio.create_task(self.server.changes.run()),
            asyncio.create_task(self._flush()),
        ]
        if self._notices is not None:
            self._tasks.append(asyncio.create_task(self._send_notices(self._notices)))
        if self._rotation_grace:
            self._tasks.append(asyncio.create_task(self._rotate()))

    def stop_accepting(self) -> None:
        """End the streams, so that their connections can be closed; the rest is still answered."""
        self.server.changes.close()

    async def stop(self) -> None:
        """End the streams and write what is in memory."""
        self.stop_accepting()
        if self._notices is not None:
            self._notices.stop()
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await run_in_threadpool(self._try_flush)

    async def _flush(self) -> None:
        while True:
            await run_in_threadpool(self._try_forget)
            for _ in range(_FLUSHES):
                await asyncio.sleep(FLUSH_SECONDS)
                await run_in_threadpool(self._try_flush)

    def _try_forget(self) -> None:
        try:
            self.server.keys.database.write(lambda tx: idempotency.forget_old(tx, self.server.now))
        except StorageError as error:
            _log.warning("old answers could not be deleted: %s", type(error).__name__)
        except Exception:  # whatever it is, the next times do not end with it
            _log.exception("old answers could not be deleted")

    async def _send_notices(self, notices: Notices) -> None:
        while True:
            await run_in_threadpool(notices.try_step)
            await asyncio.sleep(NOTICES_SECONDS)

    async def _rotate(self) -> None:
        while True:
            await run_in_threadpool(self.try_rotate)
            await asyncio.sleep(ROTATION_SECONDS)

    def try_rotate(self) -> None:
        """Roll the keys whose rotation is due, and log a failure: the next time repeats it."""
        try:
            self.server.keys.rotate_due(grace=self._rotation_grace)
        except Exception as error:  # whatever it is, rotations do not end with it
            _log.warning("keys could not be rotated: %s", type(error).__name__)

    def _try_flush(self) -> None:
        try:
            self.server.callers.keys.flush()
        except StorageError as error:  # they stay in memory for the next time
            _log.warning("last uses of service keys could not be written: %s", type(error).__name__)
        except Exception:
            _log.exception("last uses of service keys could not be written")


def routes(server: Server, endpoints: Iterable[Endpoint]) -> list[BaseRoute]:
    """Return a route for each path; those without parameters come first."""
    by_path: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, []).append(endpoint)
    ordered: Sequence[str] = sorted(by_path, key=lambda path: "{" in path)
    return [Route(path, Dispatch(server, by_path[path])) for path in ordered]


class _NotFound:
    """Answers what has no route."""

    def __init__(self, new_id: Callable[[str], str]) -> None:
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shown = without_keys(scope["path"])[:100]
        problem = ApiError(404, "url_unknown", f"Unrecognized request URL ({scope['method'][:20]}: {shown}).")
        await send_answer(problem.answer(), self._new_id("req"), scope, receive, send)


async def _lifespan(app: KeyServer, receive: Receive, send: Send) -> None:
    await receive()
    await app.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await app.stop()
    await send({"type": "lifespan.shutdown.complete"})
