"""Test bank accounts: what becomes of a debit from each, and how they look."""

from __future__ import annotations

import pytest

from tollkey.payments.processors import banks


@pytest.mark.parametrize(
    ("name", "number", "outcome", "failure"),
    [
        ("pm_usBankAccount_success", "000123456789", "succeeds", None),
        ("pm_usBankAccount_accountClosed", "000111111113", "fails", "account_closed"),
        ("pm_usBankAccount_dispute", "000555555559", "disputed", None),
        ("pm_usBankAccount_processing", "000000000009", "processing", None),
        ("btok_us", "000123456789", "succeeds", None),
        ("btok_us_verified_insufficientFunds", "000222222227", "fails", "insufficient_funds"),
        ("pm_sepaDebit_successDelayed_de", "DE08370400440532013003", "succeeds_later", None),
        (
            "pm_sepaDebit_exceedsWeeklyVolumeLimit_fr",
            "FR9720041010050000000343434",
            "fails",
            "charge_exceeds_source_limit",
        ),
    ],
)
def test_a_name_stands_for_an_account_and_its_fate(name: str, number: str, outcome: str, failure: str | None) -> None:
    bank = banks.bank_by_name(name)
    assert bank is not None
    assert (bank.number, bank.outcome, bank.failure) == (number, outcome, failure)


def test_every_iban_is_valid_and_the_test_routing_number_too() -> None:
    assert [bank.number for bank in banks.SEPA_ACCOUNTS if not banks.iban_valid(bank.number)] == []
    assert banks.routing_valid(banks.ROUTING_NUMBER)


@pytest.mark.parametrize(
    "iban", ["", "DE", "DE89370400440532013001", "DE89 3704 0044 0532 0130 0x", "ÄÖ89370400440532013000"]
)
def test_a_wrong_iban_is_noticed(iban: str) -> None:
    assert not banks.iban_valid(iban)


@pytest.mark.parametrize("number", ["", "110000001", "11000000", "1100000000", "11000000x"])
def test_a_wrong_routing_number_is_noticed(number: str) -> None:
    assert not banks.routing_valid(number)


def test_an_account_number_is_known_only_at_its_bank() -> None:
    assert banks.bank_by_number("000123456789", "110000000") is not None
    assert banks.bank_by_number("000123456789", "021000021") is None
    assert banks.bank_by_number("123") is None
    assert banks.bank_by_number("de89 3704 0044 0532 0130 00") is not None


def test_bank_details_have_the_keys_of_real_ones() -> None:
    bank = banks.bank_by_name("pm_usBankAccount_success")
    assert bank is not None
    details = banks.us_bank_account(bank, account="acct_1")
    assert (details["last4"], details["routing_number"], details["bank_name"]) == (
        "6789",
        "110000000",
        "STRIPE TEST BANK",
    )
    assert banks.sepa_debit("DE89 3704 0044 0532 0130 00", account="acct_1")["bank_code"] == "37040044"
    given = banks.BankDetails("000123456789", "110000000", "US", "usd")
    token = banks.bank_account(given, id="ba_1", account="acct_1")
    external = banks.external_bank_account(token, account="acct_1", default=True)
    assert set(external) == {
        "id", "object", "account", "account_holder_name", "account_holder_type", "account_type",
        "available_payout_methods", "bank_name",
        "country", "currency", "default_for_currency", "fingerprint", "future_requirements", "last4", "metadata",
        "requirements",
        "routing_number", "status",
    }  # fmt: skip
    assert external["requirements"] is not external["future_requirements"]
