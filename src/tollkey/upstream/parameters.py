"""What a request says in its query and form, as far as the gateway has to know, before it is passed on as it is.

The request is not rewritten, so what is read here must not differ from what another server reads in the same bytes:
names are compared without the blanks that some decoders drop, and a name that is sent twice counts each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from tollkey.upstream import refusals
from tollkey.wire import ApiError
from tollkey.wire.messages import Request
from tollkey.wire.params import FormError, decode_multipart, unquoted

_MOST = 5_000  # pairs
_LARGEST_FIELDS = 64 * 1024  # bytes of an upload besides its file
_SEPARATORS = re.compile(rb"[&;]")
_CARDS = frozenset(("card", "source", "external_account", "payment_method_data", "payment_method"))
_PART = re.compile(r"[^\[\]]+")
#: A name that every parser of forms reads alike: Rack, for one, reads ``[amount]`` and ``amount]`` as ``amount``.
_PLAIN = re.compile(r"[^_\[\]\x00-\x20\x7f\ufffd][^\[\]\x00-\x1f\x7f\ufffd]*(?:\[[^\[\]\x00-\x1f\x7f\ufffd]*\])*")
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def uploads(request: Request) -> bool:
    """Whether it is an upload, the one operation of the v1 API that takes a multipart form (Stripe's document)."""
    return request.method == "POST" and request.path == "/v1/files" and request.media_type == MULTIPART


def check_media_type(request: Request) -> None:
    """Raise ApiError 400 for a body of the v1 API whose parameters are not read here: another form than a form."""
    if request.body and (not (request.media_type == FORM or uploads(request)) or "content-encoding" in request.headers):
        raise ApiError(
            400,
            message=f"Invalid request: the body of a request that is passed on must be of the type {FORM}, or"
            f" {MULTIPART} for an upload, and not encoded further.",
        )


def check_one_reading(request: Request) -> None:
    """Raise ApiError 400 for a form of a key with caps whose parameters servers tell apart differently.

    Some end a parameter at ``;`` (HTML 4.01, appendix B.2.2), others at ``&`` alone (WHATWG URL, section 5.1), so an
    amount behind a ``;`` would be counted here and be part of a text there. Some read no query of a POST.
    """
    ambiguous = b";" in request.query or (request.media_type == FORM and b";" in request.body)
    if ambiguous or (request.method == "POST" and request.query):
        raise ApiError(
            400,
            message="Invalid request: a key with caps sends the parameters of a POST in its body alone, and ; as %3B.",
        )


def check_json(request: Request) -> None:
    """Raise ApiError 400 for a body of the v2 API that is no JSON, or that has card data in it."""
    if not request.body:
        return
    try:
        if request.media_type != "application/json" or "content-encoding" in request.headers:
            raise ValueError("another form")
        waiting: list[tuple[tuple[str, ...], Any]] = [((), orjson.loads(request.body))]
    except ValueError:
        raise ApiError(
            400, message="Invalid request: the body of a v2 request must be JSON, and not encoded further."
        ) from None
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*path, name), each) for name, each in value.items()]
        elif isinstance(value, list):
            waiting += [(path, each) for each in value]
        elif value and _holds_card_data(path):
            raise refusals.card_data(".".join(path))


def check_names(given: list[tuple[str, str]]) -> None:
    """Raise ApiError 400 for a name that servers may read differently, or that says how to read the request.

    The latter begin with an underscore: Stripe.js sent ``_method=POST`` in a GET, and sends ``_stripe_account``.
    """
    for name, _ in given:
        if not _PLAIN.fullmatch(name) or name != name.strip():
            raise ApiError(
                400,
                message="Invalid request: a restricted key, or one with caps, cannot send a parameter of this name.",
                param=name[:40],
            )


def pairs(request: Request) -> Iterator[tuple[str, str]]:
    """Return names and values of the query and of a form, decoded. Raises ApiError 400 for too many, and for escapes
    that servers read differently.
    """
    parts = _SEPARATORS.split(request.query) if request.query else []
    if request.body and request.media_type == FORM:
        parts += _SEPARATORS.split(request.body, _MOST)
    if len(parts) > _MOST:
        raise ApiError(400, message=f"Invalid request: more than {_MOST} parameters.")
    for part in parts:
        name, _, value = part.decode("utf-8", "replace").partition("=")
        try:
            yield unquoted(name.replace("+", " ")), unquoted(value.replace("+", " "))
        except FormError as problem:
            raise ApiError(400, message=str(problem)) from None


def check_upload(request: Request) -> None:
    """Raise ApiError 400 for a form with a file that is malformed, or has more in it than what a file has."""
    try:
        fields = decode_multipart(
            request.body, request.headers.get("content-type", ""), most=_LARGEST_FIELDS, file="file"
        )
    except FormError as problem:
        raise ApiError(400, message=str(problem)) from None
    for name in fields.keys() - {"file", "purpose", "file_link_data"}:
        raise ApiError(400, message=f"A restricted key cannot send {name[:40]} in a form with a file.", param=name[:40])


def expanded(given: list[tuple[str, str]]) -> list[str]:
    """Return the values of ``expand``."""
    return [value.strip() for name, value in given if name == "expand" or name.startswith("expand[")]


def refuse_card_data(given: list[tuple[str, str]]) -> None:
    """Raise ApiError 400 for a card number or its security code."""
    for name, value in given:
        parts = _PART.findall(name) if value and ("cvc" in name or "number" in name) else ()
        if _holds_card_data(tuple(part.strip() for part in parts)):
            raise refusals.card_data(name.strip())


def _holds_card_data(path: tuple[str, ...]) -> bool:
    """Whether what stands there is a card number or its security code. path: the names that lead to it."""
    return len(path) > 1 and (path[-1] == "cvc" or (path[-1] == "number" and not _CARDS.isdisjoint(path[:-1])))
