"""What handlers return: a whole answer, or a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import NamedTuple

import orjson

from tollkey.keys.hiding import repr_without

JsonValue = str | int | float | bool | None | Mapping[str, "JsonValue"] | Sequence["JsonValue"]
Headers = tuple[tuple[bytes, bytes], ...]

JSON = (b"content-type", b"application/json")
NO_STORE = (b"cache-control", b"no-store")  # answers have secrets and what is true now only


class Answer(NamedTuple):
    """A whole answer. body: bytes. headers: pairs of name, in lower case, and value."""

    body: bytes = b""
    status: int = 200
    headers: Headers = ()

    def __repr__(self) -> str:
        return repr_without(self, "body", "headers")


class Stream(NamedTuple):
    """An answer that goes on until the client disconnects. chunks: what is sent, when it is known."""

    chunks: AsyncGenerator[bytes, None]
    headers: Headers = ()

    def __repr__(self) -> str:
        return repr_without(self, "headers")


def json_answer(value: JsonValue, status: int = 200, headers: Headers = ()) -> Answer:
    """Return an answer with a JSON body."""
    return Answer(orjson.dumps(value), status, (JSON, *headers))
