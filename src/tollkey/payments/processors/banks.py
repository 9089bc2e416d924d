"""Test bank accounts: US accounts and IBANs, the outcome of debits and payouts, and their representation in the API.

Facts from reference sections 6.2, 6.10 and 6.11 and the documentation's testing pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from tollkey.payments.processors.bank_numbers import (
    ALL,
    BACS_SORT_CODE,
    BANK_NAME,
    BECS_BSB,
    LATER_SECONDS,
    ROUTING_NUMBER,
    SEPA_ACCOUNTS,
    TRANSIT,
    TestBank,
)
from tollkey.payments.processors.cards import fingerprint
from tollkey.payments.processors.states import BANK_ACCOUNT

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredBankAccount
    from tollkey.wire import api

__all__ = [
    "ALL",
    "BANK_NAME",
    "LATER_SECONDS",
    "ROUTING_NUMBER",
    "SEPA_ACCOUNTS",
    "BankDetails",
    "TestBank",
    "bank_account",
    "bank_by_key",
    "bank_by_name",
    "bank_by_number",
    "details_of",
    "external_bank_account",
    "iban_valid",
    "key_of",
    "routing_valid",
    "sepa_debit",
    "us_bank_account",
    "without_number",
]

VERIFIED_AMOUNTS, VERIFIED_CODE = (32, 45), "SM11AA"
ATTEMPTS_EXCEEDED_AMOUNTS, ATTEMPTS_EXCEEDED_CODE = (10, 11), "SM33CC"
TIMEOUT_AMOUNTS, TIMEOUT_CODE = (40, 41), "SM44DD"
TEST_ACCOUNT_MESSAGE = (
    "You must use a test bank account number in test mode. Try {number} or see more options at"
    " https://stripe.com/docs/connect/testing#account-numbers."
)
_BY_NAME: Mapping[str, TestBank] = MappingProxyType({name: bank for bank in ALL for name in bank.names})
_BY_NUMBER: Mapping[tuple[str, str], TestBank] = MappingProxyType({(bank.kind, bank.number): bank for bank in ALL})
_BY_KEY: Mapping[str, TestBank] = MappingProxyType({bank.key: bank for bank in ALL})


def bank_by_name(name: str) -> TestBank | None:
    """Return the test account with a name such as ``pm_usBankAccount_…``, ``pm_bacsDebit_…`` or ``btok_…``, or None."""
    return _BY_NAME.get(name)


def bank_by_number(number: str, routing_number: str | None = None, kind: str | None = None) -> TestBank | None:
    """Return the test account with this account number or IBAN (spaces are ignored), or None.

    routing_number: if given, it must be the test bank's for a US account. kind: type of payment method; None for a US
        account number or an IBAN.
    """
    text = number.replace(" ", "").upper()
    wanted = (kind,) if kind is not None else ("us_bank_account", "sepa_debit")
    bank = next((_BY_NUMBER[one, text] for one in wanted if (one, text) in _BY_NUMBER), None)
    if bank is not None and routing_number is not None and bank.routing_number not in (None, routing_number):
        return None
    return bank


def bank_by_key(key: str | None) -> TestBank | None:
    """Return the test account with this ``TestBank.key``, or None."""
    return _BY_KEY.get(key or "")


def key_of(number: str, kind: str | None = None) -> str | None:
    """Return the ``TestBank.key`` of a test account's number; None for other numbers, which are not stored.

    kind: as in ``bank_by_number``.
    """
    bank = bank_by_number(number, kind=kind)
    return bank.key if bank is not None else None


def without_number(private: Mapping[str, object], *_: object) -> dict[str, object]:
    """Rewrite instruments of earlier versions (``Resource(rewrites=…)``), which stored the number in ``_bank``."""
    kept = private.get("_bank")
    if not isinstance(kept, str) or bank_by_key(kept) is not None:
        return dict(private)
    key = key_of(kept)
    return {**private, "_bank": key} if key else {name: value for name, value in private.items() if name != "_bank"}


def iban_valid(iban: str) -> bool:
    """Return whether the check digits of an IBAN are correct (ISO 13616)."""
    text = iban.replace(" ", "").upper()
    if not (text.isascii() and text.isalnum() and 15 <= len(text) <= 34 and text[:2].isalpha() and text[2:4].isdigit()):
        return False
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1


def routing_valid(number: str) -> bool:
    """Return whether the check digit of a US routing number is correct (ABA)."""
    if not (number.isascii() and number.isdigit() and len(number) == 9):
        return False
    return sum(int(digit) * (3, 7, 1)[place % 3] for place, digit in enumerate(number)) % 10 == 0


def us_bank_account(
    bank: TestBank, *, account: str, holder_type: str = "individual", account_type: str = "checking", key: bytes = b""
) -> api.PaymentMethodUsBankAccount:
    """Return ``PaymentMethod.us_bank_account``. account: the merchant, which its fingerprint depends on."""
    return {
        "account_holder_type": holder_type,
        "account_type": account_type,
        "bank_name": BANK_NAME,
        "financial_connections_account": None,
        "fingerprint": fingerprint(bank.number, account, key),
        "last4": bank.last4,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": bank.routing_number,
        "status_details": {},
    }


def sepa_debit(iban: str, *, account: str, key: bytes = b"") -> api.PaymentMethodSepaDebit:
    """Return ``PaymentMethod.sepa_debit``. account: the merchant, which its fingerprint depends on."""
    iban = iban.replace(" ", "").upper()
    start, end = _BANK_CODE.get(iban[:2], (4, 8))
    branch_start, branch_end = _BRANCH_CODE.get(iban[:2], (0, 0))
    return {
        "bank_code": iban[start:end],
        "branch_code": iban[branch_start:branch_end],
        "country": iban[:2],
        "fingerprint": fingerprint(iban, account, key),
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": iban[-4:],
    }


def details_of(bank: TestBank, *, account: str) -> Mapping[str, object]:
    """Return the hash of a PaymentMethod that bears its type's name. account: the merchant, for the fingerprint."""
    if bank.kind == "us_bank_account":
        return us_bank_account(bank, account=account)
    if bank.kind == "sepa_debit":
        return sepa_debit(bank.number, account=account)
    shown: dict[str, object] = {"fingerprint": fingerprint(bank.number, account), "last4": bank.last4}
    if bank.kind == "bacs_debit":
        return {**shown, "sort_code": BACS_SORT_CODE}
    if bank.kind == "au_becs_debit":
        return {**shown, "bsb_number": BECS_BSB}
    if bank.kind == "acss_debit":
        institution, transit = TRANSIT
        return {**shown, "bank_name": BANK_NAME, "institution_number": institution, "transit_number": transit}
    return {
        "account_holder_name": None,
        "bank_code": "11",
        "bank_name": BANK_NAME,
        "branch_code": "0000",
        "last4": bank.last4,
        "suffix": bank.suffix,
    }


#: Positions of bank and branch code in each country's IBANs (registry of ISO 13616; recorded for DE, FR, HR and FI).
_BANK_CODE = {
    "AT": (4, 9), "BE": (4, 7), "DE": (4, 12), "ES": (4, 8), "FI": (4, 10), "FR": (4, 9), "HR": (4, 11), "IE": (4, 8),
    "IT": (5, 10),
    "LU": (4, 7), "NL": (4, 8), "PT": (4, 8),
}  # fmt: skip
_BRANCH_CODE = {"ES": (8, 12), "FR": (9, 14), "IT": (10, 15), "PT": (8, 12)}


@dataclass(frozen=True)
class BankDetails:
    """A bank account as its holder gives it.

    currency: lower-case code. bank_name: None in live mode, where nobody knows which bank a number belongs to.
    """

    number: str
    routing_number: str | None
    country: str
    currency: str
    holder_name: str | None = None
    holder_type: str | None = None
    account_type: str | None = None
    bank_name: str | None = BANK_NAME


def bank_account(details: BankDetails, *, id: str, account: str, status: str = "new") -> StoredBankAccount:
    """Return a ``bank_account`` object as tokens contain it; ``external_bank_account`` adds further keys.

    bank_name: None in live mode, where the bank of a number is not known.
    """
    return {
        "id": id,
        "object": "bank_account",
        "account_holder_name": details.holder_name,
        "account_holder_type": details.holder_type,
        "account_type": details.account_type,
        "bank_name": details.bank_name,
        "country": details.country,
        "currency": details.currency,
        "fingerprint": fingerprint(details.number, account),
        "last4": details.number[-4:],
        "routing_number": details.routing_number,
        "status": BANK_ACCOUNT.start(status),
    }


def _nothing_due() -> api.ExternalAccountRequirements:
    return {"currently_due": [], "errors": [], "past_due": [], "pending_verification": []}


def external_bank_account(
    body: StoredBankAccount, *, account: str, default: bool, metadata: Mapping[str, str] | None = None
) -> StoredBankAccount:
    """Return the bank account as a payout destination of ``account``. default: for its currency."""
    return {
        **body,
        "account": account,
        "available_payout_methods": ["standard"],
        "default_for_currency": default,
        "future_requirements": _nothing_due(),
        "metadata": dict(metadata or {}),
        "requirements": _nothing_due(),
    }
