"""What is sent to a WebSocket of the Stripe CLI: new events, resent events, new request logs.

Rows are read from their table after the last one that was sent. On PostgreSQL a row may be committed after one with a
higher number, so rows of the last seconds are read again, and those already sent are remembered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from tollkey import USER_AGENT
from tollkey.db import Row, Scope, Table, Tx
from tollkey.keys import Key
from tollkey.keys.authority import Authority
from tollkey.outbox.signature import sign
from tollkey.platform._cli_sessions import REQUEST_LOGS, Filters, Session
from tollkey.platform.events import in_version
from tollkey.platform.request_log_batches import last_seq, oldest
from tollkey.platform.stripecli import signing_secret
from tollkey.wire import Call
from tollkey.wire.reveals import Reveals
from tollkey.wire.versions import LATEST

_BATCH = 100
_LATE_SECONDS = 3.0  # how long after a later row an earlier one may still be committed
_OF = "t.account = ? AND t.livemode = ?"


class Tail:
    """New rows of a table.

    highest: returns the highest number of a row. after: returns the first rows with a higher number than the given one,
    in order; their first column is the number.
    """

    def __init__(self, highest: Callable[[Tx], int], after: Callable[[Tx, int], list[Row]]) -> None:
        self._highest, self._after = highest, after
        self._floor, self._sent, self._tops = 0, set[int](), list[tuple[float, int]]()

    def begin(self, tx: Tx) -> None:
        """Skip existing rows."""
        self._floor = self._highest(tx)

    def next(self, tx: Tx, now: float) -> list[Row]:
        """Rows that were not returned before, at most a few hundred. now: seconds of a monotonic clock."""
        late = 0.0 if tx.dialect == "sqlite" else _LATE_SECONDS
        top, start, found = self._highest(tx), self._floor, list[Row]()
        while True:
            rows = self._after(tx, start)
            found += [row for row in rows if row[0] not in self._sent]
            if len(rows) < _BATCH:
                self._tops.append((now, top))
                break
            start = int(rows[-1][0])
            if len(found) >= _BATCH:
                break
        self._sent.update(int(row[0]) for row in found)
        while self._tops and self._tops[0][0] <= now - late:
            self._floor = max(self._floor, self._tops.pop(0)[1])
        self._sent = {seq for seq in self._sent if seq > self._floor}
        return found


def _rows_of(table: str, rows: str, scope: Scope) -> Tail:
    """New rows of a table. rows: the SQL after ``SELECT``; its first column is ``t.seq``, ``t`` is the table."""
    owner, top = (scope.account, int(scope.livemode)), f"SELECT max(seq) FROM {table}"
    after = f"SELECT {rows} WHERE t.seq > ? AND {_OF} ORDER BY t.seq LIMIT {_BATCH}"
    return Tail(lambda tx: int(tx.execute(top)[0][0] or 0), lambda tx, seq: tx.execute(after, (seq, *owner)))


_LOG_COLUMNS = "t.seq, t.id, t.account, t.at, t.method, t.path, t.status, t.key_id, t.ip, t.response_body"


def logs_of(scope: Scope) -> Tail:
    """New request logs of a scope, also those that wait for their indexes."""
    owner = (scope.account, int(scope.livemode))
    return Tail(last_seq, lambda tx, seq: oldest(tx, _LOG_COLUMNS, _OF, owner, seq, _BATCH))


class Feed:
    """The messages of one session, in order. waiting: those that were read, and not sent yet. connection: the last one.

    call: makes the call in which events are converted to older versions.
    """

    def __init__(
        self,
        tx: Tx,
        events: Table,
        authority: Authority,
        reveals: Reveals,
        scope: Scope,
        session: Session,
        call: Callable[[Tx, Scope], Call],
    ) -> None:
        self._call = call
        self._authority, self._reveals, self._scope, self._session = authority, reveals, scope, session
        if session.feature == REQUEST_LOGS:
            self._tails: list[Tail] = [logs_of(one) for one in _scopes(tx, scope, session.filters)]
        else:
            again = (
                f"stripecli_resends AS t JOIN {events.table} AS e ON e.account = t.source AND e.livemode = t.livemode "
                f"AND e.id = t.event"
            )
            self._tails = [
                _rows_of(events.table, f"t.seq, t.body FROM {events.table} AS t", scope),
                _rows_of("stripecli_resends", f"t.seq, e.body FROM {again}", scope),
            ]
        self._own: dict[str, bool] = {}  # key -> whether it is this account's
        self.waiting: deque[str] = deque()
        self.connection: object = None
        for tail in self._tails:
            tail.begin(tx)

    def next(self, tx: Tx, key: Key, now: float) -> list[str]:
        """What is to be sent now. key: the session's, which sees no more than it may read. now: UTC epoch seconds."""
        rows = [row for tail in self._tails for row in tail.next(tx, now)]
        if self._session.feature == REQUEST_LOGS:
            return [_logged(row, self._scope.livemode) for row in rows if self._wanted(tx, row)]
        if not rows:
            return []
        call = self._call(tx, self._scope)
        return [message for row in rows for message in self._events(call, bytes(row[1]), key, int(now))]

    def _events(self, call: Call, stored: bytes, key: Key, now: int) -> Iterator[str]:
        """One event in the default version and in the newest: the CLI keeps one of the two, depending on --latest."""
        connected = self._scope.account != key.account
        secret = signing_secret(self._authority.keyring, self._scope)
        event, bodies = orjson.loads(stored), {LATEST: stored}
        for version in (None, LATEST):
            body = in_version(call, event, bodies, version)
            if self._reveals.touches(key, connected, body):
                body = orjson.dumps(self._reveals.hide(key, connected, orjson.loads(body)), option=orjson.OPT_INDENT_2)
            yield _event(body, version, secret, now)

    # -- request logs

    def _wanted(self, tx: Tx, row: Row) -> bool:
        _, _, account, _, method, path, status, key_id, ip, _ = row
        filters = self._session.filters
        tests: dict[str, Callable[[frozenset[str]], bool]] = {
            "filter_http_method": lambda values: method in values,
            "filter_ip_address": lambda values: ip in values,
            "filter_request_path": lambda values: any(
                path == value or path.startswith(f"{value.rstrip('/')}/") for value in values
            ),
            "filter_request_status": lambda values: ("SUCCEEDED" if status in (200, 201, 202) else "FAILED") in values,
            "filter_source": lambda values: ("DASHBOARD" if key_id is None else "API") in values,
            "filter_status_code": lambda values: str(status) in values,
            "filter_status_code_type": lambda values: any(value[0] == str(status)[0] for value in values),
            "filter_account": lambda values: self._direction(tx, account, key_id) in values,
        }
        return all(tests[name](values) for name, values in filters.items())

    def _direction(self, tx: Tx, account: str, key_id: str | None) -> str:
        """Whether a request came from a platform, went to a connected account, or neither; "" for one that is not this
        account's.
        """
        if key_id is not None and key_id not in self._own:
            self._own[key_id] = self._authority.get(tx, self._scope, key_id) is not None
        own = key_id is None or self._own[key_id]
        if account != self._scope.account:
            return "CONNECT_OUT" if own and key_id is not None else ""
        return "SELF" if own else "CONNECT_IN"


_MOST_CONNECTED = 100


def _scopes(tx: Tx, scope: Scope, filters: Filters) -> list[Scope]:
    """Whose logs are read: the account's own, and for ``connect_out`` those of its connected accounts, where such
    requests stand.
    """
    if "CONNECT_OUT" not in filters.get("filter_account", ()):
        return [scope]
    rows = tx.execute(
        f"SELECT account FROM connections WHERE platform = ? AND livemode = ? ORDER BY account LIMIT {_MOST_CONNECTED}",
        (scope.account, int(scope.livemode)),
    )
    return [scope, *(Scope(row[0], scope.livemode) for row in rows)]


_ERROR_FIELDS = ("type", "charge", "code", "decline_code", "message", "param")


def _logged(row: Row, livemode: bool) -> str:
    """One line of the request log as the CLI reads it (stripe-cli, pkg/logtailing)."""
    _, id, _, at, method, path, status, _, _, answer = row
    error: dict[str, Any] = {}
    if status >= 400:
        try:
            error = orjson.loads(answer or "{}").get("error") or {}
        except orjson.JSONDecodeError:  # a long answer is kept in part
            error = {}
    payload = {
        "created_at": at,
        "livemode": livemode,
        "method": method,
        "request_id": id,
        "status": status,
        "url": path,
        "error": {name: str(error[name]) for name in _ERROR_FIELDS if error.get(name)},
    }
    return orjson.dumps(
        {"type": "request_log_event", "request_log_id": id, "event_payload": orjson.dumps(payload).decode()}
    ).decode()


def _event(body: bytes, version: str | None, secret: str, now: int) -> str:
    event = orjson.loads(body)
    headers = {
        "Accept": "*/*; q=0.5, application/xml",
        "Cache-Control": "no-cache",
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": sign(body, (secret,), now),
        "User-Agent": USER_AGENT,
    }
    message = {
        "type": "webhook_event",
        "endpoint": {"api_version": version, "status": "enabled", "events": ["*"]},
        "event_payload": body.decode(),
        "http_headers": headers,
        "webhook_conversation_id": f"wc_{event['id']}",
        "webhook_id": f"wh_{event['id']}",
    }
    return orjson.dumps(message).decode()
