"""API keys in Starlette: a middleware for each route.

    api = ApiKeys(KeyService.open("keys.db", [Permission("report", "Reports")]))
    app = Starlette(routes=[Route("/reports", reports, middleware=[api.needs("report_read")])])

The endpoint finds its key with ``key_of(request)``. A gate for the whole application is ``tollkey.keys.asgi.KeyGate``;
in Litestar the same middleware stands in ``middleware=[…]`` of a handler, as ``api.gate("report_read")``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.middleware import Middleware
from starlette.requests import HTTPConnection

from tollkey.keys.asgi import App, AsgiScope, KeyGate
from tollkey.keys.carried import KEY
from tollkey.keys.checks import Checks
from tollkey.keys.guard import AUTHORIZATION
from tollkey.keys.key import Key
from tollkey.keys.refusal import OnDenied


class ApiKeys:
    """The keys of an application of Starlette or Litestar.

    keys: an open ``KeyService``, or ``RemoteKeys``.
    header: the header with the key. ``authorization``: a bearer token or the user name of Basic; any other: the key.
    keep_header: leave the header in an accepted request, visible to the endpoint.
    on_denied: returns the response to a refused request; ``rfc6750`` by default.
    client_ip: returns the caller's address; by default that of the connection.
    """

    def __init__(
        self,
        keys: Checks,
        *,
        header: str = AUTHORIZATION,
        keep_header: bool = False,
        on_denied: OnDenied | None = None,
        client_ip: Callable[[HTTPConnection], str | None] | None = None,
    ) -> None:
        self.keys = keys
        self._header, self._keep_header, self._on_denied = header, keep_header, on_denied
        self._client_ip = client_ip

    def needs(
        self,
        permission: str | None = None,
        *,
        cost: int | Callable[[AsgiScope], int] | None = None,
        route: str | None = None,
        publishable: bool = False,
    ) -> Middleware:
        """Return a middleware for ``Route(…, middleware=[…])``, ``WebSocketRoute``, ``Mount`` or ``Router``.

        permission: the permission that the key must have; ``project:{id}:write`` takes ``id`` from the path.
            None: any key.
        cost: how much a request takes from the key's limits, or a function of the ASGI scope; by default that of the
            declared route (``tollkey.toml``), or 1.
        route: the name of the route for limits and usage; by default the declared route.
        publishable: accept publishable keys too. They are public.
        Raises ValueError for a permission that is not declared.
        """
        return Middleware(self.gate(permission, cost=cost, route=route, publishable=publishable))

    def gate(
        self,
        permission: str | None = None,
        *,
        cost: int | Callable[[AsgiScope], int] | None = None,
        route: str | None = None,
        publishable: bool = False,
    ) -> Callable[[App], KeyGate]:
        """Return a function that puts a ``KeyGate`` around an application: a middleware of Litestar.

        The arguments and errors are those of ``needs``.
        """
        client_ip = self._client_ip
        around = partial(
            KeyGate,
            keys=self.keys,
            permission_for=permission,
            cost=cost,
            route_for=None if route is None else lambda scope: route,
            publishable=publishable,
            header=self._header,
            keep_header=self._keep_header,
            on_denied=self._on_denied,
            client_ip=None if client_ip is None else lambda scope: client_ip(HTTPConnection(scope)),
        )
        around(_nothing)  # a permission that is not declared is an error now, not at the first request
        return around


async def _nothing(scope: object, receive: object, send: object) -> None:
    """An application that answers nothing."""


def key_of(connection: HTTPConnection) -> Key:
    """Return the key of a request or WebSocket. Raises LookupError if no gate checked it."""
    found: Key | None = connection.scope.get(KEY)
    if found is None:
        raise LookupError("this request has no API key: its route needs middleware=[api.needs(…)]")
    return found
