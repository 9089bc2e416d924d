"""Parameters with rules of their own: metadata, addresses of mail, addresses of pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tollkey.wire._check import Node, Path, Text, shown, written
from tollkey.wire.errors import invalid

METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]")
_RUNS = re.compile(r"(?:javascript|data|vbscript|blob|file|about|view-source):", re.IGNORECASE)
_WEB = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)


class Metadata(Node):
    """Keys and texts of the caller's own. An empty text unsets its key, '' all of them (returned as None)."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> dict[str, str] | None:
        if value == "" or value is None:
            return None
        if type(value) is not dict:
            raise invalid("Invalid object", written(path))
        if len(value) > METADATA_KEYS:
            raise invalid(f"Metadata can have up to {METADATA_KEYS} keys, but you've set {len(value)}", written(path))
        return {key: self.entry(key, inner, path) for key, inner in value.items()}

    def entry(self, key: str, value: object, path: Path) -> str:
        """One value as text, its lengths checked."""
        if isinstance(value, dict | list):
            raise invalid(f"Metadata values must be strings, but you passed in a value for {key} that is not one.", written((path, key)))
        text = "" if value is None else shown(value)
        for kind, limit, given in (("key", METADATA_KEY_LENGTH, key), ("value", METADATA_VALUE_LENGTH, text)):
            if len(given) > limit:
                raise invalid(
                    f"Metadata {kind}s can have up to {limit} characters, but you passed in a {kind} that is {len(given)} characters."
                    f" Invalid {kind}: {given}",
                    written(path),
                )
        return text

    def takes(self, value: object) -> bool:
        return type(value) is dict or value == ""


def merged_metadata(old: Mapping[str, str] | None, new: Mapping[str, Any] | None) -> dict[str, str]:
    """An object's metadata after a change: an empty text unsets one key, None (what '' reads as) unsets all.

    Raises ApiError 400 when more than 50 keys would be left.
    """
    if new is None:
        return {}
    left = {name: str(text) for name, text in {**(old or {}), **new}.items() if text not in ("", None)}
    if len(left) > METADATA_KEYS:
        raise invalid(f"Metadata can have up to {METADATA_KEYS} keys, you passed in {len(left)} keys.", "metadata")
    return left


class Email(Text):
    """An address of mail."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> str:
        text = super().read(value, path)
        if not _EMAIL.fullmatch(text):
            raise invalid(f"Invalid email address: {text}", written(path), "email_invalid")
        return text


class Url(Text):
    """An address of a page. Schemes of apps are taken as well, those that run a script or show text of their own are not."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> str:
        text = super().read(value, path)
        if not _SCHEME.match(text):
            raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", written(path), "url_invalid")
        unfit = _CONTROL.search(text) or _RUNS.match(text)
        if unfit or (text.lower().startswith("http") and not _WEB.fullmatch(text)):
            raise invalid("Not a valid URL", written(path), "url_invalid")
        return text
