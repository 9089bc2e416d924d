"""Confirming: from the customer's wish to pay to a charge, or to what has to be done before one."""

from __future__ import annotations

import pytest

from tests.payments.intents.steps import PAYMENT, challenge, pay, saved_card
from tests.support.api import Api

BACK = "https://shop.example/done?order=7"


def test_an_integration_that_cannot_show_a_challenge_gets_a_decline_instead(api: Api) -> None:
    answer = pay(api, "pm_card_threeDSecure2Required", error_on_requires_action=True)
    assert (answer.status, answer.error["code"], answer.error["decline_code"]) == (
        402,
        "authentication_required",
        "authentication_not_handled",
    )


@pytest.mark.parametrize(
    ("card", "status"),
    [
        ("pm_card_authenticationRequiredOnSetup", 200),
        ("pm_card_authenticationRequiredSetupForOffSession", 200),
        ("pm_card_authenticationRequired", 402),
    ],
)
def test_off_session_a_card_that_was_set_up_pays_unless_it_always_asks(api: Api, card: str, status: int) -> None:
    customer, method = saved_card(api, card)
    answer = pay(api, method, customer=customer, off_session=True)
    assert answer.status == status
    if status == 402:
        assert (answer.error["code"], answer.error["decline_code"]) == (
            "authentication_required",
            "authentication_required",
        )


def test_manual_confirmation_waits_for_the_server_after_the_challenge(api: Api) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required", confirmation_method="manual", return_url=BACK)
    challenge(api, intent, "complete")
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == "requires_confirmation"
    assert api.post(f"/v1/payment_intents/{intent['id']}/confirm")["status"] == "succeeded"


def test_another_amount_than_that_of_the_intent_is_not_confirmed(api: Api) -> None:
    path = f"/v1/payment_intents/{api.ok('POST', '/v1/payment_intents', **PAYMENT)['id']}/confirm"
    refused = api.post(path, payment_method="pm_card_visa", amount_to_confirm=1999)
    assert (refused.status, refused.error["param"]) == (400, "amount_to_confirm")
    assert api.ok("POST", path, payment_method="pm_card_visa", amount_to_confirm=2000)["status"] == "succeeded"


def test_the_return_url_of_an_update_is_that_of_a_confirmation_that_names_none(api: Api) -> None:
    path = f"/v1/payment_intents/{api.ok('POST', '/v1/payment_intents', **PAYMENT)['id']}"
    api.ok("POST", path, return_url=BACK)
    waiting = api.ok("POST", f"{path}/confirm", payment_method="pm_card_threeDSecure2Required")
    assert waiting["next_action"]["redirect_to_url"]["return_url"] == BACK


def test_a_saved_card_is_paid_with_after_its_security_code_was_asked_for_again(api: Api) -> None:
    customer, card = saved_card(api)
    asking = {"payment_method_options": {"card": {"require_cvc_recollection": True}}}
    token = "payment_method_options[card][cvc_token]"
    refused = pay(api, card, customer=customer, **asking)
    assert (refused.status, refused.error["param"]) == (400, token)
    made = api.ok("POST", "/v1/payment_intents", **PAYMENT, customer=customer, payment_method=card, **asking)
    code = api.ok("POST", "/v1/tokens", cvc_update={"cvc": "123"})["id"]
    other = api.ok("POST", "/v1/tokens", pii={"id_number": "000000000"})["id"]
    for id, status in (("cvctok_none", 400), (other, 400), (code, 200)):
        given = {"payment_method_options": {"card": {"cvc_token": id}}}
        answer = api.post(f"/v1/payment_intents/{made['id']}/confirm", **given)
        assert answer.status == status, answer
        assert status == 200 or answer.error["param"] == token
    again = {"payment_method_options": {"card": {"cvc_token": code, "require_cvc_recollection": True}}}
    assert pay(api, card, customer=customer, **again).error["code"] == "token_already_used"


def test_a_refresh_takes_no_source(api: Api) -> None:
    path = f"/v1/payment_intents/{api.ok('POST', '/v1/payment_intents', **PAYMENT)['id']}/refresh"
    assert api.post(path).status == 200
    assert api.post(path, source="src_1").error["code"] == "parameter_unknown"
