"""Test bank accounts: US accounts and IBANs, the outcome of debits and payouts, and their representation in the API.

Facts from reference sections 6.2, 6.10 and 6.11 and the documentation's testing pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from tollkey.payments.processors.cards import fingerprint
from tollkey.payments.processors.states import BANK_ACCOUNT

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredBankAccount
    from tollkey.wire import api

Outcome = Literal["succeeds", "succeeds_later", "fails", "fails_later", "disputed", "processing", "unusable"]

ROUTING_NUMBER = "110000000"
BANK_NAME = "STRIPE TEST BANK"
#: Seconds after which debits of the ``…_later`` accounts complete.
LATER_SECONDS = 180
VERIFIED_AMOUNTS, VERIFIED_CODE = (32, 45), "SM11AA"
ATTEMPTS_EXCEEDED_AMOUNTS, ATTEMPTS_EXCEEDED_CODE = (10, 11), "SM33CC"
TIMEOUT_AMOUNTS, TIMEOUT_CODE = (40, 41), "SM44DD"
TEST_ACCOUNT_MESSAGE = (
    "You must use a test bank account number in test mode. Try {number} or see more options at"
    " https://stripe.com/docs/connect/testing#account-numbers."
)


@dataclass(frozen=True, slots=True)
class TestBank:
    """A test account.

    number: account number or IBAN. names: its ``pm_usBankAccount_…``, ``pm_sepaDebit_…`` and ``btok_…`` names.
    outcome: of a debit; an unusable account cannot become a PaymentMethod.
    failure: the failure code of a failed debit or payout.
    blocked: Radar refuses it (highest risk).
    """

    number: str
    country: str
    currency: str
    names: tuple[str, ...] = ()
    outcome: Outcome = "succeeds"
    failure: str | None = None
    routing_number: str | None = None
    blocked: bool = False

    @property
    def key(self) -> str:
        """The key stored instead of the number; ``bank_by_key`` finds the account."""
        return f"{'us' if self.country == 'US' else self.number[:4].lower()}_{self.last4}"

    @property
    def last4(self) -> str:
        """The last four digits, which the API shows."""
        return self.number[-4:]

    @property
    def kind(self) -> str:
        """The PaymentMethod type: ``us_bank_account`` or ``sepa_debit``."""
        return "us_bank_account" if self.country == "US" else "sepa_debit"


def _us(
    number: str, name: str | None = None, failure: str | None = None, outcome: Outcome = "succeeds", **more: Any
) -> TestBank:
    names = (f"pm_usBankAccount_{name}",) if name else ()
    tokens: tuple[str, ...] = (f"btok_us_verified_{name}",) if failure and name else ()
    if name == "success":
        tokens = ("btok_us", "btok_us_verified")
    return TestBank(
        number, "US", "usd", (*names, *tokens), "fails" if failure else outcome, failure, ROUTING_NUMBER, **more
    )


US_ACCOUNTS: tuple[TestBank, ...] = (
    _us("000123456789", "success"),
    _us("000111111113", "accountClosed", "account_closed"),
    _us("000111111116", "noAccount", "no_account"),
    _us("000222222227", "insufficientFunds", "insufficient_funds"),
    _us("000333333335", "debitNotAuthorized", "debit_not_authorized"),
    _us("000444444440", "invalidCurrency", "invalid_currency"),
    _us("000666666661", "failMicrodeposits"),
    _us("000555555559", "dispute", outcome="disputed"),
    _us("000000000009", "processing", outcome="processing"),
    _us("000777777771", "weeklyLimitExceeded", "charge_exceeds_weekly_limit"),
    _us("000888888885", None, "bank_account_unusable"),
    _us("000000004954", "riskLevelHighest", blocked=True),
    _us("000999999991"),
    _us("000999999992"),
)

_SEPA_SCENARIOS: tuple[tuple[str | None, Outcome, str | None], ...] = (
    ("success", "succeeds", None),
    ("successDelayed", "succeeds_later", None),
    ("failed", "fails", "generic_could_not_process"),
    ("failedDelayed", "fails_later", "generic_could_not_process"),
    ("disputed", "disputed", None),
    ("exceedsWeeklyVolumeLimit", "fails", "charge_exceeds_source_limit"),
    ("exceedsWeeklyTransactionLimit", "fails", "charge_exceeds_weekly_limit"),
    ("insufficientFunds", "fails", "insufficient_funds"),
    (None, "unusable", "sepa_debit_bank_not_supported"),
    (None, "unusable", "sepa_debit_debits_not_supported"),
)
#: Test IBANs of each country, in the order of the scenarios.
_IBANS = (
    "AT611904300234573201 AT321904300235473204 AT861904300235473202 AT051904300235473205 AT591904300235473203"
    " AT981904300000343434 AT601904300000121212 AT981904300002222227 AT271904300000055555 AT511904300000066666",
    "BE62510007547061 BE78510007547064 BE68539007547034 BE51510007547065 BE08510007547063"
    " BE90510000343434 BE52510000121212 BE90510002222227 BE19510000055555 BE43510000066666",
    "DE89370400440532013000 DE08370400440532013003 DE62370400440532013001 DE78370400440532013004 DE35370400440532013002"
    " DE65370400440000343434 DE27370400440000121212 DE65370400440002222227 DE91370400440000055555"
    " DE18370400440000066666",
    "FR1420041010050500013M02606 FR3020041010050500013M02609 FR8420041010050500013M02607 FR7920041010050500013M02600"
    " FR5720041010050500013M02608 FR9720041010050000000343434 FR5920041010050000000121212 FR9720041010050000002222227"
    " FR2620041010050000000055555 FR5020041010050000000066666",
    "IE29AIBK93115212345678 IE24AIBK93115212345671 IE02AIBK93115212345679 IE94AIBK93115212345672 IE51AIBK93115212345670"
    " IE10AIBK93115200343434 IE69AIBK93115200121212 IE10AIBK93115202222227 IE36AIBK93115200055555"
    " IE60AIBK93115200066666",
)
#: Countries with only the account that succeeds.
_SUCCEEDING = (
    "EE382200221020145685", "ES0700120345030000067890", "FI2112345600000785", "IT40S0542811101000000123456",
    "LT121000011101001000",
    "LU280019400644750000", "NL39RABO0300065264", "NO9386011117947", "PT50000201231234567890154",
    "SE3550000000054910000003",
)  # fmt: skip
#: An account that fails: the Stripe CLI uses it to fail an asynchronous checkout.
_FAILING = ("IT60X0542811101000000123456",)


def _sepa() -> Iterable[TestBank]:
    for iban in _SUCCEEDING:
        yield TestBank(iban, iban[:2], "eur", (f"pm_sepaDebit_success_{iban[:2].lower()}",))
    for iban in _FAILING:
        yield TestBank(iban, iban[:2], "eur", (), "fails", "insufficient_funds")
    for ibans in _IBANS:
        for iban, (scenario, outcome, failure) in zip(ibans.split(), _SEPA_SCENARIOS, strict=True):
            country = iban[:2]
            names = (f"pm_sepaDebit_{scenario}_{country.lower()}",) if scenario else ()
            yield TestBank(iban, country, "eur", names, outcome, failure)


SEPA_ACCOUNTS: tuple[TestBank, ...] = tuple(_sepa())
_BY_NAME: Mapping[str, TestBank] = MappingProxyType(
    {name: bank for bank in (*US_ACCOUNTS, *SEPA_ACCOUNTS) for name in bank.names}
)
_BY_NUMBER: Mapping[str, TestBank] = MappingProxyType({bank.number: bank for bank in (*US_ACCOUNTS, *SEPA_ACCOUNTS)})

_BY_KEY: Mapping[str, TestBank] = MappingProxyType({bank.key: bank for bank in _BY_NUMBER.values()})


def bank_by_name(name: str) -> TestBank | None:
    """Return the test account with a ``pm_usBankAccount_…``, ``pm_sepaDebit_…`` or ``btok_…`` name, or None."""
    return _BY_NAME.get(name)


def bank_by_number(number: str, routing_number: str | None = None) -> TestBank | None:
    """Return the test account with this account number or IBAN (spaces are ignored), or None.

    routing_number: if given, it must be the test bank's for a US account.
    """
    bank = _BY_NUMBER.get(number.replace(" ", "").upper())
    if bank is not None and routing_number is not None and bank.routing_number not in (None, routing_number):
        return None
    return bank


def bank_by_key(key: str | None) -> TestBank | None:
    """Return the test account with this ``TestBank.key``, or None."""
    return _BY_KEY.get(key or "")


def key_of(number: str) -> str | None:
    """Return the ``TestBank.key`` of a test account's number; None for other numbers, which are not stored."""
    bank = bank_by_number(number)
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
