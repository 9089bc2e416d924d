"""What an account is paid out to: a bank account, or a debit card."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.connected import connected


def test_a_debit_card_can_be_paid_out_to_and_a_credit_card_cannot(api: Api) -> None:
    path = f"/v1/accounts/{connected(api)['id']}/external_accounts"
    debit = api.ok("POST", path, external_account="tok_visa_debit")
    assert (debit["object"], debit["funding"]) == ("card", "debit")
    refused = api.post(path, external_account="tok_visa")
    assert (refused.status, refused.error["code"]) == (402, "invalid_card_type")


def test_a_token_is_spent_with_one_account(api: Api) -> None:
    path = f"/v1/accounts/{connected(api)['id']}/external_accounts"
    bank = {"country": "US", "currency": "usd", "account_number": "000123456789", "routing_number": "110000000"}
    token = api.ok("POST", "/v1/tokens", bank_account=bank)["id"]
    assert api.ok("POST", path, external_account=token)["last4"] == "6789"
    assert api.post(path, external_account=token).error["code"] == "token_already_used"


def test_in_test_mode_a_bank_account_has_a_test_number(api: Api) -> None:
    path = f"/v1/accounts/{connected(api)['id']}/external_accounts"
    bank = {"object": "bank_account", "country": "US", "currency": "usd", "routing_number": "110000000"}
    refused = api.post(path, external_account={**bank, "account_number": "9412345678"})
    assert (refused.status, refused.error["code"]) == (400, "account_number_invalid")
    assert api.post(path, external_account=bank).error["param"] == "external_account[account_number]"
