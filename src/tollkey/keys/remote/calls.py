"""The requests that list and change keys, and the keys in their answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from tollkey.db import Scope
from tollkey.keys import times
from tollkey.keys.changing import Made, Rolled
from tollkey.keys.key import Key
from tollkey.keys.lookup import KeyPage
from tollkey.keys.remote.errors import RemoteUnavailable
from tollkey.keys.remote.fields import Fields, Json, unclear
from tollkey.keys.remote.requests import Request
from tollkey.keys.token import KINDS, Kind

READ, WRITE = "key_read", "key_write"
PAGE = 100  # keys that the server returns at once, at most


def change(path: str, body: Mapping[str, Json], name: str) -> Request:
    """Return the request for a change. name: a new one, by which the server makes it once however often it arrives."""
    return Request("POST", path, WRITE, body=body, repeatable=True, idempotency_key=name)


def creation(
    about: Mapping[str, Json],
    *,
    account: str,
    livemode: bool,
    environment: str | None,
    kind: Kind,
    ends: tuple[int | datetime | None, int | timedelta | None],
    now: int,
) -> dict[str, Json]:
    """Return the parameters of a new key. about: those that an update takes too. ends: ``expires_at``, ``expires_in``.

    Raises KeyRefused for two ends, or one without a time zone.
    """
    named = environment if environment is not None else None if livemode else "test"
    return {
        **about, "account": account, "kind": kind, "environment": named, "expires_at": times.expiry(*ends, now),
    }  # fmt: skip


def about(
    name: str | None,
    note: str | None,
    permissions: Iterable[str] | None,
    ip_allowlist: Iterable[str] | None,
    metadata: Mapping[str, str | None] | None,
) -> dict[str, Json]:
    """Return the parameters that say what a key is for; None is left out."""
    return {
        "name": name,
        "note": note,
        "permissions": None if permissions is None else [*permissions],
        "ip_allowlist": None if ip_allowlist is None else [*ip_allowlist],
        "metadata": None if metadata is None else {key: value or "" for key, value in metadata.items()},
    }


def page(account: str | None, kind: Kind | None, active: bool, limit: int, after: str | None) -> Request:
    """Return the request for a page of keys."""
    query = {
        "account": account,
        "kind": kind,
        "status": "active" if active else None,
        "limit": limit,
        "starting_after": after,
    }
    return Request("GET", "/v1/keys", READ, query=query, repeatable=True)


def retrieval(key_id: str) -> Request | None:
    """Return the request for a key by its id; None for a text that cannot be one."""
    if not (key_id.isascii() and key_id.replace("_", "").isalnum()):
        return None
    return Request("GET", f"/v1/keys/{key_id}", READ, repeatable=True)


def look_up(id_or_text: str) -> Request:
    """Return the request for a key of any account by its id or text. The text is in the body, not in the URL."""
    name = "id" if id_or_text.startswith("mk_") else "key"
    return Request("POST", "/v1/keys/lookup", READ, body={name: id_or_text}, repeatable=True)


def key_of(fields: Fields) -> Key:
    """Return a key as the server shows it to those who may read keys."""
    kind = fields.text("kind")
    if kind not in KINDS:
        raise unclear("kind")
    expires_at, redacted = fields.optional_integer("expires_at"), fields.text("redacted")
    plain = Key.of_host(
        kind,
        Scope(fields.text("account"), fields.flag("livemode")),
        fields.text("id"),
        fields.text("name"),
        "",
        created=fields.integer("created"),
        expires=0,
    )
    return replace(
        plain,
        note=fields.text("note"),
        permissions=frozenset(fields.texts("permissions")),
        effective=frozenset(fields.texts("effective_permissions")),
        ip_allowlist=fields.texts("ip_allowlist"),
        created_by=fields.text("created_by"),
        expires_at=expires_at,
        own_expires_at=expires_at,
        revoked_at=fields.optional_integer("revoked_at"),
        disabled_at=fields.optional_integer("disabled_at"),
        redacted=redacted,
        masked=redacted,
        token=fields.optional_text("secret") if kind == "publishable" else None,
        revealable=fields.flag("revealable"),
        version=fields.integer("version"),
        rolled_from=fields.optional_text("rolled_from"),
        replaced_by=fields.optional_text("replaced_by"),
        metadata=fields.mapping("metadata"),
    )


def made_of(fields: Fields) -> Made:
    """Return a key and its text."""
    return Made(key_of(fields), fields.text("secret"))


def rolled_of(fields: Fields) -> Rolled[str | None]:
    """Return a rolled key, its successor and the text of that."""
    old = fields.object("rolled")
    if old is None:
        raise unclear("rolled")
    return Rolled(key_of(old), key_of(fields), fields.optional_text("secret"))


def shown_of(rolled: Rolled[str | None]) -> Rolled[str]:
    """Return a rolled key whose successor's text was asked for."""
    if rolled.secret is None:
        raise RemoteUnavailable("the key was rolled, but the answer of the key server lacks the new text")
    return Rolled(rolled.old, rolled.key, rolled.secret)


class Pages:
    """Collects the keys of one mode from the server's pages, which hold those of both.

    livemode: the mode; None for both. limit: how many are wanted; None for all. after: the id to go on behind.
    """

    def __init__(self, livemode: bool | None, limit: int | None, after: str | None) -> None:
        if limit is not None and limit < 1:
            raise ValueError("the limit of a page must be at least 1")
        self._livemode, self._limit = livemode, limit
        self._found: list[Key] = []
        self.after = after
        self.more = True

    def add(self, fields: Fields) -> None:
        """Add a page."""
        keys = [key_of(each) for each in fields.objects("data")]
        self._found += [key for key in keys if self._livemode is None or key.livemode == self._livemode]
        self.more = fields.flag("has_more") and bool(keys) and (self._limit is None or len(self._found) <= self._limit)
        self.after = keys[-1].id if keys else None

    def page(self) -> KeyPage:
        """Return what was collected."""
        result = KeyPage(self._found if self._limit is None else self._found[: self._limit])
        result.has_more = self._limit is not None and len(self._found) > self._limit
        return result
