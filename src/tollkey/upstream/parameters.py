"""What a request says in its query and form, as far as the gateway has to know, before it is passed on as it is.

The request is not rewritten, so what is read here must not differ from what another server reads in the same bytes:
names are compared without the blanks that some decoders drop, and a name that is sent twice counts each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

from tollkey.upstream import refusals
from tollkey.wire import ApiError
from tollkey.wire.messages import Request

_MOST = 5_000  # pairs
_SEPARATORS = re.compile(rb"[&;]")
_NUMBER = re.compile(r"\A(card|source|external_account|payment_method_data|payment_method)\b.*\[number\]\Z", re.DOTALL)
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def media_type(request: Request) -> str:
    """Return the media type of the body, in lower case, "" if none is given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def check_media_type(request: Request) -> None:
    """Raise ApiError 400 for a body of the v1 API whose parameters are not read here: another form than a form."""
    kind = media_type(request)
    if request.body and (kind not in (FORM, MULTIPART) or "content-encoding" in request.headers):
        raise ApiError(
            400,
            message=f"Invalid request: the body of a request with a restricted key must be of the type {FORM} or"
            f" {MULTIPART}, and not encoded further.",
        )


def pairs(request: Request) -> Iterator[tuple[str, str]]:
    """Return names and values of the query and of a form, decoded. Raises ApiError 400 for too many."""
    parts = _SEPARATORS.split(request.query) if request.query else []
    if request.body and media_type(request) == FORM:
        parts += _SEPARATORS.split(request.body, _MOST)
    if len(parts) > _MOST:
        raise ApiError(400, message=f"Invalid request: more than {_MOST} parameters.")
    for part in parts:
        name, _, value = part.decode("utf-8", "replace").partition("=")
        yield unquote_plus(name).strip(), unquote_plus(value)


def expanded(given: list[tuple[str, str]]) -> list[str]:
    """Return the values of ``expand``."""
    return [value.strip() for name, value in given if name == "expand" or name.startswith("expand[")]


def refuse_card_data(given: list[tuple[str, str]]) -> None:
    """Raise ApiError 400 for a card number or its security code."""
    for name, value in given:
        if value and (name.endswith("[cvc]") or _NUMBER.match(name)):
            raise refusals.card_data(name)
