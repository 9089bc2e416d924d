"""What a portal session shows and changes, within its rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tollkey.db import Scope, Tx
from tollkey.keys.errors import KeyNotFound, KeyRefused
from tollkey.keys.header import without_keys
from tollkey.keys.key import Key
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.portal.sessions import Rights, Verb, check_open
from tollkey.keys.service import KeyService
from tollkey.keys.store import Usage

MOST_KEYS = 200  # active keys of an account: a session makes no more, and lists no more
_EXPIRIES: Mapping[str, int | None] = {"never": None, "30": 30, "90": 90, "365": 365}
_GRACES: Mapping[str, int] = {"now": 0, "1h": 3600, "24h": 86400, "7d": 604800}


def session_json(keys: KeyService, rights: Rights) -> dict[str, Any]:
    """Return what the page needs to know about its session."""
    return {
        "may": sorted(rights.may),
        "permissions": [
            {"name": name, "label": keys.authority.catalogue.label(name)} for name in sorted(rights.permissions)
        ],
        "livemode": rights.livemode,
        "return_url": rights.return_url,
        "ends_at": rights.ends_at,
    }


def list_keys(keys: KeyService, rights: Rights) -> list[dict[str, Any]]:
    """Return the account's active keys, newest first, with their last use, without their texts. Raises StorageError."""
    scope = Scope(rights.account, rights.livemode)
    found = keys.account(*scope).list(active=True, limit=MOST_KEYS)
    ids = [key.id for key in found]
    usages = keys.database.read(lambda tx: keys.authority.usages(tx, scope, ids))
    return [_key_json(keys.authority.catalogue, rights, key, usages.get(key.id)) for key in found]


def create_key(keys: KeyService, rights: Rights, sent: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Make a key and return it with its text, which is shown now and never again. Raises KeyRefused, StorageError.

    now: UTC epoch seconds.
    """
    _require(rights, "create")
    name, wanted, days = _text(sent, "name"), _texts(sent, "permissions"), _text(sent, "expires", "never")
    if not name.strip():
        raise KeyRefused("parameter_missing", "Give the key a name, such as the program that will use it.", "name")
    if not wanted:
        raise KeyRefused("parameter_missing", "Choose at least one permission.", "permissions")
    if days not in _EXPIRIES:
        raise KeyRefused("expires_invalid", "Choose when the key expires.", "expires")
    authority = keys.authority
    permissions = authority.catalogue.check_known(wanted)
    if not permissions <= rights.permissions:
        raise KeyRefused("permissions_exceeded", "This page cannot give these permissions.", "permissions")
    expiry = _EXPIRIES[days]
    ends = None if expiry is None else now + expiry * 86400

    def work(tx: Tx) -> tuple[Key, str]:
        check_open(tx, authority, rights, now)
        _check_room(keys, tx, rights, now)
        return authority.create(
            tx, _scope(rights), "restricted", actor=rights.actor, now=now, name=name, permissions=permissions,
            expires_at=ends,
        )  # fmt: skip

    key, text = keys.database.write(work, lock=_lock(rights))
    return {**_key_json(authority.catalogue, rights, key, None), "secret": text}


def roll_key(keys: KeyService, rights: Rights, key_id: str, sent: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Replace a key, and return the new one with its text. Raises KeyRefused, StorageError. now: UTC epoch seconds."""
    _require(rights, "roll")
    grace = _text(sent, "grace", "now")
    if grace not in _GRACES:
        raise KeyRefused("grace_invalid", "Choose how long the old key goes on working.", "grace")
    authority, seconds = keys.authority, _GRACES[grace]

    def work(tx: Tx) -> tuple[Key, str | None]:
        check_open(tx, authority, rights, now)
        key = _own(keys, tx, rights, key_id)  # in the transaction: somebody may give it more permissions meanwhile
        if not _rollable(authority.catalogue, rights, key):
            raise KeyRefused("permissions_exceeded", "This key has permissions that this page cannot give.", "id")
        if seconds:
            _check_room(keys, tx, rights, now)
        _, new, text = authority.roll(tx, key.scope, key.id, seconds, actor=rights.actor, now=now, show=True)
        return new, text

    new, text = keys.database.write(work, lock=_lock(rights))
    return {**_key_json(authority.catalogue, rights, new, None), "secret": text}


def revoke_key(keys: KeyService, rights: Rights, key_id: str, now: int) -> dict[str, Any]:
    """Revoke a key. Raises KeyRefused, StorageError. now: UTC epoch seconds."""
    _require(rights, "revoke")

    def work(tx: Tx) -> Key:
        check_open(tx, keys.authority, rights, now)
        key = _own(keys, tx, rights, key_id)
        return keys.authority.revoke(tx, key.scope, key.id, actor=rights.actor, now=now)

    return {"id": keys.database.write(work).id, "revoked": True}


def _scope(rights: Rights) -> Scope:
    return Scope(rights.account, rights.livemode)


def _lock(rights: Rights) -> str:
    """Return the lock under which the keys of an account are counted: two requests do not both make the last one."""
    return f"portal_keys {rights.livemode:d} {rights.account}"


def _check_room(keys: KeyService, tx: Tx, rights: Rights, now: int) -> None:
    if len(keys.authority.list(tx, _scope(rights), active_at=now, limit=MOST_KEYS)) >= MOST_KEYS:
        raise KeyRefused("too_many_keys", f"There are {MOST_KEYS} keys already. Revoke one that is not used.", None)


def _own(keys: KeyService, tx: Tx, rights: Rights, key_id: str) -> Key:
    found = keys.authority.get(tx, _scope(rights), key_id)
    if found is None:
        raise KeyNotFound(key_id)
    return found


def _require(rights: Rights, verb: Verb) -> None:
    if verb not in rights.may:
        raise KeyRefused("not_permitted", f"This page may not {verb} keys.", None)


def _rollable(catalogue: PermissionCatalogue, rights: Rights, key: Key) -> bool:
    """Return whether a session may see the text of a successor: it must not have more than the session can give."""
    fits = catalogue.expand(key.permissions) <= catalogue.expand(rights.permissions)
    return key.kind == "restricted" and fits and not key.connect_permissions and key.replaced_by is None


def _key_json(catalogue: PermissionCatalogue, rights: Rights, key: Key, usage: Usage | None) -> dict[str, Any]:
    known = catalogue.names
    return {
        "id": key.id,
        "name": key.name,
        "redacted": key.redacted,
        "permissions": [catalogue.label(name) if name in known else name for name in sorted(key.permissions)],
        "created": key.created,
        "expires_at": key.expires_at,
        "disabled": key.disabled_at is not None,
        "replaced": key.replaced_by is not None,
        "last_used_at": None if usage is None else usage.last_used_at,
        "uses": 0 if usage is None else usage.uses,
        "can_roll": "roll" in rights.may and _rollable(catalogue, rights, key),
        "can_revoke": "revoke" in rights.may and key.kind != "publishable",
    }


def _text(sent: Mapping[str, Any], name: str, default: str = "") -> str:
    value = sent.get(name, default)
    if not isinstance(value, str):
        raise KeyRefused("parameter_invalid", f"{name} must be a text.", name)
    return value


def _texts(sent: Mapping[str, Any], name: str) -> list[str]:
    value = sent.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value) or len(value) > 1_000:
        raise KeyRefused("parameter_invalid", f"{name} must be a list of texts.", name)
    return list(value)


def refuse_unknown(sent: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raise KeyRefused for a parameter that no page sends."""
    for name in sent:
        if name not in known:
            shown = without_keys(name)[:40]
            raise KeyRefused("parameter_unknown", f"Received unknown parameter: {shown}", shown)
