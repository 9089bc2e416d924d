"""Reads keys and verdicts from the server's JSON. What is missing or of another type is never guessed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from tollkey.db import Scope
from tollkey.keys.header import without_keys
from tollkey.keys.hiding import repr_without
from tollkey.keys.key import Checked, Key, LimitState, Reason
from tollkey.keys.remote.cache import Entry
from tollkey.keys.remote.fields import Fields, Json, unclear
from tollkey.keys.remote.requests import VERIFY, Request
from tollkey.keys.token import KINDS, mask_known, mask_unknown, redact

_LONGEST_TTL = 3600.0  # seconds
_LONGEST_ADDRESS, _LONGEST_ENDPOINT, _LONGEST_ROUTE = 64, 500, 2000  # characters that the server takes
_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # what the server does not take as text
_OURS = re.compile(r"[a-z0-9]+_[a-z0-9]+_[0-9A-Za-z]{24,}")


class Question(NamedTuple):
    """What ``check`` was asked; see ``KeyService.check``."""

    text: str
    permission: str | None = None
    ip: str | None = None
    endpoint: str | None = None
    route: str | None = None
    cost: int | None = None
    account: str | None = None
    publishable: bool = True

    def __repr__(self) -> str:
        return repr_without(self, "text")

    @property
    def has_usable_route(self) -> bool:
        """Whether the server takes this route. One that is too long or no text comes from a caller's path."""
        return self.route is None or (len(self.route) <= _LONGEST_ROUTE and _NO_TEXT.search(self.route) is None)

    def request(self) -> Request:
        """Return the request for the server."""
        body: dict[str, Json] = {
            "key": self.text,
            "permission": self.permission,
            "ip": usable_address(self.ip),
            "endpoint": usable_endpoint(self.endpoint),
            "route": self.route,
            "cost": self.cost,
            "account": self.account,
            "publishable": None if self.publishable else False,
        }
        return Request("POST", "/v1/keys/verify", VERIFY, body=body, repeatable=True)


def usable_endpoint(endpoint: str | None) -> str | None:
    """Return what a key is used for as the server takes it: a caller's path may be long, or no text."""
    if endpoint is None:
        return None
    return _NO_TEXT.sub("?", without_keys(endpoint))[:_LONGEST_ENDPOINT]


def usable_address(ip: str | None) -> str | None:
    """Return an IP address, or None for what is none: a key with an allow-list is refused either way."""
    text = ip or ""
    if len(text) > _LONGEST_ADDRESS or not text.isprintable():  # an IPv6 address may name any zone
        return None
    with suppress(ValueError):
        ipaddress.ip_address(text)
        return text
    return None


class Answer(NamedTuple):
    """A verdict. entry: what may be remembered of it; None for nothing."""

    checked: Checked
    entry: Entry | None = None


def read_answer(given: Mapping[str, Json], question: Question, began: float) -> Answer:
    """Read the answer to a question. given: its JSON object. began: when it was asked, in seconds of a monotonic clock.

    What may be remembered is an answer about a valid key without limits, for the time that the server names (``ttl``;
    none for a key that only some addresses may use). A key with a limit is asked for each time, so that the server
    counts every request. Raises RemoteUnavailable for an answer that is not understood.
    """
    fields = Fields(given)
    shown, limit = fields.object("key"), _limit(fields.object("ratelimit"))
    key = None if shown is None else _verified(shown, fields.integer("version"), question.text)
    if not fields.flag("valid"):
        return Answer(_refused(fields, question, key, limit))
    if key is None or (question.account is not None and key.account != question.account):
        raise unclear("key")
    limits = () if limit is None else (limit,)
    checked = Checked(key, limit=limit, masked=key.masked, known=key, limits=limits)
    ttl = min(fields.number("ttl") or 0.0, _LONGEST_TTL)
    return Answer(checked, Entry(key, checked, began + ttl) if limit is None and ttl > 0 else None)


def _refused(fields: Fields, question: Question, key: Key | None, limit: LimitState | None) -> Checked:
    code = fields.text("code")
    try:
        reason = Reason(code)
    except ValueError:
        raise unclear("code") from None
    lacking, masked = fields.optional_text("permission"), mask_unknown(question.text)
    limits = () if limit is None else (limit,)
    return Checked(None, reason, lacking, limit, fields.number("retry_after"), masked, key, limits)


def _limit(fields: Fields | None) -> LimitState | None:
    if fields is None:
        return None
    return LimitState(
        fields.optional_text("policy") or "default",
        fields.integer("limit"),
        fields.integer("remaining"),
        fields.number("reset") or 0.0,
        fields.number("window"),
    )


def _verified(fields: Fields, version: int, text: str) -> Key:
    """Return the key of a verdict, which tells of the effective permissions only."""
    known = _OURS.fullmatch(text) is not None
    masked = mask_known(text) if known else mask_unknown(text)
    return _key(fields, version, masked, redact(text) if known else masked)


def _key(fields: Fields, version: int, masked: str, redacted: str) -> Key:
    kind = fields.text("kind")
    if kind not in KINDS:
        raise unclear("kind")
    permissions = frozenset(fields.texts("permissions"))
    expires_at = fields.optional_integer("expires_at")
    plain = Key.of_host(
        kind,
        Scope(fields.text("account"), fields.flag("livemode")),
        fields.text("id"),
        fields.optional_text("name") or "",
        "",
        created=fields.optional_integer("created") or 0,
        expires=0,
    )
    return replace(
        plain, version=version, permissions=permissions, effective=permissions, expires_at=expires_at,
        own_expires_at=expires_at, masked=masked, redacted=redacted, metadata=fields.mapping("metadata"),
    )  # fmt: skip
