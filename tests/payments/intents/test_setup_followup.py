"""SetupIntents of live mode: a processor on a network verifies their cards, without moving money."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.processor import Live, Network, connected
from tollkey.payments.processors.network import Approved, Declined, Features, Outcome, Verify
from tollkey.payments.processors.sending import Times


@pytest.fixture
def live(api: Api) -> Iterator[Live]:
    with connected(api) as found:
        yield found


def set_up(live: Live, **params: Any) -> Any:
    never = {"enabled": True, "allow_redirects": "never"}
    given = {"payment_method": live.method(), "confirm": True, "automatic_payment_methods": never}
    return live.post("/v1/setup_intents", **{**given, **params})


def test_a_card_is_verified_without_money_and_saved(live: Live) -> None:
    customer = live.post("/v1/customers", name="Ada")["id"]
    made = set_up(live, customer=customer)
    assert (made.status, made["status"], made["usage"]) == (200, "succeeded", "off_session")
    sent = live.network.requests[-1]
    assert isinstance(sent, Verify)
    assert (sent.operation, sent.amount, sent.currency, sent.capture, sent.method.token) == (
        "verify", 0, "usd", False, "nt_1",
    )  # fmt: skip
    saved = live.get(f"/v1/customers/{customer}/payment_methods")["data"]
    assert [one["id"] for one in saved] == [made["payment_method"]]
    assert live.money() == []
    assert [one for one in live.events() if one.startswith("setup_intent.")][-1] == "setup_intent.succeeded"
    paid = live.pay(customer=customer, payment_method=made["payment_method"], off_session=True)
    assert (paid["status"], live.network.requests[-1].off_session) == ("succeeded", True)  # type: ignore[union-attr]


def test_a_card_that_is_declined_needs_another_one(live: Live) -> None:
    live.network.script = ["declined:expired_card"]
    refused = set_up(live)
    assert (refused.status, refused.error["code"]) == (402, "expired_card")
    intent = refused.error["setup_intent"]
    assert (intent["status"], intent["payment_method"]) == ("requires_payment_method", None)
    assert intent["last_setup_error"]["code"] == "expired_card"
    (attempt,) = live.get("/v1/setup_attempts", setup_intent=intent["id"])["data"]
    assert (attempt["status"], attempt["setup_error"]["code"]) == ("failed", "expired_card")
    again = live.post(f"/v1/setup_intents/{intent['id']}/confirm", payment_method=live.method("nt_2"))
    assert again["status"] == "succeeded"


def test_a_verification_of_unknown_outcome_is_processing_and_made_again(live: Live) -> None:
    live.network.script = ["lost"]
    waiting = set_up(live)
    assert (waiting.status, waiting["status"]) == (200, "processing")
    for path in ("/confirm", "/cancel", ""):
        assert live.post(f"/v1/setup_intents/{waiting['id']}{path}").error["code"] == "lock_timeout"
    live.recover(10)
    assert live.get(f"/v1/setup_intents/{waiting['id']}")["status"] == "succeeded"
    assert live.said("verify", "reverse") == ["verify", "verify"]


def test_a_processor_that_cannot_be_reached_refuses(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.api.world.server.sender, "times", Times(wait=1.0, again=0.1))
    live.network.script = ["refused"] * 50
    refused = set_up(live)
    assert (refused.status, refused.error["code"]) == (402, "processing_error")
    assert refused.error["setup_intent"]["status"] == "requires_payment_method"


def test_a_repeated_request_verifies_once(live: Live) -> None:
    given = {"payment_method": live.method(), "headers": {"Idempotency-Key": "s-1"}}
    first, second = set_up(live, **given), set_up(live, **given)
    assert (second.body, live.said()) == (first.body, ["verify"])


def test_a_browser_confirms_with_a_publishable_key(live: Live) -> None:
    made = live.post("/v1/setup_intents", automatic_payment_methods={"enabled": True, "allow_redirects": "never"})
    given = {"client_secret": made["client_secret"], "payment_method": live.method(), "key": live.api.live_pk}
    path = f"/v1/setup_intents/{made['id']}/confirm"
    live.network.script = ["declined:generic_decline"]
    refused = live.api.post(path, **given)
    assert (refused.status, "metadata" in refused.error["setup_intent"]) == (402, False)
    done = live.api.post(path, **{**given, "payment_method": live.method()})
    assert (done.status, done["status"]) == (200, "succeeded")


def test_a_payment_keeps_its_card_for_later(live: Live) -> None:
    customer = live.post("/v1/customers")["id"]
    paid = live.pay(customer=customer, setup_future_usage="off_session")
    assert paid["status"] == "succeeded"
    saved = live.get(f"/v1/customers/{customer}/payment_methods")["data"]
    assert [one["id"] for one in saved] == [paid["payment_method"]]


def test_without_verification_the_refusal_stays(api: Api) -> None:
    with connected(api, Network(Features(frozenset({"authorize"})))) as live:
        refused = set_up(live)
        assert (refused.status, "no provider for verifying payment methods" in refused.error["message"]) == (400, True)
        assert live.said() == []


def test_what_is_no_card_is_refused_before_anybody_is_asked(live: Live) -> None:
    made = live.post("/v1/payment_methods", type="sepa_debit", sepa_debit={"iban": "DE89370400440532013000"},
                     billing_details={"name": "Ada", "email": "a@example.com"})  # fmt: skip
    refused = set_up(live, payment_method=made["id"]) if made.status == 200 else made
    assert refused.status == 400
    assert live.said() == []


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [
        (Approved(), "succeeded", None),
        (Declined("authentication_failed"), "requires_payment_method", "setup_intent_authentication_failure"),
        (Declined("expired_card"), "requires_payment_method", "expired_card"),
    ],
)
def test_a_customer_may_be_sent_to_authenticate(live: Live, outcome: Outcome, status: str, code: str | None) -> None:
    live.network.script = ["redirect:https://acs.example/1"]
    back = "https://shop.example/done"
    waiting = set_up(live, automatic_payment_methods={"enabled": True}, return_url=back)
    assert (waiting.status, waiting["status"]) == (200, "requires_action")
    assert waiting["next_action"]["redirect_to_url"] == {"return_url": back, "url": "https://acs.example/1"}
    live.network.done[live.attempts(waiting["id"])[0].reference] = outcome, 0
    live.recover(120)
    after = live.get(f"/v1/setup_intents/{waiting['id']}")
    assert (after["status"], after["next_action"]) == (status, None)
    assert (after["last_setup_error"] or {}).get("code") == code
    (attempt,) = live.get("/v1/setup_attempts", setup_intent=waiting["id"])["data"]
    assert attempt["status"] == ("succeeded" if code is None else "failed")
