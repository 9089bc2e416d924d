"""What the ASGI and the WSGI gate have in common: what a request needs, who may pass, how a refused one is answered."""

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
Asked = TypeVar("Asked")
_AUTHORIZATION = "authorization"
_log = logging.getLogger(__name__)


class Gate(ABC, Generic[App, Asked]):
    """What both gates are made of. App: the application behind it. Asked: a request as its protocol hands it over.

    keys: an open ``KeyService``.
    permission_for: which permission a request needs: one name for all of them; a name for each method, ``"*"`` for the
        others; or a function of the request. None: any key will do. HEAD, and the handshake of a WebSocket, need what
        GET
        needs: a function is asked about them with the method GET. Names are checked here, and ValueError says which is
            not declared; a name that a function gives is checked at its first use: an unknown one is an error in the
            log and a 500.
    publishable: let publishable keys pass as well. They are public; leave it off unless what is behind the gate is.
    preflights: let a browser's preflight through (it cannot carry a key); the application's CORS middleware answers it.
    header: where the key is. In ``authorization`` it is a bearer token or the user of Basic; in any other header the
        bare key.
    keep_header: leave the key where the application, and its logs and traces, can see it.
    open_to: requests that need no key; they reach the application untouched.
    on_denied: makes the answer to a refused request.
    client_ip: the caller's address, the other end of the connection unless given; behind a proxy, read what the proxy
        says, and only then.
    endpoint_for: what is recorded as the key's last use; method and path unless given.
    """

    def __init__(
        self,
        app: App,
        keys: KeyService,
        permission_for: str | Mapping[str, str | None] | Callable[[Asked], str | None] | None = None,
        *,
        publishable: bool = False,
        preflights: bool = True,
        header: str = _AUTHORIZATION,
        keep_header: bool = False,
        on_denied: OnDenied | None = None,
        open_to: Callable[[Asked], bool] | None = None,
        client_ip: Callable[[Asked], str | None] | None = None,
        endpoint_for: Callable[[Asked], str] | None = None,
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
        self._needs = self._checked(permission_for)

    # -- what differs between the protocols

    @staticmethod
    @abstractmethod
    def client_of(asked: Asked) -> str | None:
        """The address of the other end of the connection."""

    @staticmethod
    @abstractmethod
    def endpoint_of(asked: Asked) -> str:
        """Method and path, for example ``GET /reports``."""

    @staticmethod
    @abstractmethod
    def method_of(asked: Asked) -> str:
        """The method, GET for HEAD and for the handshake of a WebSocket (RFC 6455 section 4.1)."""

    @abstractmethod
    def _as_get(self, asked: Asked) -> Asked:
        """The request as ``permission_for`` is asked about it: with the method GET where ``method_of`` says so."""

    # -- what a request needs

    def _checked(
        self, permission_for: str | Mapping[str, str | None] | Callable[[Asked], str | None] | None
    ) -> Callable[[Asked], str | None]:
        """What each request needs, as a function; static names are checked now. Raises ValueError."""
        if permission_for is None:
            return lambda asked: None
        if isinstance(permission_for, str):
            name = self._declared(permission_for)
            return lambda asked: name
        if isinstance(permission_for, Mapping):
            if "*" not in permission_for:
                raise ValueError('permission_for says nothing about other methods: add "*", with a permission or None')
            by_method = {
                method.upper(): None if name is None else self._declared(name)
                for method, name in permission_for.items()
            }
            return lambda asked: by_method.get(self.method_of(asked), by_method["*"])
        function = permission_for
        return lambda asked: function(self._as_get(asked))

    def _declared(self, name: str) -> str:
        """A static name as it is declared. Raises ValueError."""
        catalogue = self._keys.authority.catalogue
        try:
            return catalogue.canonical(name)
        except UnknownPermission:
            close = difflib.get_close_matches(name, catalogue.names, 1)
            hint = (
                f"did you mean {close[0]}?"
                if close
                else f"declared are: {', '.join(sorted(catalogue.names)) or 'none'}"
            )
            raise ValueError(f"permission_for names {name!r}, which no Permission declares; {hint}") from None

    def _needed(self, asked: Asked) -> str | None:
        """The permission that this request needs, or None. Raises UnknownPermission for a name that nobody declares."""
        name = self._needs(asked)
        if name is None:
            return None
        known = self._canonical.get(name)
        if known is None:
            known = self._canonical[name] = self._keys.authority.catalogue.canonical(name)
        return known

    # -- who may pass

    def _presented(self, values: list[str]) -> Presented | Denied:
        """The key in the header's values, of which there may be one at most."""
        if len(values) > 1:
            return Denied(Reason.unusable_header)
        value = values[0] if values else None
        return read_authorization(value) if self._header == _AUTHORIZATION else read_bare(value)

    def _judged(self, asked: Asked, answer: Key | Denied) -> Key | Refused | Refusal:
        """A verified key against what the request needs; a finished answer when that cannot be told."""
        if isinstance(answer, Denied):
            return answer
        try:
            permission = self._needed(asked)
        except UnknownPermission as problem:
            _log.error(
                "permission_for gave %r, which no Permission declares; the request was refused", problem.name[:100]
            )
            return INTERNAL
        if permission is not None and not answer.allows(permission):
            return Forbidden(permission, answer)
        if answer.kind == "publishable" and not self._publishable:
            return Forbidden(None, answer)
        return answer
