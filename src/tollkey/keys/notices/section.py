"""The table ``[notices]`` of ``tollkey.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from tollkey.keys.notices.events import check_types


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where events are posted, ``[notices.webhooks.NAME]``.

    url: http or https. secret_file: a file with the signing secret, of at least 16 characters. events: types, or ``*``.
    """

    name: str
    url: str
    secret_file: str
    events: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("url must be an http or https URL")
        check_types(self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """How events are sent by e-mail (SMTP, RFC 5321), ``[notices.email]``.

    host, port: of the mail server. security: ``starttls`` (RFC 3207), ``tls`` from the start (RFC 8314), or ``none``.
    username, password_file: to sign in with, if the server asks for it. sender: the address it is from.
    to: the addresses it goes to. events: types, or ``*``.
    """

    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password_file: str = ""
    events: tuple[str, ...] = ("key.expiring", "key.expired", "key.used_from_new_ip", "key.leaked", "key.quota_reached")

    def __post_init__(self) -> None:
        for address in (self.sender, *self.to):
            if "@" not in address or not address.isprintable() or any(mark in address for mark in " ,;<>\"'"):
                raise ValueError(f"not an e-mail address: {address[:60]!r}")
        if not self.to:
            raise ValueError("to must name at least one address")
        if bool(self.username) != bool(self.password_file):
            raise ValueError("username and password_file go together")
        if self.username and self.security == "none":
            raise ValueError("a password is not sent without encryption: use starttls or tls")
        check_types(self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Who gets notices about keys."""

    webhooks: Mapping[str, Webhook] = field(default_factory=dict)
    email: Email | None = None
