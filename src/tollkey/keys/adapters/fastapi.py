"""API keys in FastAPI: a dependency that checks the key, its permission and its limits, and says so in OpenAPI.

keys = KeyService.open("keys.db", [Permission("report", "Reports")])
api = ApiKeys(keys)
app = FastAPI()
api.install(app)

@app.get("/reports")
async def reports(key: Annotated[Key, api.needs("report_read")]) -> list[str]: ...
"""

# FastAPI reads the annotations of ``_Needed.__call__`` at run time: no ``from __future__ import annotations`` here.
import inspect
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.openapi.models import SecurityBase as Scheme
from fastapi.params import Security
from fastapi.requests import HTTPConnection, Request
from fastapi.responses import Response
from fastapi.security.base import SecurityBase

from tollkey.keys.accepted import Accepted
from tollkey.keys.adapters.fastapi_admin import Admin, admin_router
from tollkey.keys.adapters.openapi import OPTIONAL, documented
from tollkey.keys.asgi import App, AsgiScope, KeyGate, Receive, Send, headers_of, only_value, with_headers
from tollkey.keys.carried import ACCEPTED, carried, carry
from tollkey.keys.checks import Checks
from tollkey.keys.guard import AUTHORIZATION, Asked, Guard, target_of
from tollkey.keys.key import Key
from tollkey.keys.needs import Need
from tollkey.keys.once import one_request
from tollkey.keys.refusal import OnDenied, Refusal, Refused
from tollkey.keys.service import KeyService

_HTTP_RESPONSE = "websocket.http.response"  # the extension "WebSocket Denial Response" of ASGI
_POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1


class KeyRefusedError(HTTPException):
    """A refused request. An application without ``ApiKeys.install`` answers it in FastAPI's own form.

    refused: why. refusal: the response.
    """

    def __init__(self, refused: Refused, refusal: Refusal) -> None:
        headers = {name: value for name, value in refusal.headers if name not in ("content-type", "content-length")}
        super().__init__(refusal.status, detail=refusal.body.decode(), headers=headers)
        self.refused = refused
        self.refusal = refusal


class ApiKeys:
    """The keys of a FastAPI application.

    keys: an open ``KeyService``, or ``RemoteKeys``. app: calls ``install``.
    header: the header with the key. ``authorization``: a bearer token or the user name of Basic; any other: the key.
    keep_header: leave the header in an accepted request, visible to other dependencies and the handler.
    on_denied: returns the response to a refused request; ``rfc6750`` by default.
    client_ip: returns the caller's address; by default that of the connection.
    scheme_name: the name of the security scheme in OpenAPI.
    """

    def __init__(
        self,
        keys: Checks,
        app: FastAPI | None = None,
        *,
        header: str = AUTHORIZATION,
        keep_header: bool = False,
        on_denied: OnDenied | None = None,
        client_ip: Callable[[HTTPConnection], str | None] | None = None,
        scheme_name: str = "ApiKey",
    ) -> None:
        self.keys = keys
        self.guard = Guard(keys, header=header, on_denied=on_denied)
        self.scheme_name = scheme_name
        self._header_name = self.guard.header.encode("latin-1")
        self._keep_header = keep_header
        self._client_ip = client_ip or (lambda connection: KeyGate.client_of(connection.scope))
        self._needed: dict[Need[HTTPConnection], Security] = {}
        if app is not None:
            self.install(app)

    def install(self, app: FastAPI) -> None:
        """Give refused requests their response, document it in OpenAPI, and count each request once.

        app: an application that has not served yet. Call it before you add CORS middleware, which then is outside and
        adds its headers to refusals too. Raises RuntimeError if the application has started.
        """
        app.add_middleware(_OneRequest, keys=self.keys)
        app.add_exception_handler(KeyRefusedError, _answer)
        original = app.openapi
        app.openapi = lambda: documented(original(), self.scheme_name)  # type: ignore[method-assign]

    def needs(
        self,
        permission: str | None = None,
        *,
        cost: int | Callable[[HTTPConnection], int] | None = None,
        route: str | None = None,
        optional: bool = False,
        publishable: bool = False,
    ) -> Security:
        """Return a dependency whose value is the request's ``Key``, for ``Annotated[Key, api.needs("report_read")]``.

        It also stands in ``dependencies=[…]`` of a route, a router or the application, and in WebSocket routes.
        The same arguments give the same dependency.

        permission: the permission that the key must have; ``project:{id}:write`` takes ``id`` from the path.
            None: any key.
        cost: how much the request takes from the key's limits, or a function of the request; by default that of the
            declared route (``tollkey.toml``), or 1.
        route: the name of the route for limits and usage; by default the declared route, or the path's template.
        optional: accept requests without a key; the value is then None. A key that is not valid is still refused.
        publishable: accept publishable keys too. They are public.
        Raises ValueError for a permission that is not declared, or a cost below 0.
        """
        need: Need[HTTPConnection] = self.guard.need(
            permission, cost=cost, route=route, optional=optional, publishable=publishable
        )
        found = self._needed.get(need)
        if found is None:
            scopes = [] if need.permission is None else [need.permission]
            found = self._needed[need] = Security(_Needed(self, need), scopes=scopes)
        return found

    def caller(self) -> Key:
        """Stand for the key of a request in tests: ``app.dependency_overrides[api.caller] = lambda: key``.

        The function gets no arguments and returns the key, which then needs no header. Its permissions are checked as
        usual. Raises RuntimeError if called: it is a name only.
        """
        raise RuntimeError("ApiKeys.caller is a name for app.dependency_overrides; use api.needs(…) as the dependency")

    def admin_router(self, admin: Admin, *, prefix: str = "/keys", tags: Sequence[str] = ("API keys",)) -> APIRouter:
        """Return a router with which your own administrators list, create, change, pause, roll and revoke keys.

        admin: a dependency that raises for everyone else. A text that it returns is the actor in the audit log.
        prefix: of the paths. tags: for OpenAPI. Raises TypeError if the keys are ``RemoteKeys``.
        """
        if not isinstance(self.keys, KeyService):
            raise TypeError("admin_router changes keys in the database: it needs a KeyService")
        return admin_router(self.keys, admin, prefix=prefix, tags=list(tags))

    async def _check(self, connection: HTTPConnection, need: Need[HTTPConnection]) -> Key | None:
        scope = connection.scope
        overrides = getattr(scope.get("app"), "dependency_overrides", None)
        replaced = overrides.get(self.caller) if overrides else None
        if replaced is not None:
            key = replaced()
            return self._allowed(await key if inspect.isawaitable(key) else key, connection, need)
        value, others = only_value(scope["headers"], self._header_name)
        if value is not None and need.short is not None and ACCEPTED not in scope:
            route = need.route or _route_of(scope)
            known = need.short.accept(value, self._client_ip(connection), KeyGate.endpoint_of(scope), route)
            if known is not None:
                self._attach(scope, known, others)
                return known.key
        asked = self._asked(connection)
        earlier = carried(scope, self.keys)  # by another dependency or by a KeyGate
        answer: Accepted | Refused | None = (
            await self.guard.acheck(asked, need)
            if earlier is None
            else await self.guard.acheck_again(earlier, asked, need)
        )
        if answer is None:
            return None
        if not isinstance(answer, Accepted):
            raise KeyRefusedError(answer, self.guard.refusal(answer))
        self._attach(scope, answer, others)
        return answer.key

    def _allowed(self, key: Key, connection: HTTPConnection, need: Need[HTTPConnection]) -> Key:
        """Return the key that a test says is calling, if it may do what the route needs."""
        refused = self.guard.lacks(key, need, connection.path_params)
        if refused is not None:
            raise KeyRefusedError(refused, self.guard.refusal(refused))
        return key

    def _asked(self, connection: HTTPConnection) -> Asked[HTTPConnection]:
        scope = connection.scope
        return Asked(
            connection, headers_of(scope, self._header_name), connection.path_params,
            self._client_ip(connection), KeyGate.endpoint_of(scope),
            target_of(scope.get("method", "GET"), scope["path"]) if self.keys.declares_routes else "",
            _route_of(scope),
        )  # fmt: skip

    def _attach(self, scope: AsgiScope, accepted: Accepted, others: list[tuple[bytes, bytes]]) -> None:
        carry(scope, self.keys, accepted)
        if not self._keep_header:  # in place: the request's own view of its headers is on this list
            scope["headers"][:] = others


def _route_of(scope: AsgiScope) -> str | None:
    """Return method and path template of the route that FastAPI has found, if it has one."""
    template = getattr(scope.get("route"), "path", None)
    return template and f"{scope.get('method', 'WEBSOCKET')} {template}"


class _Needed(SecurityBase):
    """The dependency that ``ApiKeys.needs`` returns; ``model`` and ``scheme_name`` are what FastAPI documents."""

    def __init__(self, api: ApiKeys, need: Need[HTTPConnection]) -> None:
        self._api, self._need = api, need
        bearer = api.guard.header == AUTHORIZATION
        self.model: Scheme = (
            HTTPBearer(description="An API key.")
            if bearer
            else APIKey.model_validate({"in": APIKeyIn.header, "name": api.guard.header.title()})
        )
        self.scheme_name = api.scheme_name + (OPTIONAL if need.optional else "")

    async def __call__(self, connection: HTTPConnection) -> Key | None:
        return await self._api._check(connection, self._need)


class _OneRequest:
    """ASGI middleware in which a request counts once, and its response has the header fields about limits."""

    def __init__(self, app: App, keys: Checks) -> None:
        self._app, self._keys = app, keys

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def sending(message: MutableMapping[str, Any]) -> None:
            accepted = carried(scope, self._keys)
            if accepted is not None and accepted.limits:
                await with_headers(send, accepted)(message)
            else:
                await send(message)

        with one_request():
            await self._app(scope, receive, sending)


async def _answer(request: Request, error: Exception) -> Response:
    """Return the response to a refused request, also to a WebSocket handshake."""
    assert isinstance(error, KeyRefusedError)
    status, headers, body = error.refusal
    scope = request.scope
    if scope["type"] == "websocket" and _HTTP_RESPONSE not in (scope.get("extensions") or {}):
        return _Closed()
    answer = Response(b"" if scope.get("method") == "HEAD" else body, status)
    answer.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return answer


class _Closed(Response):
    """Closes a WebSocket before it is accepted, where the server cannot answer its handshake."""

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
