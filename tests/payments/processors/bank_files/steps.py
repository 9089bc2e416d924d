"""What the tests of this room begin with: folders, payouts, and what a bank says of them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import xmlschema

from tollkey.payments.processors.bank_files.config import read
from tollkey.payments.processors.bank_files.processor import BankFiles
from tollkey.payments.processors.network import Payout

NOW = 1_767_225_600  # 2026-01-01 00:00:00 UTC
GERMAN = {"name": "Ada Lovelace", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}
AMERICAN = {"name": "Grace Hopper", "number": "000123456789", "bank": "110000000", "clearing": "USABA"}


def configuration(folder: Path, **more: Any) -> Mapping[str, Any]:
    """A configuration in a folder, which gets what it needs."""
    for name in ("out", "in", "state"):
        (folder / name).mkdir(exist_ok=True)
    return {
        "debtor": "Example Ltd",
        "batch_seconds": 0.05,
        "folders": {name: str(folder / name) for name in ("out", "in", "state")},
        "accounts": {
            "eur": {"iban": "FR1420041010050500013M02606"},
            "usd": {"number": "000987654321", "bank": "110000000", "clearing": "USABA"},
            "jpy": {"number": "7654321", "bank": "0005001"},
        },
        **more,
    }


def bank_files(folder: Path, **more: Any) -> BankFiles:
    return BankFiles(read(configuration(folder, **more)))


def payout(number: int = 1, amount: int = 1234, currency: str = "eur", **more: Any) -> Payout:
    """A payout, with a reference that its number decides."""
    destination = more.pop("destination", GERMAN if currency == "eur" else AMERICAN)
    return Payout(f"PAYO{number:08d}", number, NOW + number, amount, currency, f"po_{number}", destination, **more)


def schema() -> Any:
    """The schema of pain.001.001.09, as sepaxml ships it."""
    return xmlschema.XMLSchema(str(files("sepaxml").joinpath("schemas/pain.001.001.09.xsd")))


def camt(*entries: str, id: str = "STMT-1", kind: str = "053", version: str = "08") -> bytes:
    """A statement (053) or a notification (054) of a bank."""
    outer, inner = {"053": ("BkToCstmrStmt", "Stmt"), "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}[kind]
    return (
        f'<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.{version}">'
        f"<{outer}><GrpHdr><MsgId>{id}</MsgId><CreDtTm>2026-01-02T06:00:00+01:00</CreDtTm></GrpHdr><{inner}><Id>1</Id>"
        f"{''.join(entries)}</{inner}></{outer}></Document>"
    ).encode()


def entry(
    reference: str, amount: str = "12.34", side: str = "DBIT", currency: str = "EUR", status: str = "<Cd>BOOK</Cd>",
    reason: str = "", refs: str = "",
) -> str:  # fmt: skip
    """An entry with one detail. reason: of a return. refs: other references."""
    returned = f"<RtrInf><Rsn><Cd>{reason}</Cd></Rsn></RtrInf>" if reason else ""
    named = f"<EndToEndId>{reference}</EndToEndId>" if reference else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>{status}</Sts>'
        f"<BookgDt><Dt>2026-01-02</Dt></BookgDt><NtryDtls><TxDtls><Refs>{refs}{named}</Refs>"
        f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{returned}</TxDtls></NtryDtls></Ntry>'
    )


def refusal(*transactions: str, id: str = "STS-1", group: str = "") -> bytes:
    """A pain.002 of a bank."""
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>{id}</MsgId></GrpHdr>{group}<OrgnlPmtInfAndSts>{''.join(transactions)}</OrgnlPmtInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    ).encode()
