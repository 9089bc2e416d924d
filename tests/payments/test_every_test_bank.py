"""Every documented test bank account, by its name and by its number: what becomes of a debit from it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api, rule_table

DEBIT = {"mandate_data": {"customer_acceptance": {"type": "offline"}}}
LATER = 180
#: type -> currency, and how a number is typed in
KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "us_bank_account": ("usd", {"routing_number": "110000000", "account_holder_type": "individual"}),
    "bacs_debit": ("gbp", {"sort_code": "108800"}),
    "au_becs_debit": ("aud", {"bsb_number": "000000"}),
    "acss_debit": ("cad", {"institution_number": "000", "transit_number": "11000"}),
    "nz_bank_account": ("nzd", {"bank_code": "11", "branch_code": "0000", "suffix": "010"}),
}
#: type, name without its beginning (None without one), number, status at the end, failure code, whether it takes three
#: minutes, whether it is disputed, status of the mandate afterwards (None where the documentation does not say)
ROWS: tuple[tuple[str, str | None, str, str, str | None, bool, bool, str | None], ...] = (
    ("us_bank_account", "success", "000123456789", "succeeded", None, False, False, None),
    ("us_bank_account", "accountClosed", "000111111113", "failed", "account_closed", False, False, None),
    ("us_bank_account", "noAccount", "000111111116", "failed", "no_account", False, False, None),
    ("us_bank_account", "invalidAccountNumber", "000111111119", "failed", "invalid_account_number", False, False, None),
    ("us_bank_account", "insufficientFunds", "000222222227", "failed", "insufficient_funds", False, False, None),
    ("us_bank_account", "debitNotAuthorized", "000333333335", "failed", "debit_not_authorized", False, False, None),
    ("us_bank_account", "invalidCurrency", "000444444440", "failed", "invalid_currency", False, False, None),
    ("us_bank_account", "dispute", "000555555559", "succeeded", None, False, True, None),
    ("us_bank_account", "processing", "000000000009", "processing", None, False, False, None),
    ("us_bank_account", "weeklyLimitExceeded", "000777777771", "failed", "charge_exceeds_weekly_limit", False,
    False, None),
    ("us_bank_account", None, "000888888885", "failed", "bank_account_unusable", False, False, None),
    ("us_bank_account", "expectedArrivalDateUpdated", "000123457890", "succeeded", None, False, False, None),
    ("us_bank_account", "canceledByUser", "000000000123", "succeeded", None, False, False, None),
    ("us_bank_account", "internalFailure", "000000000234", "failed", "generic_could_not_process", False, False, None),
    ("bacs_debit", "success", "00012345", "succeeded", None, False, False, "active"),
    ("bacs_debit", "successDelayed", "90012345", "succeeded", None, True, False, "active"),
    ("bacs_debit", "debitNotAuthorized", "33333335", "failed", "debit_not_authorized", False, False, "inactive"),
    ("bacs_debit", "debitNotAuthorizedDelayed", "93333335", "failed", "debit_not_authorized", True, False, "inactive"),
    ("bacs_debit", "insufficientFunds", "22222227", "failed", "insufficient_funds", False, False, "active"),
    ("bacs_debit", "insufficientFundsDelayed", "92222227", "failed", "insufficient_funds", True, False, "active"),
    ("bacs_debit", "dispute", "55555559", "succeeded", None, True, True, "active"),
    ("bacs_debit", "mandateRefused", "00033333", "failed", "debit_not_authorized", False, False, "inactive"),
    ("bacs_debit", "exceedsWeeklyLimit", "34343434", "failed", "charge_exceeds_source_limit", False, False, "active"),
    ("bacs_debit", "exceedsTransactionLimit", "12121212", "failed", "charge_exceeds_transaction_limit", False, False,
    "active"),
    ("au_becs_debit", "success", "000123456", "succeeded", None, False, False, "active"),
    ("au_becs_debit", "successDelayed", "900123456", "succeeded", None, True, False, "active"),
    ("au_becs_debit", "accountClosed", "111111113", "failed", "account_closed", False, False, "inactive"),
    ("au_becs_debit", "noAccount", "111111116", "failed", "no_account", False, False, "inactive"),
    ("au_becs_debit", "referToCustomer", "222222227", "failed", "refer_to_customer", False, False, "active"),
    ("au_becs_debit", "referToCustomerDelayed", "922222227", "failed", "refer_to_customer", True, False, "active"),
    ("au_becs_debit", "debitNotAuthorized", "333333335", "failed", "debit_not_authorized", False, False, "inactive"),
    ("au_becs_debit", "dispute", "666666660", "succeeded", None, False, True, "active"),
    ("au_becs_debit", "exceedsWeeklyLimit", "343434343", "failed", "charge_exceeds_source_limit", False, False,
    "active"),
    ("au_becs_debit", "exceedsTransactionLimit", "121212121", "failed", "charge_exceeds_transaction_limit",
    False, False,
    "active"),
    ("acss_debit", "success", "000123456789", "succeeded", None, False, False, None),
    ("acss_debit", None, "900123456789", "succeeded", None, True, False, None),
    ("acss_debit", "insufficientFunds", "000222222227", "failed", "insufficient_funds", False, False, None),
    ("acss_debit", None, "900222222227", "failed", "insufficient_funds", True, False, None),
    ("acss_debit", None, "000777777771", "failed", "charge_exceeds_source_limit", False, False, None),
    ("acss_debit", None, "000888888881", "failed", "charge_exceeds_transaction_limit", False, False, None),
    ("acss_debit", "noAccount", "000111111116", "failed", "no_account", False, False, None),
    ("acss_debit", "accountClosed", "000111111113", "failed", "account_closed", False, False, None),
    ("acss_debit", "debitNotAuthorized", "000333333335", "failed", "debit_not_authorized", False, False, None),
    ("acss_debit", "dispute", "000555555559", "succeeded", None, False, True, None),
    ("nz_bank_account", "success", "0000000", "succeeded", None, False, False, "active"),
    ("nz_bank_account", "insufficientFunds", "2222222", "failed", "insufficient_funds", False, False, "active"),
    ("nz_bank_account", "referToCustomer", "8888888", "failed", "refer_to_customer", False, False, "active"),
    ("nz_bank_account", "noAccount", "1111111", "failed", "no_account", False, False, "inactive"),
    ("nz_bank_account", "debitNotAuthorized", "5555555", "failed", "debit_not_authorized", False, False, "inactive"),
    ("nz_bank_account", "processing", "9999999", "processing", None, False, False, None),
)  # fmt: skip
PREFIX = {
    "us_bank_account": "pm_usBankAccount",
    "bacs_debit": "pm_bacsDebit",
    "au_becs_debit": "pm_auBecsDebit",
    "acss_debit": "pm_acssDebit",
    "nz_bank_account": "pm_nzBankAccount",
}


def typed(api: Api, kind: str, number: str) -> Answer:
    data = {**KINDS[kind][1], "account_number": number}
    who = {"name": "Jenny Rosen", "email": "jenny@example.com"}
    return api.post("/v1/payment_methods", type=kind, billing_details=who, **{kind: data})


def debit(api: Api, kind: str, currency: str, method: str, **params: Any) -> Answer:
    customer = api.ok("POST", "/v1/customers")["id"]
    given = {"amount": 2000, "currency": currency, "allowed_payment_method_types": [kind], "payment_method": method}
    return api.ok(
        "POST",
        "/v1/payment_intents",
        **given,
        customer=customer,
        setup_future_usage="off_session",
        confirm=True,
        **DEBIT,
        **params,
    )


def settled(api: Api, id: str, later: bool) -> Answer:
    """The intent once its bank has answered, not before the three minutes that some accounts take."""
    if later:
        api.advance(LATER - 5)
        assert api.get(f"/v1/payment_intents/{id}")["status"] == "processing"
    api.advance(10)
    return api.ok("GET", f"/v1/payment_intents/{id}", expand=["latest_charge"])


def mandate_status(api: Api, intent: Answer) -> str:
    """Whether the payment method can be debited again without a new acceptance of its customer."""
    again = api.post(
        "/v1/payment_intents",
        amount=100,
        currency=intent["currency"],
        customer=intent["customer"],
        payment_method=intent["payment_method"],
        allowed_payment_method_types=intent["payment_method_types"],
        confirm=True,
        off_session=True,
    )
    if again.status == 200:
        return "active"
    assert again.error["code"] == "payment_intent_mandate_invalid"
    return "inactive"


IDS = [f"{row[0]} {row[1] or row[2]}" for row in ROWS]


@rule_table
@pytest.mark.parametrize("way", ["name", "number"])
@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_debit_ends_as_documented(api: Api, row: tuple[Any, ...], way: str) -> None:
    kind, name, number, status, failure, later, disputed, mandate = row
    if way == "name" and name is None:
        method = typed(api, kind, number)["id"]
    else:
        method = f"{PREFIX[kind]}_{name}" if way == "name" else typed(api, kind, number)["id"]
    intent = debit(api, kind, KINDS[kind][0], method)
    if intent["status"] == "requires_action":
        intent = api.ok("POST", f"/v1/payment_intents/{intent['id']}/verify_microdeposits", amounts=[32, 45])
    assert intent["status"] == "processing"
    done = settled(api, intent["id"], later)
    charge = done["latest_charge"]
    ends = {"failed": "requires_payment_method"}.get(status, status)
    assert (done["status"], charge["failure_code"], charge["disputed"]) == (ends, failure, disputed)
    if failure is not None:
        assert done["last_payment_error"]["code"] == failure
    if mandate is not None:
        assert mandate_status(api, intent) == mandate


COUNTRIES = [
    "at",
    "be",
    "hr",
    "ee",
    "fi",
    "fr",
    "de",
    "gi",
    "ie",
    "li",
    "lt",
    "lu",
    "nl",
    "no",
    "pt",
    "es",
    "se",
    "ch",
    "gb",
]
SCENARIOS: tuple[tuple[str, str, str | None, bool, bool], ...] = (
    ("success", "succeeded", None, False, False),
    ("successDelayed", "succeeded", None, True, False),
    ("failed", "requires_payment_method", "generic_could_not_process", False, False),
    ("failedDelayed", "requires_payment_method", "generic_could_not_process", True, False),
    ("disputed", "succeeded", None, False, True),
    ("exceedsWeeklyVolumeLimit", "requires_payment_method", "charge_exceeds_source_limit", False, False),
    ("exceedsWeeklyTransactionLimit", "requires_payment_method", "charge_exceeds_weekly_limit", False, False),
    ("insufficientFunds", "requires_payment_method", "insufficient_funds", False, False),
)


@rule_table
@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=[row[0] for row in SCENARIOS])
def test_an_iban_of_every_country_ends_as_documented(api: Api, scenario: tuple[Any, ...], country: str) -> None:
    name, status, failure, later, disputed = scenario
    intent = debit(api, "sepa_debit", "eur", f"pm_sepaDebit_{name}_{country}")
    done = settled(api, intent["id"], later)
    charge = done["latest_charge"]
    assert (done["status"], charge["failure_code"], charge["disputed"]) == (status, failure, disputed)
    assert charge["payment_method_details"]["sepa_debit"]["country"] == country.upper()


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("sepa_debit", {"iban": "DE91370400440000055555"}, "sepa_debit_bank_not_supported"),
        ("sepa_debit", {"iban": "IE60AIBK93115200066666"}, "sepa_debit_debits_not_supported"),
        ("bacs_debit", {"account_number": "00044444", "sort_code": "108800"}, "account_number_invalid"),
    ],
)
def test_an_account_that_cannot_be_debited_becomes_no_payment_method(
    api: Api, kind: str, data: dict[str, str], code: str
) -> None:
    refused = api.post(
        "/v1/payment_methods", type=kind, billing_details={"name": "J", "email": "j@x.org"}, **{kind: data}
    )
    assert (refused.status, refused.error["type"], refused.error["code"]) == (400, "invalid_request_error", code)


def test_radar_blocks_the_account_with_the_highest_risk(api: Api) -> None:
    given = {"amount": 2000, "currency": "usd", "allowed_payment_method_types": ["us_bank_account"]}
    method = "pm_usBankAccount_riskLevelHighest"
    refused = api.post("/v1/payment_intents", **given, payment_method=method, confirm=True, **DEBIT)
    assert (refused.status, refused.error["decline_code"]) == (402, "fraudulent")


@pytest.mark.parametrize("kind", ["us_bank_account", "acss_debit"])
@pytest.mark.parametrize("intent", ["payment_intent", "setup_intent"])
def test_micro_deposits_to_one_account_fail(api: Api, kind: str, intent: str) -> None:
    method = typed(api, kind, "000666666661")["id"]
    given: dict[str, Any] = {"allowed_payment_method_types": [kind], "payment_method": method, "confirm": True, **DEBIT}
    if intent == "payment_intent":
        given.update({"amount": 2000, "currency": KINDS[kind][0]})
    made = api.ok("POST", f"/v1/{intent}s", **given)
    assert (made["status"], made["next_action"]["type"]) == ("requires_action", "verify_with_microdeposits")
    api.advance(10)
    done = api.get(f"/v1/{intent}s/{made['id']}")
    error = done["last_payment_error" if intent == "payment_intent" else "last_setup_error"]
    assert (done["status"], error["code"]) == ("requires_payment_method", "payment_method_microdeposit_failed")
