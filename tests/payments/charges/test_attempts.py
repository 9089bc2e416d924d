"""What a charge says of itself before money moves."""

from __future__ import annotations

from tests.payments.charges.steps import charge, charged
from tests.support.api import Api
from tests.support.connected import connected


def test_a_charge_tells_what_was_charged(api: Api) -> None:
    made = charged(api)
    assert made["id"].startswith("ch_")
    assert (made["source"]["object"], made["payment_method"]) == ("card", made["source"]["id"])
    assert (made["amount_captured"], made["refunded"], made["amount_updates"]) == (1_000, False, [])


def test_a_charge_of_a_bank_account_is_called_a_payment(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")["id"]
    account = api.ok("post", f"/v1/customers/{customer}/sources", source="btok_us_verified")
    made = charge(api, account["id"], customer=customer)
    assert made["id"].startswith("py_")
    assert (made["status"], made["calculated_statement_descriptor"], made["receipt_url"]) == ("pending", None, None)


def test_a_failed_charge_has_taken_nothing_and_has_no_receipt(api: Api) -> None:
    failed = api.get(f"/v1/charges/{charge(api, 'tok_chargeDeclined').error['charge']}")
    assert (failed["amount_captured"], failed["captured"], failed["paid"]) == (0, False, False)
    assert (failed["receipt_url"], failed["failure_code"]) == (None, "card_declined")


def test_a_destination_charge_gets_a_transfer_group_when_none_was_given(api: Api) -> None:
    account = connected(api)
    made = charge(api, transfer_data={"destination": account["id"]})
    assert (made["destination"], made["transfer_group"]) == (account["id"], f"group_{made['id']}")
    assert made["transfer_data"] == {"amount": None, "destination": account["id"]}
    other = charge(api, transfer_data={"destination": account["id"]}, transfer_group="order 7")
    assert other["transfer_group"] == "order 7"
