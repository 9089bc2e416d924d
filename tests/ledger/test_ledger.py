"""Postings sum to zero, balances follow the clock, and the database refuses what the code would."""

from __future__ import annotations

import pytest

from tollkey.db import Database, Duplicate, Row, Scope, StorageError, Tx, migrate
from tollkey.ledger import MIGRATION, Balance, LedgerError, Posting, audit, balance, book_total, entries, post, total
from tollkey.ledger.books import BALANCE, FEES, NETWORK, PAYOUTS

NOW = 1_767_225_600
DAY = 86_400
ACME = Scope("acct_acme", False)
BOB = Scope("acct_bob", False)


@pytest.fixture
def books(database: Database) -> Database:
    migrate(database, [MIGRATION])
    return database


def charge(amount: int, fee: int, currency: str = "usd") -> list[Posting]:
    return [Posting(BALANCE, currency, amount - fee), Posting(FEES, currency, fee), Posting(NETWORK, currency, -amount)]


def charged(
    books: Database, amount: int, fee: int, txn: str, available_at: int | None = None, scope: Scope = ACME
) -> None:
    books.write(lambda tx: post(tx, scope, NOW, charge(amount, fee), f"ch_{txn}", available_at, txn=txn))


def usd(books: Database, now: int, scope: Scope = ACME) -> Balance:
    return books.read(lambda tx: balance(tx, scope, now)).get("usd", Balance(0, 0))


def test_a_charge_is_pending_until_its_second_and_available_from_then_on(books: Database) -> None:
    charged(books, 1000, 59, "txn_1", NOW + 2 * DAY)
    assert usd(books, NOW) == Balance(0, 941, {"card": (0, 941)})
    assert usd(books, NOW + 2 * DAY - 1) == Balance(0, 941, {"card": (0, 941)})
    assert usd(books, NOW + 2 * DAY) == Balance(941, 0, {"card": (941, 0)})


def test_a_charge_that_bypasses_pending_is_available_whatever_a_clock_says(books: Database) -> None:
    charged(books, 1000, 59, "txn_1")
    assert usd(books, NOW - 365 * DAY) == Balance(941, 0, {"card": (941, 0)})


def test_a_balance_is_told_by_source_type(books: Database) -> None:
    charged(books, 1000, 0, "txn_1", NOW + DAY)
    debit = [Posting(BALANCE, "usd", 500, "bank_account"), Posting(NETWORK, "usd", -500, "bank_account")]
    books.write(lambda tx: post(tx, ACME, NOW, debit, "py_1", txn="txn_2"))
    assert usd(books, NOW) == Balance(500, 1000, {"bank_account": (500, 0), "card": (0, 1000)})


def test_fees_and_network_stand_in_their_own_books(books: Database) -> None:
    charged(books, 1000, 59, "txn_1")
    assert books.read(lambda tx: [book_total(tx, ACME, book, "usd") for book in (BALANCE, FEES, NETWORK)]) == [
        941,
        59,
        -1000,
    ]
    assert books.read(lambda tx: total(tx, ACME, "usd")) == 0


def test_a_payout_takes_from_what_is_available_at_once(books: Database) -> None:
    charged(books, 1000, 0, "txn_1")
    out = [Posting(BALANCE, "usd", -400), Posting(PAYOUTS, "usd", 400)]
    books.write(lambda tx: post(tx, ACME, NOW, out, "po_1", txn="txn_2"))
    assert usd(books, NOW).available == 600


def test_each_currency_of_a_transaction_sums_to_zero_by_itself(books: Database) -> None:
    mixed = [Posting(BALANCE, "usd", 100), Posting(NETWORK, "eur", -100)]
    with pytest.raises(LedgerError, match="sums to zero"):
        books.write(lambda tx: post(tx, ACME, NOW, mixed, "ch_1", txn="txn_1"))
    assert books.read(lambda tx: entries(tx, ACME)) == []


@pytest.mark.parametrize(
    "postings",
    [
        [],
        [Posting(BALANCE, "usd", 0), Posting(NETWORK, "usd", 0)],
        [Posting("pocket", "usd", 5), Posting(NETWORK, "usd", -5)],
    ],
)
def test_a_transaction_needs_postings_in_known_books(books: Database, postings: list[Posting]) -> None:
    with pytest.raises(LedgerError):
        books.write(lambda tx: post(tx, ACME, NOW, postings, "ch_1", txn="txn_1"))


def test_a_float_is_refused_before_anything_is_written(books: Database) -> None:
    postings = [Posting(BALANCE, "usd", 0.5), Posting(NETWORK, "usd", -0.5)]  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        books.write(lambda tx: post(tx, ACME, NOW, postings, "ch_1", txn="txn_1"))


def test_a_transaction_id_is_posted_once(books: Database) -> None:
    charged(books, 1000, 59, "txn_1")
    with pytest.raises(Duplicate):
        charged(books, 1000, 59, "txn_1")
    assert usd(books, NOW).available == 941


def test_scopes_do_not_see_each_other(books: Database) -> None:
    charged(books, 1000, 59, "txn_1")
    charged(books, 500, 0, "txn_1", scope=BOB)
    charged(books, 7, 0, "txn_1", scope=Scope(ACME.account, True))
    assert [usd(books, NOW, scope).available for scope in (ACME, BOB, Scope(ACME.account, True))] == [941, 500, 7]


def test_entries_come_newest_first_and_go_on_behind_a_given_one(books: Database) -> None:
    for number in range(3):
        charged(books, 100 + number, 0, f"txn_{number}", NOW + DAY)
    first = books.read(lambda tx: entries(tx, ACME, BALANCE, limit=2))
    rest = books.read(lambda tx: entries(tx, ACME, BALANCE, limit=2, before=first[-1].seq))
    assert [(entry.txn, entry.amount) for entry in (*first, *rest)] == [("txn_2", 102), ("txn_1", 101), ("txn_0", 100)]
    assert first[0].source == "ch_txn_2"
    assert first[0].available_at == NOW + DAY


def test_what_fails_later_in_a_transaction_takes_its_postings_along(books: Database) -> None:
    def work(tx: Tx) -> None:
        post(tx, ACME, NOW, charge(1000, 59), "ch_1", txn="txn_1")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        books.write(work)
    assert usd(books, NOW) == Balance(0, 0)


# -- the second assertion: the database itself


def insert(
    tx: Tx, line: int, amount: int, running: int, last: int, before: tuple[int, int] | tuple[None, None]
) -> list[Row]:
    return tx.execute(
        "INSERT INTO ledger_entries (seq, currency, line, account, livemode, book, source_type, amount, before_line,"
        " before_sum,"
        " running, last_line, last_sum) VALUES (1, 'usd', ?, 'acct_acme', 0, 'balance', 'card', ?, ?, ?, ?, ?, 0)",
        (line, amount, *before, running, last),
    )


def opened(tx: Tx) -> None:
    tx.execute(
        "INSERT INTO ledger_transactions (seq, account, livemode, txn, source, created) VALUES (1, 'acct_acme', 0,"
        " 't', 's', 0)"
    )


def balanced(tx: Tx) -> None:
    opened(tx)
    insert(tx, 1, 5, 5, 2, (None, None))
    insert(tx, 2, -5, 0, 2, (1, 5))


def one_sided(tx: Tx) -> None:
    opened(tx)
    insert(tx, 1, 5, 5, 2, (None, None))


def short(tx: Tx) -> None:
    opened(tx)
    insert(tx, 1, 5, 5, 2, (None, None))
    insert(tx, 2, -4, 1, 2, (1, 5))


def wrong_running_sum(tx: Tx) -> None:
    opened(tx)
    insert(tx, 1, 5, 5, 2, (None, None))
    insert(tx, 2, -4, 0, 2, (1, 5))


def wrong_sum_before(tx: Tx) -> None:
    opened(tx)
    insert(tx, 1, 5, 5, 2, (None, None))
    insert(tx, 2, -4, 0, 2, (1, 4))


def beginning_twice(tx: Tx) -> None:
    balanced(tx)
    insert(tx, 3, 5, 5, 3, (None, None))


def beyond_the_last(tx: Tx) -> None:
    balanced(tx)
    insert(tx, 3, 7, 7, 2, (2, 0))


def test_the_database_takes_a_balanced_chain(books: Database) -> None:
    books.write(balanced)


@pytest.mark.parametrize(
    "work", [one_sided, short, wrong_running_sum, wrong_sum_before, beginning_twice, beyond_the_last]
)
def test_the_database_refuses_whatever_does_not_sum_to_zero(books: Database, work: object) -> None:
    with pytest.raises(StorageError):
        books.write(work)  # type: ignore[arg-type]
    assert books.read(lambda tx: tx.execute("SELECT count(*) FROM ledger_entries")) == [(0,)]


def test_a_posted_amount_cannot_be_changed_afterwards(books: Database) -> None:
    charged(books, 1000, 59, "txn_1")
    with pytest.raises(StorageError):
        books.write(lambda tx: tx.execute("UPDATE ledger_entries SET amount = amount + 1 WHERE line = 1"))
    with pytest.raises(StorageError):
        books.write(lambda tx: tx.execute("DELETE FROM ledger_entries WHERE line = 2"))


def test_an_audit_names_a_total_that_does_not_fit_its_entries(books: Database) -> None:
    charged(books, 1000, 59, "txn_1", NOW + DAY)
    assert books.read(lambda tx: audit(tx, ACME)) == []
    books.write(lambda tx: tx.execute("UPDATE ledger_totals SET total = total + 1 WHERE book = 'fees'"))
    books.write(lambda tx: tx.execute("UPDATE ledger_dues SET amount = amount - 1"))
    assert books.read(lambda tx: audit(tx, ACME)) == [
        "total ('fees', 'usd', 'card'): stored 60, entries 59",
        f"due ('balance', 'usd', 'card', {NOW + DAY}): stored 940, entries 941",
    ]


def test_reading_a_balance_takes_as_many_rows_after_a_thousand_charges_as_after_one(books: Database) -> None:
    def rows(tx: Tx) -> tuple[int, int]:
        totals = tx.execute("SELECT count(*) FROM ledger_totals WHERE book = 'balance'")[0][0]
        dues = tx.execute("SELECT count(*) FROM ledger_dues WHERE book = 'balance' AND available_at > ?", (NOW,))[0][0]
        return totals, dues

    charged(books, 100, 3, "txn_first", NOW + DAY)
    before = books.read(rows)

    def many(tx: Tx) -> None:
        for number in range(1000):
            post(tx, ACME, NOW, charge(100, 3), "ch_1", NOW + DAY, txn=f"txn_{number}")

    books.write(many)
    assert books.read(rows) == before == (1, 1)
    assert usd(books, NOW).pending == 97 * 1001
