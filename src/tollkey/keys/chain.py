"""A hash chain over an append-only log: what was changed, removed or put in behind the program's back is found.

Each row gets a code made of the code before it, its number and its content, under a key derived from the keyring: who
    has only the database can make none. The log's *head* holds the last code, how many rows there are, and a signature
    over both (with another key, so that no code in the table is a signature): rows removed at the end are found by it.

Order: a row is added while the head's row is locked, so that of writers on several nodes one comes after the other, and
``seq`` counts up as the chain does.

A log that was there before the chain is summed up when the chain begins: its rows are covered from that moment on.
Whoever can put back the whole database as it once was cannot be told by the database: note the head that ``verify``
    gives elsewhere, and give it to a later ``verify``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tollkey.db import Migration, append_only
from tollkey.db.engine import Row, Tx
from tollkey.keys.keyring import Keyring

MIGRATION = Migration(
    "audit_chain",
    (
        "CREATE TABLE audit_chain (seq {key}, log TEXT NOT NULL, entry {int} NOT NULL, code {blob} NOT NULL,"
        " code_key TEXT NOT NULL)",
        "CREATE INDEX audit_chain_of ON audit_chain (log, entry)",
        "CREATE TABLE audit_heads (log TEXT NOT NULL PRIMARY KEY, entries {int} NOT NULL, entry {int} NOT NULL,"
        " code {blob} NOT NULL,"
        " code_key TEXT NOT NULL, began_entry {int} NOT NULL, began_entries {int} NOT NULL, began_code {blob} NOT NULL,"
        " began_key TEXT NOT NULL, began_at {int} NOT NULL, signature {blob} NOT NULL)",
    ),
)
_BATCH = 1000
_HEAD = "entries, entry, code, code_key, began_entry, began_entries, began_code, began_key, began_at, signature"
_START = _UNSIGNED = bytes(32)
_log = logging.getLogger(__name__)


class Log(NamedTuple):
    """A log that is chained. name: stands in every code. table: has the key ``seq``.

    columns: what is covered, in order.
    """

    name: str
    table: str
    columns: tuple[str, ...]


class Verdict(NamedTuple):
    """What ``verify`` found. False where a truth value is asked for, unless the log is whole.

    log: its name. whole: whether nothing was changed, removed or put in. entries: how many rows there are.
    head: ``entries:code`` of the last row; to be noted elsewhere. began_at: when the chain began (UTC epoch seconds),
        None without one. before: how many of the rows are older than the chain. seq: of the first row that is not as it
        was written, None when that cannot be told. why: in one sentence; "" when whole.
    """

    log: str
    whole: bool
    entries: int
    head: str
    began_at: int | None
    before: int
    seq: int | None = None
    why: str = ""

    def __bool__(self) -> bool:
        """Whether the log is whole."""
        return self.whole


class _Head(NamedTuple):
    entries: int
    entry: int
    code: bytes
    code_key: str
    began_entry: int
    began_entries: int
    began_code: bytes
    began_key: str
    began_at: int
    signature: bytes = b""


def guard(tx: Tx, log: Log) -> None:
    """Make the database refuse changes to a log and to its chain. Safe to repeat; run it after ``migrate``."""
    append_only(tx, log.table)
    append_only(tx, "audit_chain")


def begin(tx: Tx, keyring: Keyring, log: Log, now: int) -> None:
    """Begin the chain of a log, unless it has one: its rows up to now are summed up. now: UTC epoch seconds.

    Reads the whole log, once: call it at start, in a transaction in which nobody else writes to it.
    """
    if _head(tx, log) is not None:
        return
    name = keyring.digest_current
    code, entries, entry = _START, 0, 0
    for row in _rows(tx, log, 0):
        entries, entry = entries + 1, row[0]
        code = _code(keyring, name, log, code, entry, row[1:])
    head = _Head(entries, entry, code, name, entry, entries, code, name, now)
    tx.execute(
        f"INSERT INTO audit_heads (log, {_HEAD}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (log) DO NOTHING",
        (log.name, *head[:-1], _signature(keyring, name, log, head)),
    )
    if tx.execute("SELECT 1 FROM audit_chain WHERE log = ? LIMIT 1", (log.name,)):
        _log.error(
            "the head of the hash chain over %s was removed; it begins anew, and verifying it will say so", log.table
        )
    elif entries:
        _log.warning(
            "the hash chain over %s begins; %d entries that are there already are taken as they are", log.table, entries
        )


def add(tx: Tx, keyring: Keyring, log: Log, values: Sequence[object], now: int) -> None:
    """Write one row of a log and its code, in the transaction of what it tells of.

    values: of ``log.columns``, as the database gives them back (ints, texts, None). now: UTC epoch seconds.
    Writers of one log take turns from here to their commit. A head that is not ours is never signed again. Raises
    StorageError.
    """
    head = _head(tx, log, lock=True)
    if head is None:
        begin(tx, keyring, log, now)
        head = _head(tx, log, lock=True)
        assert head is not None
    marks = ", ".join("?" * len(log.columns))
    rows = tx.execute(f"INSERT INTO {log.table} ({', '.join(log.columns)}) VALUES ({marks}) RETURNING seq", values)
    entry, name = int(rows[0][0]), keyring.digest_current
    code = _code(keyring, name, log, head.code, entry, values)
    tx.execute(
        "INSERT INTO audit_chain (log, entry, code, code_key) VALUES (?, ?, ?, ?)", (log.name, entry, code, name)
    )
    became = head._replace(entries=head.entries + 1, entry=entry, code=code, code_key=name)
    genuine = head.code_key in keyring.digest_keys and _is_ours(keyring, log, head)
    if not genuine:  # signing what follows would make the change good; the log goes on, and ``verify`` goes on telling
        _log.error("the head of the hash chain over %s was changed from outside", log.table)
    tx.execute(
        "UPDATE audit_heads SET entries = ?, entry = ?, code = ?, code_key = ?, signature = ? WHERE log = ?",
        (became.entries, entry, code, name, _signature(keyring, name, log, became) if genuine else _UNSIGNED, log.name),
    )


def verify(tx: Tx, keyring: Keyring, log: Log, expected: str | None = None) -> Verdict:
    """Go over a whole log and tell whether it is as it was written, and where it first is not.

    tx: a consistent view. expected: a head that was noted earlier (``Verdict.head``): it must still be in the chain.
    """
    head = _head(tx, log)
    if head is None:
        return Verdict(
            log.name,
            False,
            0,
            "",
            None,
            0,
            None,
            "the log has no head: it was removed, or no server has begun the chain yet",
        )
    walk = _Walk(tx, keyring, log, head, expected)
    try:
        walk.go()
    except _Broken as broken:
        return walk.verdict(False, broken.seq, broken.why)
    return walk.verdict(True, None, "")


class _Broken(Exception):
    def __init__(self, seq: int | None, why: str) -> None:
        super().__init__(why)
        self.seq, self.why = seq, why


class _Walk:
    """One pass over a log, from its first row to its head."""

    def __init__(self, tx: Tx, keyring: Keyring, log: Log, head: _Head, expected: str | None) -> None:
        self.tx, self.keyring, self.log, self.head, self.expected = tx, keyring, log, head, expected
        self.code, self.entries = _START, 0

    def verdict(self, whole: bool, seq: int | None, why: str) -> Verdict:
        head = f"{self.head.entries}:{self.head.code.hex()}"
        return Verdict(self.log.name, whole, self.entries, head, self.head.began_at, self.head.began_entries, seq, why)

    def go(self) -> None:
        """Raises _Broken at the first thing that is not as it was written."""
        head = self.head
        for name in (head.code_key, head.began_key):
            self._has(name, None)
        if not _is_ours(self.keyring, self.log, head):
            raise _Broken(None, "the head's signature is not ours: the head was changed")
        self._older()
        for row in _chained(self.tx, self.log, head.began_entry):
            self._step(row)
        if (self.entries, self.code) != (head.entries, head.code):
            raise _Broken(
                None, f"entries at the end are missing: the head counts {head.entries}, {self.entries} are here"
            )
        if self.expected is not None:
            raise _Broken(
                None, "the head that was noted earlier is not in this chain: entries are missing, or all was put back"
            )

    def _older(self) -> None:
        """The rows from before the chain, as they were summed up when it began."""
        head = self.head
        for row in _rows(self.tx, self.log, 0, head.began_entry):
            self.entries += 1
            self.code = _code(self.keyring, head.began_key, self.log, self.code, row[0], row[1:])
        if (self.entries, self.code) != (head.began_entries, head.began_code):
            raise _Broken(
                None,
                f"the entries up to number {head.began_entry}, from before the chain,"
                f" are not what they were when it began",
            )
        orphan = "SELECT 1 FROM audit_chain WHERE log = ? AND entry <= ? LIMIT 1"
        if self.tx.execute(orphan, (self.log.name, head.began_entry)):
            raise _Broken(None, "the chain was begun anew over entries that had been chained before")
        self._noted()

    def _step(self, row: Row) -> None:
        seq, stored, name, values = row[0], row[1], row[2], row[3:]
        if stored is None:
            raise _Broken(seq, "it was put in from outside: it has no code")
        self._has(name, seq)
        self.entries += 1
        self.code = _code(self.keyring, name, self.log, self.code, seq, values)
        if not hmac.compare_digest(self.code, bytes(stored)):
            raise _Broken(seq, "it was changed, or entries right before it were changed, removed or put in")
        self._noted()

    def _noted(self) -> None:
        if self.expected is not None and f"{self.entries}:{self.code.hex()}" == self.expected:
            self.expected = None

    def _has(self, name: str, seq: int | None) -> None:
        if name not in self.keyring.digest_keys:
            raise _Broken(seq, f"it cannot be checked: the key {name[:20]} is not in the keyring")


def _head(tx: Tx, log: Log, lock: bool = False) -> _Head | None:
    locking = " FOR UPDATE" if lock and tx.dialect == "postgres" else ""  # SQLite has one writer
    rows = tx.execute(f"SELECT {_HEAD} FROM audit_heads WHERE log = ?{locking}", (log.name,))
    if not rows:
        return None
    head = _Head(*rows[0])
    return head._replace(code=bytes(head.code), began_code=bytes(head.began_code), signature=bytes(head.signature))


def _rows(tx: Tx, log: Log, after: int, until: int | None = None) -> Iterator[Row]:
    """The rows of a log: ``seq``, then the covered columns; in batches, so that memory is bounded."""
    end, more = ("", []) if until is None else (" AND seq <= ?", [until])
    while True:
        sql = f"SELECT seq, {', '.join(log.columns)} FROM {log.table} WHERE seq > ?{end} ORDER BY seq LIMIT {_BATCH}"
        rows = tx.execute(sql, (after, *more))
        yield from rows
        if len(rows) < _BATCH:
            return
        after = rows[-1][0]


def _chained(tx: Tx, log: Log, after: int) -> Iterator[Row]:
    """The rows after the beginning of the chain: ``seq``, code, its key, then the covered columns."""
    columns = ", ".join(f"l.{name}" for name in log.columns)
    while True:
        rows = tx.execute(
            f"SELECT l.seq, c.code, c.code_key, {columns} FROM {log.table} l LEFT JOIN audit_chain c ON c.log = ? AND"
            f" c.entry = l.seq"
            f" WHERE l.seq > ? ORDER BY l.seq LIMIT {_BATCH}",
            (log.name, after),
        )
        yield from rows
        if len(rows) < _BATCH:
            return
        after = rows[-1][0]


def _derived(keyring: Keyring, name: str, use: bytes) -> bytes:
    return hashlib.blake2b(key=keyring.digest_keys[name], digest_size=32, person=use).digest()


def _code(keyring: Keyring, name: str, log: Log, before: bytes, entry: int, values: Sequence[object]) -> bytes:
    content = json.dumps([log.name, name, entry, *values], separators=(",", ":")).encode()
    return hashlib.blake2b(before + content, key=_derived(keyring, name, b"audit row"), digest_size=32).digest()


def _is_ours(keyring: Keyring, log: Log, head: _Head) -> bool:
    return hmac.compare_digest(_signature(keyring, head.code_key, log, head), head.signature)


def _signature(keyring: Keyring, name: str, log: Log, head: _Head) -> bytes:
    told = [log.name, *(value.hex() if isinstance(value, bytes) else value for value in head[:-1])]
    return hashlib.blake2b(
        json.dumps(told).encode(), key=_derived(keyring, name, b"audit head"), digest_size=32
    ).digest()
