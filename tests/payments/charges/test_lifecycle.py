"""Charging: the one place where money is taken from somebody. Charges, intents, invoices and links all come here."""

from __future__ import annotations

from typing import Any

from tests.payments.charges.steps import charge
from tests.support.api import Answer, Api
from tests.support.connected import audit, available, connected, fund
from tests.support.openapi import assert_valid

DAY = 86_400


def paid(api: Api, **params: Any) -> Answer:
    given = {
        "amount": 2_000,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "allowed_payment_method_types": ["card"],
        "confirm": True,
    }
    return api.ok("post", "/v1/payment_intents", **{**given, "expand": ["latest_charge"], **params})


def authorized(api: Api) -> Answer:
    """An intent of 20 dollars whose card allows several captures."""
    return paid(api, capture_method="manual", payment_method_options={"card": {"request_multicapture": "if_available"}})


def capture(api: Api, intent: Answer, amount: int, final: bool) -> Answer:
    path = f"/v1/payment_intents/{intent['id']}/capture"
    answer = api.ok("post", path, amount_to_capture=amount, final_capture=final, expand=["latest_charge"])
    assert_valid("POST", "/v1/payment_intents/{intent}/capture", 200, dict(answer))
    return answer


def test_an_asynchronous_capture_has_its_balance_transaction_a_moment_later(api: Api) -> None:
    intent = paid(api, capture_method="automatic_async")
    charge = intent["latest_charge"]
    assert (intent["status"], charge["captured"], charge["balance_transaction"]) == ("succeeded", True, None)
    assert api.get("/v1/balance_transactions")["data"] == []
    api.advance(2)
    settled = api.ok("get", f"/v1/charges/{charge['id']}", expand=["balance_transaction"])
    assert settled["balance_transaction"]["amount"] == 2_000
    told = api.events("charge.updated")[-1]["data"]
    assert told["previous_attributes"] == {"balance_transaction": None}
    audit(api)


def test_a_synchronous_capture_has_it_at_once(api: Api) -> None:
    assert paid(api, capture_method="automatic")["latest_charge"]["balance_transaction"].startswith("txn_")


def test_a_refund_or_a_transfer_does_not_wait_for_the_asynchronous_capture(api: Api) -> None:
    charge = paid(api, capture_method="automatic_async")["latest_charge"]
    api.ok("post", "/v1/refunds", charge=charge["id"])
    assert [one["type"] for one in api.get("/v1/balance_transactions")["data"]] == ["refund", "charge"]
    account = connected(api)
    charge = paid(api, capture_method="automatic_async")["latest_charge"]
    api.ok(
        "post", "/v1/transfers", destination=account["id"], amount=500, currency="usd", source_transaction=charge["id"]
    )
    api.advance(5)
    assert [one["type"] for one in api.get("/v1/balance_transactions")["data"]] == [
        "transfer",
        "charge",
        "refund",
        "charge",
    ]
    audit(api, account)


def test_several_captures_each_have_a_balance_transaction(api: Api) -> None:
    intent = authorized(api)
    assert intent["latest_charge"]["payment_method_details"]["card"]["multicapture"] == {"status": "available"}
    first = capture(api, intent, 500, False)
    assert (first["status"], first["amount_capturable"], first["amount_received"]) == ("requires_capture", 1_500, 500)
    assert (first["latest_charge"]["captured"], first["latest_charge"]["amount_captured"]) == (False, 500)
    second = capture(api, intent, 1_000, True)
    assert (second["status"], second["amount_capturable"], second["amount_received"]) == ("succeeded", 0, 1_500)
    assert (second["latest_charge"]["captured"], second["latest_charge"]["amount_refunded"]) == (True, 500)
    booked = api.get("/v1/balance_transactions", source=second["latest_charge"]["id"])["data"]
    assert [one["amount"] for one in booked] == [1_000, 500]
    types = [event["type"] for event in api.events() if event["type"].startswith(("charge", "payment_intent"))]
    assert types[-4:] == [
        "charge.updated",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ]
    audit(api)


def test_an_amount_of_nothing_releases_the_rest(api: Api) -> None:
    intent = authorized(api)
    capture(api, intent, 500, False)
    assert api.post(f"/v1/payment_intents/{intent['id']}/cancel").status == 400
    done = capture(api, intent, 0, True)
    assert (done["status"], done["amount_received"], done["latest_charge"]["refunded"]) == ("succeeded", 500, False)
    assert api.post("/v1/refunds", charge=done["latest_charge"]["id"], amount=501).status == 400
    assert api.ok("post", "/v1/refunds", charge=done["latest_charge"]["id"])["amount"] == 500
    audit(api)


def test_what_was_captured_stays_when_the_authorization_runs_out(api: Api) -> None:
    intent = authorized(api)
    capture(api, intent, 500, False)
    refunded = api.ok("post", "/v1/refunds", charge=intent["latest_charge"]["id"], amount=200)
    assert refunded["status"] == "succeeded"
    api.advance(8 * DAY)
    done = api.ok("get", f"/v1/payment_intents/{intent['id']}", expand=["latest_charge"])
    assert (done["status"], done["amount_received"], done["latest_charge"]["amount_refunded"]) == (
        "succeeded",
        500,
        1_700,
    )
    audit(api)


def test_a_card_that_did_not_ask_for_it_is_captured_once(api: Api) -> None:
    fund(api, 100)
    intent = paid(api, capture_method="manual")
    refused = api.post(f"/v1/payment_intents/{intent['id']}/capture", amount_to_capture=5, final_capture=False)
    assert (refused.status, refused.error["param"]) == (400, "final_capture")
    assert available(api) > 0


def test_a_declined_charge_is_kept_and_the_error_names_it(api: Api) -> None:
    refused = charge(api, "tok_chargeDeclined")
    assert refused.status == 402
    assert refused.error["decline_code"] == "generic_decline"
    kept = api.get(f"/v1/charges/{refused.error['charge']}")
    assert (kept["status"], kept["failure_code"]) == ("failed", "card_declined")
    assert [event["type"] for event in api.events()] == ["charge.failed"]
