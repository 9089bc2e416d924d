"""Parameters of a SetupIntent, its states, and the object that comes of them."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tollkey.payments.intents.setup_building import move
from tollkey.payments.intents.states import SETUP_INTENT
from tollkey.payments.shared.states import InvalidTransition

SAVING = {"allowed_payment_method_types": ["card"]}


def test_a_canceled_intent_says_so_in_the_real_words(api: Api) -> None:
    intent = api.ok("POST", "/v1/setup_intents", **SAVING)
    gone = api.post(f"/v1/setup_intents/{intent['id']}/cancel", cancellation_reason="abandoned")
    assert (gone["status"], gone["cancellation_reason"]) == ("canceled", "abandoned")
    again = api.post(f"/v1/setup_intents/{intent['id']}/cancel")
    assert again.error["message"] == "You cannot cancel this SetupIntent because it it already canceled."
    assert again.error["setup_intent"]["id"] == intent["id"]


def test_where_no_arrow_leads_an_intent_cannot_be_moved() -> None:
    for start, ends in SETUP_INTENT.table.items():
        for end in SETUP_INTENT.table.keys() - set(ends):
            with pytest.raises(InvalidTransition):
                move({"status": start, "next_action": None}, end)


def test_an_update_attaches_to_the_account_itself_or_to_a_customer(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    path = f"/v1/setup_intents/{api.ok('POST', '/v1/setup_intents', **SAVING)['id']}"
    assert api.ok("POST", path, attach_to_self=True)["attach_to_self"] is True
    refused = api.post(path, customer=customer)
    assert (refused.status, refused.error["code"]) == (400, "parameters_exclusive")
    assert not api.ok("POST", path, attach_to_self=False).get("attach_to_self")
    assert api.ok("POST", path, customer=customer)["customer"] == customer
    assert api.post(path, attach_to_self=True).error["code"] == "parameters_exclusive"
