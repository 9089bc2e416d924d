"""Taking money: through the one place that charges, intents and invoices share."""

from __future__ import annotations

from tests.support.api import Api


def charge(api: Api, source: str = "tok_visa", **more):
    return api.post("/v1/charges", **{"amount": 2000, "currency": "usd", "source": source, **more})


def test_a_charge_of_the_visa_test_token_succeeds_and_fills_the_balance(api: Api) -> None:
    made = charge(api)
    assert (made.status, made["status"], made["paid"]) == (200, "succeeded", True), made
    transaction = api.get(f"/v1/balance_transactions/{made['balance_transaction']}")
    assert (transaction["amount"], transaction["fee"], transaction["net"]) == (2000, 88, 1912)
    balance = api.get("/v1/balance")
    assert balance["pending"][0]["amount"] == 1912
    assert [event["type"] for event in api.events()] == ["charge.succeeded"]


def test_a_declined_charge_is_kept_and_the_error_names_it(api: Api) -> None:
    refused = charge(api, "tok_chargeDeclined")
    assert refused.status == 402
    assert refused.error["decline_code"] == "generic_decline"
    kept = api.get(f"/v1/charges/{refused.error['charge']}")
    assert (kept["status"], kept["failure_code"]) == ("failed", "card_declined")
    assert [event["type"] for event in api.events()] == ["charge.failed"]


def test_an_authorized_charge_is_captured_in_part(api: Api) -> None:
    held = charge(api, capture=False)
    assert (held["captured"], held["balance_transaction"]) == (False, None)
    taken = api.post(f"/v1/charges/{held['id']}/capture", amount=500)
    assert (taken["amount_captured"], taken["amount_refunded"]) == (500, 1500)
    again = api.post(f"/v1/charges/{held['id']}/capture")
    assert (again.status, again.error["code"]) == (400, "charge_already_captured")


def test_the_disputed_card_loses_the_amount_and_the_fee_until_the_dispute_is_won(api: Api) -> None:
    made = charge(api, "tok_createDispute")
    assert made["disputed"] is True
    dispute = api.get(f"/v1/disputes/{made['dispute']}")
    assert dispute["balance_transactions"][0]["net"] == -3500
    api.post(f"/v1/disputes/{dispute['id']}", evidence={"uncategorized_text": "winning_evidence"})
    assert api.get(f"/v1/disputes/{dispute['id']}")["status"] == "won"
    assert api.get("/v1/balance")["pending"][0]["amount"] == 1912


def test_what_a_charge_may_have_but_has_not_expands_to_nothing(api: Api) -> None:
    made = charge(api)
    path = f"/v1/charges/{made['id']}"
    assert "transfer" not in api.ok("get", path, expand=["transfer.reversals.data.balance_transaction"])
    assert api.get(path, expand=["nonsense"]).status == 400
