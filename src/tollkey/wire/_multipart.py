"""Decode ``multipart/form-data`` bodies (RFC 7578): the fields of a form, and a file where an endpoint takes one.

The real system takes them at every v1 endpoint, beside ``application/x-www-form-urlencoded``.
"""

from __future__ import annotations

import io
from typing import Any, NamedTuple
from urllib.parse import urlencode

from falcon.errors import HTTPError
from falcon.media import MultipartFormHandler
from falcon.util.mediatypes import parse_header

from tollkey.wire._form import MAX_PAIRS, FormError, decode_form


class Upload(NamedTuple):
    """A file of a multipart form."""

    name: str
    content: bytes


def is_multipart(content_type: str) -> bool:
    """Whether the header says ``multipart/form-data``, in any case."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def decode_multipart(body: bytes, content_type: str, *, most: int, file: str | None = None) -> dict[str, Any]:
    """The nested parameters of a multipart form; names with brackets mean what they mean in other forms.

    most: bytes that all fields together may have, with their names. file: the field that may be an uploaded file, as an
    ``Upload``; any other is refused. Raises FormError, and nothing else, for what is no such form.
    """
    fields: list[tuple[str, str]] = []
    uploads: dict[str, Any] = {}
    handler = MultipartFormHandler()
    handler.parse_options.max_body_part_buffer_size = len(body) + 1
    handler.parse_options.max_body_part_count = MAX_PAIRS + 1
    try:
        for part in handler.deserialize(io.BytesIO(body), content_type, len(body)):
            data, name = part.get_data(), part.name or ""
            if name == file:
                uploads[name] = Upload(part.filename or name, data)
                continue
            if not name:
                raise FormError("Invalid multipart form: a part has no name.")
            if part.filename is not None:
                raise FormError(f"Invalid multipart form: {name} is a file, and no file is taken there.")
            most -= len(data) + len(name)
            if most < 0:
                raise FormError("Invalid multipart form: its fields are too long.")
            fields.append((name, data.decode()))
    except HTTPError as problem:
        raise FormError(f"Invalid multipart form: {problem.description or problem.title}") from None
    except (UnicodeError, LookupError):
        raise FormError("Invalid request: the parameters are not valid UTF-8.") from None
    return {**decode_form(urlencode(fields).encode()), **uploads}


def without_boundary(body: bytes, content_type: str) -> bytes:
    """What two multipart bodies of the same form have in common: senders choose a new boundary for each."""
    if not is_multipart(content_type):
        return body
    boundary = parse_header(content_type)[1].get("boundary", "")
    return body.replace(b"--" + boundary.encode("latin-1", "replace"), b"") if boundary else body
