"""The rows of the vault's own database: for each card one number, sealed, and a fingerprint of it.

A number has a data key of its own, which the vault's sealing key encrypts, and is bound to its reference, account and
mode. Its fingerprint is an HMAC-SHA256 under a key that comes from the vault's oldest digest key, so that it stays the
same when the keyring is rotated. No row has an expiry, a name or a security code.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tollkey.db import Database, Ids, Migration, Scope, Tx
from tollkey.keys.errors import SealBroken
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealed import SealedColumn
from tollkey.keys.sealing import seal, unseal
from tollkey.payments.processors import cards

#: Not named as the migrations of the main database are, which are gathered.
TABLES: Final = Migration(
    "card_vault",
    (
        "CREATE TABLE card_numbers (seq {key}, reference TEXT NOT NULL, account TEXT NOT NULL, livemode {bool} NOT NULL"
        " CHECK (livemode = 1), sealed {blob} NOT NULL, fingerprint {blob} NOT NULL, made_at {int} NOT NULL,"
        " used_at {int} NOT NULL, settled {bool} NOT NULL)",
        "CREATE UNIQUE INDEX card_numbers_reference ON card_numbers (reference)",
        "CREATE INDEX card_numbers_account ON card_numbers (account, livemode)",
        "CREATE INDEX card_numbers_unsettled ON card_numbers (made_at) WHERE settled = 0",
        "CREATE TABLE card_vault (main TEXT NOT NULL PRIMARY KEY)",
    ),
)
_PREFIX: Final = "cnum"


def _context(account: str, livemode: bool | int, reference: str) -> str:
    return f"card-vault/{account}/{'live' if livemode else 'test'}/{reference}"


SEALED: Final = SealedColumn("card_numbers", "sealed", "seq", ("account", "livemode", "reference"), _context)


class Kept(NamedTuple):
    """A number that the vault has. reference: of its row. fingerprint: as the card shows it."""

    reference: str
    fingerprint: str


class Unreadable(Exception):
    """A number can no longer be unsealed, so it is lost: its row was changed, or its sealing key dropped."""


class Store:
    """An opened vault. keyring: its own; ``vault`` replaces it when the file has a newer one."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database, self.keyring = database, keyring

    def put(self, tx: Tx, ids: Ids, scope: Scope, numbers: Sequence[str], now: int) -> Mapping[str, Kept]:
        """Keep numbers, and return what each became. numbers: digits alone. now: UTC epoch seconds."""
        found = {}
        for number in numbers:
            reference, mark = ids.new(_PREFIX), self._mark(scope, number)
            tx.execute(
                "INSERT INTO card_numbers (reference, account, livemode, sealed, fingerprint, made_at, used_at,"
                " settled) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                (
                    reference, scope.account, int(scope.livemode),
                    seal(number, _context(scope.account, scope.livemode, reference), self.keyring), mark, now, now,
                ),
            )  # fmt: skip
            found[number] = Kept(reference, shown(scope, mark))
        return found

    def _mark(self, scope: Scope, number: str) -> bytes:
        """Return the fingerprint of a number within an account and mode."""
        text = f"{scope.account}/{'live' if scope.livemode else 'test'}/{number}"
        return hmac.digest(self.keyring.stable_digest("fingerprints of the card vault"), text.encode(), "sha256")

    def number(self, tx: Tx, scope: Scope, reference: str, now: int) -> str | None:
        """Return a number, which is about to be sent; None if there is none under this reference in this account.

        now: UTC epoch seconds. Raises Unreadable.
        """
        rows = tx.execute(
            "UPDATE card_numbers SET used_at = ? WHERE reference = ? AND account = ? AND livemode = ? RETURNING sealed",
            (now, reference, scope.account, int(scope.livemode)),
        )
        if not rows:
            return None
        try:
            return unseal(bytes(rows[0][0]), _context(scope.account, scope.livemode, reference), self.keyring)
        except SealBroken as problem:
            raise Unreadable(str(problem)) from None


def shown(scope: Scope, mark: bytes) -> str:
    """Return the ``fingerprint`` of a card as it is shown. mark: as the vault stores it."""
    return cards.fingerprint(mark.hex(), scope.account)


def delete(tx: Tx, references: Sequence[str]) -> int:
    """Delete numbers, and return how many there were."""
    if not references:
        return 0
    marks = ", ".join("?" for _ in references)
    return len(tx.execute(f"DELETE FROM card_numbers WHERE reference IN ({marks}) RETURNING 1", references))


def unsettled(tx: Tx, before: int, most: int) -> list[str]:
    """Return numbers of which nobody has found out yet whether an object holds them, oldest first.

    before: those made before that time, UTC epoch seconds.
    """
    rows = tx.execute(
        "SELECT reference FROM card_numbers WHERE settled = 0 AND made_at < ? ORDER BY made_at LIMIT ?", (before, most)
    )
    return [row[0] for row in rows]


def settle(tx: Tx, references: Sequence[str]) -> None:
    """Record that objects hold these numbers: what ends them is told from now on."""
    tx.execute_many("UPDATE card_numbers SET settled = 1 WHERE reference = ?", [(one,) for one in references])


def used_at(tx: Tx, references: Sequence[str]) -> Mapping[str, int]:
    """Return when numbers were made or last sent, by reference; UTC epoch seconds."""
    if not references:
        return {}
    marks = ", ".join("?" for _ in references)
    rows = tx.execute(f"SELECT reference, used_at FROM card_numbers WHERE reference IN ({marks})", references)
    return {row[0]: row[1] for row in rows}


def delete_of(tx: Tx, scope: Scope) -> None:
    """Delete all numbers of an account."""
    tx.execute("DELETE FROM card_numbers WHERE account = ? AND livemode = ?", (scope.account, int(scope.livemode)))


def counts(tx: Tx) -> Mapping[str, int]:
    """Return how many numbers each account has."""
    rows = tx.execute("SELECT account, count(*) FROM card_numbers GROUP BY account ORDER BY account")
    return {row[0]: row[1] for row in rows}
