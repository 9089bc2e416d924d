"""Ephemeral keys: access to one customer for an hour, for apps, which must not contain a secret key.

A key that a customer session was claimed with ends with the session, and may do what the session grants (``claims``).

    created ──1 hour, or deleted──▶ expired ──a week──▶ deleted

The text is ``ek_{test|live}_`` and base64 of ``acct_…,<31 random characters>``, then ``_00`` and eight more
(reference section 4.1). Only a digest is stored. ``Endpoint.ephemeral`` decides which endpoints such a key may call.
It can read its own customer and the customer's objects (``wire.service``). At each use, the key that created it must
still be valid and permitted to create such keys, and the customer must exist. That key's IP allow-list does not
apply, because the app has another address.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, cast

from tollkey.db import Scope, Tx
from tollkey.keys import Denied, Key, Permission, Reason
from tollkey.keys.authority import Authority
from tollkey.keys.token import mask_unknown
from tollkey.payments.methods import customer_sessions, jobs, kinds
from tollkey.wire import Call, Endpoint, Resource, invalid
from tollkey.wire.hosted import granting_key
from tollkey.wire.live import records
from tollkey.wire.objects import public
from tollkey.wire.tables import Tables

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredCustomerSession, StoredEphemeralKey
    from tollkey.wire import api, operations

PERMISSION = Permission("ephemeral_key", "Ephemeral keys", "Core")
LIVES_SECONDS = 3600
_KEPT_SECONDS = 7 * 86_400  # after it has expired
_TEXT = re.compile(r"ek_(test|live)_([A-Za-z0-9_-]+={0,2})_00[0-9A-Za-z]{8}")
_ABOUT = {
    "customer": "customer",
    "issuing_card": "issuing.card",
    "verification_session": "identity.verification_session",
}


def new_text(call: Call) -> str:
    """Return the text of a new key for the call's account and mode."""
    inner = base64.urlsafe_b64encode(f"{call.account},{call.ids.text(31)}".encode()).decode().rstrip("=")
    return f"ek_{'live' if call.livemode else 'test'}_{inner}_00{call.ids.text(8)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def create(call: Call, params: operations.PostEphemeralKeys) -> api.EphemeralKey:
    """Create a key for a customer, a card or a verification session. Its secret is returned only once."""
    about = [(name, params[name]) for name in ("customer", "issuing_card", "verification_session") if params.get(name)]
    if len(about) != 1:
        raise invalid(
            "You must specify exactly one of customer, issuing_card or verification_session.", None, "parameter_missing"
        )
    name, id = about[0]
    if _ABOUT[name] in call.setup.tables.of:
        call.objects.get(_ABOUT[name], id, name)
    text = new_text(call)
    key = _new(call, text, (_ABOUT[name], id), call.now + LIVES_SECONDS)
    key["_maker"] = [call.platform, call.key.id] if call.key is not None else None
    _keep(call, key)
    return cast("api.EphemeralKey", {**public(key), "secret": text})  # its public fields, and the text


def create_for(call: Call, session: StoredCustomerSession, granted: frozenset[str]) -> str:
    """Create a key for a claimed customer session, and return its text. It ends with the session.

    granted: what the session grants; not empty.
    """
    text = new_text(call)
    key = _new(call, text, ("customer", session["customer"]), session["expires_at"])
    key["_maker"] = session.get("_maker")
    key["_granted"] = sorted(granted)
    _keep(call, key)
    return text


def _keep(call: Call, key: StoredEphemeralKey) -> None:
    """Store a key until a week after it has expired: each app that opens its sheet makes another one."""
    call.objects.insert(key)
    call.schedule.add(key["expires"] + _KEPT_SECONDS, jobs.EPHEMERAL_KEY_FORGET, key["id"])


def forget(call: Call, id: str) -> None:
    """Delete a key that expired long ago; whoever still sends it is told that it is invalid, not that it expired."""
    key = call.objects.find(kinds.EPHEMERAL_KEY, id)
    if key is not None:
        call.objects.delete(key)


def _new(call: Call, text: str, about: tuple[str, str], expires: int) -> StoredEphemeralKey:
    return {
        "id": call.ids.new("ephkey"),
        "object": "ephemeral_key",
        "associated_objects": [{"id": about[1], "type": about[0]}],
        "created": call.now,
        "expires": expires,
        "livemode": call.livemode,
        "_digest": _digest(text),
        "_subject": about[1],
        "_maker": None,
    }


def delete(call: Call, params: operations.DeleteEphemeralKeysKey) -> StoredEphemeralKey:
    """Expire a key immediately."""
    key = call.objects.get(kinds.EPHEMERAL_KEY, call.path["key"])
    key["expires"] = min(key["expires"], call.now)
    return call.objects.save(key)


def scope_of(text: str) -> Scope | None:
    """Return the account and mode in the text of an ephemeral key, or None if it is not one."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    try:
        inner = base64.urlsafe_b64decode(match[2] + "=" * (-len(match[2]) % 4)).decode("ascii")
    except ValueError:
        return None
    account, comma, _ = inner.partition(",")
    return Scope(account, match[1] == "live") if comma and account.startswith("acct_") else None


def verify(tables: Tables, authority: Authority, tx: Tx, text: str, now: int) -> Key | Denied | None:
    """Authenticate an ephemeral key: return the key, or why it is refused, or None if the text is no ephemeral key.

    now: UTC epoch seconds.
    """
    scope = scope_of(text)
    if scope is None:
        return None
    # without a call there are no types: what this table has was written by ``create``
    found = cast("list[StoredEphemeralKey]", tables.find(tx, scope, "ephemeral_key", {"_digest": _digest(text)}))
    if not found:
        return Denied(Reason.unknown, mask_unknown(text))
    key = _key(found[0], scope, text)
    stands = not key.ended(now) and _granted(tables, authority, tx, found[0], scope, now)
    return key if stands else Denied(Reason.expired, key.masked, key)


def _granted(tables: Tables, authority: Authority, tx: Tx, value: StoredEphemeralKey, scope: Scope, now: int) -> bool:
    """Return whether the key's creator may still create it, and its customer still exists."""
    platform, key_id = value.get("_maker") or (scope.account, None)
    needs = f"{(customer_sessions.PERMISSION if '_granted' in value else PERMISSION).name}_write"
    if key_id is not None and granting_key(tx, authority, key_id, platform, scope, needs, now) is None:
        return False
    if platform != scope.account and tables.load(tx, Scope(platform, scope.livemode), "account", scope.account) is None:
        return False  # the account has left the platform that made the key
    about = value["associated_objects"][0]["type"]
    return about not in tables.of or tables.load(tx, scope, about, value["_subject"]) is not None


def _key(value: StoredEphemeralKey, scope: Scope, text: str) -> Key:
    times = {"created": value["created"], "expires": value["expires"]}
    granted = frozenset(value.get("_granted", ()))
    return Key.of_host(
        "ephemeral", scope, value["id"], "Ephemeral key", text, **times, subject=value["_subject"], permissions=granted
    )


EPHEMERAL_KEY = Resource(
    object="ephemeral_key",
    prefix="ephkey",
    permission=PERMISSION,
    reveals={"secret": "write"},
    live=records(),
    path_param="key",
    indexed=("_digest",),
    endpoints=(
        Endpoint("POST", "/v1/ephemeral_keys", create, secret="secret"),
        Endpoint("DELETE", "/v1/ephemeral_keys/{key}", delete),
    ),
    title="Ephemeral keys",
    columns=("id", "created", "expires"),
    on_due={jobs.EPHEMERAL_KEY_FORGET: forget},
)
