"""Cash balances: which transfers arrive, and whether they are applied by themselves."""

from __future__ import annotations

import pytest

from tests.support.api import Api


def test_cash_is_applied_by_itself_unless_the_customer_s_setting_is_manual(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    path = f"/v1/customers/{customer}/cash_balance"
    modes = [
        (settings["reconciliation_mode"], settings["using_merchant_default"])
        for settings in (
            api.get(path)["settings"],
            api.ok("POST", path, settings={"reconciliation_mode": "manual"})["settings"],
            api.ok("POST", path, settings={"reconciliation_mode": "merchant_default"})["settings"],
        )
    ]
    assert modes == [("automatic", True), ("manual", False), ("automatic", True)]


@pytest.mark.parametrize(("amount", "currency", "param"), [(0, "usd", "amount"), (100, "chf", "currency")])
def test_nothing_and_currencies_without_bank_transfers_are_refused(
    api: Api, amount: int, currency: str, param: str
) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    path = f"/v1/test_helpers/customers/{customer}/fund_cash_balance"
    refused = api.post(path, amount=amount, currency=currency)
    assert (refused.status, refused.error["param"]) == (400, param)
    assert api.post(path, amount=1, currency="usd").status == 200


def test_the_account_to_transfer_to_is_the_same_each_time(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    transfer = {"type": "eu_bank_transfer", "eu_bank_transfer": {"country": "DE"}}
    given = {"bank_transfer": transfer, "currency": "eur", "funding_type": "bank_transfer"}
    path = f"/v1/customers/{customer}/funding_instructions"
    first = api.ok("POST", path, **given)["bank_transfer"]["financial_addresses"]
    assert api.ok("POST", path, **given)["bank_transfer"]["financial_addresses"] == first


def test_a_deleted_customer_has_no_cash_balance(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    api.ok("DELETE", f"/v1/customers/{customer}")
    assert api.get(f"/v1/customers/{customer}/cash_balance").status == 404
