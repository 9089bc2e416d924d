"""What a bank says, in every version of its messages."""

from __future__ import annotations

import pytest

from tests.payments.processors.bank_files.steps import NOW, camt, entry, refusal
from tollkey.payments.processors.bank_files.statements import Line, failure_code, read
from tollkey.payments.processors.bank_files.xml import Unreadable

DAY = NOW + 86_400


@pytest.mark.parametrize("version", ["02", "04", "08", "13"])
@pytest.mark.parametrize("kind", ["053", "054"])
@pytest.mark.parametrize("status", ["<Cd>BOOK</Cd>", "BOOK"])
def test_an_entry_is_read_in_every_version(kind: str, version: str, status: str) -> None:
    found = read(camt(entry("PAYO00000001", status=status), kind=kind, version=version))
    assert (found.kind, found.id) == (f"camt.{kind}", "STMT-1")
    assert found.lines == (Line("paid", "PAYO00000001", "", 1234, "eur", DAY),)


def test_money_that_comes_back_has_a_reason() -> None:
    found = read(camt(entry("PAYO00000001", side="CRDT", reason="AC04")))
    assert found.lines == (Line("back", "PAYO00000001", "", 1234, "eur", DAY, "AC04"),)
    assert failure_code("AC04") == "account_closed"
    assert failure_code("XX99") == "could_not_process"


@pytest.mark.parametrize("status", ["<Cd>PDNG</Cd>", "PDNG", "<Cd>INFO</Cd>", "<Cd>FUTR</Cd>"])
def test_what_is_only_expected_says_nothing(status: str) -> None:
    assert read(camt(entry("PAYO00000001", status=status))).lines == ()


def test_what_is_only_expected_is_no_reason_to_refuse_what_is_booked() -> None:
    others = [entry("OTHER", currency="IRR", status="<Cd>PDNG</Cd>"), entry("OTHER", side="NONE", status="PDNG")]
    assert [line.reference for line in read(camt(*others, entry("PAYO00000001"))).lines] == ["PAYO00000001"]


def test_an_entry_for_information_with_a_reason_is_a_refusal() -> None:
    found = read(camt(entry("PAYO00000001", status="<Cd>INFO</Cd>", reason="AC01")))
    assert [(line.what, line.reason) for line in found.lines] == [("refused", "AC01")]


def test_a_batch_that_was_booked_as_one_has_its_id() -> None:
    booked = entry("", "99.00", refs="<PmtInfId>TKM-1-EUR</PmtInfId>")
    assert read(camt(booked)).lines == (Line("paid", "", "TKM-1-EUR", 9900, "eur", DAY),)
    booked = booked.replace("<TxDtls>", "<Btch><MsgId>TKM-1</MsgId></Btch><TxDtls>").replace("PmtInfId", "ClrSysRef")
    assert [line.batch for line in read(camt(booked)).lines] == ["TKM-1"]


def test_a_reference_that_the_bank_did_not_get_is_looked_for_elsewhere() -> None:
    found = read(camt(entry("NOTPROVIDED", refs="<InstrId>PAYO00000009</InstrId>")))
    assert [line.reference for line in found.lines] == ["PAYO00000009"]


def test_amounts_have_the_decimals_of_their_currency() -> None:
    found = read(
        camt(entry("A", "500", currency="JPY"), entry("B", "5", currency="ISK"), entry("C", "1.50", currency="USD"))
    )
    assert [(line.amount, line.currency) for line in found.lines] == [(500, "jpy"), (500, "isk"), (150, "usd")]


def test_refusals_are_read_of_a_payment_a_batch_and_a_message() -> None:
    why = "<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf>"
    group = f"<OrgnlGrpInfAndSts><OrgnlMsgId>TKM-1</OrgnlMsgId><GrpSts>RJCT</GrpSts>{why}</OrgnlGrpInfAndSts>"
    one = f"<TxInfAndSts><OrgnlEndToEndId>PAYO1</OrgnlEndToEndId><TxSts>RJCT</TxSts>{why}</TxInfAndSts>"
    taken = "<TxInfAndSts><OrgnlEndToEndId>PAYO2</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>"
    batch = f"<OrgnlPmtInfId>TKM-1-EUR</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>{why}"
    found = [(line.reference, line.batch, line.reason) for line in read(refusal(batch, one, taken, group=group)).lines]
    assert found == [("", "TKM-1", "AC01"), ("", "TKM-1-EUR", "AC01"), ("PAYO1", "", "AC01")]


@pytest.mark.parametrize(
    "strange",
    [
        entry("A", "1,00"), entry("A", "-1"), entry("A", "1.001"), entry("A", currency="XXX"), entry("A", "9" * 5_000),
        entry("A", "9" * 20), entry("A", side="BOTH"), entry("A").replace("2026-01-02", "yesterday"),
        entry("A", currency=""), entry("A", ""),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_understood_spoils_no_other(strange: str) -> None:
    first, second = read(camt(strange, entry("PAYO00000001"))).lines
    assert (first.what, first.reference) == ("strange", "A")
    assert second == Line("paid", "PAYO00000001", "", 1234, "eur", DAY)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"<a/>", "it is no camt.053"),
        (camt(version="8"), "it is no camt.053"),
        (camt(id=""), "it has no message id"),
    ],
)
def test_what_is_no_statement_is_refused_as_a_whole(data: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(data)
    assert str(caught.value).startswith(sentence)
