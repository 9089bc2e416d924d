"""The portal over HTTP: its page, its script, and the JSON that both ask for.

The page is opened by a one-time link and signed in by a cookie; the component sends a bearer token from a page of the
host's, which must be on the list of origins. No answer but the new key's own contains the text of a key.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from tollkey.db import SQLite, StorageError, Tx, migrate
from tollkey.keys.actors import SYSTEM, Actor
from tollkey.keys.errors import KeyRefused
from tollkey.keys.header import beginning, mask_keys
from tollkey.keys.portal import actions
from tollkey.keys.portal.pages import CSP, gone_page, portal_page, start_page
from tollkey.keys.portal.sessions import (
    MIGRATION,
    SESSION_ENDED,
    SESSION_SECONDS,
    VERBS,
    Clock,
    NewSession,
    Rights,
    UiMode,
    Wanted,
    create_session,
    link_is_open,
    open_link,
    rights_of,
)
from tollkey.keys.service import KeyService

_COOKIE = "tollkey-portal"
_LARGEST_BODY = 16_384  # bytes
_BODY_SECONDS = 10.0  # how long a body may take to arrive
_STATUS = {"not_permitted": 403, "permissions_exceeded": 403, "session_ended": 401}  # besides those of ``KeyRefused``
_SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_JS = "text/javascript; charset=utf-8"
_STATIC = {"tollkey-keys.js": _JS, "start.js": _JS, "portal.css": "text/css; charset=utf-8"}
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?|https?://\[[0-9a-fA-F:]+\](?::\d{1,5})?")
_UNAVAILABLE = "The service is not available. Nothing was changed; try again in a moment."
_log = logging.getLogger(__name__)


class _Problem(Exception):
    """An error answer. status: of HTTP. body: its JSON."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        message = mask_keys(message)
        error = {"type": "invalid_request_error" if status < 500 else "api_error", "code": code, "message": message}
        self.status, self.body = status, {"error": error if param is None else {**error, "param": param}}


Action = Callable[[KeyService, Rights, Request, Mapping[str, Any], int], dict[str, Any]]  # with the time


class Portal:
    """The portal of a service. Creating it adds its table to the database.

    keys: an open service. base_url: where customers reach it, ``https://keys.example/portal``; its path is that of the
        routes. origins: pages of other origins that may use the component, for example ``https://app.example``.
    clock: returns UTC epoch seconds.
    Raises ValueError for a base URL or an origin that is none; StorageError.
    """

    def __init__(
        self, keys: KeyService, *, base_url: str, origins: Collection[str] = (), clock: Clock = time.time
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not parts.path.strip("/"):
            raise ValueError("base_url must be an http or https URL with a path, such as https://keys.example/portal")
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"not an origin: {beginning(origin, 100)!r}; use for example https://app.example")
        self.keys, self.clock, self.origins = keys, clock, frozenset(origins)
        self.base_url, self.path = base_url.rstrip("/"), parts.path.rstrip("/")
        self._secure = parts.scheme == "https"
        migrate(keys.database, [MIGRATION])
        if isinstance(keys.database, SQLite):
            keys.database.close_connections()  # so that none is open when a preloaded application forks

    def create_session(
        self,
        *,
        account: str,
        livemode: bool = True,
        may: Iterable[str] = VERBS,
        permissions: Iterable[str] = (),
        return_url: str | None = None,
        ui_mode: str = "hosted",
        actor: Actor = SYSTEM,
        check: Callable[[Tx], object] | None = None,
    ) -> NewSession:
        """Create a session in which the customer of one account manages keys.

        account: your name for the customer. livemode: the mode. may: any of ``create``, ``roll`` and ``revoke``.
        permissions: the grants that its keys can have; needed to create keys.
        return_url: where its page leads back to.
        ui_mode: ``hosted`` for a one-time link to a page, which can be opened for ten minutes and used for an hour;
            ``component`` for a token with which ``<tollkey-keys>`` works for an hour.
        actor: who asked for it. The session ends with an ``api_key`` that is named by its id.
        check: called at the start of the transaction; what it raises is raised, and no session is made.
        Raises KeyRefused, with ``code`` and ``param``; StorageError.
        """
        wanted = Wanted(account, livemode, may, permissions, return_url, ui_mode, actor)
        now, authority = int(self.clock()), self.keys.authority

        def work(tx: Tx) -> NewSession:
            if check is not None:
                check(tx)
            return create_session(tx, authority, wanted, self.base_url, now)

        return self.keys.database.write(work)

    def routes(self) -> list[BaseRoute]:
        """Return the routes, for a Starlette application that mounts them at its root."""
        at = self.path
        return [
            Route(f"{at}/start/{{link}}", self._start, methods=["GET", "POST"]),
            Route(at, self._page, methods=["GET"]),
            Route(f"{at}/static/{{name}}", self._static, methods=["GET"]),
            Route(f"{at}/api/session", self._api(_session), methods=["GET", "OPTIONS"]),
            Route(f"{at}/api/keys", self._api(_list_or_create), methods=["GET", "POST", "OPTIONS"]),
            Route(f"{at}/api/keys/{{id}}/roll", self._api(_roll), methods=["POST", "OPTIONS"]),
            Route(f"{at}/api/keys/{{id}}/revoke", self._api(_revoke), methods=["POST", "OPTIONS"]),
        ]

    # -- the page

    async def _start(self, request: Request) -> Response:
        """Open a link. A GET changes nothing, so that programs that look at links do not use them up."""
        link, now = request.path_params["link"], int(self.clock())
        if request.method != "POST":
            return HTMLResponse(start_page(self.path), headers=_SAFE)
        if not _same_site(request):
            return HTMLResponse(gone_page(self.path), 403, headers=_SAFE)
        try:
            token = await run_in_threadpool(self._opened, link, now)
        except StorageError as error:
            return self._unavailable(error)
        if token is None:
            return HTMLResponse(gone_page(self.path), 404, headers=_SAFE)
        answer = RedirectResponse(self.path, 303, headers=_SAFE)
        answer.set_cookie(
            _COOKIE, token, SESSION_SECONDS, path=self.path, secure=self._secure, httponly=True, samesite="strict"
        )
        return answer

    def _opened(self, link: str, now: int) -> str | None:
        """Open a link. Somebody without one makes no transaction wait: nothing is written for them."""
        about = partial(link_is_open, authority=self.keys.authority, link=link, now=now)
        if not self.keys.database.read(about):
            return None
        return self.keys.database.write(partial(open_link, authority=self.keys.authority, link=link, now=now))

    async def _page(self, request: Request) -> Response:
        """Show the page of an open session, which only its cookie opens."""
        token = request.cookies.get(_COOKIE, "")
        try:
            rights = await self._session(token, "hosted")
        except StorageError as error:
            return self._unavailable(error)
        if rights is None:
            return HTMLResponse(gone_page(self.path), 401, headers=_SAFE)
        return HTMLResponse(portal_page(self.path, rights.return_url, self._proof(token)), headers=_SAFE)

    def _unavailable(self, error: StorageError) -> Response:
        _log.error("a page of the portal failed: %s", type(error).__name__)
        return HTMLResponse(gone_page(self.path, "The service is not available. Try again in a moment."), 503, _SAFE)

    async def _static(self, request: Request) -> Response:
        """Return a script or style sheet, which pages of other origins may use."""
        name = request.path_params["name"]
        if name not in _STATIC:
            return Response("Not found", 404)
        body = files("tollkey.keys.portal").joinpath("static", name).read_bytes()
        headers = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}
        return Response(body, headers={**headers, "X-Content-Type-Options": "nosniff"}, media_type=_STATIC[name])

    # -- JSON

    def _api(self, action: Action) -> Callable[[Request], Awaitable[Response]]:
        """Return an endpoint that answers with the result of an action, which runs in a thread."""

        async def endpoint(request: Request) -> Response:
            cors = self._cors(request)
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=cors)
            try:
                value, status = await self._act(request, action), 200
            except _Problem as problem:
                value, status = problem.body, problem.status
            headers = {**cors, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
            return JSONResponse(value, status, headers)

        return endpoint

    async def _act(self, request: Request, action: Action) -> dict[str, Any]:
        try:
            rights, sent = await self._rights(request), {}
            if request.method != "GET":
                sent = await self._sent(request)
                rights = await self._rights(request)  # a body may arrive slowly, and the session end meanwhile
            return await run_in_threadpool(action, self.keys, rights, request, sent, int(self.clock()))
        except KeyRefused as refused:
            status = _STATUS.get(refused.code, refused.status)
            raise _Problem(status, refused.code, refused.message, refused.param) from None
        except StorageError as error:
            _log.error("a portal request failed: %s", type(error).__name__)
            raise _Problem(503, "unavailable", _UNAVAILABLE) from None

    async def _rights(self, request: Request) -> Rights:
        """Return what the session of a request may do: by its bearer token, else by its cookie.

        Raises _Problem for a session that has ended, for a page that may not use the component, and for a change that
        another site may have sent.
        """
        rights = await self._found(request)
        if rights is None:
            raise _Problem(401, "session_ended", SESSION_ENDED)
        return rights

    async def _found(self, request: Request) -> Rights | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            origin = request.headers.get("origin")
            if origin is not None and origin not in self.origins and not _same_site(request):
                raise _Problem(403, "origin_not_allowed", "This page is not on the list of allowed origins.")
            return await self._session(token.strip(), "component")
        token = request.cookies.get(_COOKIE, "")
        if request.method == "POST" and not (_same_site(request) and self._proves(request, token)):
            raise _Problem(403, "csrf_failed", "This request did not come from the page. Reload it.")
        return await self._session(token, "hosted")

    async def _session(self, token: str, ui_mode: UiMode) -> Rights | None:
        """Return what the open session with this token may do, or None. Raises StorageError."""
        now, authority = int(self.clock()), self.keys.authority
        work = partial(rights_of, authority=authority, token=token, ui_mode=ui_mode, now=now)
        return await run_in_threadpool(self.keys.database.read, work)

    def _proof(self, token: str) -> str:
        """Return what the page sends with each change, which other sites cannot know."""
        return self.keys.authority.keyring.digest(f"portal-csrf/{token}").hex()

    def _proves(self, request: Request, token: str) -> bool:
        return hmac.compare_digest(request.headers.get("x-csrf-token", "").encode(), self._proof(token).encode())

    async def _sent(self, request: Request) -> dict[str, Any]:
        """Return the JSON object of a body. Raises _Problem."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise _Problem(415, "content_type_unsupported", "Send the body as application/json.")
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await self._body(request)
        except TimeoutError:
            raise _Problem(408, "request_timeout", "The body did not arrive in time.") from None
        try:
            value = json.loads(body or b"{}")
            json.dumps(value, ensure_ascii=False).encode()  # refuses half a surrogate pair, which no answer can repeat
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise _Problem(400, "json_invalid", "The body is not a JSON object.")
        return value

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LARGEST_BODY:
                    raise _Problem(413, "body_too_large", f"The body is too large: {_LARGEST_BODY} bytes are allowed.")
        except ClientDisconnect:
            message = "The client disconnected before the body was complete."
            raise _Problem(400, "client_disconnected", message) from None
        return bytes(body)

    def _cors(self, request: Request) -> dict[str, str]:
        """Return the CORS headers for a page of an allowed origin (Fetch standard); none for others."""
        origin = request.headers.get("origin")
        if origin is None or origin not in self.origins:
            return {"Vary": "Origin"}
        return {
            "Vary": "Origin",
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Access-Control-Max-Age": "600",
        }


def _same_site(request: Request) -> bool:
    """Return whether a page of this very origin sent the request, as far as the browser says so.

    A form of a page without referrer sends the origin ``null`` (Fetch standard), but says where it is from
    (Fetch Metadata, ``Sec-Fetch-Site``).
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or origin.partition("://")[2] == request.url.netloc


def _session(keys: KeyService, rights: Rights, request: Request, sent: Mapping[str, Any], now: int) -> dict[str, Any]:
    return actions.session_json(keys, rights)


def _list_or_create(
    keys: KeyService, rights: Rights, request: Request, sent: Mapping[str, Any], now: int
) -> dict[str, Any]:
    if request.method == "GET":
        return {"object": "list", "data": actions.list_keys(keys, rights)}
    actions.refuse_unknown(sent, ("name", "permissions", "expires"))
    return actions.create_key(keys, rights, sent, now)


def _roll(keys: KeyService, rights: Rights, request: Request, sent: Mapping[str, Any], now: int) -> dict[str, Any]:
    actions.refuse_unknown(sent, ("grace",))
    return actions.roll_key(keys, rights, request.path_params["id"], sent, now)


def _revoke(keys: KeyService, rights: Rights, request: Request, sent: Mapping[str, Any], now: int) -> dict[str, Any]:
    actions.refuse_unknown(sent, ())
    return actions.revoke_key(keys, rights, request.path_params["id"], now)
