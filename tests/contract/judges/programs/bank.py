"""`bank.py ORDER FOLDER`: a bank made of pyiso20022's classes, which are generated from the schemas of ISO 20022.

It reads a payment order strictly, prints what it says, and writes into the folder what a bank would answer: a statement
(camt.053) that books every payment, and a notification (camt.054) by which the last one comes back, closed account.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from pyiso20022.camt import camt_053_001_08 as statements
from pyiso20022.camt import camt_054_001_08 as notifications
from pyiso20022.pain.pain_001_001_09 import Document
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.models.datatype import XmlDate, XmlDateTime


def entry(kind: Any, transaction: Any, side: str, reason: str = "") -> Any:
    """An entry of a statement or notification about a payment."""
    asked = transaction.amt.instd_amt
    amount = kind.ActiveOrHistoricCurrencyAndAmount(value=asked.value, ccy=asked.ccy)
    way = kind.CreditDebitCode(side)
    returned = kind.PaymentReturnReason5(rsn=kind.ReturnReason5Choice(cd=reason)) if reason else None
    detail = kind.EntryTransaction10(
        refs=kind.TransactionReferences6(end_to_end_id=transaction.pmt_id.end_to_end_id), amt=amount, cdt_dbt_ind=way,
        rtr_inf=returned,
    )  # fmt: skip
    code = kind.ProprietaryBankTransactionCodeStructure1(cd="NTRF")
    return kind.ReportEntry10(
        amt=amount, cdt_dbt_ind=way, sts=kind.EntryStatus1Choice(cd="BOOK"),
        bookg_dt=kind.DateAndDateTime2Choice(dt=XmlDate(2026, 1, 2)),
        bk_tx_cd=kind.BankTransactionCodeStructure4(prtry=code),
        ntry_dtls=[kind.EntryDetails9(tx_dtls=[detail])],
    )  # fmt: skip


def main(order: str, folder: str) -> None:
    strict = ParserConfig(fail_on_unknown_properties=True, fail_on_unknown_attributes=True)
    document = XmlParser(config=strict).from_path(Path(order), Document)
    start = document.cstmr_cdt_trf_initn
    payments = [one for part in start.pmt_inf for one in part.cdt_trf_tx_inf]
    assert start.grp_hdr.ctrl_sum == sum((one.amt.instd_amt.value for one in payments), Decimal(0))
    for part in start.pmt_inf:
        assert part.ctrl_sum == sum((one.amt.instd_amt.value for one in part.cdt_trf_tx_inf), Decimal(0))
    told = [[one.pmt_id.end_to_end_id, str(one.amt.instd_amt.value), one.amt.instd_amt.ccy] for one in payments]
    print(json.dumps({"message": start.grp_hdr.msg_id, "payments": told}))
    when, account = XmlDateTime.from_string("2026-01-02T06:00:00Z"), start.pmt_inf[0].dbtr_acct.id.iban
    s, n = statements, notifications
    booked = s.AccountStatement9(
        id="1", acct=s.CashAccount39(id=s.AccountIdentification4Choice(iban=account)),
        ntry=[entry(s, one, "DBIT") for one in payments],
    )  # fmt: skip
    back = n.AccountNotification17(
        id="1", acct=n.CashAccount39(id=n.AccountIdentification4Choice(iban=account)),
        ntry=[entry(n, payments[-1], "CRDT", "AC04")],
    )  # fmt: skip
    statement = s.BankToCustomerStatementV08(grp_hdr=s.GroupHeader81(msg_id="S-1", cre_dt_tm=when), stmt=[booked])
    notification = n.BankToCustomerDebitCreditNotificationV08(
        grp_hdr=n.GroupHeader81(msg_id="N-1", cre_dt_tm=when), ntfctn=[back]
    )
    files = {
        "a.xml": s.Document(bk_to_cstmr_stmt=statement),
        "b.xml": n.Document(bk_to_cstmr_dbt_cdt_ntfctn=notification),
    }
    for name, written in files.items():
        (Path(folder) / name).write_text(XmlSerializer().render(written))


main(*sys.argv[1:])
