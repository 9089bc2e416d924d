"""The rows of the vault."""

from __future__ import annotations

import pytest

from tests.support.vault import CANARY
from tollkey.db import Database, Ids, Scope, StorageError, migrate
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealed import reseal_all
from tollkey.payments.processors.vault import store
from tollkey.payments.processors.vault.store import SEALED, TABLES, Kept, Store, Unreadable

SCOPE = Scope("acct_1", True)


@pytest.fixture
def rows(database: Database) -> Store:
    migrate(database, [TABLES])
    return Store(database, Keyring.fresh())


def put(rows: Store, ids: Ids, scope: Scope = SCOPE, number: str = CANARY) -> Kept:
    return rows.database.write(lambda tx: rows.put(tx, ids, scope, [number], 1))[number]


def number(rows: Store, kept: Kept, scope: Scope = SCOPE) -> str | None:
    return rows.database.write(lambda tx: rows.number(tx, scope, kept.reference, 2))


def test_a_number_comes_back_by_its_reference_alone(rows: Store, ids: Ids) -> None:
    kept = put(rows, ids)
    assert number(rows, kept) == CANARY
    assert number(rows, Kept("cnum_other", "")) is None
    assert number(rows, kept, Scope("acct_2", True)) is None


def test_no_column_holds_the_number_its_expiry_or_its_end(rows: Store, ids: Ids) -> None:
    put(rows, ids)
    (row,) = rows.database.read(lambda tx: tx.execute("SELECT * FROM card_numbers"))
    shown = b"|".join(one if isinstance(one, bytes) else str(one).encode() for one in row)
    assert CANARY.encode() not in shown
    assert len(row) == 9


def test_each_number_has_a_key_of_its_own(rows: Store, ids: Ids) -> None:
    for _ in range(2):
        put(rows, ids)
    sealed = rows.database.read(lambda tx: [bytes(row[0]) for row in tx.execute("SELECT sealed FROM card_numbers")])
    assert sealed[0][4:64] != sealed[1][4:64]
    assert sealed[0][-32:] != sealed[1][-32:]


def test_fingerprints_are_the_same_in_an_account_also_after_a_rotation(rows: Store, ids: Ids) -> None:
    first = put(rows, ids).fingerprint
    rows.keyring = rows.keyring.rotate_sealing().rotate_digest()
    assert put(rows, ids).fingerprint == first
    assert put(rows, ids, Scope("acct_2", True)).fingerprint != first
    assert Store(rows.database, Keyring.fresh())._mark(SCOPE, CANARY) != rows._mark(SCOPE, CANARY)


def test_a_rotation_seals_every_number_anew(rows: Store, ids: Ids) -> None:
    kept = put(rows, ids)
    rotated = rows.keyring.rotate_sealing()
    assert reseal_all(rows.database, (SEALED,), rotated).texts == 1
    with pytest.raises(Unreadable):
        number(rows, kept)
    rows.keyring = rotated.without("s1")
    assert number(rows, kept) == CANARY


def test_the_database_refuses_numbers_of_test_mode(rows: Store, ids: Ids) -> None:
    with pytest.raises(StorageError):
        put(rows, ids, Scope("acct_1", False))


def test_numbers_are_counted_settled_and_deleted(rows: Store, ids: Ids) -> None:
    first, second = put(rows, ids).reference, put(rows, ids).reference
    database = rows.database
    assert database.read(store.counts) == {"acct_1": 2}
    assert database.read(lambda tx: store.unsettled(tx, 2, 9)) == [first, second]
    database.write(lambda tx: store.settle(tx, [first]))
    assert database.read(lambda tx: store.unsettled(tx, 2, 9)) == [second]
    assert database.read(lambda tx: store.used_at(tx, [first])) == {first: 1}
    assert database.write(lambda tx: store.delete(tx, [first, "cnum_other"])) == 1
    assert (database.write(lambda tx: store.delete(tx, [])), database.read(lambda tx: store.used_at(tx, []))) == (0, {})
    database.write(lambda tx: store.delete_of(tx, SCOPE))
    assert database.read(store.counts) == {}
