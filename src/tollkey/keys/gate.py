"""The base class of the ASGI and WSGI gates: required permission, authorization, response to a refused request."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from tollkey.keys.accepted import Accepted
from tollkey.keys.checks import Checks
from tollkey.keys.guard import AUTHORIZATION, Asked, Guard, target_of
from tollkey.keys.needs import MissingParameter, Need, declared
from tollkey.keys.refusal import INTERNAL, OnDenied, Refusal, Refused

App = TypeVar("App")
RequestT = TypeVar("RequestT")
_MOST_NEEDS = 1_000  # remembered; a function may return a name for each object
_log = logging.getLogger(__name__)


class Gate(ABC, Generic[App, RequestT]):
    """Middleware that authenticates and authorizes requests. Type parameters: the application, and a request of its
    protocol (ASGI scope or WSGI environ).

    app: the application that gets accepted requests.
    keys: an open ``KeyService``, or ``RemoteKeys``, which learns only from its server which permissions are declared.
    permission_for: the permission a request needs: one name for all requests; a mapping from method to name, with
        ``"*"`` for the others; or a function of the request. None: any key is accepted. HEAD and WebSocket handshakes
        need what GET needs; a function is called with the method GET for them. A name that a function returns is
        checked when it is used: an undeclared one is logged and answered with 500. ``project:{id}:write`` takes ``id``
        from the parameters of the path, for a gate around one route.
    cost: how much a request takes from the limits of its key, or a function of the request. None: that of its declared
        route (``tollkey.toml``), or 1.
    route_for: returns the name of a request's route, for limits and usage; None for its declared route, if there are
        declared routes.
    publishable: also accept publishable keys. They are public, so only use it for public data.
    preflights: pass CORS preflight requests on; they cannot carry a key, and the application's CORS middleware answers
        them.
    header: the header with the key. ``authorization``: a bearer token or the user name of Basic; any other: the key.
    keep_header: leave the header in the request, visible to the application, its logs and traces.
    on_denied: returns the response to a refused request; ``rfc6750`` by default.
    open_to: returns True for requests that need no key; they are passed on unchanged.
    client_ip: returns the caller's IP address; by default that of the connection. Behind a proxy, and only there, read
        the header that the proxy sets.
    endpoint_for: returns the text stored as the key's last use; method and path by default.

    Raises ValueError for a name in ``permission_for`` that no ``Permission`` declares, for a mapping without
    ``"*"``, and for a cost below 0.
    """

    def __init__(
        self,
        app: App,
        keys: Checks,
        permission_for: str | Mapping[str, str | None] | Callable[[RequestT], str | None] | None = None,
        *,
        cost: int | Callable[[RequestT], int] | None = None,
        route_for: Callable[[RequestT], str | None] | None = None,
        publishable: bool = False,
        preflights: bool = True,
        header: str = AUTHORIZATION,
        keep_header: bool = False,
        on_denied: OnDenied | None = None,
        open_to: Callable[[RequestT], bool] | None = None,
        client_ip: Callable[[RequestT], str | None] | None = None,
        endpoint_for: Callable[[RequestT], str] | None = None,
    ) -> None:
        self._app = app
        self._guard = Guard(keys, header=header, on_denied=on_denied)
        self._keys = keys
        # without a permission of its own, a gate leaves it to the declared route whether publishable keys are accepted
        publishable = publishable or (permission_for is None and keys.declares_routes)
        self._publishable, self._preflights, self._keep_header = publishable, preflights, keep_header
        self._header = header.lower()
        self._header_name = self._header.encode("latin-1")
        self._cost, self._route_for = cost, route_for
        self._open_to = open_to
        self._client_ip = client_ip or self.client_of
        self._endpoint_for = endpoint_for or self.endpoint_of
        self._needs: dict[str | None, Need[RequestT]] = {}
        # For a request whose need is unknown: is its key valid? A stranger learns nothing of the fault.
        self._unknown: Need[RequestT] = Need(cost=0, publishable=True)
        self._permission_for = self._resolved(permission_for)
        self._only_need: Need[RequestT] | None = None  # of all requests
        if permission_for is None or isinstance(permission_for, str):
            self._only_need = self._guard.need(permission_for, cost=cost, publishable=self._publishable)

    # -- what differs between the protocols

    @staticmethod
    @abstractmethod
    def client_of(request: RequestT) -> str | None:
        """Return the IP address of the connection's other end, if known."""

    @staticmethod
    @abstractmethod
    def endpoint_of(request: RequestT) -> str:
        """Return method and path, for example ``GET /reports``."""

    @staticmethod
    @abstractmethod
    def path_of(request: RequestT) -> str:
        """Return the path, decoded as UTF-8, without the query."""

    @staticmethod
    @abstractmethod
    def method_of(request: RequestT) -> str:
        """Return the method; GET for HEAD and for a WebSocket handshake (RFC 6455 section 4.1)."""

    @staticmethod
    @abstractmethod
    def parameters_of(request: RequestT) -> Mapping[str, object]:
        """Return the parameters of the path, if a router has found them."""

    @abstractmethod
    def _as_get(self, request: RequestT) -> RequestT:
        """Return the request with its method replaced by ``method_of``, for ``permission_for``."""

    # -- what a request needs

    def _resolved(
        self, permission_for: str | Mapping[str, str | None] | Callable[[RequestT], str | None] | None
    ) -> Callable[[RequestT], str | None]:
        """Return ``permission_for`` as a function. Raises ValueError for undeclared names."""
        if permission_for is None:
            return lambda request: None
        if isinstance(permission_for, str):
            name = self._declared(permission_for)
            return lambda request: name
        if isinstance(permission_for, Mapping):
            if "*" not in permission_for:
                raise ValueError('permission_for lacks an entry for other methods: add "*" with a permission or None')
            by_method = {
                method.upper(): None if name is None else self._declared(name)
                for method, name in permission_for.items()
            }
            return lambda request: by_method.get(self.method_of(request), by_method["*"])
        function = permission_for
        return lambda request: function(self._as_get(request))

    def _declared(self, name: str) -> str:
        """Return the declared form of a permission name. Raises ValueError if it is not declared."""
        return declared(name, self._keys.permission_names, "permission_for")

    def _need(self, request: RequestT) -> Need[RequestT] | None:
        """Return what this request needs; None, and a line in the log, if ``permission_for`` is at fault."""
        name = self._permission_for(request)
        need = self._needs.get(name)
        if need is None:
            try:
                need = self._guard.need(name, cost=self._cost, publishable=self._publishable)
            except ValueError:
                shown = (name or "")[:100]
                _log.error("permission_for returned %r, which no Permission declares; request refused", shown)
                return None
            if len(self._needs) < _MOST_NEEDS:
                self._needs[name] = need
        return need

    # -- authentication and authorization

    def _asked(self, request: RequestT, values: list[str]) -> Asked[RequestT]:
        route = None if self._route_for is None else self._route_for(request)
        ip, endpoint = self._client_ip(request), self._endpoint_for(request)
        target = endpoint if route is None else route
        if route is None and self._keys.declares_routes:
            target = target_of(self.method_of(request), self.path_of(request))
        return Asked(request, values, self.parameters_of(request), ip, endpoint, target, route)

    def _concluded(self, answer: Accepted | Refused | None, need: Need[RequestT] | None) -> Accepted | Refusal:
        """Return an accepted request, or the response to one that is refused or cannot be decided."""
        if isinstance(answer, Accepted):
            return answer if need is not None else INTERNAL
        assert answer is not None, "a gate has no optional keys"
        return self._guard.refusal(answer)

    @staticmethod
    def _fault(problem: MissingParameter) -> Refusal:
        _log.error("the permission of a request is unknown; request refused: %s", problem)
        return INTERNAL
