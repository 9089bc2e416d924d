"""Parameter types with rules of their own: email addresses, times and URLs."""

from __future__ import annotations

import re
from typing import Literal

from tollkey.wire import rfc3339, urls
from tollkey.wire._check import Node, Text
from tollkey.wire._naming import Path, bracket_name, empty
from tollkey.wire.errors import invalid

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


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
