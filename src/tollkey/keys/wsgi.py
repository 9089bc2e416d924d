"""Keys in front of any WSGI application (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from tollkey.keys.gate import Gate, judge
from tollkey.keys.header import read_authorization
from tollkey.keys.key import Denied, Key

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]


class KeyGate(Gate[App, Environ]):
    """Lets a request through when its key may do it; the application finds the key in ``environ["tollkey.key"]``.

    The arguments are those of ``Gate``, with the WSGI environ as what is asked.
    """

    @staticmethod
    def client_of(asked: Environ) -> str | None:
        """The address of the other end of the connection."""
        return asked.get("REMOTE_ADDR") or None

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
