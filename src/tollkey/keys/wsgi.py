"""Middleware that authenticates API keys for any WSGI application (PEP 3333)."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Generator, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from tollkey.keys.gate import Gate
from tollkey.keys.key import Denied, Key
from tollkey.keys.once import VerifiedRequest, one_request
from tollkey.keys.refusal import Refusal

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

_KEY, _SERVICE = "tollkey.key", "tollkey.service"


class KeyGate(Gate[App, Environ]):
    """WSGI middleware that passes a request on if its key has the required permission, and answers it otherwise.

    The application finds the ``Key`` in ``environ["tollkey.key"]``. The arguments are those of ``Gate``; its callbacks
    are given the WSGI environ. The environ is passed on itself, not a copy. A gate inside another gate of the same
    ``KeyService`` checks the key that the outer one verified.
    """

    @staticmethod
    def client_of(environ: Environ) -> str | None:
        """Return the IP address of the connection's other end, if known."""
        return environ.get("REMOTE_ADDR") or None

    @staticmethod
    def endpoint_of(environ: Environ) -> str:
        """Return method and path, for example ``GET /reports``."""
        return f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"

    @staticmethod
    def method_of(environ: Environ) -> str:
        """Return the method in capitals, as frameworks accept ``post`` for POST; GET for HEAD."""
        method: str = environ["REQUEST_METHOD"].upper()
        return "GET" if method == "HEAD" else method

    def _as_get(self, environ: Environ) -> Environ:
        method = self.method_of(environ)
        return environ if environ["REQUEST_METHOD"] == method else {**environ, "REQUEST_METHOD": method}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if (self._open_to is not None and self._open_to(environ)) or (self._preflights and _is_preflight(environ)):
            return self._app(environ, start_response)
        with one_request() as request:
            answer = self._authorize(environ, self._verify(environ))
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
        if environ.get(_SERVICE) is self._keys:  # verified by an outer gate
            accepted: Key = environ[_KEY]
            return accepted
        value = environ.get(_variable(self._header))
        presented = self._extract_key([] if value is None else [value])
        if isinstance(presented, Denied):
            return presented
        return self._keys.verify(presented.text, ip=self._client_ip(environ), endpoint=self._endpoint_for(environ))


def _within(
    context: contextvars.Context, request: VerifiedRequest, body: Generator[bytes, None, None]
) -> Iterator[bytes]:
    """Iterate over a response body that is a generator, in the context of its request, until it is exhausted."""
    nothing = object()
    request.over = False
    try:
        while (chunk := context.run(next, body, nothing)) is not nothing:
            yield chunk  # type: ignore[misc]
    finally:
        request.over = True
        body.close()


def _variable(header: str) -> str:
    """Return the environ key of a header."""
    return f"HTTP_{header.upper().replace('-', '_')}"


def _is_preflight(environ: Environ) -> bool:
    """Return whether this is a CORS preflight request (Fetch standard, "CORS-preflight request")."""
    if environ["REQUEST_METHOD"] != "OPTIONS":
        return False
    return bool(environ.get("HTTP_ORIGIN") and environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD"))
