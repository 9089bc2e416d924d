"""API keys, managed through the API itself, in the style of the other resources.

    active ──roll──▶ expiring (its successor works at once) ──time──▶ expired
       │ ◀──cancel_expiry──┘ │
       ├──expire─────────────┴────────────────────────────────────▶ expired
       ├──revoke──────────────────────────────────────────────────▶ expired
       └──disable──▶ disabled ──enable──▶ active

The text of a live secret or restricted key is answered once: by ``create``, by ``roll`` with expiry
now, or by ``reveal`` while a sealed copy waits. It is in no log and no stored answer.
A key can never grant more than it has; which key may manage keys is the permission ``api_key_write``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from tollkey.keys import Key, KeyRefused, Permission, audit
from tollkey.keys.actors import Actor
from tollkey.keys.authority import Authority
from tollkey.keys.limits import ROLL_EXPIRATIONS
from tollkey.keys.store import Usage, exists_in_other_mode
from tollkey.keys.succession import OldKeyUse, old_key_use
from tollkey.wire import ApiError, Call, Endpoint, Json, P, Page, Resource, invalid
from tollkey.wire.errors import missing_object
from tollkey.wire.live import records
from tollkey.wire.resource import Handler

if TYPE_CHECKING:
    from tollkey.wire import operations

_Sent = TypeVar("_Sent")
PERMISSION = Permission("api_key", "API keys", "Core")
_PATH = "/v1/api_keys/{api_key}"
_LISTS = {
    "permissions": P.array(P.string()),
    "connect_permissions": P.array(P.string()),
    "ip_allowlist": P.array(P.string()),
}
_TEXTS = {"name": P.string(blank=True), "note": P.string(blank=True)}
_EMPTY: dict[str, Any] = {**dict.fromkeys(_TEXTS, ""), **dict.fromkeys(_LISTS, ()), "metadata": {}}
_NOTHING = P.object()
_ENTRY = re.compile(r"(akae_)?[0-9]{1,18}")


def _authority(call: Call) -> Authority:
    authority: Authority = call.services.authority
    return authority


def _actor(call: Call) -> Actor:
    assert call.key is not None
    return Actor("api_key", call.key.id, call.origin.ip, call.origin.request_id)


def shown(key: Key, now: int, usage: Usage | None = None, secret: str | None = None) -> Json:
    """A key as an API object. now: UTC epoch seconds. ``secret`` is only set when the text may be shown."""
    return {
        "id": key.id,
        "object": "api_key",
        "connect_permissions": sorted(key.connect_permissions),
        "created": key.created,
        "created_by": key.created_by,
        "default": key.is_default,
        "disabled_at": key.disabled_at,
        "expires_at": key.expires_at,
        "hidden_at": key.hidden_at,
        "ip_allowlist": list(key.ip_allowlist),
        "last_used": _last_used(usage),
        "livemode": key.livemode,
        "metadata": dict(key.metadata),
        "name": key.name,
        "note": key.note,
        "permissions": sorted(key.permissions),
        "redacted": key.redacted,
        "replaced_by": key.replaced_by,
        "revealable": key.revealable or key.token is not None,
        "revealed_at": key.revealed_at,
        "revoked_at": key.revoked_at,
        "rolled_from": key.rolled_from,
        "secret": secret if secret is not None else key.token,
        "status": key.status(now),
        "type": key.kind,
    }


def refused(problem: KeyRefused) -> ApiError:
    """An error of the key authority as an API error."""
    if problem.code == "resource_missing":
        return ApiError(404, code=problem.code, message=problem.message, param=problem.param)
    if problem.code == "api_key_grant_exceeded":
        return ApiError(403, code=problem.code, message=problem.message, param=problem.param, documented=False)
    return invalid(
        problem.message, problem.param, problem.code, retry=False, documented=problem.code == "api_key_expired"
    )


def _answer(call: Call, key: Key, secret: str | None = None) -> Json:
    return shown(key, call.now, _authority(call).usages(call.tx, call.scope, [key.id]).get(key.id), secret)


def _found(call: Call) -> Key:
    id = call.path["api_key"]
    key = _authority(call).get(call.tx, call.scope, id)
    if key is None:
        other = "test" if call.livemode else "live"
        there = exists_in_other_mode(call.tx, call.scope, id)
        raise missing_object("api_key", id, "api_key", in_path=True, other_mode=other if there else None)
    return key


def _verb(operation: Callable[[Call, _Sent, Key], Json]) -> Handler:
    """Wrap a handler for one key: load the key, and convert errors of the authority to API errors."""

    @wraps(operation)
    def handler(call: Call, params: _Sent) -> Json:
        key = _found(call)
        try:
            return operation(call, params, key)
        except KeyRefused as problem:
            raise refused(problem) from None

    return handler


def create(call: Call, params: operations.PostApiKeys) -> Json:
    """Create a secret or restricted key. Its text is in ``secret``; for live keys only here."""
    metadata = {name: value for name, value in (params.get("metadata") or {}).items() if value}
    try:
        key, text = _authority(call).create(
            call.tx,
            call.scope,
            params["type"],
            actor=_actor(call),
            now=call.now,
            granter=call.key,
            name=params.get("name", ""),
            note=params.get("note", ""),
            permissions=params.get("permissions", ()),
            connect_permissions=params.get("connect_permissions", ()),
            ip_allowlist=params.get("ip_allowlist", ()),
            expires_at=params.get("expires_at"),
            metadata=metadata,
        )
    except KeyRefused as problem:
        raise refused(problem) from None
    return _answer(call, key, text)


def list_keys(call: Call, params: operations.GetApiKeys) -> Page:
    """List the keys of this account and mode, newest first; expired ones only with ``include_expired``."""
    limit = params.get("limit") or 10
    for name in ("starting_after", "ending_before"):
        if name in params and _authority(call).get(call.tx, call.scope, params[name]) is None:
            raise missing_object("api_key", params[name], name, in_path=False)
    found = _authority(call).list(
        call.tx, call.scope, active_at=None if params.get("include_expired") else call.now, kind=params.get("type"),
        limit=limit + 1, after=params.get("starting_after"), before=params.get("ending_before"),
    )  # fmt: skip
    more = len(found) > limit
    found = found[-limit:] if "ending_before" in params else found[:limit]
    usages = _authority(call).usages(call.tx, call.scope, [key.id for key in found])
    return Page([shown(key, call.now, usages.get(key.id)) for key in found], more, "/v1/api_keys")


def retrieve_key(call: Call, params: operations.GetApiKeysApiKey) -> Json:
    """Retrieve a key, with the use of the key that it has replaced; its text only if it is publishable."""
    key = _found(call)
    return {**_answer(call, key), "old_key_use": _old_key_use(old_key_use(call.tx, _authority(call), key))}


def _old_key_use(use: OldKeyUse | None) -> Json | None:
    if use is None:
        return None
    return {
        "api_key": use.key.id,
        "expires_at": use.key.expires_at,
        "last_used": _last_used(use.last),
        "requests_since_roll": use.requests,
        "rolled_at": use.rolled_at,
        "used_since_roll": use.used_since,
    }


def _last_used(usage: Usage | None) -> Json | None:
    if usage is None:
        return None
    return {"at": usage.last_used_at, "endpoint": usage.endpoint, "ip": usage.ip, "requests": usage.uses}


def update(call: Call, params: operations.PostApiKeysApiKey, key: Key) -> Json:
    """Update the name, note, permissions, allowed IP addresses or metadata of a key."""
    given: dict[str, Any] = {name: _EMPTY[name] if value is None else value for name, value in params.items()}
    return _answer(
        call,
        _authority(call).update(
            call.tx, call.scope, key.id, actor=_actor(call), now=call.now, granter=call.key, **given
        ),
    )


def reveal(call: Call, params: operations.PostApiKeysApiKeyReveal, key: Key) -> Json:
    """Show the text of a key. A live secret or restricted key can be revealed once; leave a note of where it
    will live.
    """
    if params.get("note"):
        _authority(call).update(
            call.tx, call.scope, key.id, actor=_actor(call), now=call.now, note=params["note"], granter=call.key
        )
    return _answer(
        call, *_authority(call).reveal(call.tx, call.scope, key.id, actor=_actor(call), now=call.now, granter=call.key)
    )


def hide(call: Call, params: operations.PostApiKeysApiKeyHide, key: Key) -> Json:
    """Hide a live key that can still be revealed."""
    return _answer(
        call, _authority(call).hide(call.tx, call.scope, key.id, actor=_actor(call), now=call.now, granter=call.key)
    )


def roll(call: Call, params: operations.PostApiKeysApiKeyRoll, key: Key) -> Json:
    """Roll a key: create its successor, and expire the old key after ``expires_in``. Returns the new key."""
    seconds = ROLL_EXPIRATIONS[params["expires_in"]] if "expires_in" in params else params.get("expires_in_seconds", 0)
    _, new, text = _authority(call).roll(
        call.tx, call.scope, key.id, seconds, actor=_actor(call), now=call.now, granter=call.key
    )
    return _answer(call, new, text)


def expire(call: Call, params: operations.PostApiKeysApiKeyExpire, key: Key) -> Json:
    """Expire a key now, for example one that is about to expire after a roll."""
    return _answer(
        call,
        _authority(call).expire_now(call.tx, call.scope, key.id, actor=_actor(call), now=call.now, granter=call.key),
    )


def cancel_expiry(call: Call, params: operations.PostApiKeysApiKeyCancelExpiry, key: Key) -> Json:
    """Cancel a pending expiration. The key and its successor both work."""
    return _answer(
        call,
        _authority(call).cancel_expiry(call.tx, call.scope, key.id, actor=_actor(call), now=call.now, granter=call.key),
    )


def revoke(call: Call, params: operations.PostApiKeysApiKeyRevoke, key: Key) -> Json:
    """Revoke a secret or restricted key. This cannot be undone."""
    return _answer(
        call, _authority(call).revoke(call.tx, call.scope, key.id, actor=_actor(call), now=call.now, granter=call.key)
    )


def disable(call: Call, params: operations.PostApiKeysApiKeyDisable, key: Key) -> Json:
    """Pause a key: requests with it are refused until it is enabled."""
    return _answer(
        call, _authority(call).disable(call.tx, call.scope, key.id, actor=_actor(call), now=call.now, granter=call.key)
    )


def enable(call: Call, params: operations.PostApiKeysApiKeyEnable, key: Key) -> Json:
    """Resume a paused key."""
    return _answer(
        call, _authority(call).enable(call.tx, call.scope, key.id, actor=_actor(call), now=call.now, granter=call.key)
    )


def list_audit(call: Call, params: operations.GetApiKeyAuditEntries) -> Page:
    """List the audit log of keys, newest first. ``starting_after`` is the id of an entry."""
    limit = params.get("limit") or 10
    before = params.get("starting_after")
    if before is not None and not _ENTRY.fullmatch(before):
        raise missing_object("api_key.audit_entry", before, "starting_after", in_path=False)
    entries = audit.entries(
        call.tx,
        call.scope,
        params.get("api_key"),
        limit + 1,
        int(before.removeprefix("akae_")) if before is not None else None,
    )
    data = [
        {
            "id": f"akae_{entry.seq}",
            "object": "api_key.audit_entry",
            "action": entry.action,
            "actor": {
                "type": entry.actor.kind,
                "id": entry.actor.id,
                "ip": entry.actor.ip,
                "request": entry.actor.request_id,
            },
            "after": entry.became,
            "api_key": entry.key_id,
            "before": entry.was,
            "created": entry.at,
            "livemode": entry.livemode,
        }
        for entry in entries
    ]
    return Page(data[:limit], len(data) > limit, "/v1/api_key_audit_entries")


def _post(
    verb: str, operation: Callable[[Call, _Sent, Key], Json], params: Any = _NOTHING, secret: str = ""
) -> Endpoint:
    return Endpoint("POST", f"{_PATH}/{verb}", _verb(operation), params=params, secret=secret)


_ROLL = P.object(expires_in=P.enum(*ROLL_EXPIRATIONS), expires_in_seconds=P.integer(0, 7 * 86400))

API_KEY = Resource(
    object="api_key",
    prefix="mk",
    path_param="api_key",
    permission=PERMISSION,
    live=records(),
    stored=False,
    endpoints=(
        Endpoint("GET", "/v1/api_keys", list_keys, params=P.page(
            type=P.enum("publishable", "secret", "restricted"), include_expired=P.boolean())),
        Endpoint("POST", "/v1/api_keys", create, secret="secret", params=P.nested(
            {"type": P.enum("secret", "restricted"), "expires_at": P.timestamp(), **_TEXTS, **_LISTS,
             "metadata": P.metadata()},
            required=["type"])),
        Endpoint("GET", _PATH, retrieve_key, params=_NOTHING),
        Endpoint("POST", _PATH, _verb(update), params=P.nested(
            {**{name: P.unset(kind) for name, kind in {**_TEXTS, **_LISTS}.items()}, "metadata": P.metadata()})),
        _post("reveal", reveal, P.object(note=P.string()), secret="secret"),
        _post("hide", hide),
        _post("roll", roll, _ROLL, secret="secret"),
        _post("expire", expire),
        _post("cancel_expiry", cancel_expiry),
        _post("revoke", revoke),
        _post("disable", disable),
        _post("enable", enable),
        Endpoint("GET", "/v1/api_key_audit_entries", list_audit, object="api_key.audit_entry",
                 params=P.page(api_key=P.string())),
    ),
    title="API keys",
)  # fmt: skip
