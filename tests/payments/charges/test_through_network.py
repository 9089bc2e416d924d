"""Charges without a PaymentIntent through a processor on a network: asked once, answered once, nothing guessed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.processor import Live, Network, connected
from tollkey.payments.processors.network import Features
from tollkey.payments.processors.sending import Times

DAY = 86_400


@pytest.fixture
def live(api: Api) -> Iterator[Live]:
    with connected(api) as found:
        yield found


def charge(live: Live, amount: int = 500, **params: Any) -> Any:
    return live.post("/v1/charges", **{"amount": amount, "currency": "usd", "source": live.method(), **params})


def of_charges(live: Live) -> list[str]:
    return [one for one in live.events() if one.startswith("charge.") or one.startswith("refund.")]


def test_a_charge_succeeds_when_the_processor_has_approved(live: Live) -> None:
    paid = charge(live, description="A book", metadata={"order": "1"})
    assert (paid.status, paid["status"], paid["paid"], paid["captured"]) == (200, "succeeded", True, True)
    assert (paid["description"], paid["metadata"], paid["amount_captured"]) == ("A book", {"order": "1"}, 500)
    assert paid["payment_method_details"]["card"]["authorization_code"] == "A1B2C3"
    assert b"_attempt" not in paid.body
    assert live.get(f"/v1/balance_transactions/{paid['balance_transaction']}")["amount"] == 500
    assert (live.said(), live.money()) == (["authorize"], [500])
    assert of_charges(live) == ["charge.succeeded"]


def test_a_declined_charge_is_402_with_its_id(live: Live) -> None:
    live.network.script = ["declined:insufficient_funds"]
    refused = charge(live)
    assert (refused.status, refused.error["decline_code"]) == (402, "insufficient_funds")
    failed = live.get(f"/v1/charges/{refused.error['charge']}")
    assert (failed["status"], failed["failure_code"], failed["captured"], failed["amount_captured"]) == (
        "failed", "card_declined", False, 0,
    )  # fmt: skip
    assert failed["outcome"]["type"] == "issuer_declined"
    assert of_charges(live) == ["charge.failed"]


def test_a_charge_of_unknown_outcome_is_pending_until_it_is_known(live: Live) -> None:
    live.network.script = ["unanswered"]
    waiting = charge(live)
    assert (waiting.status, waiting["status"], waiting["paid"]) == (200, "pending", False)
    for path in ("/capture", "/refunds"):
        assert live.post(f"/v1/charges/{waiting['id']}{path}").error["code"] == "lock_timeout"
    live.recover(10)
    assert live.get(f"/v1/charges/{waiting['id']}")["status"] == "succeeded"
    assert of_charges(live) == ["charge.pending", "charge.succeeded"]
    assert live.money() == [500]


def test_a_charge_that_nobody_can_tell_about_is_undone(live: Live) -> None:
    live.network.script = ["lost"]
    waiting = charge(live)
    live.recover(10)
    after = live.get(f"/v1/charges/{waiting['id']}")
    assert (after["status"], after["failure_code"], live.money()) == ("failed", "processing_error", [])


def test_a_processor_that_cannot_be_reached_fails_the_charge(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.api.world.server.sender, "times", Times(wait=1.0, again=0.1))
    live.network.script = ["refused"] * 50
    refused = charge(live)
    assert (refused.status, refused.error["code"], live.network.done) == (402, "processing_error", {})


def test_a_repeated_request_charges_once(live: Live) -> None:
    given = {"source": live.method(), "headers": {"Idempotency-Key": "order-1"}}
    first, second = charge(live, **given), charge(live, **given)
    assert (second.body, second.headers["idempotent-replayed"]) == (first.body, "true")
    assert live.said() == ["authorize"]


def test_a_process_that_ends_between_its_transactions_loses_nothing(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(references: object) -> bool:
        raise RuntimeError("the process ends here")

    given = {"source": live.method(), "headers": {"Idempotency-Key": "order-2"}}
    with monkeypatch.context() as patched:
        patched.setattr(live.api.world.server.sender, "settle", dies)
        charge(live, **given)
    live.recover(1)
    again = charge(live, **given)
    assert (again.status, again["status"]) == (200, "succeeded")
    assert (live.said(), live.money()) == (["authorize"], [500])


def test_a_held_charge_is_captured_by_the_processor(live: Live) -> None:
    held = charge(live, 900, capture=False)
    assert (held["status"], held["captured"], live.money()) == ("succeeded", False, [])
    taken = live.post(f"/v1/charges/{held['id']}/capture", amount=300)
    assert (taken.status, taken["captured"], taken["amount_captured"]) == (200, True, 300)
    assert (live.money(), live.said()) == ([300], ["authorize", "capture"])
    too_much = live.post(f"/v1/charges/{charge(live, 900, capture=False)['id']}/capture", amount=901)
    assert too_much.status == 400
    assert live.said("capture") == ["capture"]


def test_a_capture_that_is_refused_changes_nothing(live: Live) -> None:
    held = charge(live, 900, capture=False)
    live.network.script = ["declined:generic_decline"]
    refused = live.post(f"/v1/charges/{held['id']}/capture")
    assert (refused.status, "refused to capture this charge" in refused.error["message"]) == (400, True)
    assert live.get(f"/v1/charges/{held['id']}")["captured"] is False
    assert live.post(f"/v1/charges/{held['id']}/capture")["captured"] is True


def test_a_refund_finds_the_authorization_of_its_charge(live: Live) -> None:
    paid = charge(live)
    refund = live.post("/v1/refunds", charge=paid["id"], amount=200)
    assert (refund.status, refund["status"], live.money()) == (200, "succeeded", [500, -200])
    live.network.script = ["declined"]
    failed = live.post("/v1/refunds", charge=paid["id"], amount=100)
    assert (failed.status, failed["status"]) == (200, "failed")
    assert live.get(f"/v1/charges/{paid['id']}")["amount_refunded"] == 200
    assert live.post(f"/v1/charges/{paid['id']}/refund")["refunded"] is True


def test_a_refund_of_a_held_charge_releases_it_at_the_processor(live: Live) -> None:
    held = charge(live, capture=False)
    live.network.script = ["declined"]
    failed = live.post("/v1/refunds", charge=held["id"])
    assert (failed.status, failed["status"], failed["failure_reason"]) == (200, "failed", "declined")
    assert live.get(f"/v1/charges/{held['id']}")["refunded"] is False
    released = live.post("/v1/refunds", charge=held["id"])
    assert (released["status"], released["balance_transaction"]) == ("succeeded", None)
    after = live.get(f"/v1/charges/{held['id']}")
    assert (after["refunded"], after["captured"], live.money()) == (True, False, [])
    assert live.said() == ["authorize", "void", "void"]


def test_a_held_charge_expires_at_the_processor_too(live: Live) -> None:
    held = charge(live, capture=False)
    live.api.advance(8 * DAY)
    live.recover()
    after = live.get(f"/v1/charges/{held['id']}")
    assert (after["refunded"], live.said()) == (True, ["authorize", "void"])
    assert "charge.expired" in live.events()


@pytest.mark.parametrize(
    ("given", "status"),
    [({"source": "tok_visa"}, 400), ({"amount": 1}, 400), ({"currency": "eur"}, 400),
     ({"transfer_data": {"destination": "acct_none"}}, 400)],
)  # fmt: skip
def test_what_is_refused_is_refused_before_the_processor_is_asked(
    live: Live, given: dict[str, Any], status: int
) -> None:
    refused = charge(live, **given)
    assert refused.status == status
    assert (live.said(), live.get("/v1/charges")["data"]) == ([], [])


def test_a_processor_that_takes_no_payments_leaves_the_refusal(api: Api) -> None:
    with connected(api, Network(Features(frozenset({"payout"})))) as live:
        refused = live.post("/v1/charges", amount=500, currency="usd", source="tok_visa")
        assert (refused.status, refused.error["code"]) == (402, "testmode_charges_only")


def test_a_charge_sends_nobody_away_and_is_undone_if_it_should(live: Live) -> None:
    live.network.script = ["redirect:https://acs.example/1"]
    waiting = charge(live)
    assert waiting["status"] == "pending"
    for seconds in (10, 100, 1_000, 4_000, 4_000):
        live.recover(seconds)
    after = live.get(f"/v1/charges/{waiting['id']}")
    assert (after["status"], after["failure_code"], live.money()) == ("failed", "processing_error", [])
