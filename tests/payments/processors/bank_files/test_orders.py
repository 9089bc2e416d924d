"""Payment orders: valid by the schema, read by an independent reader, exact to the cent."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.payments.processors.bank_files.steps import AMERICAN, GERMAN, NOW, configuration, payout, schema
from tollkey.payments.processors import iso4217
from tollkey.payments.processors.bank_files.config import Account, Config, read
from tollkey.payments.processors.bank_files.orders import order_of, plain, total, write

SCHEMA = schema()
_CONFIG = Config(
    "Example Ltd", Path("out"), Path("in"), Path("state"),
    {
        "eur": Account(iban="FR1420041010050500013M02606"), "usd": Account(number="1", bank="2"),
        "jpy": Account(number="1", bank="2"),
    },
)  # fmt: skip
_TO = {"eur": GERMAN, "usd": AMERICAN, "jpy": AMERICAN}


@pytest.fixture
def config(tmp_path: Path) -> Any:
    return read(configuration(tmp_path))


def test_a_batch_is_valid_and_says_what_was_asked(config: Any) -> None:
    payouts = [
        payout(1, 1234, statement_descriptor="Invoice 7"), payout(2, 5, "usd"), payout(3, 500, "jpy"),
        payout(4, 100_000_000, destination={"name": "Ünïcode & Söhne", "iban": GERMAN["iban"]}),
    ]  # fmt: skip
    data = write(config, "TKM-1", [order_of(config, one) for one in payouts], NOW)
    SCHEMA.validate(BytesIO(data))
    found = SCHEMA.to_dict(BytesIO(data))["CstmrCdtTrfInitn"]
    head = found["GrpHdr"]
    assert (head["MsgId"], head["NbOfTxs"], head["CtrlSum"]) == ("TKM-1", "4", Decimal("1000512.39"))
    sums = [(one["PmtInfId"], one["NbOfTxs"], one["CtrlSum"]) for one in found["PmtInf"]]
    assert sums == [
        ("TKM-1-EUR", "2", Decimal("1000012.34")), ("TKM-1-USD", "1", Decimal("0.05")),
        ("TKM-1-JPY", "1", Decimal(500)),
    ]  # fmt: skip
    euro, dollar, _ = found["PmtInf"]
    assert euro["PmtTpInf"]["SvcLvl"] == [{"Cd": "SEPA"}]
    assert euro["ReqdExctnDt"] == {"Dt": "2026-01-01"}
    first, second = euro["CdtTrfTxInf"]
    assert first["PmtId"] == {"InstrId": "PAYO00000001", "EndToEndId": "PAYO00000001"}
    assert first["Amt"]["InstdAmt"] == {"@Ccy": "EUR", "$": Decimal("12.34")}
    assert first["CdtrAcct"] == {"Id": {"IBAN": GERMAN["iban"]}}
    assert (first["RmtInf"], second["Cdtr"]["Nm"]) == ({"Ustrd": ["Invoice 7"]}, "Unicode . Sohne")
    american = dollar["CdtTrfTxInf"][0]
    assert american["CdtrAcct"] == {"Id": {"Othr": {"Id": AMERICAN["number"]}}}
    assert american["CdtrAgt"]["FinInstnId"]["ClrSysMmbId"] == {"ClrSysId": {"Cd": "USABA"}, "MmbId": "110000000"}


@given(
    st.lists(st.tuples(st.integers(1, 10**11), st.sampled_from(["eur", "usd", "jpy"])), min_size=1, max_size=20),
    st.text(min_size=1, max_size=90),
)
def test_sums_are_exact_and_every_name_stays_valid(amounts: list[tuple[int, str]], name: str) -> None:
    orders = [
        order_of(_CONFIG, payout(number, amount, currency, destination={**_TO[currency], "name": f"A{name}"}))
        for number, (amount, currency) in enumerate(amounts)
    ]
    assert Decimal(total(orders)) == sum(Decimal(iso4217.text(one.units, one.currency)) for one in orders)
    SCHEMA.validate(BytesIO(write(_CONFIG, "TKM-1", orders, NOW)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"currency": "gbp", "destination": GERMAN}, "there is no account in gbp"),
        ({"destination": {"iban": GERMAN["iban"]}}, "the destination has no name"),
        ({"destination": {"name": "A", "iban": "DE00"}}, "the destination has an iban whose check digits are wrong"),
        ({"amount": 0}, "the amount must be above 0"),
    ],
)
def test_what_a_bank_could_not_do_is_refused(config: Any, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        order_of(config, payout(1, **change))
    assert str(caught.value) == sentence


def test_texts_have_the_letters_that_every_bank_takes() -> None:
    assert plain("Straße <é> “ŁÓDŹ”\n日本", 70) == "Strasse .e. ..ODZ. .."
    assert plain("x" * 100, 35) == "x" * 35
