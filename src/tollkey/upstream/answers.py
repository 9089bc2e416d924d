"""An upstream account's answer, as it leaves."""

from __future__ import annotations

import re
from typing import Final

import orjson

from tollkey.outbox.connections import Answer
from tollkey.upstream.calls import Asked, named_account
from tollkey.wire.messages import Response
from tollkey.wire.reveals import Reveals

_NOT_ANSWERED: Final = frozenset(
    ("connection", "content-length", "content-type", "date", "keep-alive", "proxy-authenticate", "server", "set-cookie",
     "strict-transport-security", "te", "trailer", "transfer-encoding", "upgrade", "www-authenticate")
)  # fmt: skip
#: Headers about an idempotency key that the caller did not send.
_OURS: Final = ("idempotency-key", "original-request")
_PAGES: Final = frozenset((None, "list", "search_result"))  # v2 has no name for its pages
_MASKED_KEY = re.compile(rb"\b[sr]k_(live|test)_\*[*.]*[A-Za-z0-9]{0,8}")
_NAMED = re.compile(rb'\A\{\s*"id":\s*"([A-Za-z0-9_]{1,80})"(?:,\s*"object":\s*"([a-z0-9_.]{1,60})")?')


def header(answer: Answer, name: bytes) -> str | None:
    """Return a header of an answer, None if it has none of that name. name: in lower case."""
    return next((value.decode("latin-1") for raw, value in answer.headers if raw == name), None)


def hidden(reveals: Reveals, asked: Asked, answer: Answer) -> Answer:
    """Return an answer without what its restricted key could act with and may not read (``Resource.reveals``).

    It is changed only where there is such a field: Stripe's events, for example, contain client secrets and addresses
    of pages, whoever may read events.
    """
    key, connected = asked.key, named_account(asked.request.headers, asked.upstream) is not None
    try:
        value = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return answer
    if isinstance(value, dict) and value.get("object") in _PAGES and isinstance(value.get("data"), list):
        shown = {**value, "data": [reveals.hide(key, connected, each) for each in value["data"]]}
    else:
        shown = reveals.hide(key, connected, value)
    return answer if shown == value else answer._replace(body=orjson.dumps(shown, option=orjson.OPT_INDENT_2))


def response_of(asked: Asked, answer: Answer) -> Response:
    """Return an answer as it leaves: with the mask of the caller's key, and both ids of the request."""
    body, code = answer.body, None
    if answer.status >= 400:
        body = _MASKED_KEY.sub(asked.key.redacted.encode(), body)
        code = _code(body)
    headers: dict[str, str] = {}
    for raw, value in answer.headers:
        name = raw.decode("latin-1")
        if name not in _NOT_ANSWERED:
            text = value.decode("latin-1")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
    said = asked.request.headers.get("idempotency-key")
    if said is None:
        for name in _OURS:
            headers.pop(name, None)
    elif "idempotency-key" in headers:
        headers["idempotency-key"] = said
    headers["Tollkey-Request-Id"] = asked.request_id
    kind = header(answer, b"content-type") or "application/octet-stream"
    kept = body if answer.status >= 400 else _summary(body, kind)
    return Response(answer.status, body, headers, kind, asked.request_id, code, kept)


def object_of(answer: Answer) -> str | None:
    """Return the id of the object that was answered, None if there is none."""
    found = _NAMED.match(answer.body)
    return found[1].decode() if found is not None else None


def declined_payment(answer: Answer) -> str | None:
    """Return the id of the PaymentIntent that a refusal is about, None if there is none."""
    if answer.status < 400:
        return None
    try:
        found = orjson.loads(answer.body)["error"]["payment_intent"]["id"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _code(body: bytes) -> str | None:
    """Return the code of an error."""
    try:
        found = orjson.loads(body)["error"].get("code")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def _summary(body: bytes, kind: str) -> bytes:
    """Return what the request log keeps of an answer: which object it is, and nothing else of it."""
    found = _NAMED.match(body) if kind.startswith("application/json") else None
    if found is None:
        return b""
    return orjson.dumps({"id": found[1].decode(), "object": (found[2] or b"").decode()}, option=orjson.OPT_INDENT_2)
