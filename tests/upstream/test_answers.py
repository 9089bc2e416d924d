"""An upstream account's answer: what a restricted key could act with is hidden, and every other byte stays."""

from __future__ import annotations

import json

import pytest

from tests.support.api import Api
from tests.upstream.conftest import There

INTENT = {"id": "pi_1", "object": "payment_intent", "amount": 1, "client_secret": "pi_1_secret_x"}
EVENT = {"id": "evt_1", "object": "event", "data": {"object": INTENT}}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("note", ["", "x" * 200_000])  # long answers are looked through in a thread
def test_events_do_not_show_a_restricted_key_what_it_could_act_with(
    api: Api, there: There, indent: int | None, note: str
) -> None:
    page = {"object": "list", "data": [{**EVENT, "note": note}], "has_more": False}
    there.body = json.dumps(page, indent=indent).encode()
    hidden = api.send("GET", "/v1/events", key=api.restricted("event_read"))
    assert b"secret_x" not in hidden.body
    shown = {**INTENT, "client_secret": None}
    assert json.loads(hidden.body) == {**page, "data": [{**EVENT, "note": note, "data": {"object": shown}}]}
    for key in (api.sk, api.restricted("event_read", "payment_intent_read")):
        assert api.send("GET", "/v1/events", key=key).body == there.body


def test_an_event_of_a_connected_account_asks_for_the_permission_there(api: Api, there: There) -> None:
    abroad = {**EVENT, "account": "acct_2"}
    there.body = json.dumps({"object": "list", "data": [abroad]}).encode()
    own = api.restricted("event_read", "payment_intent_read")
    both = api.restricted("event_read", connect_permissions=("payment_intent_read",))
    assert b"secret_x" not in api.send("GET", "/v1/events", key=own).body
    assert b"secret_x" in api.send("GET", "/v1/events", key=both).body
    there.body = json.dumps(abroad).encode()
    assert b"secret_x" not in api.send("GET", "/v1/events/evt_1", key=own).body
