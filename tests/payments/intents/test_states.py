"""An intent moves as its table says, and keeps what the customer has to do only while that is to be done."""

from __future__ import annotations

import pytest

from tollkey.payments.intents.states import PAYMENT_INTENT, SETUP_INTENT, move
from tollkey.payments.shared.states import InvalidTransition, States
from tollkey.wire import Json


def test_what_the_customer_has_to_do_goes_with_the_state_that_asks_for_it() -> None:
    intent: Json = {"status": "requires_confirmation", "next_action": {"type": "redirect_to_url"}}
    move(PAYMENT_INTENT, intent, "requires_action")
    assert intent["next_action"] == {"type": "redirect_to_url"}
    move(PAYMENT_INTENT, intent, "succeeded")
    assert intent == {"status": "succeeded", "next_action": None}


@pytest.mark.parametrize("table", [PAYMENT_INTENT, SETUP_INTENT], ids=lambda table: table.object)
@pytest.mark.parametrize("end", ["succeeded", "canceled"])
def test_an_intent_that_has_ended_moves_nowhere(table: States, end: str) -> None:
    for status in table.table:
        intent: Json = {"status": end, "next_action": None}
        with pytest.raises(InvalidTransition):
            move(table, intent, status)
        assert intent["status"] == end
