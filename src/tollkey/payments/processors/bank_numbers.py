"""The documented test bank accounts of every kind of debit, and what becomes of a payment from each.

Facts from the documentation's testing page and the guides of ACH, SEPA, Bacs, BECS, ACSS and NZ BECS Direct Debit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tollkey.payments.processors.ibans import OTHER_IBANS, SCENARIOS, SEPA_IBANS

Outcome = Literal[
    "succeeds", "succeeds_later", "fails", "fails_later", "disputed", "disputed_later", "processing", "unusable"
]

#: What else an account does: Radar blocks its payments (highest risk); its failure makes the mandate inactive; its bank
#: refuses every mandate; micro-deposits to it fail; as a connected account's, its owner matches, or is to be shown by
#: a document.
Mark = Literal["blocked", "ends_mandate", "refuses_mandate", "no_deposits", "owner_matches", "owner_asked"]

ROUTING_NUMBER = "110000000"
BACS_SORT_CODE, BECS_BSB = "108800", "000000"
#: Institution and transit number of the Canadian test accounts.
TRANSIT = ("000", "11000")
BANK_NAME = "STRIPE TEST BANK"
#: Seconds after which debits of the ``…_later`` accounts complete.
LATER_SECONDS = 180


@dataclass(frozen=True, slots=True)
class TestBank:
    """A test account.

    number: account number or IBAN. kind: the type of payment method. names: its ``pm_…`` and ``btok_…`` names.
    outcome: of a debit; an unusable account cannot become a PaymentMethod.
    failure: the failure code of a failed debit or payout.
    suffix: of an account in New Zealand. mark: what else it does.
    """

    number: str
    country: str
    currency: str
    kind: str
    names: tuple[str, ...] = ()
    outcome: Outcome = "succeeds"
    failure: str | None = None
    routing_number: str | None = None
    suffix: str | None = None
    mark: Mark | None = None

    @property
    def key(self) -> str:
        """The key stored instead of the number; ``banks.bank_by_key`` finds the account."""
        if self.kind == "us_bank_account":
            return f"us_{self.last4}"
        if self.kind == "sepa_debit":
            return f"{self.number[:4].lower()}_{self.last4}"
        return f"{self.kind}_{self.number[0]}_{self.last4}"

    @property
    def last4(self) -> str:
        """The last four digits, which the API shows."""
        return self.number[-4:]


#: Number, name, outcome, failure code, mark.
Row = tuple[str, str | None, Outcome, str | None, Mark | None]


def _us(row: Row) -> TestBank:
    number, name, outcome, failure, mark = row
    names = (f"pm_usBankAccount_{name}",) if name else ()
    tokens: tuple[str, ...] = (f"btok_us_verified_{name}",) if failure and name else ()
    if name == "success":
        tokens = ("pm_usBankAccount", "btok_us", "btok_us_verified")
    return TestBank(
        number,
        "US",
        "usd",
        "us_bank_account",
        (*names, *tokens),
        outcome,
        failure,
        routing_number=ROUTING_NUMBER,
        mark=mark,
    )


_US: tuple[Row, ...] = (
    ("000123456789", "success", "succeeds", None, None),
    ("000111111113", "accountClosed", "fails", "account_closed", None),
    ("000111111116", "noAccount", "fails", "no_account", None),
    ("000111111119", "invalidAccountNumber", "fails", "invalid_account_number", None),
    ("000222222227", "insufficientFunds", "fails", "insufficient_funds", None),
    ("000333333335", "debitNotAuthorized", "fails", "debit_not_authorized", None),
    ("000444444440", "invalidCurrency", "fails", "invalid_currency", None),
    ("000666666661", "failMicrodeposits", "succeeds", None, "no_deposits"),
    ("000555555559", "dispute", "disputed", None, None),
    ("000000000009", "processing", "processing", None, None),
    ("000777777771", "weeklyLimitExceeded", "fails", "charge_exceeds_weekly_limit", None),
    ("000888888885", None, "fails", "bank_account_unusable", None),
    ("000000004954", "riskLevelHighest", "fails", None, "blocked"),
    ("000999999991", None, "succeeds", None, "owner_matches"),
    ("000999999992", None, "succeeds", None, "owner_asked"),
    # Documented for outbound payments, which this server does not make; their debits succeed or fail.
    ("000123457890", "expectedArrivalDateUpdated", "succeeds", None, None),
    ("000000000123", "canceledByUser", "succeeds", None, None),
    ("000000000234", "internalFailure", "fails", "generic_could_not_process", None),
)


def _sepa() -> Iterable[TestBank]:
    for iban, outcome, failure in OTHER_IBANS:
        yield TestBank(iban, iban[:2], "eur", "sepa_debit", (), outcome, failure)
    for ibans in SEPA_IBANS:
        for iban, (scenario, outcome, failure) in zip(ibans.split(), SCENARIOS, strict=False):
            names = (f"pm_sepaDebit_{scenario}_{iban[:2].lower()}",) if scenario else ()
            yield TestBank(iban, iban[:2], "eur", "sepa_debit", names, outcome, failure)


US_ACCOUNTS: tuple[TestBank, ...] = tuple(map(_us, _US))
SEPA_ACCOUNTS: tuple[TestBank, ...] = tuple(_sepa())


_BACS: tuple[Row, ...] = (
    ("00012345", "success", "succeeds", None, None),
    ("90012345", "successDelayed", "succeeds_later", None, None),
    ("33333335", "debitNotAuthorized", "fails", "debit_not_authorized", "ends_mandate"),
    ("93333335", "debitNotAuthorizedDelayed", "fails_later", "debit_not_authorized", "ends_mandate"),
    ("22222227", "insufficientFunds", "fails", "insufficient_funds", None),
    ("92222227", "insufficientFundsDelayed", "fails_later", "insufficient_funds", None),
    ("55555559", "dispute", "disputed_later", None, None),
    ("00033333", "mandateRefused", "fails", "debit_not_authorized", "refuses_mandate"),
    ("00044444", None, "unusable", "account_number_invalid", None),
    ("34343434", "exceedsWeeklyLimit", "fails", "charge_exceeds_source_limit", None),
    ("12121212", "exceedsTransactionLimit", "fails", "charge_exceeds_transaction_limit", None),
)
_BECS: tuple[Row, ...] = (
    ("000123456", "success", "succeeds", None, None),
    ("900123456", "successDelayed", "succeeds_later", None, None),
    ("111111113", "accountClosed", "fails", "account_closed", "ends_mandate"),
    ("111111116", "noAccount", "fails", "no_account", "ends_mandate"),
    ("222222227", "referToCustomer", "fails", "refer_to_customer", None),
    ("922222227", "referToCustomerDelayed", "fails_later", "refer_to_customer", None),
    ("333333335", "debitNotAuthorized", "fails", "debit_not_authorized", "ends_mandate"),
    ("666666660", "dispute", "disputed", None, None),
    ("343434343", "exceedsWeeklyLimit", "fails", "charge_exceeds_source_limit", None),
    ("121212121", "exceedsTransactionLimit", "fails", "charge_exceeds_transaction_limit", None),
)
#: The numbers of names without a documented number are those of the like US accounts.
_ACSS: tuple[Row, ...] = (
    ("000123456789", "success", "succeeds", None, None),
    ("900123456789", None, "succeeds_later", None, None),
    ("000222222227", "insufficientFunds", "fails", "insufficient_funds", None),
    ("900222222227", None, "fails_later", "insufficient_funds", None),
    ("000666666661", None, "succeeds", None, "no_deposits"),
    ("000777777771", None, "fails", "charge_exceeds_source_limit", None),
    ("000888888881", None, "fails", "charge_exceeds_transaction_limit", None),
    ("000111111116", "noAccount", "fails", "no_account", None),
    ("000111111113", "accountClosed", "fails", "account_closed", None),
    ("000333333335", "debitNotAuthorized", "fails", "debit_not_authorized", None),
    ("000555555559", "dispute", "disputed", None, None),
)
#: Number and suffix, name, outcome, failure code, mark.
_NZ: tuple[Row, ...] = (
    ("0000000-010", "success", "succeeds", None, None),
    ("2222222-027", "insufficientFunds", "fails", "insufficient_funds", None),
    ("8888888-000", "referToCustomer", "fails", "refer_to_customer", None),
    ("1111111-016", "noAccount", "fails", "no_account", "ends_mandate"),
    ("5555555-059", "debitNotAuthorized", "fails", "debit_not_authorized", "ends_mandate"),
    ("9999999-000", "processing", "processing", None, None),
)


def _debits(kind: str, country: str, currency: str, prefix: str, rows: Iterable[Row]) -> Iterable[TestBank]:
    """Return the test accounts of one kind of debit. prefix: of their ``pm_…`` names."""
    for text, name, outcome, failure, mark in rows:
        number, _, suffix = text.partition("-")
        names = (f"pm_{prefix}_{name}",) if name else ()
        yield TestBank(number, country, currency, kind, names, outcome, failure, suffix=suffix or None, mark=mark)


ALL: tuple[TestBank, ...] = (
    *US_ACCOUNTS,
    *SEPA_ACCOUNTS,
    *_debits("bacs_debit", "GB", "gbp", "bacsDebit", _BACS),
    *_debits("au_becs_debit", "AU", "aud", "auBecsDebit", _BECS),
    *_debits("acss_debit", "CA", "cad", "acssDebit", _ACSS),
    *_debits("nz_bank_account", "NZ", "nzd", "nzBankAccount", _NZ),
)
