"""Request logs: who asked what, and what was answered. Kept for the Dashboard, without secrets.

Entries gather in memory and are written in the background, so a request never waits for its log. What
is kept of an ordinary one is worked out at once: a thread that did so would take turns with the event loop. One of
more than 2,000 bytes, which may take milliseconds to redact, waits as it is and is redacted beside the loop, before the
transaction that writes it. Of those at most 120,000 bytes wait at a time. Of what comes beyond, the bodies are not
kept: a caller of many long requests must take neither the interpreter nor the log's file from others.
A full buffer drops the newest and counts them: a log that fails never changes an answer. The bodies
of successful reads are not kept: the object is there to look at.

With SQLite the logs live in a file of their own, so that writing them waits for no payment and no
payment for them; its tables can be read through the main database.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any, NamedTuple

from tollkey.db import Database, Migration, Scope, Tx
from tollkey.platform._redacting import redact, redact_form, redact_ours
from tollkey.platform.request_counts import count, forget_old_counts
from tollkey.wire import LATEST, Logged, Request

MIGRATION = Migration(
    "request_logs",
    (
        "CREATE TABLE request_logs (seq {key}, id TEXT NOT NULL, account TEXT NOT NULL, livemode {bool} NOT NULL,"
        " at {int} NOT NULL,"
        " milliseconds {int} NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL,"
        " status INTEGER NOT NULL,"
        " error_code TEXT, key_id TEXT, key_shown TEXT, ip TEXT, version TEXT NOT NULL, user_agent TEXT,"
        " idempotency_key TEXT,"
        " request_body TEXT NOT NULL, response_body TEXT NOT NULL, object_id TEXT)",
        "CREATE INDEX request_logs_at ON request_logs (account, livemode, at, seq)",
        "CREATE INDEX request_logs_key ON request_logs (account, livemode, key_id, at, seq)",
        "CREATE INDEX request_logs_status ON request_logs (account, livemode, status, at, seq)",
        "CREATE INDEX request_logs_id ON request_logs (account, livemode, id)",
        "CREATE INDEX request_logs_object ON request_logs (account, livemode, object_id, at,"
        " seq) WHERE object_id IS NOT NULL",
        "CREATE TABLE request_counts (account TEXT NOT NULL, livemode {bool} NOT NULL, hour {int} NOT NULL,"
        " status INTEGER NOT NULL,"
        " error_code TEXT NOT NULL, requests {int} NOT NULL, PRIMARY KEY (account, livemode, hour, status,"
        " error_code))",
        "CREATE TABLE request_key_counts (account TEXT NOT NULL, livemode {bool} NOT NULL, hour {int} NOT NULL,"
        " key_id TEXT NOT NULL,"
        " kind INTEGER NOT NULL, requests {int} NOT NULL, PRIMARY KEY (account, livemode, hour, key_id, kind))",
        "CREATE INDEX request_key_counts_of ON request_key_counts (account, livemode, key_id, hour)",
        "INSERT INTO request_counts SELECT account, livemode, at - at % 3600, status, coalesce(error_code, ''),"
        " count(*)"
        " FROM request_logs GROUP BY 1, 2, 3, 4, 5",
        "INSERT INTO request_key_counts SELECT account, livemode, at - at % 3600, key_id, status / 100, count(*)"
        " FROM request_logs WHERE key_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5",
        "CREATE TABLE request_key_days (account TEXT NOT NULL, livemode {bool} NOT NULL, day {int} NOT NULL,"
        " key_id TEXT NOT NULL,"
        " requests {int} NOT NULL, PRIMARY KEY (account, livemode, day, key_id))",
        "INSERT INTO request_key_days SELECT account, livemode, hour - hour % 86400, key_id, sum(requests)"
        " FROM request_key_counts GROUP BY 1, 2, 3, 4",
    ),
)

_MOST_WAITING = 20_000
_LONGEST = 10_000  # characters kept of a body
_READ = 12_000  # bytes of it that are looked at: what is taken out makes room
_LIGHT = 2_000  # bytes of an entry that is redacted at once
_LONG_PATH = 2_000  # characters kept of a path
_SHORT_PATH = 500  # characters kept of a path without bodies
_MOST_LONG = 120_000  # bytes of longer entries that wait to be redacted: some 0.1 s of the interpreter at worst
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"

log = logging.getLogger("tollkey")


class RequestLog(NamedTuple):
    """One logged request. at: UTC epoch seconds."""

    seq: int
    id: str
    at: int
    milliseconds: int
    method: str
    path: str
    query: str
    status: int
    error_code: str | None
    key_id: str | None
    key_shown: str | None
    ip: str | None
    version: str
    user_agent: str | None
    idempotency_key: str | None
    request_body: str
    response_body: str
    object_id: str | None


_COLUMNS = ", ".join(RequestLog._fields)
_SHORT = ", ".join("''" if name.endswith("_body") else name for name in RequestLog._fields)
#: What the wire answers; other statuses are looked for one at a time.
_STATUSES = (200, 303, 400, 401, 402, 403, 404, 405, 409, 413, 414, 415, 429, 500, 502, 503)
_ID = re.compile(rb'\A\{\s*"id":\s*"([A-Za-z0-9_]{1,80})"')
_REFUSED = re.compile(rb'"(?:payment_intent|setup_intent)": \{\s*"id": "([^"]+)"')  # what an error is about


class Buffer:
    """Entries on their way to the database; given to the wire as its log.

    most_bytes: of bodies, as they are kept, that wait. pause: called after each long entry, in the thread that writes.
    """

    def __init__(self, most_bytes: int = 64 * 1024 * 1024, pause: Callable[[], None] = lambda: None) -> None:
        self._most_bytes, self._pause = most_bytes, pause
        self._waiting: deque[tuple[object, ...] | Logged] = deque()
        self._bytes = 0
        self._long = 0  # bytes of those that wait to be redacted
        self.dropped = 0

    @property
    def waiting(self) -> bool:
        """Whether anything is still to be written."""
        return bool(self._waiting)

    def __call__(self, entry: Logged) -> None:
        if len(self._waiting) >= _MOST_WAITING or self._bytes >= self._most_bytes:
            self.dropped += 1
            return
        waits: tuple[object, ...] | Logged
        if _asked_bytes(entry) <= _LIGHT or not _can_be_cut(entry.request):
            waits = _row(entry)
        elif self._long < _MOST_LONG:
            waits = _shortened(entry)
            self._long += _size(waits)
        else:
            waits = _row(entry, f"[{len(entry.request.body)} bytes, not kept: too many long requests at once]")
        self._bytes += _size(waits)
        self._waiting.append(waits)

    def flush(self, database: Database, most: int = 2_000) -> int:
        """Write at most so many waiting entries and return how many.

        What the transaction loses is lost: logs are not money.
        """
        rows: list[tuple[object, ...]] = []
        while self._waiting and len(rows) < most:
            waits = self._waiting.popleft()
            self._bytes -= _size(waits)
            if isinstance(waits, Logged):
                self._long -= _size(waits)
                rows += _redacted(waits)
                self._pause()  # the event loop goes first
            else:
                rows.append(waits)
        if rows:
            database.write(partial(_insert, rows))
        return len(rows)


def _insert(rows: list[tuple[object, ...]], tx: Tx) -> None:
    if tx.dialect == "sqlite":
        # A statement for many rows runs beside the event loop instead of taking turns with it at each.
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            tx.execute(_INTO + ", ".join([_MARKS] * len(some)), [value for row in some for value in row])
    else:
        tx.execute_many(_INSERT, rows)
    count(tx, ((*row[1:4], *row[8:11]) for row in rows))


_WRITTEN = (
    "id", "account", "livemode", "at", "milliseconds", "method", "path", "query", "status", "error_code", "key_id",
    "key_shown", "ip",
    "version", "user_agent", "idempotency_key", "request_body", "response_body", "object_id",
)  # fmt: skip
_INTO = f"INSERT INTO request_logs ({', '.join(_WRITTEN)}) VALUES "
_MARKS = f"({', '.join('?' for _ in _WRITTEN)})"
_INSERT = _INTO + _MARKS
_AT_ONCE = 100


def _size(waits: tuple[Any, ...]) -> int:
    """How many bytes of paths, queries and bodies wait, of an entry or of its row."""
    if not isinstance(waits, Logged):
        return len(waits[-3]) + len(waits[-2])
    kept = waits.response.storable if waits.response.status >= 400 or waits.request.method != "GET" else b""
    return len(waits.request.path) + len(waits.request.query) + len(waits.request.body) + len(kept)


def _asked_bytes(entry: Logged) -> int:
    """How many bytes come from the caller, and so may take long to redact: an error repeats what was sent.

    Answers of ours take 0.04 ms.
    """
    repeated = len(entry.response.storable) if entry.response.status >= 400 else 0
    return len(entry.request.path) + len(entry.request.query) + len(entry.request.body) + repeated


def _kind(request: Request) -> str:
    """The media type of the body, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _can_be_cut(request: Request) -> bool:
    """Whether of the body only the beginning counts; of others the length is kept."""
    return not request.body or _kind(request) in (_FORM, _JSON)


def _shortened(entry: Logged) -> Logged:
    """An entry that takes long to redact, for ``flush`` to redact off the event loop; of its request only what may be
    kept.
    """
    most = _READ + 1  # one more, so that it is seen to be cut
    request = copy(entry.request)
    request.query, request.body, request.incoming = request.query[:most], request.body[:most], None
    return entry._replace(request=request)


def _redacted(entry: Logged) -> list[tuple[object, ...]]:
    """Its row; none when it cannot be made, which must not cost the rows beside it."""
    try:
        return [_row(entry)]
    except Exception:
        log.exception("request log of %s", entry.request_id)
        return []


def _row(entry: Logged, instead: str = "") -> tuple[object, ...]:
    """The row of an entry. instead: what stands for its bodies when they are not kept."""
    request, response, key, account, request_id, started, seconds = entry
    headers = request.headers
    most = _SHORT_PATH if instead else _LONG_PATH
    asked_path = _cut(request.path, most) if len(request.path) > most else request.path
    query = request.query[:_READ].decode("utf-8", "replace").replace("\0", "") if request.query and not instead else ""
    row = (
        request_id,
        account,
        int(key.livemode),
        int(started),
        int(seconds * 1000),
        request.method,
        redact(asked_path),
        redact_form(query) if query else "",
        response.status,
        response.code,
        key.id,
        key.redacted,
        request.ip,
        redact((headers.get("stripe-version") or LATEST)[:100]),
        redact(headers.get("user-agent", "")[:200]),
        redact(headers["idempotency-key"][:300]) if "idempotency-key" in headers else None,
    )
    if request.method == "GET" and response.status == 200:  # the object itself is there to look at
        return (*row, "", "", asked_path.rpartition("/")[2] if "_" in asked_path[4:] else None)
    found = _ID.match(response.storable) if response.status < 400 else _REFUSED.search(response.storable)
    object_id = found[1].decode() if found else None
    if response.status < 400:
        answered = redact_ours(_text(response.storable))[:_LONGEST]
    else:  # it repeats what the caller sent
        answered = instead or redact(_text(response.storable))[:_LONGEST]
    if instead or not request.body:
        return (*row, instead, answered, object_id)
    return (*row, _asked(request.body, _kind(request))[:_LONGEST], answered, object_id)


def _asked(body: bytes, kind: str) -> str:
    """The body as it may be kept: a form or JSON.

    Of another kind nobody knows which of its bytes are a security code.
    """
    if kind.startswith("multipart/"):
        return f"[multipart form of {len(body)} bytes]"
    text = _text(body)
    if kind == _JSON or text.lstrip().startswith("{"):
        return redact(text)
    if kind != _FORM or "content-disposition:" in text.lower():
        return f"[{len(body)} bytes that are no form]"
    return redact_form(text)


def _text(body: bytes) -> str:
    text = body[:_READ].decode("utf-8", "replace").replace("\0", "")
    return _cut(text, len(text)) if len(body) > _READ else text


def _cut(text: str, most: int) -> str:
    """Its beginning without a number at the end: one that is cut off would not be known as a card's."""
    return text[:most].rstrip("0123456789abcdefABCDEF%+- ")


def find(
    tx: Tx,
    scope: Scope,
    *,
    limit: int = 50,
    before: RequestLog | None = None,
    key_id: str | None = None,
    status: tuple[int, int] | None = None,
    method: str | None = None,
    path: str | None = None,
    since: int | None = None,
    until: int | None = None,
    floor: RequestLog | None = None,
) -> list[RequestLog]:
    """Requests of one scope, newest first, without their bodies.

    status: lowest and highest. path: how it begins. since, until: UTC epoch seconds. before: continue behind this one.
    floor: look no further back than this one (``horizon``): no index helps to find a path that hardly ever came.
    """
    where: list[str] = ["account = ?", "livemode = ?"]
    values: list[object] = [scope.account, int(scope.livemode)]
    for clause, given in (
        ("key_id = ?", [key_id]), ("method = ?", [method]), ("path LIKE ? ESCAPE '!'", [_prefix(path)]),
        ("at >= ?", [since]), ("at <= ?", [until]), ("(at, seq) < (?, ?)", (before.at, before.seq) if before else None),
        ("(at, seq) >= (?, ?)", (floor.at, floor.seq) if floor else None),
    ):  # fmt: skip
        if given is not None and given[0] is not None:
            where.append(clause)
            values.extend(given)
    plain = f"SELECT {_SHORT} FROM request_logs WHERE {' AND '.join(where)}"
    if status is None or key_id is not None:
        if status is not None:
            plain, values = f"{plain} AND status BETWEEN ? AND ?", [*values, *status]
        rows = tx.execute(f"{plain} ORDER BY at DESC, seq DESC LIMIT ?", (*values, limit))
        return [RequestLog(*row) for row in rows]
    # One look into the index for each status, since a range of them is not in the order of time.
    each = [code for code in _STATUSES if status[0] <= code <= status[1]] or [status[0]]
    part = f"SELECT * FROM ({plain} AND status = ? ORDER BY at DESC, seq DESC LIMIT ?) AS one"
    rows = tx.execute(
        f"{' UNION ALL '.join([part] * len(each))} ORDER BY at DESC, seq DESC LIMIT ?",
        [*(value for code in each for value in (*values, code, limit)), limit],
    )
    return [RequestLog(*row) for row in rows]


def horizon(
    tx: Tx, scope: Scope, before: RequestLog | None = None, until: int | None = None, most: int = 30_000
) -> RequestLog | None:
    """The request that comes ``most`` requests behind, or None when there are fewer: how far a search without an index
    looks.
    """
    where, values = "account = ? AND livemode = ?", [scope.account, int(scope.livemode)]
    if before is not None:
        where, values = f"{where} AND (at, seq) < (?, ?)", [*values, before.at, before.seq]
    if until is not None:
        where, values = f"{where} AND at <= ?", [*values, until]
    rows = tx.execute(
        f"SELECT at, seq FROM request_logs WHERE {where} ORDER BY at DESC, seq DESC LIMIT 1 OFFSET ?",
        [*values, most - 1],
    )
    if not rows:
        return None
    found = tx.execute(f"SELECT {_SHORT} FROM request_logs WHERE seq = ?", (rows[0][1],))
    return RequestLog(*found[0])


def _prefix(path: str | None) -> str | None:
    if not path:
        return None
    return path.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"


def one(tx: Tx, scope: Scope, id: str) -> RequestLog | None:
    """One request with its redacted bodies, or None."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM request_logs WHERE account = ? AND livemode = ? AND id = ?",
        (scope.account, int(scope.livemode), id),
    )
    return RequestLog(*rows[0]) if rows else None


def about(tx: Tx, scope: Scope, object_id: str, limit: int = 20) -> list[RequestLog]:
    """Requests that answered or named that object, newest first, without their bodies."""
    rows = tx.execute(
        f"SELECT {_SHORT} FROM request_logs WHERE account = ? AND livemode = ? AND object_id = ? ORDER BY at DESC,"
        f" seq DESC LIMIT ?",
        (scope.account, int(scope.livemode), object_id, limit),
    )
    return [RequestLog(*row) for row in rows]


def by_version(tx: Tx, scope: Scope, since: int) -> list[tuple[str, int]]:
    """API versions asked for among the last 2,000 requests since then (UTC epoch seconds), most first."""
    rows = tx.execute(
        "SELECT version, count(*) AS requests FROM (SELECT version FROM request_logs WHERE account = ? AND livemode ="
        " ? AND at >= ?"
        " ORDER BY at DESC, seq DESC LIMIT 2000) AS latest GROUP BY version ORDER BY requests DESC",
        (scope.account, int(scope.livemode), since),
    )
    return [(version, int(count)) for version, count in rows]


def forget_old(tx: Tx, before: int, most: int = 2_000) -> bool:
    """Drop the oldest requests from before then (UTC epoch seconds), so many at once; returns whether there may be
    more.
    """
    gone = tx.execute(
        "DELETE FROM request_logs WHERE seq IN"
        " (SELECT seq FROM (SELECT seq, at FROM request_logs ORDER BY seq LIMIT ?) AS oldest WHERE at < ?) RETURNING 1",
        (most, before),
    )
    if len(gone) == most:
        return True
    forget_old_counts(tx, before)
    return False


def asked_by(tx: Tx, scope: Scope, key_id: str, most: int = 5_000) -> tuple[list[tuple[str, str]], int, int | None]:
    """What a key really asks for: (method, path) of its newest requests that it was allowed to make.

    Returns them without repetition, how many requests were looked at, and when the oldest of them was (UTC epoch
    seconds).
    """
    newest = (
        "SELECT method, path, status, at FROM request_logs WHERE account = ? AND livemode = ? AND key_id = ?"
        " ORDER BY at DESC, seq DESC LIMIT ?"
    )
    values = (scope.account, int(scope.livemode), key_id, most)
    asked = tx.execute(f"SELECT DISTINCT method, path FROM ({newest}) AS newest WHERE status NOT IN (401, 403)", values)
    count, oldest = tx.execute(f"SELECT count(*), min(at) FROM ({newest}) AS newest", values)[0]
    return [(method, path) for method, path in asked], int(count), oldest
