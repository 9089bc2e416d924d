"""A configuration is checked when it is read; what is wrong is one sentence that names the setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.payments.processors.bank_files.steps import AMERICAN, GERMAN, configuration
from tollkey.payments.processors.bank_files.config import Account, NoNumber, Payee, payee_of, read


def test_accounts_are_told_by_currency(tmp_path: Path) -> None:
    found = read(configuration(tmp_path))
    assert set(found.accounts) == {"eur", "usd", "jpy"}
    assert found.accounts["eur"] == Account(iban="FR1420041010050500013M02606")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"detbor": "x"}, "detbor is no setting of this processor"),
        ({"debtor": ""}, "debtor is missing: a text of at most 70 characters"),
        ({"batch_seconds": -1}, "batch_seconds must be a number from 0.01 to 86400"),
        ({"batch_seconds": True}, "batch_seconds must be a number from 0.01 to 86400"),
        ({"batch_seconds": 0}, "batch_seconds must be a number from 0.01 to 86400"),
        ({"largest_batch": 1.5}, "largest_batch must be a whole number"),
        ({"largest_batch": 0}, "largest_batch must be a number from 1 to 10000"),
        ({"folders": {}}, "folders.out is missing: an absolute path"),
        ({"folders": 1}, "folders is missing: a table"),
        ({"folders": {"out": "out", "in": "in", "state": "state"}}, "folders.out is missing: an absolute path"),
        ({"folders": {"out": "/nowhere/out"}}, "folders.out: /nowhere/out is no folder that can be written"),
        ({"folders": {"out": "/", "of": "/"}}, "folders.of is no setting of this processor"),
        (
            {"folders": {"out": "/tmp", "in": "/tmp", "state": "/tmp"}},
            "folders.out, folders.in and folders.state must be",
        ),
        ({"folders": {"out": "/dev/shm", "in": "/", "state": "/tmp"}}, "folders.state must be on the file system of"),
        ({"accounts": {}}, "accounts must have a table for at least one currency"),
        ({"accounts": {"EUR": {}}}, "accounts.EUR is no currency: codes are in lower case"),
        ({"accounts": {"eur": "DE"}}, "accounts.eur must be a table of texts"),
        ({"accounts": {"eur": {"ibna": "x"}}}, "accounts.eur.ibna is no setting of this processor"),
        ({"accounts": {"eur": {}}}, "accounts.eur needs either iban or number"),
        ({"accounts": {"eur": {"iban": "DE00370400440532013000"}}}, "accounts.eur has an iban whose check digits are"),
        ({"accounts": {"eur": {**{"iban": GERMAN["iban"]}, "bic": "x"}}}, "accounts.eur has a bic that is none"),
        ({"accounts": {"usd": {"number": "1"}}}, "accounts.usd needs number and bank, of letters and digits"),
        (
            {"accounts": {"usd": {"number": "1", "bank": "1", "clearing": "x"}}},
            "accounts.usd has a clearing that",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_the_setting(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError) as caught:
        read({**configuration(tmp_path), **change})
    assert str(caught.value).startswith(sentence)


def test_a_destination_is_an_iban_or_a_number_at_a_bank() -> None:
    assert payee_of(GERMAN) == Payee("Ada Lovelace", Account(iban=GERMAN["iban"], bic=GERMAN["bic"]))
    assert payee_of({**AMERICAN, "last4": "6789"}).account.bank == "110000000"
    assert payee_of({"name": "A", "number": "1", "routing_number": "110000000"}).account.bank == "110000000"
    for wrong in ({"iban": "DE1"}, {"number": "1"}, {**GERMAN, **AMERICAN}, {**GERMAN, "last4": "6789"}):
        with pytest.raises(ValueError, match="the destination") as caught:
            payee_of(wrong)
        assert not any(value in str(caught.value) for value in wrong.values() if len(value) > 4)


def test_a_number_that_nobody_has_said_is_told_from_a_wrong_one() -> None:
    with pytest.raises(NoNumber):
        payee_of({"id": "ba_1", "name": "A", "last4": "6789", "routing_number": "110000000"})
