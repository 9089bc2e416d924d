"""What was asked of a bank and what it said: an SQLite file beside the folders, and the files that go through them.

A payout is in the journal before it is in a file, and a file appears in ``out`` by one rename:

    queued ──its file is written into state/staged──▶ queued
           ──the journal names the file──▶ staged ──rename into out──▶ delivered

A file that the journal names is in ``state/staged`` or has been moved to ``out``: so whoever finds it staged after a
crash, in whatever process, moves it, and nothing is ordered twice. A file that it does not name was never sent.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypedDict

from tollkey.payments.processors.bank_files import orders, statements
from tollkey.payments.processors.bank_files.config import Account, Config
from tollkey.payments.processors.bank_files.orders import Order
from tollkey.payments.processors.bank_files.statements import Line, Statement
from tollkey.payments.processors.bank_files.xml import LARGEST, Unreadable
from tollkey.payments.processors.network import Approved, Declined, NotFound, Notice, Notices, Pending

log = logging.getLogger("tollkey")
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, state TEXT NOT NULL, digest TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS payouts (seq INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL UNIQUE,"
    " message TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,"
    " at INTEGER NOT NULL, ordered TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS payouts_message ON payouts (message, currency)",
    "CREATE TABLE IF NOT EXISTS files (id TEXT PRIMARY KEY, digest TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS notices (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " told TEXT NOT NULL)",
)
_PAGE: Final = 200
_ROW: Final = "reference, amount, currency, at, outcome"
_Kind: TypeAlias = Literal["result", "settled", "returned"]


class Told(TypedDict):
    """A notice as the journal keeps it; see ``Notice``. code: the bank's reason, empty for none."""

    id: str
    kind: _Kind
    reference: str
    at: int
    amount: int
    currency: str
    code: str


class Journal:
    """The journal of a configuration. Its methods block; several processes may use one."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._file = config.state / "journal.db"
        self._staged, self._sent, self._read, self._failed = (
            config.state / name for name in ("staged", "sent", "read", "failed")
        )
        #: Sizes and times of files that could not be read: they may still be on their way.
        self._looked: dict[str, tuple[int, int]] = {}

    def open(self) -> None:
        """Make what is missing. Raises OSError and sqlite3.Error."""
        for folder in (self._staged, self._sent, self._read, self._failed):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._file.touch(mode=0o600)
        with closing(self._connect()) as connection:
            for statement in _SCHEMA:
                connection.execute(statement)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, timeout=10)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other process shares."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    # -- payouts

    def queue(self, order: Order) -> None:
        """Take a payout, once. It is in one of the next files."""
        with self._writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO payouts (reference, message, amount, currency, at, ordered, outcome, reason)"
                " VALUES (?, '', ?, ?, ?, ?, '', '')",
                (order.reference, order.amount, order.currency, order.at, json.dumps(asdict(order))),
            )

    def outcome(self, reference: str) -> Approved | Declined | Pending | NotFound:
        """Return what became of a payout."""
        with closing(self._connect()) as connection:
            row = connection.execute("SELECT outcome, reason FROM payouts WHERE reference = ?", (reference,)).fetchone()
        if row is None:
            return NotFound()
        if row[0] == "refused":
            return Declined(statements.failure_code(row[1]), network_code=row[1] or None)
        return Approved() if row[0] else Pending()

    def deliver(self) -> int:
        """Move files that were left staged, and write the queued payouts into files. Returns how many files moved."""
        moved = self._finish()
        while self._stage():
            moved += self._finish()
        return moved

    def _stage(self) -> bool:
        """Write the next batch into a staged file that the journal names. Returns whether there was one."""
        with closing(self._connect()) as connection:
            rows = connection.execute(
                "SELECT ordered FROM payouts WHERE message = '' ORDER BY seq LIMIT ?", (self._config.largest_batch,)
            ).fetchall()
        batch = [_order(text) for (text,) in rows]
        if not batch:
            return False
        message, file = self._claim(batch[0].reference)
        data = orders.write(self._config, message, batch, max(order.at for order in batch))
        _write(file, data)
        _sync(self._staged)
        with self._writing() as connection:
            references = [order.reference for order in batch]
            marks = ", ".join("?" * len(references))
            free = connection.execute(
                f"SELECT count(*) FROM payouts WHERE message = '' AND reference IN ({marks})", references
            ).fetchone()[0]
            if free != len(references) or not file.exists():
                file.unlink(missing_ok=True)  # another process was first
                return True
            digest = hashlib.sha256(data).hexdigest()
            connection.execute("INSERT INTO messages (id, state, digest) VALUES (?, 'staged', ?)", (message, digest))
            connection.execute(
                f"UPDATE payouts SET message = ?, ordered = '' WHERE reference IN ({marks})", (message, *references)
            )
        return True

    def _claim(self, reference: str) -> tuple[str, Path]:
        """Return an id that no message has had, and its file, which was made. reference: of its first payout."""
        number = 0
        while True:
            number += 1
            message = f"TK{reference}-{number}"
            file = self._staged / f"{message}.xml"
            if (self._sent / file.name).exists():
                continue
            try:
                os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                continue
            return message, file

    def _finish(self) -> int:
        """Move staged files that the journal names into ``out``, with a copy and a checksum. Returns how many."""
        with closing(self._connect()) as connection:
            found = connection.execute(
                "SELECT id, digest FROM messages WHERE state = 'staged' ORDER BY rowid"
            ).fetchall()
        moved = 0
        for message, digest in found:
            file = self._staged / f"{message}.xml"
            with suppress(FileNotFoundError):  # it has been moved, by a process that could not say so any more
                _write(self._sent / file.name, file.read_bytes())
                _write(self._config.out / f"{file.name}.sha256", f"{digest}  {file.name}\n".encode())
                os.rename(file, self._config.out / file.name)
                moved += 1
            _sync(self._config.out, self._staged, self._sent)
            with self._writing() as connection:
                connection.execute("UPDATE messages SET state = 'delivered' WHERE id = ?", (message,))
        return moved

    # -- statements

    def take_in(self) -> int:
        """Read the files of the folder ``in``, each once. Returns how many said something new."""
        news = 0
        for file in sorted(self._config.incoming.glob("*.xml")):
            if file.is_symlink() or not file.is_file():
                continue
            news += self._take(file)
        return news

    def _take(self, file: Path) -> bool:
        try:
            state = file.lstat()
            data = _read(file)
            news = self._understood(statements.read(data), hashlib.sha256(data).hexdigest())
        except FileNotFoundError:
            return False  # another process has read it
        except Unreadable as problem:
            seen = (state.st_size, state.st_mtime_ns)
            if self._looked.get(file.name) == seen:
                log.error("the file %s of the bank is set aside: %s", ascii(file.name), problem)
                del self._looked[file.name]
                _move(file, self._failed)
            else:
                self._looked[file.name] = seen  # it may still be written
            return False
        _move(file, self._read)
        return news

    def _understood(self, statement: Statement, digest: str) -> bool:
        """Keep what a statement says, once, and return whether it is new. Raises Unreadable for a line about a payout
        of ours that cannot be understood; those of others are none of our business."""
        id = f"{statement.kind}/{statement.id}"
        with self._writing() as connection:
            before = connection.execute("SELECT digest FROM files WHERE id = ?", (id,)).fetchone()
            if before is None or before[0] != digest:
                if before is not None:
                    log.warning("the bank has sent another %s with the id %s", statement.kind, ascii(statement.id))
                told = [one for line in statement.lines for one in _note(connection, line)]
                for one in sorted(told, key=lambda one: one["kind"] != "result"):
                    connection.execute(
                        "INSERT OR IGNORE INTO notices (id, told) VALUES (?, ?)", (one["id"], json.dumps(one))
                    )
                connection.execute("INSERT OR REPLACE INTO files (id, digest) VALUES (?, ?)", (id, digest))
        return before is None or before[0] != digest

    def notices(self, cursor: str) -> Notices:
        """Return what the bank told after a cursor."""
        after = int(cursor) if cursor.isascii() and cursor.isdigit() else 0
        with closing(self._connect()) as connection:
            rows = connection.execute(
                "SELECT seq, told FROM notices WHERE seq > ? ORDER BY seq LIMIT ?", (after, _PAGE)
            ).fetchall()
        return Notices(tuple(_notice(json.loads(told)) for _, told in rows), str(rows[-1][0]) if rows else cursor)


def _note(connection: sqlite3.Connection, line: Line) -> Iterator[Told]:
    """Store what a line says of the payouts that it is about, and return what is to be told."""
    if line.reference:
        found = connection.execute(f"SELECT {_ROW} FROM payouts WHERE reference = ?", (line.reference,)).fetchall()
    else:
        message, _, currency = line.batch.rpartition("-")
        found = connection.execute(
            f"SELECT {_ROW} FROM payouts WHERE message = ? OR (message = ? AND currency = ?)",
            (line.batch, message, currency.lower()),
        ).fetchall()
    if found and line.what == "strange":
        raise Unreadable(f"its entry about {line.reference or line.batch} cannot be understood: {line.reason}")
    if not line.reference:
        whole = sum(row[1] for row in found) == line.amount and {row[2] for row in found} == {line.currency}
        if found and line.what != "refused" and not whole:
            log.warning("the bank booked a batch with another sum: %s", line.batch)
            return
    for row in found:
        yield from _note_payout(connection, line, *row)


def _note_payout(
    connection: sqlite3.Connection, line: Line, reference: str, amount: int, currency: str, at: int, outcome: str
) -> list[Told]:
    at = line.at or at
    moved, of = (line.amount, line.currency) if line.reference else (amount, currency)
    told: list[Told]
    if line.what == "refused":
        told = [_told(f"{reference}/refused", "result", reference, at, code=line.reason)]
    elif line.what == "paid":
        told = [_told(f"{reference}/paid", "settled", reference, at, -moved, of)]
    else:
        told = [
            _told(f"{reference}/back", "returned", reference, at, moved, of, line.reason),
            _told(f"{reference}/booked", "settled", reference, at, moved, of),
        ]
    if not outcome and line.what != "refused":
        told.insert(0, _told(f"{reference}/done", "result", reference, at))
    rank = {"": 0, "refused": 1, "paid": 2, "back": 3}
    if rank[line.what] > rank[outcome]:
        connection.execute(
            "UPDATE payouts SET outcome = ?, reason = ? WHERE reference = ?", (line.what, line.reason, reference)
        )
    return told


def _told(id: str, kind: _Kind, reference: str, at: int, amount: int = 0, currency: str = "", code: str = "") -> Told:
    return {
        "id": id, "kind": kind, "reference": reference, "at": at, "amount": amount, "currency": currency, "code": code,
    }  # fmt: skip


def _notice(told: Told) -> Notice:
    reason = told["code"]
    plain = Notice(told["id"], told["kind"], told["reference"], told["at"], told["amount"], told["currency"])
    if told["kind"] == "returned":
        return replace(plain, code=statements.failure_code(reason))
    if told["kind"] == "result":
        refused = Declined(statements.failure_code(reason), network_code=reason or None)
        return replace(plain, outcome=refused if told["id"].endswith("/refused") else Approved())
    return plain


def _order(text: str) -> Order:
    values = json.loads(text)
    return Order(**{**values, "account": Account(**values["account"])})


def _write(file: Path, data: bytes) -> None:
    """Write a file so that it is there after a power failure."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())


def _read(file: Path) -> bytes:
    """Return what a file holds. Raises Unreadable, also for what has become a link since it was looked at."""
    try:
        with open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
            regular = stat.S_ISREG(os.fstat(opened.fileno()).st_mode)
            data = opened.read(LARGEST + 1) if regular else b""
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise Unreadable(f"it cannot be read: {problem.strerror}") from None
    if not data or len(data) > LARGEST:
        raise Unreadable("it is empty, or too large")
    return data


def _sync(*folders: Path) -> None:
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _move(file: Path, folder: Path) -> None:
    """Move a file into a folder, under a name that is free there."""
    target, number = folder / file.name, 1
    while target.exists():
        number += 1
        target = folder / f"{file.stem}-{number}{file.suffix}"
    with suppress(FileNotFoundError):  # another process was first
        shutil.move(file, target)
