"""pyiso20022 as the bank: its classes, generated from the schemas, read our orders, and we read what they write."""

from __future__ import annotations

import json
from pathlib import Path

from tests.contract.judges.installing import PROGRAMS, python_with, run
from tests.payments.processors.bank_files.steps import AMERICAN, configuration, payout
from tollkey.payments.processors.bank_files.config import read
from tollkey.payments.processors.bank_files.journal import Journal
from tollkey.payments.processors.bank_files.orders import order_of
from tollkey.payments.processors.network import Approved


def test_a_bank_of_generated_classes_reads_our_orders_and_is_read(tmp_path: Path) -> None:
    config = read(configuration(tmp_path))
    journal = Journal(config)
    journal.open()
    payouts = [payout(1, 1234), payout(2, 99_999_999), payout(3, 5, "usd", destination=AMERICAN), payout(4, 500, "jpy")]
    for one in payouts:
        journal.queue(order_of(config, one))
    assert journal.deliver() == 1
    (order,) = (tmp_path / "out").glob("*.xml")
    python = python_with("iso20022", "pyiso20022", "xsdata") / "bin" / "python"
    told = json.loads(run(python, PROGRAMS / "bank.py", order, tmp_path / "in"))
    assert told == {
        "message": order.stem,
        "payments": [
            ["PAYO00000001", "12.34", "EUR"], ["PAYO00000002", "999999.99", "EUR"], ["PAYO00000003", "0.05", "USD"],
            ["PAYO00000004", "500", "JPY"],
        ],
    }  # fmt: skip
    assert journal.take_in() == 2
    assert {type(journal.outcome(one.reference)) for one in payouts} == {Approved}
    notices, cursor = [], ""
    while (page := journal.notices(cursor)).items:
        notices += page.items
        cursor = page.cursor
    settled = [(one.amount, one.currency) for one in notices if one.kind == "settled"]
    assert settled == [(-1234, "eur"), (-99_999_999, "eur"), (-5, "usd"), (-500, "jpy"), (500, "jpy")]
    assert [(one.kind, one.amount, one.code) for one in notices[-2:-1]] == [("returned", 500, "account_closed")]
