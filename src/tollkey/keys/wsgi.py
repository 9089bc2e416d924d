"""Middleware that authenticates API keys for any WSGI application (PEP 3333)."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from tollkey.keys.accepted import Accepted
from tollkey.keys.carried import carried, carry, variable_of
from tollkey.keys.gate import Gate
from tollkey.keys.needs import MissingParameter, Need
from tollkey.keys.once import VerifiedRequest, one_request
from tollkey.keys.refusal import Refusal

__all__ = ["KeyGate"]

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]


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
    def path_of(environ: Environ) -> str:
        """Return the path, decoded as UTF-8, without the query. A server decodes it as Latin-1 (PEP 3333)."""
        path: str = environ.get("PATH_INFO", "")
        return path.encode("latin-1", "replace").decode("utf-8", "replace")

    @staticmethod
    def method_of(environ: Environ) -> str:
        """Return the method in capitals, as frameworks accept ``post`` for POST; GET for HEAD."""
        method: str = environ["REQUEST_METHOD"].upper()
        return "GET" if method == "HEAD" else method

    @staticmethod
    def parameters_of(environ: Environ) -> Mapping[str, object]:
        """Return what a router outside of the gate found in the path, in the form of ``wsgiorg.routing_args``."""
        parameters: Mapping[str, object] = environ.get("wsgiorg.routing_args", ((), {}))[1]
        return parameters

    def _as_get(self, environ: Environ) -> Environ:
        method = self.method_of(environ)
        return environ if environ["REQUEST_METHOD"] == method else {**environ, "REQUEST_METHOD": method}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if (self._open_to is not None and self._open_to(environ)) or (self._preflights and _is_preflight(environ)):
            return self._app(environ, start_response)
        with one_request() as request:
            answer = self._check(environ)
            if isinstance(answer, Accepted):
                carry(environ, self._keys, answer)
                if not self._keep_header:
                    environ.pop(variable_of(self._header), None)
                started = _with_headers(start_response, answer) if answer.limits else start_response
                body = self._app(environ, started)
                return _within(contextvars.copy_context(), request, body) if isinstance(body, Generator) else body
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(answer.headers))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _check(self, environ: Environ) -> Accepted | Refusal:
        need = self._only_need or self._need(environ)
        wanted: Need[Environ] = need or self._unknown
        value = environ.get(variable_of(self._header))
        asked = self._asked(environ, [] if value is None else [value])
        earlier = carried(environ, self._keys)  # by an outer gate
        try:
            if earlier is not None:
                return self._concluded(self._guard.check_again(earlier, asked, wanted), need)
            return self._concluded(self._guard.check(asked, wanted), need)
        except MissingParameter as problem:
            return self._fault(problem)


def _with_headers(start_response: StartResponse, accepted: Accepted) -> StartResponse:
    """Return ``start_response`` with the header fields about limits added to a response that lacks them."""

    def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
        lacking = not any(name.lower() == "ratelimit" for name, _ in headers)
        return start_response(status, [*headers, *accepted.headers] if lacking else headers, *error)

    return start


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


def _is_preflight(environ: Environ) -> bool:
    """Return whether this is a CORS preflight request (Fetch standard, "CORS-preflight request")."""
    if environ["REQUEST_METHOD"] != "OPTIONS":
        return False
    return bool(environ.get("HTTP_ORIGIN") and environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD"))
