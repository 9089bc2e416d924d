"""Confirming: from the customer's wish to pay to a charge, or to what has to be done before one."""

from __future__ import annotations

import pytest

from tests.payments.intents.steps import challenge, pay, saved_card
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
