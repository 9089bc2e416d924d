"""From an ASGI request to an endpoint and back: caller, body, errors. Nothing is read before the caller is known."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence

import orjson
from starlette.types import Receive, Scope, Send

from tollkey.keys.header import beginning
from tollkey.keys.http.answer import NO_STORE, Answer, Headers, Stream
from tollkey.keys.http.callers import presented_in, require
from tollkey.keys.http.endpoint import LARGEST_BODY, Call, Endpoint, Server
from tollkey.keys.http.errors import ApiError, error_of, internal, invalid
from tollkey.keys.http.fields import Values, read, read_path, read_query

BODY_SECONDS = 10.0  # how long a body may take to arrive
AGE_SECONDS = 0.1  # of the arrival of a body, after which its caller is verified again
NO_SNIFFING = (b"x-content-type-options", b"nosniff")
COMMON: Headers = (NO_STORE, NO_SNIFFING)  # of every answer, unless it may be stored
_EMPTY = Values({})
_SINGLE = ("authorization", "idempotency-key")
_log = logging.getLogger(__name__)


class Dispatch:
    """The endpoints of one path, as an ASGI application."""

    def __init__(self, server: Server, endpoints: Sequence[Endpoint]) -> None:
        self._server = server
        self._endpoints = {endpoint.method: endpoint for endpoint in endpoints}
        names = [*self._endpoints, *(("HEAD",) if "GET" in self._endpoints else ()), "OPTIONS"]
        self._allow = ((b"allow", ", ".join(names).encode()),)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = self._server.new_id("req")
        answer = await self._answer(scope, receive, request_id)
        await send_answer(answer, request_id, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> Answer | Stream:
        try:
            return await self._call(scope, receive, request_id)
        except Exception as problem:
            known = error_of(problem)
            if known is None:
                _log.exception("request %s failed", request_id)
                known = internal()
            elif known.status >= 500 and known is not problem:
                _log.error("request %s: %s", request_id, type(problem).__name__)
            return known.answer()

    async def _call(self, scope: Scope, receive: Receive, request_id: str) -> Answer | Stream:
        method = scope["method"]
        endpoint = self._endpoints.get("GET" if method == "HEAD" else method)
        if method == "OPTIONS":
            return Answer(b"", 204, self._allow)
        if endpoint is None:
            message = f"The method {beginning(method, 20)} is not allowed here. Allowed: {self._allow[0][1].decode()}."
            raise ApiError(405, "method_not_allowed", message, headers=self._allow)
        headers = _headers_of(scope)
        client = scope.get("client")
        ip = client[0] if client else None
        caller, text = None, ""
        if endpoint.needs is not None:
            presented = presented_in(headers.get("authorization"))
            caller = await self._server.callers.verify(presented, ip, f"{method} {endpoint.path}")
            require(caller, endpoint.needs)
            text = presented.text
        if "idempotency-key" in headers and endpoint.method == "POST" and not endpoint.takes_idempotency_key:
            message = "This endpoint takes no Idempotency-Key: each request is answered anew."
            raise ApiError(400, "idempotency_key_unused", message, type="idempotency_error")
        query = read_query(endpoint.query, scope["query_string"])
        body, raw = _EMPTY, b""
        if endpoint.body is not None:
            clock = asyncio.get_running_loop().time
            began = clock()
            raw = await read_body(headers, receive, LARGEST_BODY)
            if endpoint.needs is not None and clock() - began > AGE_SECONDS:
                await self._server.callers.check_again(text, endpoint.needs, ip)
            body = decode_form(endpoint, raw, headers) if endpoint.form else decode_json(endpoint, raw, headers)
        path = read_path(scope.get("path_params", {}))
        takes = endpoint.takes_idempotency_key
        target = f"{scope['path']}?{scope['query_string'].decode('latin-1')}" if takes else ""
        needs = endpoint.needs or ""
        call = Call(self._server, method, caller, path, query, body, headers, ip, request_id, text, target, raw, needs)
        return await endpoint.handle(call)


def _headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by their names in lower case; of several with one name, the last.

    Raises ApiError 400 for two of which only one may count: the other may come from somebody else than the proxy.
    """
    found = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    headers = dict(found)
    if len(headers) < len(found):
        names = [name for name, _ in found]
        for name in _SINGLE:
            if names.count(name) > 1:
                raise ApiError(400, "header_repeated", f"The header {name} was sent more than once.")
    return headers


async def read_body(headers: Mapping[str, str], receive: Receive, most: int) -> bytes:
    """Return the body. most: bytes allowed.

    Raises ApiError: 413 if it is longer, before anything is read where Content-Length says so; 415 for a content
    encoding; 408 if it does not arrive in time; 400 when the client disconnects.
    """
    if headers.get("content-encoding", "identity").lower() != "identity":
        message = "Unsupported Content-Encoding. Send the body as it is."
        raise ApiError(415, "content_encoding_unsupported", message)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise invalid("Invalid Content-Length.", None)
    if int(length[:20]) > most:
        raise _too_large(most)
    body = bytearray()  # joining bytes would copy all of them for each part, however small
    try:
        async with asyncio.timeout(BODY_SECONDS):
            more = True
            while more:
                event = await receive()
                if event["type"] == "http.disconnect":
                    raise ApiError(400, "client_disconnected", "The client disconnected before the body was complete.")
                body += event.get("body", b"")
                more = event.get("more_body", False)
                if len(body) > most:
                    raise _too_large(most)
            return bytes(body)
    except TimeoutError:
        raise ApiError(408, "request_timeout", "The body did not arrive in time.") from None


def _too_large(most: int) -> ApiError:
    close = ((b"connection", b"close"),)
    return ApiError(413, "body_too_large", f"The body is too large: {most} bytes are allowed.", headers=close)


def decode_json(endpoint: Endpoint, raw: bytes, headers: Mapping[str, str]) -> Values:
    """Return the checked parameters of a JSON body; an empty body counts as an empty object. Raises ApiError."""
    assert endpoint.body is not None
    if not raw:
        return read(endpoint.body, {})
    _check_type(headers, "application/json")
    try:
        sent: object = orjson.loads(raw)
    except ValueError:  # its text repeats what was sent
        raise ApiError(400, "json_invalid", "The body is not valid JSON (RFC 8259).") from None
    return read(endpoint.body, sent)


def decode_form(endpoint: Endpoint, raw: bytes, headers: Mapping[str, str]) -> Values:
    """Return the checked parameters of a form. Raises ApiError."""
    assert endpoint.body is not None
    if raw:
        _check_type(headers, "application/x-www-form-urlencoded")
    return read_query(endpoint.body, raw)


def _check_type(headers: Mapping[str, str], wanted: str) -> None:
    media, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.lower().replace('"', "").replace(" ", "")
    if media.strip().lower() != wanted or ("charset=" in charset and "charset=utf-8" not in charset):
        raise ApiError(415, "content_type_unsupported", f"Send the body as {wanted}, in UTF-8.")


def common_headers(answer: Answer | Stream, request_id: str) -> Headers:
    """Return the headers that every answer has. request_id: for Request-Id."""
    own: Headers = ((b"request-id", request_id.encode()),)
    if isinstance(answer, Answer) and answer.status != 204:
        own = ((b"content-length", b"%d" % len(answer.body)), *own)
    cached = any(name == b"cache-control" for name, _ in answer.headers)
    return (*own, NO_SNIFFING) if cached else (*own, *COMMON)


async def send_answer(answer: Answer | Stream, request_id: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer. request_id: for the header Request-Id."""
    headers = [*answer.headers, *common_headers(answer, request_id)]
    if isinstance(answer, Stream):
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _send_chunks(answer, scope["method"] == "HEAD", receive, send)
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})


async def _send_chunks(stream: Stream, head_only: bool, receive: Receive, send: Send) -> None:
    sending = asyncio.ensure_future(_send_all(stream, head_only, send))
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        sending.cancel()
        await asyncio.wait((sending, gone))
    if not sending.cancelled():
        sending.result()


async def _send_all(stream: Stream, head_only: bool, send: Send) -> None:
    async with contextlib.aclosing(stream.chunks) as chunks:
        if not head_only:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
