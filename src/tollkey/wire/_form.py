"""Decode request bodies: bracketed forms, as Stripe's clients send them, and JSON.

``a[b][c]=1&items[0][price]=x&expand[]=y`` becomes ``{"a": {"b": {"c": "1"}}, "items": {"0": {"price": "x"}}, "expand":
["y"]}``. A numbered list stays a dict here, since only the schema knows whether ``metadata[0]`` is a list or a map;
``tollkey.wire.params.check`` converts it, in the order of the numbers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

MAX_PAIRS = 5_000
MAX_QUERY_PAIRS = 1_000  # a query is decoded on the event loop
MAX_DEPTH = 16
_LONGEST_KEPT = 200  # characters of a cached name, which bounds the memory of the cache


class FormError(ValueError):
    """The body is not a valid form or JSON object. The message may be shown to the caller."""

    @property
    def message(self) -> str:
        """The public error message."""
        return str(self)


def decode_query(query: bytes) -> dict[str, Any]:
    """Return the parameters of a query string, as ``decode_form``, with at most MAX_QUERY_PAIRS pairs."""
    return decode_form(query, MAX_QUERY_PAIRS)


def decode_form(body: bytes, most: int = MAX_PAIRS) -> dict[str, Any]:
    """Return the nested parameters of a bracketed form (application/x-www-form-urlencoded; WHATWG URL, section 5).

    body: the request's body. When a name is repeated, the last value counts; a value also replaces a container of its
    name that came before it (as in Rack: the official SDK for Go sends a bank account's token as
    ``external_account[token]`` and then as ``external_account``). most: pairs allowed.
    Raises FormError for a malformed percent escape, text that is not UTF-8, a container whose name was given a value or
    another kind of container before, more than ``most`` pairs or names nested more than MAX_DEPTH deep; nothing else.
    """
    if not body:
        return {}
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise FormError("Invalid request: the parameters are not valid UTF-8.") from None
    if text.count("&") >= most:
        raise FormError(f"Invalid request: more than {most} parameters.")
    if "+" in text:
        text = text.replace("+", " ")
    out: dict[str, Any] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if "%" in value:
            value = unquoted(value)
        nest(out, name, value)
    if "\0" in text or "%00" in text:
        raise FormError("Invalid request: the parameters contain a null character.")
    return out


def nest(out: dict[str, Any], name: str, value: str) -> None:
    """Store a decoded value in ``out`` at the place that its bracketed name describes.

    name: may still be percent-encoded. Raises FormError when names conflict.
    """
    keys = _keys(name) if len(name) <= _LONGEST_KEPT else _keys.__wrapped__(name)
    if len(keys) == 1:
        out[keys[0]] = value
    elif keys:
        _put(out, keys, value)
    elif value:
        raise FormError("Invalid request: a parameter has no name.")


def decode_json(body: bytes) -> dict[str, Any]:
    """Return the parameters of a JSON body (RFC 8259), which must be an object; an empty body has no parameters.

    Raises FormError when the body is not JSON, not an object, nested more than MAX_DEPTH deep, of more than MAX_PAIRS
    values, or holds a null character; nothing else.
    """
    if not body.strip():
        return {}
    # Some of these characters may be in strings, hence the factor of four. Decoding half a million values takes 50 ms.
    if body.count(b",") + body.count(b"[") + body.count(b"{") > 4 * MAX_PAIRS:
        raise FormError(f"Invalid request: more than {MAX_PAIRS} parameters.")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise FormError("Invalid request: the body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise FormError("Invalid request: the JSON body must be an object.")
    _check_shape(value)
    return value


def _check_shape(value: dict[str, Any]) -> None:
    """Raise FormError for a JSON object that exceeds a bound.

    It is walked level by level, without recursion, since it may be nested a thousand levels deep.
    """
    level: list[Any] = [value]
    count = depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise FormError(f"Invalid request: parameters may be nested {MAX_DEPTH} deep.")
        below: list[Any] = []
        for container in level:
            count += len(container)
            if count > MAX_PAIRS:
                raise FormError(f"Invalid request: more than {MAX_PAIRS} parameters.")
            inside = [*container, *container.values()] if type(container) is dict else container
            if any(type(inner) is str and "\0" in inner for inner in inside):
                raise FormError("Invalid request: the parameters contain a null character.")
            below += [inner for inner in inside if type(inner) in (dict, list)]
        level = below


def unquoted(text: str) -> str:
    """Return the text with its percent escapes (RFC 3986, section 2.1) decoded as UTF-8.

    They are rewritten as ``\\x41`` escapes, which a codec in C decodes: 350,000 take 5 ms, and 150 ms one by one.
    Raises FormError for a malformed escape or text that is not UTF-8.
    """
    escaped = text.encode().replace(b"\\", b"\\\\").replace(b"%", b"\\x")
    try:
        octets = escaped.decode("unicode_escape").encode("latin-1")
    except UnicodeDecodeError:
        raise FormError("Invalid request: a percent sign must be followed by two hexadecimal digits.") from None
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise FormError("Invalid request: the parameters are not valid UTF-8.") from None


@lru_cache(maxsize=4096)
def _keys(name: str) -> tuple[str, ...]:
    """Split ``a[b][]`` into ("a", "b", ""); a name without well-formed brackets is one key."""
    if "%" in name:
        name = unquoted(name)
    first, bracket, rest = name.partition("[")
    if not bracket or not first or not rest.endswith("]"):
        return (name,) if name else ()
    keys = (first, *rest[:-1].split("][", MAX_DEPTH))
    if len(keys) > MAX_DEPTH:
        raise FormError(f"Invalid request: parameters may be nested {MAX_DEPTH} deep.")
    return keys


def _put(out: dict[str, Any], keys: tuple[str, ...], value: str) -> None:
    """Store a value under nested keys; an empty key appends to a list or fills its last object (as Rack does)."""
    place: Any = out
    last = len(keys) - 1
    for depth, key in enumerate(keys):
        if depth == last:
            inner: Any = value
        else:
            inner = [] if keys[depth + 1] == "" else {}
        if key == "":
            if type(place) is not list:
                raise _conflict(keys)
            if (
                depth < last
                and place
                and type(place[-1]) is type(inner) is dict
                and not _filled(place[-1], keys[depth + 1 :])
            ):
                place = place[-1]
                continue
            place.append(inner)
        else:
            if type(place) is not dict:
                raise _conflict(keys)
            there = place.get(key) if depth < last else None
            if there is not None:
                if type(there) is not type(inner):
                    raise _conflict(keys)
                place = there
                continue
            place[key] = inner
        place = inner


def _filled(element: Any, keys: tuple[str, ...]) -> bool:
    """Return whether a list's last element already has a value under these keys, so that a new element begins."""
    for key in keys:
        if key == "" or type(element) is not dict or key not in element:
            return False
        element = element[key]
    return True


def _conflict(keys: tuple[str, ...]) -> FormError:
    return FormError(
        f"Invalid request: the parameter {keys[0]} is used both as a value and as a container,"
        f" or as two kinds of container."
    )
