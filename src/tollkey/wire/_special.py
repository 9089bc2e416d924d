"""Parameter types with rules of their own: metadata, email addresses and URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from tollkey.wire import rfc3339, urls
from tollkey.wire._check import Node, Text
from tollkey.wire._naming import Path, bracket_name, empty, shown
from tollkey.wire.errors import invalid

METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


class Metadata(Node):
    """Metadata: the caller's own keys and strings. An empty string unsets one key; '' for all of it reads as None."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> dict[str, str] | None:
        if value == "" or value is None:
            return None
        if type(value) is not dict:
            raise invalid("Invalid object", bracket_name(path))
        if len(value) > METADATA_KEYS:
            raise invalid(
                f"Metadata can have up to {METADATA_KEYS} keys, but you've set {len(value)}", bracket_name(path)
            )
        return {key: self.entry(key, inner, path) for key, inner in value.items()}

    def entry(self, key: str, value: object, path: Path) -> str:
        """Return one value as a string. Raises ApiError 400 when the key or the value is too long."""
        if isinstance(value, dict | list):
            raise invalid(
                f"Metadata values must be strings, but you passed in a value for {key} that is not one.",
                bracket_name((path, key)),
            )
        text = "" if value is None else shown(value)
        for kind, limit, given in (("key", METADATA_KEY_LENGTH, key), ("value", METADATA_VALUE_LENGTH, text)):
            if len(given) > limit:
                raise invalid(
                    f"Metadata {kind}s can have up to {limit} characters,"
                    f" but you passed in a {kind} that is {len(given)} characters."
                    f" Invalid {kind}: {given}",
                    bracket_name(path),
                )
        return text

    def takes(self, value: object) -> bool:
        return type(value) is dict or value == ""


def merged_metadata(old: Mapping[str, str] | None, new: Mapping[str, Any] | None) -> dict[str, str]:
    """Return an object's metadata after an update.

    old: before the update. new: as sent; an empty string unsets one key, None (read from '') unsets all.
    Raises ApiError 400 when more than 50 keys would be left.
    """
    if new is None:
        return {}
    left = {name: str(text) for name, text in {**(old or {}), **new}.items() if text not in ("", None)}
    if len(left) > METADATA_KEYS:
        raise invalid(f"Metadata can have up to {METADATA_KEYS} keys, you passed in {len(left)} keys.", "metadata")
    return left


class Email(Text):
    """An email address."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> str:
        text = super().read(value, path)
        if not _EMAIL.fullmatch(text):
            raise invalid(f"Invalid email address: {text}", bracket_name(path), "email_invalid")
        return text


class Moment(Node):
    """A point in time as the v2 API takes it, a text of RFC 3339; read as UTC epoch seconds."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> int:
        if value == "" or value is None:
            raise empty(path)
        seconds = rfc3339.seconds_of(value) if isinstance(value, str) else None
        if seconds is None:
            raise invalid(
                f"Invalid timestamp for {bracket_name(path)}: must be an RFC 3339 date and time,"
                " such as 2026-01-01T00:00:00Z",
                bracket_name(path),
            )
        return seconds


class Url(Text):
    """A URL (rules: ``wire.urls``).

    kind: ``web``, http or https; ``return``, where a customer is sent back to; ``site``, which may lack its scheme.
    """

    __slots__ = ("kind",)

    def __init__(
        self, longest: int | None = None, blank: bool = False, kind: Literal["web", "return", "site"] = "web"
    ) -> None:
        super().__init__(longest, blank)
        self.kind = kind

    def read(self, value: object, path: Path) -> str:
        text = super().read(value, path)
        if text == "" and self.blank:
            return text
        if self.kind != "site" and not urls.has_scheme(text):
            raise invalid(
                "Invalid URL: An explicit scheme (such as https) must be provided.", bracket_name(path), "url_invalid"
            )
        if not _FITS[self.kind](text):
            raise invalid("Not a valid URL", bracket_name(path), "url_invalid")
        return text


_FITS = {"web": urls.is_web_url, "return": urls.is_return_url, "site": urls.is_site}


def url_node(name: str, node: Text) -> Url:
    """Return the URL type for a parameter, chosen by its name.

    name: ``url``, ``support_url``, ``return_url`` …
    """
    return Url(node.longest, node.blank, "return" if name.endswith(RETURNS) else "web")


#: Parameters with URLs that a customer is sent back to.
RETURNS = ("return_url", "success_url", "cancel_url", "refresh_url")


def is_url_name(name: str) -> bool:
    """Return whether a parameter of that name holds a URL."""
    return name == "url" or name.endswith("_url")
