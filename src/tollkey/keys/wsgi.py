"""Keys in front of any WSGI application (PEP 3333)."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Generator, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from tollkey.keys.gate import Gate
from tollkey.keys.key import Denied, Key
from tollkey.keys.once import Request, one_request
from tollkey.keys.refusal import Refusal

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

_KEY, _SERVICE = "tollkey.key", "tollkey.service"


class KeyGate(Gate[App, Environ]):
    """Lets a request through when its key may do it; the application finds the key in ``environ["tollkey.key"]``.

    The arguments are those of ``Gate``, with the WSGI environ as what is asked. The environ is handed on itself, not a
    copy. A gate within another of the same ``KeyService`` judges the key that the outer one accepted.
    """

    @staticmethod
    def client_of(asked: Environ) -> str | None:
        """The address of the other end of the connection."""
        return asked.get("REMOTE_ADDR") or None

    @staticmethod
    def endpoint_of(asked: Environ) -> str:
        """Method and path, for example ``GET /reports``."""
        return f"{asked['REQUEST_METHOD']} {asked.get('PATH_INFO', '')}"

    @staticmethod
    def method_of(asked: Environ) -> str:
        """The method in capitals (frameworks take ``post`` for POST, so the gate does), GET for HEAD."""
        method: str = asked["REQUEST_METHOD"].upper()
        return "GET" if method == "HEAD" else method

    def _as_get(self, asked: Environ) -> Environ:
        method = self.method_of(asked)
        return asked if asked["REQUEST_METHOD"] == method else {**asked, "REQUEST_METHOD": method}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if (self._open_to is not None and self._open_to(environ)) or (self._preflights and _is_preflight(environ)):
            return self._app(environ, start_response)
        with one_request() as request:
            answer = self._judged(environ, self._verify(environ))
            if isinstance(answer, Key):
                environ[_KEY], environ[_SERVICE] = answer, self._keys
                if not self._keep_header:
                    environ.pop(_variable(self._header), None)
                body = self._app(environ, start_response)
                return _within(contextvars.copy_context(), request, body) if isinstance(body, Generator) else body
        refusal = answer if isinstance(answer, Refusal) else self._on_denied(answer)
        start_response(f"{refusal.status} {HTTPStatus(refusal.status).phrase}", list(refusal.headers))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [refusal.body]

    def _verify(self, environ: Environ) -> Key | Denied:
        if environ.get(_SERVICE) is self._keys:  # a gate around this one has accepted it
            accepted: Key = environ[_KEY]
            return accepted
        value = environ.get(_variable(self._header))
        presented = self._presented([] if value is None else [value])
        if isinstance(presented, Denied):
            return presented
        return self._keys.verify(presented.text, ip=self._client_ip(environ), endpoint=self._endpoint_for(environ))


def _within(context: contextvars.Context, request: Request, body: Generator[bytes, None, None]) -> Iterator[bytes]:
    """A body that is made while it is sent, in the context of its request: an application may be one generator as a
    whole.
    """
    nothing = object()
    request.over = False
    try:
        while (chunk := context.run(next, body, nothing)) is not nothing:
            yield chunk  # type: ignore[misc]
    finally:
        request.over = True
        body.close()


def _variable(header: str) -> str:
    """The name of a header in the environ."""
    return f"HTTP_{header.upper().replace('-', '_')}"


def _is_preflight(environ: Environ) -> bool:
    """Whether a browser asks if a page may send a request (Fetch standard, "CORS-preflight request")."""
    if environ["REQUEST_METHOD"] != "OPTIONS":
        return False
    return bool(environ.get("HTTP_ORIGIN") and environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD"))
