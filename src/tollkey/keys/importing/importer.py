"""Imports keys in batches, and reports on each row. Running it again imports what is missing and changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Literal

from tollkey.db import Scope, StorageError, Tx
from tollkey.keys import foreign, store
from tollkey.keys.actors import Actor
from tollkey.keys.errors import KeyRefused
from tollkey.keys.foreign import Busy, Candidate, Match
from tollkey.keys.header import mask_keys, one_line
from tollkey.keys.importing.rows import Defaults, Record, Row, RowRefused, read_flag, read_row
from tollkey.keys.key import Key
from tollkey.keys.service import KeyService
from tollkey.keys.token import parse

#: ``existing``: the key was imported before. ``skipped``: it had ended in the other system.
Status = Literal["imported", "existing", "skipped", "failed"]
BATCH = 500  # rows in one transaction


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of a row. It contains no key.

    row: its number, from 1. id, key, account, name: of the imported key; ``key`` is its masked form. code, message,
    param: why it was not imported; what stood in such a row is not repeated. ignored: unknown fields, without effect.
    """

    row: int
    status: Status
    id: str | None = None
    key: str | None = None
    account: str | None = None
    name: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None
    ignored: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """What became of all rows. dry_run: nothing was stored. error: why it stopped before the end."""

    dry_run: bool
    rows: list[RowReport] = field(default_factory=list)
    error: str | None = None

    def count(self, status: Status) -> int:
        """Return how many rows have a status."""
        return sum(row.status == status for row in self.rows)

    @property
    def complete(self) -> bool:
        """Whether no row failed and it went on to the end."""
        return self.error is None and not self.count("failed")


class _Undo(Exception):
    """Rolls back the transaction of a dry run."""

    def __init__(self, rows: list[RowReport]) -> None:
        super().__init__()
        self.rows = rows


def import_records(
    service: KeyService, records: Sequence[Record], defaults: Defaults, actor: Actor, now: int, *,
    dry_run: bool = False, check: Callable[[Tx], object] | None = None, most_compared: int | None = None,
) -> Report:  # fmt: skip
    """Import the keys that records describe, and return what became of each.

    actor: for the audit log. now: UTC epoch seconds. dry_run: everything is tried and nothing stored. Each batch is one
    transaction; a row that is refused does not stop the others. If the database fails, the batches before are stored,
    and ``error`` says so. check: called at the start of each transaction; what it raises ends the import.
    most_compared: how many texts are compared with slow hashes of keys that begin like them; None: all.
    Never raises for the content of a record.
    """
    report = Report(dry_run)
    numbered = enumerate(records, 1)
    while batch := list(islice(numbered, BATCH)):
        try:
            slow = _stored_slow(service, batch, defaults, most_compared)
            report.rows += _batch(service, batch, defaults, actor, now, dry_run, check, slow)
        except StorageError as error:
            report.error = f"{type(error).__name__}: the database failed after row {batch[0][0] - 1}"
            break
    if dry_run:
        report.rows = list(_repeated(report.rows, records))
    return report


def _batch(
    service: KeyService, batch: list[tuple[int, Record]], defaults: Defaults, actor: Actor, now: int, dry_run: bool,
    check: Callable[[Tx], object] | None, slow: Mapping[int, Match | None],
) -> list[RowReport]:  # fmt: skip
    def run(tx: Tx) -> list[RowReport]:
        if check is not None:
            check(tx)
        rows = [_one(service, tx, number, record, defaults, actor, now, slow) for number, record in batch]
        if dry_run:
            raise _Undo([replace(row, id=None) for row in rows])
        return rows

    try:
        return service.database.write(run)
    except _Undo as undone:
        return undone.rows


def _one(
    service: KeyService, tx: Tx, number: int, record: Record, defaults: Defaults, actor: Actor, now: int,
    slow: Mapping[int, Match | None],
) -> RowReport:  # fmt: skip
    try:
        if read_flag(record.get("revoked"), "revoked"):
            return RowReport(number, "skipped", code="api_key_expired", message="It was revoked.")
        row = read_row({key: value for key, value in record.items() if key != "revoked"}, defaults)
        ends = row.limits.expires_at
        if ends is not None and ends <= now:
            return RowReport(number, "skipped", code="api_key_expired", message="It has expired.")
        if number in slow:
            _refuse_stored(service, tx, slow[number], row.text or "")
        key = _import(service, tx, row, defaults, actor, now)
        return RowReport(number, "imported", key.id, key.redacted, key.account, key.name, ignored=_names(row.ignored))
    except (RowRefused, KeyRefused) as refused:
        existing = refused.code == "api_key_exists"
        status: Status = "existing" if existing else "failed"
        return RowReport(number, status, code=refused.code, message=mask_keys(refused.message), param=refused.param)


def _stored_slow(
    service: KeyService, batch: list[tuple[int, Record]], defaults: Defaults, most: int | None
) -> dict[int, Match | None]:
    """Return the rows with the text of a key that is stored as a slow hash, and that key; None: it was not compared.

    Otherwise a key that ended before its first use would live again. Slow hashes are computed in no transaction.
    Raises StorageError.
    """

    def candidates(tx: Tx) -> list[tuple[int, str, list[Candidate]]]:
        if not foreign.has_slow(tx):
            return []
        texts = [(number, _text_of(record, defaults)) for number, record in batch]
        return [
            (number, text, foreign.slow_candidates(tx, text))
            for number, text in texts
            if text and service.authority.find(tx, text) is None
        ]

    found: dict[int, Match | None] = {}
    begin_alike = [(number, text, each) for number, text, each in service.database.read(candidates) if each]
    for compared, (number, text, each) in enumerate(begin_alike):
        if most is not None and compared >= most:
            found[number] = None
            continue
        try:
            match = foreign.slow_match(each, text)
        except Busy:
            found[number] = None
        else:
            found.update({} if match is None else {number: match})
    return found


def _text_of(record: Record, defaults: Defaults) -> str:
    try:
        return read_row({key: value for key, value in record.items() if key != "revoked"}, defaults).text or ""
    except (RowRefused, KeyRefused):
        return ""


def _refuse_stored(service: KeyService, tx: Tx, match: Match | None, text: str) -> None:
    """Refuse a row whose key is stored as a slow hash, which its digest replaces now that the text is known."""
    if match is None:
        message = "Too many of these keys begin like keys with slow hashes: import this row again, with fewer others."
        raise RowRefused("api_key_not_compared", message, "key")
    if match.whole:
        keyring = service.authority.keyring
        store.move_digest(tx, match.key_id, keyring.digest(text), keyring.digest_current)
        foreign.forget(tx, [match.key_id])
    raise RowRefused("api_key_exists", "This key already exists.", "key")


def _names(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(mask_keys(one_line(name)[:100]) for name in fields)


def _import(service: KeyService, tx: Tx, row: Row, defaults: Defaults, actor: Actor, now: int) -> Key:
    scope, authority = Scope(row.account, row.livemode), service.authority
    if row.hash is not None:
        return authority.import_hash(
            tx, scope, row.hash, kind=row.kind or defaults.kind, actor=actor, now=now, name=row.name, note=row.note,
            permissions=row.permissions, limits=row.limits,
        )  # fmt: skip
    text = row.text or ""
    ours = parse(text, authority.brand, imported=True)
    kind = row.kind if ours is not None else row.kind or defaults.kind
    permissions = row.permissions if ours is None or ours.kind == "restricted" else ()
    return authority.import_key(
        tx, scope, text, actor=actor, now=now, name=row.name, note=row.note, permissions=permissions, kind=kind,
        limits=row.limits,
    )  # fmt: skip


def _repeated(rows: list[RowReport], records: Sequence[Record]) -> Iterator[RowReport]:
    """The rows of a dry run, where a key that stands in two batches exists the second time."""
    seen: set[bytes] = set()
    for row, record in zip(rows, records, strict=False):
        known = repr((record.get("key"), record.get("hash"), record.get("lookup"))).encode()
        mark = hashlib.sha256(known).digest()
        if row.status == "imported" and mark in seen:
            code, message = "api_key_exists", "It is in two rows."
            yield replace(row, status="existing", key=None, code=code, message=message, ignored=())
        else:
            yield row
        seen.add(mark)
