"""Keys in front of any WSGI application (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from tollkey.keys.gate import OnDenied, judge, rfc6750
from tollkey.keys.header import read_authorization
from tollkey.keys.key import Denied, Key
from tollkey.keys.service import KeyService

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]


def client_of(environ: Environ) -> str | None:
    """The address of the other end of the connection."""
    return environ.get("REMOTE_ADDR") or None


class KeyGate:
    """Lets a request through when its key may do it; the application finds the key in ``environ["tollkey.key"]``.

    The arguments are those of the ASGI gate, with the WSGI environ in place of the scope.
    """

    def __init__(
        self,
        app: App,
        keys: KeyService,
        permission_for: Callable[[Environ], str | None] = lambda environ: None,
        *,
        on_denied: OnDenied = rfc6750,
        open_to: Callable[[Environ], bool] = lambda environ: False,
        client_ip: Callable[[Environ], str | None] = client_of,
    ) -> None:
        self._app = app
        self._keys = keys
        self._permission_for = permission_for
        self._on_denied = on_denied
        self._open_to = open_to
        self._client_ip = client_ip

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self._open_to(environ):
            return self._app(environ, start_response)
        answer = judge(self._verify(environ), self._permission_for(environ))
        if isinstance(answer, Key):
            environ["tollkey.key"] = answer
            return self._app(environ, start_response)
        refusal = self._on_denied(answer)
        start_response(f"{refusal.status} {HTTPStatus(refusal.status).phrase}", list(refusal.headers))
        return [refusal.body]

    def _verify(self, environ: Environ) -> Key | Denied:
        presented = read_authorization(environ.get("HTTP_AUTHORIZATION"))
        if isinstance(presented, Denied):
            return presented
        endpoint = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"
        return self._keys.verify(presented.text, ip=self._client_ip(environ), endpoint=endpoint)
