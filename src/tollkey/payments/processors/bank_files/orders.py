"""Payment orders for a bank: a batch of payouts as one pain.001.001.09.

Element names and their order are those of ISO 20022's schema pain.001.001.09; SEPA's own demands (service level,
charges, ``NOTPROVIDED``, the Latin letters that every bank takes) are those of the EPC's guidelines EPC132-08.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from tollkey.payments.processors import iso4217
from tollkey.payments.processors.bank_files.config import Account, Config, WrongDestination, payee_of
from tollkey.payments.processors.network import Payout

SPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")


@dataclass(frozen=True, slots=True)
class Order:
    """A payout as a bank is told it. units: the smallest ones of ISO 4217."""

    reference: str
    amount: int
    units: int
    currency: str
    name: str
    account: Account
    text: str
    at: int


def order_of(config: Config, payout: Payout) -> Order:
    """Return the order of a payout. Raises ValueError, whose text says what is wrong, without account numbers."""
    if payout.currency not in config.accounts:
        raise ValueError(f"there is no account in {payout.currency}")
    payee = payee_of(payout.destination)
    name = plain(payee.name, 70)
    if not name:
        raise WrongDestination("the destination has no name")
    units = iso4217.units(payout.amount, payout.currency)
    if units <= 0:
        raise ValueError("the amount must be above 0")
    text = plain(payout.statement_descriptor or "", 140)
    return Order(payout.reference, payout.amount, units, payout.currency, name, payee.account, text, payout.at)


def plain(text: str, longest: int) -> str:
    """Return a text in the letters that every bank takes; those that have no such form become a full stop."""
    apart = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    kept = "".join(
        one if one in _LETTERS else " " if one.isspace() else "." for one in apart if not unicodedata.combining(one)
    )
    return " ".join(kept.split())[:longest].strip()


def payment_of(message: str, currency: str) -> str:
    """Return the id of the payments of a currency in a message (PmtInfId)."""
    return f"{message}-{currency.upper()}"


def write(config: Config, message: str, orders: Sequence[Order], at: int) -> bytes:
    """Return the file of a batch. message: its id. at: UTC epoch seconds, for its date."""
    made = datetime.fromtimestamp(at, UTC)
    root = Element("Document", {"xmlns": SPACE})
    start = _add(root, "CstmrCdtTrfInitn")
    head = _add(start, "GrpHdr")
    _add(head, "MsgId", message)
    _add(head, "CreDtTm", made.strftime("%Y-%m-%dT%H:%M:%S+00:00"))
    _add(head, "NbOfTxs", str(len(orders)))
    _add(head, "CtrlSum", total(orders))
    _add(_add(head, "InitgPty"), "Nm", plain(config.debtor, 70))
    by_currency: dict[str, list[Order]] = {}
    for order in orders:
        by_currency.setdefault(order.currency, []).append(order)
    for currency, some in by_currency.items():
        _payment(start, config, payment_of(message, currency), some, made.strftime("%Y-%m-%d"))
    body: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body


def total(orders: Sequence[Order]) -> str:
    """Return the sum of all amounts, irrespective of currencies, as the schema says (CtrlSum)."""
    found = sum((Decimal(iso4217.text(order.units, order.currency)) for order in orders), Decimal(0))
    return f"{found:f}"


def _payment(start: Element, config: Config, id: str, orders: Sequence[Order], date: str) -> None:
    currency = orders[0].currency
    own = config.accounts[currency]
    sepa = currency == "eur" and bool(own.iban)
    payment = _add(start, "PmtInf")
    _add(payment, "PmtInfId", id)
    _add(payment, "PmtMtd", "TRF")
    _add(payment, "BtchBookg", "false")
    _add(payment, "NbOfTxs", str(len(orders)))
    _add(payment, "CtrlSum", total(orders))
    if sepa:
        _add(_add(_add(payment, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _add(_add(payment, "ReqdExctnDt"), "Dt", date)
    _add(_add(payment, "Dbtr"), "Nm", plain(config.debtor, 70))
    account = _account(payment, "DbtrAcct", own)
    _add(account, "Ccy", currency.upper())
    _agent(payment, "DbtrAgt", own, needed=True)
    if sepa:
        _add(payment, "ChrgBr", "SLEV")
    for order in orders:
        _transaction(payment, order)


def _transaction(payment: Element, order: Order) -> None:
    one = _add(payment, "CdtTrfTxInf")
    ids = _add(one, "PmtId")
    _add(ids, "InstrId", order.reference)
    _add(ids, "EndToEndId", order.reference)
    amount = _add(_add(one, "Amt"), "InstdAmt", iso4217.text(order.units, order.currency))
    amount.set("Ccy", order.currency.upper())
    _agent(one, "CdtrAgt", order.account, needed=False)
    _add(_add(one, "Cdtr"), "Nm", order.name)
    _account(one, "CdtrAcct", order.account)
    if order.text:
        _add(_add(one, "RmtInf"), "Ustrd", order.text)


def _account(parent: Element, name: str, account: Account) -> Element:
    found = _add(parent, name)
    id = _add(found, "Id")
    if account.iban:
        _add(id, "IBAN", account.iban.replace(" ", "").upper())
    else:
        _add(_add(id, "Othr"), "Id", account.number)
    return found


def _agent(parent: Element, name: str, account: Account, *, needed: bool) -> None:
    if not (account.bic or account.bank or needed):
        return
    bank = _add(_add(parent, name), "FinInstnId")
    if account.bic:
        _add(bank, "BICFI", account.bic)
    elif account.bank:
        member = _add(bank, "ClrSysMmbId")
        if account.clearing:
            _add(_add(member, "ClrSysId"), "Cd", account.clearing)
        _add(member, "MmbId", account.bank)
    else:
        _add(_add(bank, "Othr"), "Id", "NOTPROVIDED")


def _add(parent: Element, name: str, text: str | None = None) -> Element:
    found = SubElement(parent, name)
    found.text = text
    return found
