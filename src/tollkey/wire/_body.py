"""Read and decode a request's body and query, after its key is authenticated and up to the endpoint's size limit."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tollkey.keys import Key
from tollkey.wire._form import FormError, decode_form, decode_json, decode_query
from tollkey.wire._headers import check_content_type
from tollkey.wire._incoming import SMALL, too_large
from tollkey.wire._multipart import decode_multipart, is_multipart, without_boundary
from tollkey.wire.errors import ApiError
from tollkey.wire.idempotency import fingerprint
from tollkey.wire.messages import Request, is_v2
from tollkey.wire.resource import Endpoint

#: Long bodies are decoded in one thread, so that at most one competes with the event loop for the interpreter lock.
_ONE = ThreadPoolExecutor(1, thread_name_prefix="tollkey-decoding")
_BROWSER = 16 * 1024  # bytes at the start of a form in which a browser's ``key`` is searched


async def read_params(request: Request, endpoint: Endpoint) -> None:
    """Read the body and decode it, with the query, into ``request.given``. A second call does nothing.

    Raises ApiError 413 for a body longer than ``endpoint.most_body`` bytes, 415 for an encoded body, 400 for another
    content type or a body that cannot be decoded.
    """
    if request.decoded:
        return
    if endpoint.most_body:
        await _read_body(request, endpoint.most_body)
        check_content_type(request)
    try:
        given = decode_query(request.query) if request.query else {}
        if request.body and endpoint.decode is not None:
            decoding = asyncio.get_running_loop().run_in_executor(
                _ONE, endpoint.decode, request.body, request.headers.get("content-type", "")
            )
            given = {**given, **await decoding}
        elif len(request.body) > SMALL:
            decoding = asyncio.get_running_loop().run_in_executor(_ONE, _decoded, request, endpoint.most_body)
            given = {**given, **await decoding}
        elif request.body and endpoint.most_body:
            given = {**given, **_decoded(request, endpoint.most_body)}
    except FormError as problem:
        raise ApiError(400, message=str(problem)) from None
    request.given, request.decoded = given, True


def read_query(request: Request) -> bool:
    """Decode the query of a request without a body into ``request.given``; False when it cannot be decoded."""
    try:
        request.given = decode_query(request.query) if request.query else {}
    except FormError:
        return False
    request.decoded = True
    return True


async def mark_of(request: Request, key: Key, account: str, secret: bytes) -> bytes:
    """Return the request's fingerprint, which ``wire.idempotency`` compares. Long bodies are hashed in a thread.

    The multipart boundary is left out, because clients choose it anew for each request. account: the account acted for.
    secret: of this server, at most 64 bytes.
    """

    def compute() -> bytes:
        body = without_boundary(request.body, request.headers.get("content-type", ""))
        return fingerprint(request.method, request.query, body, secret, key, account)

    return await asyncio.get_running_loop().run_in_executor(_ONE, compute) if len(request.body) > SMALL else compute()


def _decoded(request: Request, most: int) -> dict[str, Any]:
    """Return the parameters in the body: JSON in v2, a form otherwise. most: bytes allowed in multipart fields."""
    kind = request.headers.get("content-type", "")
    if is_v2(request.path):
        return decode_json(request.body)
    if not is_multipart(kind):
        return decode_form(request.body)
    return decode_multipart(request.body, kind, most=most)


async def _read_body(request: Request, most: int) -> None:
    if request.incoming is not None:
        request.body = await request.incoming.whole(most)
    elif len(request.body) > most:
        raise too_large(most)


async def browser_key(request: Request, endpoint: Endpoint) -> str | None:
    """Return the publishable key in the ``key`` field of a browser's form, or None (reference section 1.1).

    Only endpoints that publishable keys may call are considered, and only the first bytes of the form.
    """
    kind = request.headers.get("content-type", "")
    if (
        endpoint.publishable is None
        or not endpoint.most_body
        or kind.lower().startswith(("application/json", "multipart/"))
    ):
        return None
    start = request.body[:_BROWSER] if request.incoming is None else await request.incoming.start(_BROWSER)
    pairs = start.split(b"&")
    if len(start) == _BROWSER:
        pairs.pop()  # the last pair may be truncated
    for pair in reversed(pairs):  # when a name is repeated, the last value counts
        if pair.startswith(b"key="):
            text = pair[4:].decode("latin-1")
            return text if text.startswith("pk_") else None
    return None
