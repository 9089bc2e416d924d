"""How a PaymentIntent looks to browsers and to older API versions."""

from __future__ import annotations

from tests.payments.intents.steps import PAYMENT, pay
from tests.support.api import Api


def test_a_browser_reads_its_intent_in_the_restricted_shape_with_the_secret_only(api: Api) -> None:
    intent = api.ok("POST", "/v1/payment_intents", **PAYMENT, metadata={"margin": "40"})
    path = f"/v1/payment_intents/{intent['id']}"
    seen = api.get(path, key=api.pk, client_secret=intent["client_secret"])
    assert seen.status == 200
    assert not {"metadata", "customer", "latest_charge", "amount_received", "transfer_data"} & set(seen)
    assert api.get(path, key=api.pk).error["param"] == "client_secret"
    assert api.get(path, key=api.pk, client_secret="pi_1_secret_2").error["message"] == (
        "The client_secret provided does not match the client_secret associated with the PaymentIntent."
    )
    assert api.get("/v1/payment_intents", key=api.pk).error["code"] == "secret_key_required"


def test_a_declined_browser_learns_no_more_than_the_restricted_shape(api: Api) -> None:
    intent = api.ok("POST", "/v1/payment_intents", **PAYMENT, metadata={"margin": "40"})
    answer = api.post(
        f"/v1/payment_intents/{intent['id']}/confirm",
        key=api.pk,
        client_secret=intent["client_secret"],
        payment_method="pm_card_chargeDeclined",
    )
    assert answer.status == 402
    assert "metadata" not in answer.error["payment_intent"]
    assert "fingerprint" not in answer.error["payment_method"]["card"]


def test_an_older_caller_finds_the_charges_inside_the_intent_and_inside_an_error(api: Api) -> None:
    intent = pay(api, headers={"Stripe-Version": "2020-08-27"})
    assert [charge["id"] for charge in intent["charges"]["data"]] == [intent["latest_charge"]]
    answer = pay(api, "pm_card_chargeDeclined", headers={"Stripe-Version": "2020-08-27"})
    assert answer.error["payment_intent"]["charges"]["total_count"] == 1
    assert "charges" not in pay(api)


def test_before_2019_02_11_types_and_the_next_action_had_other_names(api: Api) -> None:
    old = api.under("2018-11-08")
    intent = old.ok("POST", "/v1/payment_intents", amount=2000, currency="eur", allowed_source_types=["card", "ideal"])
    assert (intent["status"], intent["allowed_source_types"]) == ("requires_source", ["card", "ideal"])
    path = f"/v1/payment_intents/{intent['id']}"
    assert api.get(path)["payment_method_types"] == ["card", "ideal"]
    changed = old.ok("POST", path, allowed_source_types=["card"])
    assert changed["allowed_source_types"] == ["card"]
    waiting = old.ok(
        "POST",
        path + "/confirm",
        payment_method="pm_card_threeDSecure2Required",
        return_url="https://example.com/back",
    )
    action = waiting["next_source_action"]
    assert (waiting["status"], action["type"]) == ("requires_source_action", "authorize_with_url")
    assert action["authorize_with_url"]["return_url"] == "https://example.com/back"
    seen = old.get(path, key=api.pk, client_secret=intent["client_secret"])
    assert (seen["allowed_source_types"], seen["next_source_action"]) == (["card"], action)
    for shown in (waiting, seen):
        assert not {"next_action", "payment_method_types"} & shown.keys()
    assert not {"next_source_action", "allowed_source_types"} & api.get(path).keys()
