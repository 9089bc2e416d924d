"""Payments in live mode through a processor on a network: what its answers do to a PaymentIntent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.processor import Live, connected
from tollkey.payments.processors.network import Approved, Authorize, Declined, Notice, Outcome
from tollkey.payments.processors.sending import Times
from tollkey.wire.messages import Request

NEVER = {"enabled": True, "allow_redirects": "never"}


@pytest.fixture
def live(api: Api) -> Iterator[Live]:
    with connected(api) as found:
        yield found


def test_an_approved_payment_succeeds_in_the_answer(live: Live) -> None:
    paid = live.pay(1_200)
    assert (paid.status, paid["status"], paid["amount_received"]) == (200, "succeeded", 1_200)
    charge = live.get(f"/v1/charges/{paid['latest_charge']}")
    assert (charge["status"], charge["captured"], charge["livemode"]) == ("succeeded", True, True)
    assert charge["payment_method_details"]["card"]["authorization_code"] == "A1B2C3"
    assert live.network.money == {live.attempts(paid["id"])[0].reference: 1_200}
    assert live.events()[-2:] == ["charge.succeeded", "payment_intent.succeeded"]


def test_a_declined_payment_is_the_error_of_a_card(live: Live) -> None:
    live.network.script = ["declined:insufficient_funds"]
    refused = live.pay()
    assert (refused.status, refused.error["code"]) == (402, "card_declined")
    assert refused.error["decline_code"] == "insufficient_funds"
    intent = refused.error["payment_intent"]
    assert (intent["status"], intent["last_payment_error"]["code"]) == ("requires_payment_method", "card_declined")
    charge = live.get(f"/v1/charges/{refused.error['charge']}")
    assert (charge["status"], charge["paid"]) == ("failed", False)


def test_a_payment_of_unknown_outcome_is_processing_until_it_is_known(live: Live) -> None:
    live.network.script = ["unanswered"]
    waiting = live.pay()
    assert (waiting.status, waiting["status"], waiting["latest_charge"]) == (200, "processing", None)
    for path in ("confirm", "cancel", "capture"):
        refused = live.post(f"/v1/payment_intents/{waiting['id']}/{path}")
        assert (refused.status, refused.error["code"]) == (429, "lock_timeout")
    assert live.events()[-1] == "payment_intent.processing"
    live.recover(10)
    assert live.get(f"/v1/payment_intents/{waiting['id']}")["status"] == "succeeded"
    assert live.said() == ["authorize", "inquire"]
    assert live.events().count("payment_intent.processing") == 1


def test_a_payment_that_did_not_arrive_is_undone_before_it_fails(live: Live) -> None:
    live.network.script = ["late"]
    waiting = live.pay()
    live.recover(10)
    after = live.get(f"/v1/payment_intents/{waiting['id']}")
    assert (after["status"], after["last_payment_error"]["code"]) == ("requires_payment_method", "processing_error")
    assert live.said() == ["authorize", "inquire", "reverse"]
    live.network.arrive()
    assert live.network.money == {}


def test_a_payment_that_cannot_be_sent_fails_and_was_never_sent(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.api.world.server.sender, "times", Times(wait=1.0, again=0.1))
    live.network.script = ["refused"] * 50
    refused = live.pay()
    assert (refused.status, refused.error["code"]) == (402, "processing_error")
    assert live.network.done == {}


def test_a_held_amount_is_captured_and_canceled_by_the_processor(live: Live) -> None:
    held = live.pay(900, capture_method="manual")
    assert held["status"] == "requires_capture"
    assert live.network.money == {}
    taken = live.post(f"/v1/payment_intents/{held['id']}/capture", amount_to_capture=300)
    assert (taken.status, taken["status"], taken["amount_received"]) == (200, "succeeded", 300)
    assert list(live.network.money.values()) == [300]
    other = live.pay(900, capture_method="manual")
    gone = live.post(f"/v1/payment_intents/{other['id']}/cancel")
    assert (gone.status, gone["status"]) == (200, "canceled")
    assert live.said() == ["authorize", "capture", "authorize", "void"]


def test_a_held_amount_of_unknown_outcome_is_held_once_it_is_known(live: Live) -> None:
    live.network.script = ["unanswered"]
    waiting = live.pay(900, capture_method="manual")
    assert waiting["status"] == "processing"
    live.recover(10)
    after = live.get(f"/v1/payment_intents/{waiting['id']}")
    assert (after["status"], after["amount_capturable"]) == ("requires_capture", 900)


def test_a_capture_that_is_refused_changes_nothing(live: Live) -> None:
    held = live.pay(900, capture_method="manual")
    live.network.script = ["declined"]
    refused = live.post(f"/v1/payment_intents/{held['id']}/capture", metadata={"a": "b"})
    assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")
    after = live.get(f"/v1/payment_intents/{held['id']}")
    assert (after["status"], after["metadata"], after["amount_capturable"]) == ("requires_capture", {}, 900)
    assert live.post(f"/v1/payment_intents/{held['id']}/capture")["status"] == "succeeded"


def test_a_capture_of_unknown_outcome_is_made_once(live: Live) -> None:
    held = live.pay(900, capture_method="manual")
    live.network.script = ["unanswered"]
    waiting = live.post(f"/v1/payment_intents/{held['id']}/capture")
    assert waiting["status"] == "requires_capture"
    live.recover(10)
    assert live.get(f"/v1/payment_intents/{held['id']}")["status"] == "succeeded"
    assert list(live.network.money.values()) == [900]


def test_what_is_wrong_is_refused_before_the_processor_is_asked(live: Live) -> None:
    held = live.pay(900, capture_method="manual")
    asked = len(live.network.heard)
    refused = live.post(f"/v1/payment_intents/{held['id']}/capture", amount_to_capture=1_000)
    assert (refused.status, refused.error["code"]) == (400, "amount_too_large")
    assert len(live.network.heard) == asked


def test_a_repeated_request_gets_the_first_answer_and_charges_once(live: Live) -> None:
    given = {"payment_method": live.method(), "headers": {"Idempotency-Key": "order-1"}}
    first, second = live.pay(**given), live.pay(**given)
    assert first["status"] == "succeeded"
    assert (second.body, second.headers["idempotent-replayed"]) == (first.body, "true")
    assert live.said() == ["authorize"]


def test_a_card_that_is_no_token_of_the_processor_is_not_charged(live: Live) -> None:
    card = {"number": "4532010000000008", "exp_month": 12, "exp_year": 2034}
    made = live.post("/v1/payment_methods", type="card", card={**card, "cvc": "123"})
    refused = live.pay(payment_method=made["id"]) if made.status == 200 else made
    assert refused.status in (400, 402)
    assert live.network.heard == []


def test_test_mode_is_simulated_as_before(live: Live) -> None:
    paid = live.api.ok(
        "post", "/v1/payment_intents", amount=500, currency="usd", payment_method="pm_card_visa", confirm=True,
        automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
    )  # fmt: skip
    assert paid["status"] == "succeeded"
    assert live.network.heard == []


def test_a_browser_confirms_with_a_publishable_key_and_sees_no_more_than_otherwise(live: Live) -> None:
    made = live.post("/v1/payment_intents", amount=500, currency="usd", automatic_payment_methods=NEVER)
    given = {"client_secret": made["client_secret"], "payment_method": live.method(), "key": live.api.live_pk}
    path = f"/v1/payment_intents/{made['id']}/confirm"
    live.network.script = ["declined:insufficient_funds"]
    refused = live.api.post(path, **given)
    assert (refused.status, refused.error["decline_code"]) == (402, "insufficient_funds")
    assert "charges" not in refused.error["payment_intent"]
    paid = live.api.post(path, **{**given, "payment_method": live.method()})
    assert (paid.status, paid["status"]) == (200, "succeeded")
    assert "latest_charge" not in paid or paid["latest_charge"] is None or isinstance(paid["latest_charge"], str)
    assert live.money() == [500]


def test_a_restricted_key_confirms_with_its_permission_alone(live: Live) -> None:
    made = live.post("/v1/payment_intents", amount=500, currency="usd", payment_method=live.method(),
                     automatic_payment_methods=NEVER)  # fmt: skip
    path = f"/v1/payment_intents/{made['id']}/confirm"
    reads = live.api.restricted("payment_intent_read", livemode=True)
    assert live.api.post(path, key=reads).status == 403
    assert live.said() == []
    writes = live.api.restricted("payment_intent_write", livemode=True)
    paid = live.api.post(path, key=writes)
    assert (paid.status, paid["status"], paid["client_secret"] is None) == (200, "succeeded", False)


@pytest.mark.parametrize("version", ["2019-02-19", "2022-08-01"])
def test_callers_of_older_versions_are_answered_in_their_form(live: Live, version: str) -> None:
    old = live.api.under(version)
    given = {"amount": 500, "currency": "usd", "confirm": True, "payment_method_types": ["card"], **live.key}
    paid = old.post("/v1/payment_intents", payment_method=live.method(), **given)
    assert (paid.status, paid["status"]) == (200, "succeeded")
    assert paid["charges"]["data"][0]["captured"] is True
    live.network.script = ["declined:insufficient_funds"]
    refused = old.post("/v1/payment_intents", payment_method=live.method(), **given)
    assert (refused.status, refused.error["decline_code"]) == (402, "insufficient_funds")


def test_expanded_objects_are_those_of_the_end(live: Live) -> None:
    paid = live.pay(expand=["latest_charge.balance_transaction"])
    transaction = paid["latest_charge"]["balance_transaction"]
    assert (transaction["amount"], transaction["fee"], transaction["net"]) == (500, 0, 500)


def test_two_requests_at_once_on_an_intent_take_the_money_once(live: Live) -> None:
    made = live.post("/v1/payment_intents", amount=500, currency="usd", payment_method=live.method(),
                     automatic_payment_methods=NEVER)  # fmt: skip
    service = live.api.world.server.service
    headers = {"authorization": f"Bearer {live.api.live_sk}"}

    async def both() -> list[int]:
        path = f"/v1/payment_intents/{made['id']}/confirm"
        asked = (service.answer(Request("POST", path, b"", headers)) for _ in range(2))
        return sorted([one.status for one in await asyncio.gather(*asked)])

    assert live.api.world.runner.run(both()) in ([200, 429], [200, 400])
    assert live.said("authorize") == ["authorize"]


# -- 3-D Secure by a page of the processor

PAGE = "https://acs.example/challenge/1?a=b"
BACK = "https://shop.example/done"


def sent_away(live: Live, page: str = PAGE, **params: Any) -> Any:
    live.network.script = [f"redirect:{page}"]
    return live.pay(automatic_payment_methods={"enabled": True}, return_url=BACK, **params)


def ends(live: Live, intent: str, outcome: Outcome) -> str:
    """The processor knows how it ended; returns the reference."""
    reference = live.attempts(intent)[-1].reference
    live.network.done[reference] = outcome, 500
    if isinstance(outcome, Approved):
        live.network.money[reference] = 500
    return reference


def test_the_customer_is_sent_to_the_page_of_the_processor_and_the_payment_succeeds(live: Live) -> None:
    options = {"card": {"request_three_d_secure": "any"}}
    waiting = sent_away(live, payment_method_options=options)
    assert (waiting.status, waiting["status"]) == (200, "requires_action")
    assert waiting["next_action"] == {"type": "redirect_to_url", "redirect_to_url": {"return_url": BACK, "url": PAGE}}
    sent = live.network.requests[-1]
    assert isinstance(sent, Authorize)
    assert (sent.return_url, sent.authenticate) == (BACK, True)
    for path in ("/confirm", "/cancel"):
        assert live.post(f"/v1/payment_intents/{waiting['id']}{path}").error["code"] == "lock_timeout"
    ends(live, waiting["id"], Approved("A1"))
    live.recover(120)
    paid = live.get(f"/v1/payment_intents/{waiting['id']}")
    assert (paid["status"], paid["next_action"], live.money()) == ("succeeded", None, [500])
    assert [one for one in live.events() if one.startswith("payment_intent.")] == [
        "payment_intent.created", "payment_intent.requires_action", "payment_intent.succeeded",
    ]  # fmt: skip


def test_a_notice_tells_the_end_too(live: Live) -> None:
    waiting = sent_away(live, capture_method="manual")
    reference = ends(live, waiting["id"], Approved("A1"))
    live.network.told.append(Notice("r", "result", reference, live.api.now, outcome=Approved("A1")))
    live.api.world.runner.run(live.api.world.server.sender.read_notices())
    assert live.get(f"/v1/payment_intents/{waiting['id']}")["status"] == "requires_capture"


def test_a_customer_who_gives_up_has_not_authenticated(live: Live) -> None:
    waiting = sent_away(live, headers={"Idempotency-Key": "k"})
    ends(live, waiting["id"], Declined("authentication_failed"))
    live.recover(120)
    after = live.get(f"/v1/payment_intents/{waiting['id']}")
    assert (after["status"], after["last_payment_error"]["code"], after["latest_charge"]) == (
        "requires_payment_method", "payment_intent_authentication_failure", None,
    )  # fmt: skip
    paid = live.post(f"/v1/payment_intents/{waiting['id']}/confirm", payment_method=live.method(), return_url=BACK)
    assert paid["status"] == "succeeded"


def test_a_bank_may_decline_after_its_customer_has_authenticated(live: Live) -> None:
    waiting = sent_away(live)
    ends(live, waiting["id"], Declined("insufficient_funds"))
    live.recover(120)
    after = live.get(f"/v1/payment_intents/{waiting['id']}")
    assert (after["status"], after["last_payment_error"]["decline_code"]) == (
        "requires_payment_method", "insufficient_funds",
    )  # fmt: skip


@pytest.mark.parametrize(
    "page",
    ["http://acs.example/1", "javascript:alert(1)", "//acs.example/1", "https:///1", "", "https://acs.example/a b",
     "ftp://acs.example/1", "https://[acs/1", f"https://acs.example/{'a' * 2_048}"],
)  # fmt: skip
def test_nobody_is_sent_to_what_is_no_page_of_https(live: Live, page: str) -> None:
    waiting = sent_away(live, page)
    assert (waiting["status"], waiting["next_action"]) == ("processing", None)
    assert live.attempts(waiting["id"])[-1].state == "unknown"


def test_a_page_of_this_machine_may_be_http(live: Live) -> None:
    assert sent_away(live, "http://127.0.0.1:4242/acs")["status"] == "requires_action"


def test_a_customer_who_is_not_there_is_not_sent_away_and_the_payment_is_undone(live: Live) -> None:
    live.network.script = ["redirect:https://acs.example/1"]
    waiting = live.pay(off_session=True)
    assert (waiting["status"], waiting["next_action"]) == ("processing", None)
    for seconds in (10, 100, 1_000, 4_000, 4_000):
        live.recover(seconds)
    after = live.get(f"/v1/payment_intents/{waiting['id']}")
    assert (after["status"], after["last_payment_error"]["code"]) == ("requires_payment_method", "processing_error")
    assert (live.said("reverse"), live.money()) == (["reverse"], [])
