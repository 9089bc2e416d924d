"""Stored sessions of the Stripe CLI: what each receives, and the events that are resent to it."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from tollkey.db import Migration, Scope, Tx
from tollkey.wire import Call, invalid

MIGRATION = Migration(
    "stripecli",
    (
        "CREATE TABLE stripecli_sessions (id TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL,"
        " livemode {bool} NOT NULL,"
        " feature TEXT NOT NULL, filters TEXT NOT NULL, expires_at {int} NOT NULL)",
        "CREATE INDEX stripecli_sessions_of ON stripecli_sessions (account, livemode, expires_at)",
        "CREATE TABLE stripecli_resends (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL,"
        " event TEXT NOT NULL,"
        " source TEXT NOT NULL, created {int} NOT NULL)",
        "CREATE INDEX stripecli_resends_of ON stripecli_resends (account, livemode, created)",
    ),
)

SESSION_SECONDS = 24 * 3600
WEBHOOKS, REQUEST_LOGS = "webhooks", "request_logs"
#: Features that a WebSocket can be opened for. ``stripe listen`` also requests ``destinations``, for thin events, which
#: this server does not send.
FEATURES = (WEBHOOKS, REQUEST_LOGS, "webhook_payloads", "destinations")

Filters = dict[str, frozenset[str]]
#: Filter of ``stripe logs tail`` -> the values it may have; None for any.
_VALUES: dict[str, frozenset[str] | None] = {
    "filter_account": frozenset({"CONNECT_IN", "CONNECT_OUT", "SELF"}),
    "filter_http_method": frozenset({"GET", "POST", "DELETE"}),
    "filter_ip_address": None,
    "filter_request_path": None,
    "filter_request_status": frozenset({"SUCCEEDED", "FAILED"}),
    "filter_source": frozenset({"API", "DASHBOARD"}),
    "filter_status_code": None,
    "filter_status_code_type": frozenset({"200", "400", "500", "2XX", "4XX", "5XX"}),
}


class Session(NamedTuple):
    """One session. feature: what its WebSocket receives.

    filters: of request logs, values in upper case, except paths and IP addresses.
    """

    id: str
    feature: str
    filters: Filters


def feature_of(wanted: list[str]) -> str:
    """The feature that a session is authorized for: request logs, or events.

    Raises ApiError 400 for an unknown one.
    """
    for name in wanted:
        if name not in FEATURES:
            raise invalid(f"Invalid websocket_features: must be one of {', '.join(FEATURES)}", "websocket_features")
    return REQUEST_LOGS if REQUEST_LOGS in wanted else WEBHOOKS


def read_filters(text: str | None, feature: str) -> Filters:
    """The filters as the CLI sends them, a JSON object of lists. Raises ApiError 400 for an unknown one."""
    if not text or text == "{}":
        return {}
    if feature != REQUEST_LOGS:
        raise invalid("Filters are for sessions of the feature request_logs.", "filters")
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(values, list) for values in given.values()):
        raise invalid("Invalid filters: must be a JSON object of lists.", "filters")
    return {name: _checked(name, values) for name, values in given.items() if values}


def _checked(name: str, values: list[Any]) -> frozenset[str]:
    if name not in _VALUES:
        raise invalid(f"Invalid filters: there is no filter {name}.", "filters")
    allowed = _VALUES[name]
    if allowed is None:
        return frozenset(str(value) for value in values)
    found = frozenset(str(value).upper() for value in values)
    if not found <= allowed:
        raise invalid(f"Invalid filters: {name} must be one of {', '.join(sorted(allowed))}.", "filters")
    return found


def is_platform(call: Call) -> bool:
    """Whether the account has connected accounts."""
    owner = (call.account, int(call.livemode))
    return bool(call.tx.execute("SELECT 1 FROM connections WHERE platform = ? AND livemode = ? LIMIT 1", owner))


def add(call: Call, feature: str, filters: Filters) -> str:
    """Store a session and delete expired ones of the account. Returns its id."""
    id = call.ids.new("clisess")
    owner = (call.account, int(call.livemode))
    call.tx.execute(
        "DELETE FROM stripecli_sessions WHERE account = ? AND livemode = ? AND expires_at <= ?", (*owner, call.now)
    )
    kept = orjson.dumps({name: sorted(values) for name, values in filters.items()}).decode()
    call.tx.execute(
        "INSERT INTO stripecli_sessions (id, account, livemode, feature, filters, expires_at) VALUES (?, ?, ?, ?, ?,"
        " ?)",
        (id, *owner, feature, kept, call.now + SESSION_SECONDS),
    )
    return id


def find(tx: Tx, scope: Scope, id: str) -> Session | None:
    """The session with an id, or None."""
    rows = tx.execute(
        "SELECT id, feature, filters FROM stripecli_sessions WHERE id = ? AND account = ? AND livemode = ?",
        (id, scope.account, int(scope.livemode)),
    )
    if not rows:
        return None
    filters = {name: frozenset(values) for name, values in orjson.loads(rows[0][2]).items()}
    return Session(rows[0][0], rows[0][1], filters)


def replay(call: Call, event: str, source: str) -> None:
    """Resend an event to every ``stripe listen`` of the call's account. source: the account that stores the event."""
    owner, old = (call.account, int(call.livemode)), call.real - SESSION_SECONDS
    call.tx.execute("DELETE FROM stripecli_resends WHERE account = ? AND livemode = ? AND created < ?", (*owner, old))
    call.tx.execute(
        "INSERT INTO stripecli_resends (account, livemode, event, source, created) VALUES (?, ?, ?, ?, ?)",
        (*owner, event, source, call.real),
    )
