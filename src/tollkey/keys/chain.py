"""A hash chain over an append-only log, which detects rows that were changed, deleted or inserted outside the program.

Each row gets a code: a keyed hash of the previous code, the row's number and its content. The key is derived from the
keyring, so that access to the database alone does not suffice to compute codes. The *head* of the log stores the last
code, the number of rows, and a signature of both (with another key, so that no code can serve as a signature); it
detects rows deleted at the end.

Rows are added while the row of the head is locked, which serialises the writers of all nodes, so that ``seq`` and the
chain have the same order.

Rows that are older than the chain are hashed when it begins and are protected from then on. The database alone cannot
detect that the whole database was restored from an older copy: store the head that ``verify`` returns elsewhere, and
pass it to a later ``verify``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tollkey.db import Migration, Row, Tx
from tollkey.db.append_only import append_only
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


class ChainedLog(NamedTuple):
    """A log with a hash chain.

    name: its name, part of every code. table: its table, with primary key ``seq``. columns: the hashed columns, in
    order.
    """

    name: str
    table: str
    columns: tuple[str, ...]


class ChainVerification(NamedTuple):
    """The result of ``verify``; its truth value is ``whole``.

    log: name of the log. whole: nothing was changed, deleted or inserted. entries: number of rows.
    head: ``entries:code`` of the last row, to be stored elsewhere.
    began_at: when the chain began, UTC epoch seconds; None without a chain. before: number of rows older than it.
    seq: of the first row that fails, None if unknown. why: the reason in one sentence; empty if whole.
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
        """Return ``whole``."""
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


def guard(tx: Tx, log: ChainedLog) -> None:
    """Install the append-only triggers on a log and its chain. May be called again. Call it after ``migrate``."""
    append_only(tx, log.table)
    append_only(tx, "audit_chain")


def begin(tx: Tx, keyring: Keyring, log: ChainedLog, now: int) -> None:
    """Begin the chain of a log unless it has one, hashing its existing rows.

    now: UTC epoch seconds. It reads the whole log the first time: call it at start, in a transaction with a lock that
    keeps other nodes from writing to the log. Raises StorageError.
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
            "the head of the hash chain over %s was deleted; a new chain begins, and its verification will fail",
            log.table,
        )
    elif entries:
        _log.warning(
            "the hash chain over %s begins; %d existing entries are included without a check", log.table, entries
        )


def add(tx: Tx, keyring: Keyring, log: ChainedLog, values: Sequence[object], now: int) -> None:
    """Write a row of a log and its code; see ``add_many``."""
    add_many(tx, keyring, log, [values], now)


def add_many(tx: Tx, keyring: Keyring, log: ChainedLog, rows: Sequence[Sequence[object]], now: int) -> None:
    """Write rows of a log and their codes, in the transaction of the changes that they record.

    rows: at least one, with the values of ``log.columns`` in the form in which the database returns them (int, str,
    None). now: UTC epoch seconds.
    Other writers of the log wait until this transaction ends. If the signature of the head is not valid, the rows are
    written but the head is not signed again. Raises StorageError.
    """
    head = _head(tx, log, lock=True)
    if head is None:
        begin(tx, keyring, log, now)
        head = _head(tx, log, lock=True)
        assert head is not None
    code, name, chained = head.code, keyring.digest_current, []
    for entry, *values in _inserted(tx, log, rows):
        code = _code(keyring, name, log, code, entry, values)
        chained.append((log.name, entry, code, name))
    tx.execute_many("INSERT INTO audit_chain (log, entry, code, code_key) VALUES (?, ?, ?, ?)", chained)
    entry = chained[-1][1]
    became = head._replace(entries=head.entries + len(chained), entry=entry, code=code, code_key=name)
    valid = head.code_key in keyring.digest_keys and _signature_valid(keyring, log, head)
    if not valid:  # a new signature would hide the manipulation; without one ``verify`` keeps failing
        _log.error("the head of the hash chain over %s was changed outside the program", log.table)
    tx.execute(
        "UPDATE audit_heads SET entries = ?, entry = ?, code = ?, code_key = ?, signature = ? WHERE log = ?",
        (became.entries, entry, code, name, _signature(keyring, name, log, became) if valid else _UNSIGNED, log.name),
    )


def _inserted(tx: Tx, log: ChainedLog, rows: Sequence[Sequence[object]]) -> list[Row]:
    """Insert rows and return them in their order in the log, as ``seq`` and the hashed columns."""
    columns = ", ".join(log.columns)
    done: list[Row] = []
    for at in range(0, len(rows), _BATCH):
        batch = rows[at : at + _BATCH]
        marks = ", ".join([f"({', '.join('?' * len(log.columns))})"] * len(batch))
        sql = f"INSERT INTO {log.table} ({columns}) VALUES {marks} RETURNING seq, {columns}"
        done += sorted(tx.execute(sql, [value for row in batch for value in row]), key=lambda row: int(row[0]))
    return done


def verify(tx: Tx, keyring: Keyring, log: ChainedLog, expected: str | None = None) -> ChainVerification:
    """Check every row of a log against its chain.

    tx: a transaction with a consistent snapshot. expected: a ``ChainVerification.head`` stored earlier, which must be
        in the chain.
    Returns a ChainVerification. Raises StorageError.
    """
    head = _head(tx, log)
    if head is None:
        return ChainVerification(
            log.name,
            False,
            0,
            "",
            None,
            0,
            None,
            "the log has no head: it was deleted, or no server has begun the chain yet",
        )
    verification = _ChainCheck(tx, keyring, log, head, expected)
    try:
        verification.run()
    except _Broken as broken:
        return verification.verdict(False, broken.seq, broken.why)
    return verification.verdict(True, None, "")


class _Broken(Exception):
    def __init__(self, seq: int | None, why: str) -> None:
        super().__init__(why)
        self.seq, self.why = seq, why


class _ChainCheck:
    """One verification of a log, from its first row to its head."""

    def __init__(self, tx: Tx, keyring: Keyring, log: ChainedLog, head: _Head, expected: str | None) -> None:
        self.tx, self.keyring, self.log, self.head, self.expected = tx, keyring, log, head, expected
        self.code, self.entries = _START, 0

    def verdict(self, whole: bool, seq: int | None, why: str) -> ChainVerification:
        head = f"{self.head.entries}:{self.head.code.hex()}"
        return ChainVerification(
            self.log.name, whole, self.entries, head, self.head.began_at, self.head.began_entries, seq, why
        )

    def run(self) -> None:
        """Check the log. Raises _Broken at the first difference."""
        head = self.head
        for name in (head.code_key, head.began_key):
            self._require_key(name, None)
        if not _signature_valid(self.keyring, self.log, head):
            raise _Broken(None, "the signature of the head is not valid: the head was changed")
        self._check_before_chain()
        for row in _chained(self.tx, self.log, head.began_entry):
            self._check_row(row)
        if (self.entries, self.code) != (head.entries, head.code):
            raise _Broken(
                None, f"entries at the end are missing: the head counts {head.entries}, the log has {self.entries}"
            )
        if self.expected is not None:
            raise _Broken(
                None, "the expected head is not in this chain: entries are missing, or the database was restored"
            )

    def _check_before_chain(self) -> None:
        """Check the rows older than the chain against their hash from its beginning."""
        head = self.head
        for row in _rows(self.tx, self.log, 0, head.began_entry):
            self.entries += 1
            self.code = _code(self.keyring, head.began_key, self.log, self.code, row[0], row[1:])
        if (self.entries, self.code) != (head.began_entries, head.began_code):
            raise _Broken(
                None,
                f"the entries up to number {head.began_entry}, older than the chain, were changed after it began",
            )
        orphan = "SELECT 1 FROM audit_chain WHERE log = ? AND entry <= ? LIMIT 1"
        if self.tx.execute(orphan, (self.log.name, head.began_entry)):
            raise _Broken(None, "the chain was started again over entries that already had codes")
        self._match_expected()

    def _check_row(self, row: Row) -> None:
        seq, stored, name, values = row[0], row[1], row[2], row[3:]
        if stored is None:
            raise _Broken(seq, "it was inserted outside the program: it has no code")
        self._require_key(name, seq)
        self.entries += 1
        self.code = _code(self.keyring, name, self.log, self.code, seq, values)
        if not hmac.compare_digest(self.code, bytes(stored)):
            raise _Broken(seq, "it was changed, or entries directly before it were changed, deleted or inserted")
        self._match_expected()

    def _match_expected(self) -> None:
        if self.expected is not None and f"{self.entries}:{self.code.hex()}" == self.expected:
            self.expected = None

    def _require_key(self, name: str, seq: int | None) -> None:
        if name not in self.keyring.digest_keys:
            raise _Broken(seq, f"it cannot be checked: the key {name[:20]} is not in the keyring")


def _head(tx: Tx, log: ChainedLog, lock: bool = False) -> _Head | None:
    locking = " FOR UPDATE" if lock and tx.dialect == "postgres" else ""  # SQLite has one writer
    rows = tx.execute(f"SELECT {_HEAD} FROM audit_heads WHERE log = ?{locking}", (log.name,))
    if not rows:
        return None
    head = _Head(*rows[0])
    return head._replace(code=bytes(head.code), began_code=bytes(head.began_code), signature=bytes(head.signature))


def _rows(tx: Tx, log: ChainedLog, after: int, until: int | None = None) -> Iterator[Row]:
    """Yield the rows of a log as ``seq`` and the hashed columns, read in batches."""
    end, more = ("", []) if until is None else (" AND seq <= ?", [until])
    while True:
        sql = f"SELECT seq, {', '.join(log.columns)} FROM {log.table} WHERE seq > ?{end} ORDER BY seq LIMIT {_BATCH}"
        rows = tx.execute(sql, (after, *more))
        yield from rows
        if len(rows) < _BATCH:
            return
        after = rows[-1][0]


def _chained(tx: Tx, log: ChainedLog, after: int) -> Iterator[Row]:
    """Yield the rows of the chain as ``seq``, code, name of its digest key, and the hashed columns, in batches."""
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


def _code(keyring: Keyring, name: str, log: ChainedLog, before: bytes, entry: int, values: Sequence[object]) -> bytes:
    content = json.dumps([log.name, name, entry, *values], separators=(",", ":")).encode()
    return hashlib.blake2b(before + content, key=_derived(keyring, name, b"audit row"), digest_size=32).digest()


def _signature_valid(keyring: Keyring, log: ChainedLog, head: _Head) -> bool:
    return hmac.compare_digest(_signature(keyring, head.code_key, log, head), head.signature)


def _signature(keyring: Keyring, name: str, log: ChainedLog, head: _Head) -> bytes:
    signed = [log.name, *(value.hex() if isinstance(value, bytes) else value for value in head[:-1])]
    return hashlib.blake2b(
        json.dumps(signed).encode(), key=_derived(keyring, name, b"audit head"), digest_size=32
    ).digest()
