"""The base class of the ASGI and WSGI gates: required permission, authorization, response to a refused request."""

from __future__ import annotations

import difflib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from tollkey.keys.errors import UnknownPermission
from tollkey.keys.header import Presented, read_authorization, read_bare
from tollkey.keys.key import Denied, Key, Reason
from tollkey.keys.refusal import INTERNAL, Forbidden, OnDenied, Refusal, Refused, rfc6750
from tollkey.keys.service import KeyService

App = TypeVar("App")
RequestT = TypeVar("RequestT")
_AUTHORIZATION = "authorization"
_log = logging.getLogger(__name__)


class Gate(ABC, Generic[App, RequestT]):
    """Middleware that authenticates and authorizes requests. Type parameters: the application, and a request of its
    protocol (ASGI scope or WSGI environ).

    app: the application that gets accepted requests.
    keys: an open ``KeyService``.
    permission_for: the permission a request needs: one name for all requests; a mapping from method to name, with
        ``"*"`` for the others; or a function of the request. None: any key is accepted. HEAD and WebSocket handshakes
        need what GET needs; a function is called with the method GET for them. A name that a function returns is
        checked
        when it is used: an undeclared one is logged and answered with 500.
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

    Raises ValueError for a name in ``permission_for`` that no ``Permission`` declares, and for a mapping without
    ``"*"``.
    """

    def __init__(
        self,
        app: App,
        keys: KeyService,
        permission_for: str | Mapping[str, str | None] | Callable[[RequestT], str | None] | None = None,
        *,
        publishable: bool = False,
        preflights: bool = True,
        header: str = _AUTHORIZATION,
        keep_header: bool = False,
        on_denied: OnDenied | None = None,
        open_to: Callable[[RequestT], bool] | None = None,
        client_ip: Callable[[RequestT], str | None] | None = None,
        endpoint_for: Callable[[RequestT], str] | None = None,
    ) -> None:
        self._app = app
        self._keys = keys
        self._publishable, self._preflights, self._keep_header = publishable, preflights, keep_header
        self._header = header.lower()
        self._on_denied: OnDenied = on_denied or (lambda refused: rfc6750(refused, header=self._header))
        self._open_to = open_to
        self._client_ip = client_ip or self.client_of
        self._endpoint_for = endpoint_for or self.endpoint_of
        self._canonical: dict[str, str] = {}
        self._permission_for = self._resolved(permission_for)

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
    def method_of(request: RequestT) -> str:
        """Return the method; GET for HEAD and for a WebSocket handshake (RFC 6455 section 4.1)."""

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
        catalogue = self._keys.authority.catalogue
        try:
            return catalogue.canonical(name)
        except UnknownPermission:
            close = difflib.get_close_matches(name, catalogue.names, 1)
            hint = (
                f"did you mean {close[0]}?"
                if close
                else f"declared permissions: {', '.join(sorted(catalogue.names)) or 'none'}"
            )
            raise ValueError(f"permission_for names {name!r}, which no Permission declares; {hint}") from None

    def _required_permission(self, request: RequestT) -> str | None:
        """Return the permission that this request needs, or None. Raises UnknownPermission."""
        name = self._permission_for(request)
        if name is None:
            return None
        known = self._canonical.get(name)
        if known is None:
            known = self._canonical[name] = self._keys.authority.catalogue.canonical(name)
        return known

    # -- authentication and authorization

    def _extract_key(self, values: list[str]) -> Presented | Denied:
        """Return the key in the values of the header; Denied for none, several, or an unusable one."""
        if len(values) > 1:
            return Denied(Reason.unusable_header)
        value = values[0] if values else None
        return read_authorization(value) if self._header == _AUTHORIZATION else read_bare(value)

    def _authorize(self, request: RequestT, answer: Key | Denied) -> Key | Refused | Refusal:
        """Return the key if it has the required permission, why it is refused, or a 500 response if that is unknown."""
        if isinstance(answer, Denied):
            return answer
        try:
            permission = self._required_permission(request)
        except UnknownPermission as problem:
            _log.error("permission_for returned %r, which no Permission declares; request refused", problem.name[:100])
            return INTERNAL
        if permission is not None and not answer.allows(permission):
            return Forbidden(permission, answer)
        if answer.kind == "publishable" and not self._publishable:
            return Forbidden(None, answer)
        return answer
