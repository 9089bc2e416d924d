"""Sessions of the meter event stream, and the tokens that authenticate it.

    created ──15 minutes──▶ expired ──1 day──▶ deleted

Only a digest of a token is stored. A token stands for its session's account and mode, may send meter events and nothing
else, and stops working when the key that made it has ended or lost the permission.
Source: Stripe's API reference, "Meter event sessions".
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tollkey.db import Migration, Scope, Tx
from tollkey.keys import Denied, Key, Permission, Reason
from tollkey.keys.authority import Authority
from tollkey.keys.token import mask_unknown
from tollkey.wire import ApiError, Call, Endpoint, Resource
from tollkey.wire.hosted import granting_key
from tollkey.wire.live import records
from tollkey.wire.rfc3339 import written

if TYPE_CHECKING:
    from tollkey.wire import api, operations

EVENTS = Permission("billing_meter_event", "Meter Events", "Billing")
LIVES_SECONDS = 900
_KEPT_SECONDS = 86_400  # after its end a session's token is still answered as expired
_PREFIX = "token_"

MIGRATION = Migration(
    "meter_sessions",
    (
        "CREATE TABLE meter_sessions (digest TEXT PRIMARY KEY, account TEXT NOT NULL, livemode {bool} NOT NULL,"
        " id TEXT NOT NULL, platform TEXT NOT NULL, key_id TEXT, created {int} NOT NULL, expires {int} NOT NULL)",
        "CREATE INDEX meter_sessions_expires ON meter_sessions (account, livemode, expires)",
    ),
)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def create(call: Call, params: operations.PostV2BillingMeterEventSession) -> api.V2BillingMeterEventSession:
    """Create a session for sending many events. Its token authenticates the stream, and is returned only once."""
    text, id, expires = _PREFIX + call.ids.text(60), call.ids.new("mes"), call.real + LIVES_SECONDS
    call.tx.execute(
        "DELETE FROM meter_sessions WHERE account = ? AND livemode = ? AND expires < ?",
        (call.account, int(call.livemode), call.real - _KEPT_SECONDS),
    )
    call.tx.execute(
        "INSERT INTO meter_sessions (digest, account, livemode, id, platform, key_id, created, expires)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(_digest(text), call.account, int(call.livemode), id, call.platform),
            *(call.key.id if call.key is not None else None, call.real, expires),
        ),
    )
    return {
        "id": id,
        "object": "v2.billing.meter_event_session",
        "authentication_token": text,
        "created": written(call.real),
        "expires_at": written(expires),
        "livemode": call.livemode,
    }


def verify(authority: Authority, tx: Tx, text: str, now: int) -> Key | Denied:
    """Authenticate the token of a session: return it as a key, or why it is refused.

    now: UTC epoch seconds. Raises ApiError for the token of a session that has expired.
    """
    rows = tx.execute(
        "SELECT account, livemode, id, platform, key_id, created, expires FROM meter_sessions WHERE digest = ?",
        (_digest(text),),
    )
    if not rows:
        return Denied(Reason.unknown, mask_unknown(text))
    account, livemode, id, platform, key_id, created, expires = rows[0]
    scope = Scope(account, bool(livemode))
    key = Key.of_host("session", scope, id, "Meter event session", text, created=created, expires=expires)
    if key.ended(now):
        raise _expired()
    needs = f"{EVENTS.name}_write"
    if key_id is not None and granting_key(tx, authority, key_id, platform, scope, needs, now) is None:
        return Denied(Reason.expired, key.masked, key)
    return key


def _expired() -> ApiError:
    """Return the error of an expired session, whose type the official SDKs know."""
    return ApiError(
        400,
        "temporary_session_expired",
        "billing_meter_event_session_expired",
        "The temporary session token has expired. Create a new meter event session.",
        bare=True,
    )


SESSION = Resource(
    object="v2.billing.meter_event_session",
    permission=EVENTS,
    reveals={"authentication_token": "write"},
    live=records(),
    stored=False,
    endpoints=(Endpoint("POST", "/v2/billing/meter_event_session", create, secret="authentication_token"),),
)
