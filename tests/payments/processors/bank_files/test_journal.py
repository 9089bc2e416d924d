"""The journal: a payout is ordered once, wherever a process ends; a file of the bank counts once."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.payments.processors.bank_files.steps import camt, configuration, entry, payout, refusal, schema
from tollkey.payments.processors.bank_files import journal as module
from tollkey.payments.processors.bank_files.config import read
from tollkey.payments.processors.bank_files.journal import Journal
from tollkey.payments.processors.bank_files.orders import order_of
from tollkey.payments.processors.network import Approved, Declined, NotFound, Notice, Pending

SCHEMA = schema()


def _journal(folder: Path, **more: Any) -> Journal:
    found = Journal(read(configuration(folder, **more)))
    found.open()
    return found


def _queue(journal: Journal, *numbers: int, **more: Any) -> None:
    for number in numbers:
        journal.queue(order_of(journal._config, payout(number, **more)))


def _ordered(folder: Path) -> list[str]:
    """The references of all payouts in the folder ``out``, each file checked against the schema and its checksum."""
    found = []
    for file in sorted((folder / "out").glob("*.xml")):
        data = file.read_bytes()
        digest, name = file.with_name(f"{file.name}.sha256").read_text().split()
        assert (digest, name) == (hashlib.sha256(data).hexdigest(), file.name)
        message = SCHEMA.to_dict(BytesIO(data))["CstmrCdtTrfInitn"]
        assert message["GrpHdr"]["MsgId"] == file.stem
        found += [one["PmtId"]["EndToEndId"] for part in message["PmtInf"] for one in part["CdtTrfTxInf"]]
    return found


def test_what_is_queued_becomes_one_file(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    _queue(journal, 1, 2, 3)
    assert journal.outcome("PAYO00000001") == Pending()
    assert (journal.deliver(), journal.deliver()) == (1, 0)
    assert _ordered(tmp_path) == ["PAYO00000001", "PAYO00000002", "PAYO00000003"]
    assert journal.outcome("PAYO00000001") == Pending()
    assert journal.outcome("PAYO00000004") == NotFound()


def test_a_payout_that_is_asked_for_again_is_ordered_once(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    for _ in range(3):
        _queue(journal, 1)
        journal.deliver()
    assert _ordered(tmp_path) == ["PAYO00000001"]


def test_a_file_has_at_most_so_many_payouts_and_ids_never_repeat(tmp_path: Path) -> None:
    journal = _journal(tmp_path, largest_batch=2)
    _queue(journal, 1, 2, 3, 4, 5)
    assert journal.deliver() == 3
    assert len(_ordered(tmp_path)) == 5
    for file in (tmp_path / "out").iterdir():
        file.unlink()  # the bank has taken them
    (tmp_path / "state" / "journal.db").unlink()  # and the journal was lost
    again = _journal(tmp_path, largest_batch=2)
    _queue(again, 1)
    again.deliver()
    assert [file.name for file in (tmp_path / "out").glob("*.xml")] == ["TKPAYO00000001-2.xml"]


def test_account_numbers_do_not_stay_in_the_journal(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    _queue(journal, 1)
    journal.deliver()
    with journal._writing() as connection:
        assert connection.execute("SELECT ordered FROM payouts").fetchall() == [("",)]
    assert (tmp_path / "state" / "journal.db").stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "out").iterdir())


class _Killed(BaseException):
    """The process ends here."""


_STEPS = ("claim", "write", "sync", "commit", "copy", "checksum", "rename", "sync after", "commit after")


def _die_at(step: int) -> tuple[Callable[[], None], list[int]]:
    left = [step]

    def count() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise _Killed

    return count, left


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(1, 13))
def test_a_process_that_ends_between_two_steps_orders_nothing_twice_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, after: bool
) -> None:
    """Every write, sync, move and commit of a delivery is a step; another process goes on with what it finds."""
    journal = _journal(tmp_path, largest_batch=2)
    _queue(journal, 1, 2, 3)
    count, _ = _die_at(step)

    def killing(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            if not after:
                count()
            found = function(*arguments)
            if after:
                count()
            return found

        return run

    with monkeypatch.context() as patched:
        for name in ("_write", "_sync"):
            patched.setattr(module, name, killing(getattr(module, name)))
        patched.setattr(os, "rename", killing(os.rename))
        patched.setattr(Journal, "_claim", killing(Journal._claim))
        with pytest.raises(_Killed):
            journal.deliver()
    taken = [(file, file.read_bytes()) for file in sorted((tmp_path / "out").iterdir())]
    for file, _ in taken:
        file.unlink()  # the bank is quick
    other = _journal(tmp_path, largest_batch=2)
    other.deliver()
    for file, data in taken:
        file.write_bytes(data)
    assert sorted(_ordered(tmp_path)) == ["PAYO00000001", "PAYO00000002", "PAYO00000003"]
    assert other.deliver() == 0


def test_two_processes_at_once_order_each_payout_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    first, second = _journal(tmp_path, largest_batch=3), _journal(tmp_path, largest_batch=3)
    _queue(first, *range(1, 31))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda journal: journal.deliver(), [first, second, first, second]))
    first.deliver()
    assert sorted(_ordered(tmp_path)) == [f"PAYO{number:08d}" for number in range(1, 31)]


def _say(folder: Path, data: bytes, name: str = "a.xml") -> None:
    (folder / "in" / name).write_bytes(data)


def _told(journal: Journal, cursor: str = "") -> list[Notice]:
    """All notices after a cursor, page by page."""
    found: list[Notice] = []
    while (page := journal.notices(cursor)).items:
        found += page.items
        cursor = page.cursor
    return found


def test_what_the_bank_booked_is_told_with_its_amount(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    _queue(journal, 1)
    journal.deliver()
    _say(tmp_path, camt(entry("PAYO00000001"), entry("somebody-else")))
    assert journal.take_in() == 1
    page = journal.notices("")
    day = 1_767_225_600 + 86_400
    assert page.items == (
        Notice("PAYO00000001/done", "result", "PAYO00000001", day, outcome=Approved()),
        Notice("PAYO00000001/paid", "settled", "PAYO00000001", day, -1234, "eur"),
    )
    assert journal.outcome("PAYO00000001") == Approved()
    assert journal.notices(page.cursor) == type(page)((), page.cursor)
    assert list((tmp_path / "in").iterdir()) == []
    assert [file.name for file in (tmp_path / "state" / "read").iterdir()] == ["a.xml"]


def test_a_repeated_file_or_entry_says_nothing_new(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = _journal(tmp_path)
    _queue(journal, 1)
    _say(tmp_path, camt(entry("PAYO00000001"), kind="054", id="N-1"))
    journal.take_in()
    told = _told(journal)
    for number, data in enumerate([
        camt(entry("PAYO00000001"), kind="054", id="N-1"),  # the same file
        camt(entry("PAYO00000001"), kind="053", id="S-1"),  # the same booking in a statement
        camt(entry("PAYO00000001"), entry("X"), kind="054", id="N-1"),  # the same id with other content
    ]):  # fmt: skip
        _say(tmp_path, data, f"{number}.xml")
        journal.take_in()
    assert _told(journal) == told
    assert "another camt.054 with the id 'N-1'" in caplog.text


def test_money_that_came_back_is_told_after_it_left(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    _queue(journal, 1)
    _say(tmp_path, camt(entry("PAYO00000001", side="CRDT", reason="AC04"), entry("PAYO00000001")))
    journal.take_in()
    told = [(one.kind, one.amount, one.code) for one in _told(journal)]
    assert told == [
        ("result", 0, None), ("returned", 1234, "account_closed"), ("settled", 1234, None), ("settled", -1234, None),
    ]  # fmt: skip


def test_a_refusal_is_a_decline_with_its_reason(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    _queue(journal, 1, 2)
    journal.deliver()
    why = "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"
    one = f"<TxInfAndSts><OrgnlEndToEndId>PAYO00000002</OrgnlEndToEndId><TxSts>RJCT</TxSts>{why}</TxInfAndSts>"
    _say(tmp_path, refusal(one))
    journal.take_in()
    (told,) = journal.notices("").items
    assert (told.reference, told.outcome) == ("PAYO00000002", Declined("account_closed", network_code="AC04"))
    assert journal.outcome("PAYO00000002") == told.outcome
    assert journal.outcome("PAYO00000001") == Pending()


def test_a_batch_booked_as_one_settles_each_payout_if_the_sum_agrees(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = _journal(tmp_path)
    _queue(journal, 1, 2)
    journal.deliver()
    batch = "<PmtInfId>TKPAYO00000001-1-EUR</PmtInfId>"
    _say(tmp_path, camt(entry("", "24.67", refs=batch), id="S-1"))
    journal.take_in()
    assert journal.notices("").items == ()
    assert "another sum: TKPAYO00000001-1-EUR" in caplog.text
    _say(tmp_path, camt(entry("", "24.68", refs=batch), id="S-2"))
    journal.take_in()
    assert [one.amount for one in _told(journal) if one.kind == "settled"] == [-1234, -1234]


def test_an_amount_that_differs_is_told_as_it_was_booked(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    _queue(journal, 1)
    _say(tmp_path, camt(entry("PAYO00000001", "12.00", currency="USD")))
    journal.take_in()
    assert [(one.amount, one.currency) for one in _told(journal)][-1] == (-1200, "usd")


def test_a_file_that_cannot_be_read_is_set_aside_once_it_no_longer_grows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = _journal(tmp_path)
    whole = camt(entry("PAYO00000001"))
    _queue(journal, 1)
    _say(tmp_path, whole[:100])
    journal.take_in()
    assert len(list((tmp_path / "in").iterdir())) == 1
    _say(tmp_path, whole)
    assert journal.take_in() == 1
    with caplog.at_level(logging.ERROR, "tollkey"):
        _say(tmp_path, b"<!DOCTYPE a><a/>", "bad.xml")
        _say(tmp_path, b"", "empty.xml")
        journal.take_in()
        journal.take_in()
    assert sorted(file.name for file in (tmp_path / "state" / "failed").iterdir()) == ["bad.xml", "empty.xml"]
    assert "'bad.xml' of the bank is set aside: it has a document type" in caplog.text


def test_a_strange_entry_of_somebody_else_is_nothing_and_one_about_a_payout_sets_the_file_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = _journal(tmp_path)
    _queue(journal, 1, 2)
    _say(tmp_path, camt(entry("SALARY", "5.00", currency="XAU"), entry("PAYO00000001"), id="S-1"))
    assert journal.take_in() == 1
    assert [one.reference for one in _told(journal) if one.kind == "settled"] == ["PAYO00000001"]
    _say(tmp_path, camt(entry("PAYO00000002", "9" * 30), id="S-2"))
    assert (journal.take_in(), journal.take_in()) == (0, 0)
    assert "its entry about PAYO00000002 cannot be understood" in caplog.text
    assert journal.outcome("PAYO00000002") == Pending()


def test_a_file_that_may_not_be_read_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def open_file(file: Path, *how: Any) -> int:
        if file.name == "a.xml":  # the tests may run as root, which may read every file
            raise PermissionError(13, "Permission denied")
        return opened(file, *how)

    monkeypatch.setattr(os, "open", open_file)
    journal = _journal(tmp_path)
    _queue(journal, 1)
    _say(tmp_path, camt(entry("PAYO00000001")), "a.xml")
    _say(tmp_path, camt(entry("PAYO00000001")), "b.xml")
    assert (journal.take_in(), journal.take_in()) == (1, 0)
    assert [file.name for file in (tmp_path / "state" / "failed").iterdir()] == ["a.xml"]


@pytest.mark.parametrize("becomes", ["link", "pipe"])
def test_what_becomes_a_link_while_it_is_looked_at_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, becomes: str
) -> None:
    journal = _journal(tmp_path)
    _queue(journal, 1)
    (tmp_path / "elsewhere").write_bytes(camt(entry("PAYO00000001")))
    if becomes == "link":
        (tmp_path / "in" / "a.xml").symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(tmp_path / "in" / "a.xml")
    monkeypatch.setattr(Path, "is_symlink", lambda file: False)  # it was a file when it was looked at
    monkeypatch.setattr(Path, "is_file", lambda file: True)
    assert (journal.take_in(), journal.take_in()) == (0, 0)
    assert journal.outcome("PAYO00000001") == Pending()


def test_links_and_other_files_are_left_alone(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    (tmp_path / "in" / "link.xml").symlink_to("/etc/passwd")
    (tmp_path / "in" / "part.xml.tmp").write_text("x")
    (tmp_path / "in" / "folder.xml").mkdir()
    assert (journal.take_in(), journal.take_in()) == (0, 0)
    assert len(list((tmp_path / "in").iterdir())) == 3


def test_notices_come_in_pages_and_a_strange_cursor_is_the_first(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    _queue(journal, *range(1, 151))
    _say(tmp_path, camt(*(entry(f"PAYO{number:08d}") for number in range(1, 151))))
    journal.take_in()
    first = journal.notices("?")
    second = journal.notices(first.cursor)
    assert (len(first.items), len(second.items)) == (200, 100)
    assert len({one.id for one in first.items + second.items}) == 300
    assert [one.kind for one in first.items + second.items] == ["result"] * 150 + ["settled"] * 150
