"""What a bank says: entries of camt.053 and camt.054 in any version, and refusals of pain.002.

Only what bears on payouts is read: an entry's details with their references (EndToEndId, InstrId), or, where a batch
was booked as one, that batch's id. Reasons are ISO 20022's external codes (ExternalReturnReason1Code,
ExternalStatusReason1Code); ``reasons.tsv`` puts those that have a counterpart beside Stripe's failure codes of payouts
(https://docs.stripe.com/api/payouts/failures). No source says which belong together: the sentences were compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Final, Literal
from xml.etree.ElementTree import Element

from tollkey.payments.processors import iso4217
from tollkey.payments.processors.bank_files.xml import Unreadable, every, parse, text

_KIND: Final = re.compile(r"(?:urn:iso:std:iso:20022:tech:xsd:)?(camt\.05[34]|pain\.002)\.001\.[0-9]{2}")
OTHER: Final = "could_not_process"
_LARGEST: Final = 10**15  # minor units


@dataclass(frozen=True, slots=True)
class Line:
    """What a bank says of a payout, or of a batch that it booked as one.

    what: ``paid`` (the money left), ``back`` (it came back), ``refused`` (it never left), or ``strange``: it cannot be
    understood, and ``reason`` says why, for people. reference: of the payout, empty for a batch. batch: PmtInfId or
    MsgId of the batch. amount: in minor units of the API. at: UTC epoch seconds of the booking, 0 if it has none.
    """

    what: Literal["paid", "back", "refused", "strange"]
    reference: str
    batch: str
    amount: int
    currency: str
    at: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A file of a bank. id: its message id, by which a repeated file is known."""

    kind: str
    id: str
    lines: tuple[Line, ...]


def read(data: bytes) -> Statement:
    """Read a file of a bank. Raises Unreadable."""
    space, root = parse(data)
    kind = _KIND.fullmatch(space)
    if kind is None or not len(root):
        raise Unreadable("it is no camt.053, camt.054 or pain.002")
    body = root[0]
    id = text(body, "GrpHdr/MsgId")
    if not id:
        raise Unreadable("it has no message id")
    return Statement(kind[1], id, tuple(_refusals(body) if kind[1] == "pain.002" else _entries(body)))


@cache
def _reasons() -> Mapping[str, str]:
    table = files("tollkey.payments.processors.bank_files").joinpath("reasons.tsv").read_text(encoding="utf-8")
    return {reason: code for reason, _, code in (line.split("\t") for line in table.splitlines()[1:])}


def failure_code(reason: str) -> str:
    """Return the failure code of a payout for a bank's reason."""
    return _reasons().get(reason, OTHER)


def _entries(body: Element) -> Iterator[Line]:
    for entry in every(body, "Stmt/Ntry", "Ntfctn/Ntry"):
        status = text(entry, "Sts/Cd") or text(entry, "Sts")
        details = list(every(entry, "NtryDtls/TxDtls"))
        referred = [one for one in details if _reference(one)]
        for one in referred:
            amount = one.find("Amt")
            if amount is None:
                amount = one.find("AmtDtls/TxAmt/Amt")
            if amount is None and len(details) == 1:
                amount = entry.find("Amt")
            if amount is not None:
                yield from _line(entry, one, status, amount, reference=_reference(one))
        amount = entry.find("Amt")
        batch = _batch(entry)
        if not referred and batch and amount is not None:
            yield from _line(entry, details[0] if details else entry, status, amount, batch=batch)


def _line(
    entry: Element, one: Element, status: str, amount: Element, reference: str = "", batch: str = ""
) -> Iterator[Line]:
    """Return the line of an entry, or of one of its details; none for what is only expected.

    An entry that takes another one back (RvslInd) has that one's direction turned round already.
    """
    reason = text(one, "RtrInf/Rsn/Cd") or text(one, "RtrInf/Rsn/Prtry")
    if status != "BOOK" and not (status == "INFO" and reason):
        return
    side = text(one, "CdtDbtInd") or text(entry, "CdtDbtInd")
    currency = amount.get("Ccy", "").lower()
    try:
        if side not in ("DBIT", "CRDT"):
            raise ValueError("it is neither debit nor credit")
        at = _time(text(entry, "BookgDt/Dt") or text(entry, "BookgDt/DtTm"))
        minor = iso4217.minor(iso4217.read((amount.text or "").strip(), currency), currency)
        if minor >= _LARGEST:
            raise ValueError("its amount is too large")
    except (ValueError, KeyError, OverflowError) as problem:
        yield Line("strange", reference, batch, 0, currency, 0, str(problem))
        return
    booked: Literal["paid", "back"] = "paid" if side == "DBIT" else "back"
    yield Line(booked if status == "BOOK" else "refused", reference, batch, minor, currency, at, reason)


def _refusals(body: Element) -> Iterator[Line]:
    group = body.find("OrgnlGrpInfAndSts")
    if text(group, "GrpSts") == "RJCT":
        yield Line("refused", "", text(group, "OrgnlMsgId"), 0, "", 0, _why(group))
    for payment in every(body, "OrgnlPmtInfAndSts"):
        if text(payment, "PmtInfSts") == "RJCT":
            yield Line("refused", "", text(payment, "OrgnlPmtInfId"), 0, "", 0, _why(payment))
        for one in every(payment, "TxInfAndSts"):
            reference = text(one, "OrgnlEndToEndId") or text(one, "OrgnlInstrId")
            if text(one, "TxSts") == "RJCT" and reference:
                yield Line("refused", reference, "", 0, "", 0, _why(one))


def _why(element: Element | None) -> str:
    return text(element, "StsRsnInf/Rsn/Cd") or text(element, "StsRsnInf/Rsn/Prtry")


def _reference(one: Element) -> str:
    found = text(one, "Refs/EndToEndId")
    return found if found not in ("", "NOTPROVIDED") else text(one, "Refs/InstrId")


def _batch(entry: Element) -> str:
    for path in ("NtryDtls/Btch/PmtInfId", "NtryDtls/TxDtls/Refs/PmtInfId", "NtryDtls/Btch/MsgId",
                 "NtryDtls/TxDtls/Refs/MsgId"):  # fmt: skip
        if found := text(entry, path):
            return found
    return ""


def _time(value: str) -> int:
    """Return UTC epoch seconds of a date, or of a time with its zone; 0 for none."""
    if not value:
        return 0
    found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
