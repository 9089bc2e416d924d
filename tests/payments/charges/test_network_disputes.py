"""Disputes that a processor tells: opened once, ended once, and never guessed; the ledger follows the network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.processor import Live, Network, connected
from tollkey import ledger
from tollkey.ledger.books import BANK, FEES, NETWORK, PROCESSOR_FEES, SUSPENSE
from tollkey.payments.charges.network_disputes import reason_of
from tollkey.payments.processors import notices
from tollkey.payments.processors.network import Contest, Features, Notice
from tollkey.payments.processors.sending import Times

DAY = 86_400


@pytest.fixture
def live(api: Api) -> Iterator[Live]:
    with connected(api) as found:
        yield found


def told(live: Live, *items: Notice) -> None:
    live.network.told += items
    live.api.world.runner.run(live.api.world.server.sender.read_notices())


def about(live: Live, intent: str, number: str, kind: Any, amount: int, **more: Any) -> Notice:
    reference = live.attempts(intent)[-1].reference
    return Notice(number, kind, reference, live.api.now, amount, "usd", **more)


def disputed(live: Live, intent: str, amount: int = -500, number: str = "d1", **more: Any) -> Notice:
    return about(live, intent, number, "disputed", amount, **{"code": "10.4", **more})


def differences(live: Live) -> list[str]:
    return [one.difference for one in live.api.core.database.read(lambda tx: notices.differences(tx, live.scope))]


def disputes(live: Live) -> list[dict[str, Any]]:
    return list(live.get("/v1/disputes")["data"])


def books(live: Live) -> dict[str, int]:
    names = (NETWORK, BANK, PROCESSOR_FEES, SUSPENSE, FEES)
    read = live.api.core.database.read
    return {book: read(lambda tx, book=book: ledger.book_total(tx, live.scope, book, "usd")) for book in names}


def test_a_told_dispute_is_one_of_the_charge_and_takes_amount_and_fee(live: Live) -> None:
    paid = live.pay()
    told(live, disputed(live, paid["id"], fee=1_500, code="13.1", due_by=live.api.now + 9 * DAY))
    (dispute,) = disputes(live)
    assert (dispute["status"], dispute["reason"], dispute["amount"]) == ("needs_response", "product_not_received", 500)
    assert (dispute["charge"], dispute["payment_intent"]) == (paid["latest_charge"], paid["id"])
    assert dispute["evidence_details"]["due_by"] == live.api.now + 9 * DAY
    assert dispute["payment_method_details"]["card"]["network_reason_code"] == "13.1"
    (transaction,) = dispute["balance_transactions"]
    assert (transaction["amount"], transaction["fee"], transaction["net"]) == (-500, 1_500, -2_000)
    charge = live.get(f"/v1/charges/{paid['latest_charge']}")
    assert (charge["disputed"], charge["dispute"]) == (True, dispute["id"])
    assert [one for one in live.events() if "dispute" in one] == [
        "charge.dispute.created", "charge.dispute.funds_withdrawn",
    ]  # fmt: skip
    assert differences(live) == []


def test_a_dispute_and_its_settlement_leave_nothing_at_the_network(live: Live) -> None:
    paid = live.pay()
    told(live, about(live, paid["id"], "s1", "settled", 500), disputed(live, paid["id"], fee=1_500))
    told(live, about(live, paid["id"], "s2", "settled", -500, fee=1_500))
    assert books(live) == {NETWORK: 0, BANK: 1_500, PROCESSOR_FEES: -1_500, SUSPENSE: 0, FEES: 1_500}
    told(live, about(live, paid["id"], "w1", "dispute_won", 500, fee=-1_500))
    told(live, about(live, paid["id"], "s3", "settled", 500, fee=-1_500))
    assert books(live) == {NETWORK: 0, BANK: -500, PROCESSOR_FEES: 0, SUSPENSE: 0, FEES: 0}
    assert differences(live) == []


@pytest.mark.parametrize("order", [(500, -500), (-500, 500)])
def test_what_was_disputed_before_it_was_settled_is_settled_in_either_order(live: Live, order: tuple[int, int]) -> None:
    paid = live.pay()
    told(live, disputed(live, paid["id"]))
    told(live, *(about(live, paid["id"], f"s{amount}", "settled", amount) for amount in order))
    assert books(live)[NETWORK] == books(live)[SUSPENSE] == 0
    assert differences(live) == []


def test_the_bank_decides_by_notice(live: Live) -> None:
    won, lost = live.pay(), live.pay()
    told(live, disputed(live, won["id"], number="d1"), disputed(live, lost["id"], number="d2"))
    told(live, about(live, won["id"], "w", "dispute_won", 500), about(live, lost["id"], "l", "dispute_lost", 0))
    assert {one["payment_intent"]: one["status"] for one in disputes(live)} == {won["id"]: "won", lost["id"]: "lost"}
    assert sorted(one for one in live.events() if "dispute" in one)[:2] == ["charge.dispute.closed"] * 2
    assert "charge.dispute.funds_reinstated" in live.events()
    assert live.get("/v1/balance")["pending"][0]["amount"] == 500
    assert differences(live) == []


def test_what_is_told_twice_is_one_dispute(live: Live) -> None:
    paid = live.pay()
    notice = disputed(live, paid["id"])
    told(live, notice, notice)
    told(live, notice)
    assert len(disputes(live)) == 1
    told(live, disputed(live, paid["id"], number="d2"))
    assert len(disputes(live)) == 1
    assert differences(live) == ["disputed again (10.4)"]


def test_two_cases_of_one_payment_are_two_disputes(live: Live) -> None:
    paid = live.pay()
    told(live, disputed(live, paid["id"], -200, "d1", case="A"), disputed(live, paid["id"], -300, "d2", case="B"))
    told(live, about(live, paid["id"], "w", "dispute_won", 300, case="B"))
    assert sorted((one["amount"], one["status"]) for one in disputes(live)) == [(200, "needs_response"), (300, "won")]
    told(live, about(live, paid["id"], "l", "dispute_lost", 0, case="C"))
    assert differences(live) == ["told as lost before it was disputed"]


Told = tuple[Any, int, str]
WRONG: dict[str, tuple[list[Told], str, int]] = {
    "more than the charge": ([("disputed", -501, "usd")], "501 was disputed of 500", 0),
    "nothing": ([("disputed", 0, "usd")], "0 was disputed of 500", 0),
    "a gift": ([("disputed", 500, "usd")], "-500 was disputed of 500", 0),
    "another currency": ([("disputed", -500, "eur")], "the money was disputed in eur, asked in usd", 0),
    "won before it was disputed": ([("dispute_won", 500, "usd")], "told as won before it was disputed", 0),
    "lost before it was disputed": ([("dispute_lost", 0, "usd")], "told as lost before it was disputed", 0),
    "won in part": ([("disputed", -500, "usd"), ("dispute_won", 400, "usd")],
                    "told as won with 400, and 500 was expected", 1),
    "lost once more": ([("disputed", -500, "usd"), ("dispute_lost", -500, "usd")],
                       "told as lost with -500, and 0 was expected", 1),
    "won after it was lost": ([("disputed", -500, "usd"), ("dispute_lost", 0, "usd"), ("dispute_won", 500, "usd")],
                              "told as won, and here it is lost", 1),
    "a payment that came back": ([("returned", -500, "usd")], "the money came back (10.4): nothing here shows it", 0),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_listed_with_its_reason_and_changes_nothing(live: Live, case: str) -> None:
    items, reason, opened = WRONG[case]
    reference = live.attempts(live.pay()["id"])[-1].reference
    told(live, *(
        Notice(str(number), kind, reference, live.api.now, amount, currency, code="10.4")
        for number, (kind, amount, currency) in enumerate(items)
    ))  # fmt: skip
    assert differences(live) == [reason]
    assert len(disputes(live)) == opened


def test_a_partly_refunded_charge_is_disputed_for_what_the_bank_took(live: Live) -> None:
    paid = live.pay()
    live.post("/v1/refunds", payment_intent=paid["id"], amount=200)
    told(live, disputed(live, paid["id"], -300))
    assert [one["amount"] for one in disputes(live)] == [300]
    refused = live.post("/v1/refunds", payment_intent=paid["id"], amount=100)
    assert refused.error["code"] == "charge_disputed"
    assert books(live)[NETWORK] == 0


def test_what_is_not_ours_or_did_not_take_money_is_listed(live: Live) -> None:
    told(live, Notice("d", "disputed", "UNKNOWN00000", live.api.now, -500, "usd", code="4853"))
    held = live.pay(capture_method="manual")
    told(live, disputed(live, held["id"], number="h"))
    with connected(live.api.another(), live.network) as theirs:
        notice = disputed(theirs, theirs.pay()["id"], number="o")
    with connected(live.api, live.network) as again:
        told(again, notice)
    assert disputes(live) == []
    assert differences(live) == [
        "the money was disputed (10.4): nothing that was asked",
        "the money was disputed (10.4): nothing here shows it",
        "the money was disputed (4853): nothing that was asked",
    ]


def test_a_captured_payment_is_disputed_by_either_of_its_references(live: Live) -> None:
    for number, index in enumerate((0, 1)):
        held = live.pay(capture_method="manual")
        live.post(f"/v1/payment_intents/{held['id']}/capture")
        reference = live.attempts(held["id"])[index].reference
        told(live, Notice(f"d{number}", "disputed", reference, live.api.now, -500, "usd"))
    assert [one["reason"] for one in disputes(live)] == ["general", "general"]


def test_a_dispute_waits_for_the_outcome_of_its_payment(live: Live) -> None:
    live.network.script = ["unanswered"]
    waiting = live.pay()
    told(live, disputed(live, waiting["id"]))
    assert (disputes(live), differences(live)) == ([], [])
    live.recover(10)
    told(live)
    assert len(disputes(live)) == 1


def test_a_due_date_is_that_of_the_notice_or_of_the_brand(live: Live) -> None:
    made = live.api.ok("post", "/v1/payment_methods", type="card", card={"token": "nt_9"}, **live.key)
    paid = live.pay(payment_method=made["id"])
    told(live, disputed(live, paid["id"]))
    assert disputes(live)[0]["evidence_details"]["due_by"] >= live.api.now + 20 * DAY


REASONS = {
    "fraudulent": ("10.4", "4837", "F29", "UA02"),
    "subscription_canceled": ("13.2", "4841", "C28"),
    "duplicate": ("12.6.1", "4834"),
    "credit_not_processed": ("13.6", "C02"),
    "unrecognized": ("4863",),
    "product_not_received": ("13.1", "C08"),
    "product_unacceptable": ("13.3", "C31"),
    "general": ("11.3", "?", "", None),
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_network_code_has_one_reason(reason: str) -> None:
    assert {reason_of(code) for code in REASONS[reason]} == {reason}


def open_one(live: Live, amount: int = -500, **more: Any) -> str:
    """The id of the dispute of a new payment."""
    told(live, disputed(live, live.pay()["id"], amount, **more))
    return str(disputes(live)[0]["id"])


TEXT = {"uncategorized_text": "It was delivered.", "shipping_tracking_number": "1Z"}


def test_evidence_is_submitted_to_the_processor_and_reviewed_by_the_bank(live: Live) -> None:
    id = open_one(live, case="C-7")
    staged = live.post(f"/v1/disputes/{id}", evidence=TEXT, submit=False)
    assert (staged["status"], staged["evidence_details"]["has_evidence"]) == ("needs_response", True)
    assert "contest" not in live.said()
    answer = live.post(f"/v1/disputes/{id}", submit=True)
    assert (answer.status, answer["status"]) == (200, "under_review")
    assert answer["evidence_details"]["submission_count"] == 1
    sent = live.network.requests[-1]
    assert isinstance(sent, Contest)
    assert (sent.case, sent.evidence, sent.amount, sent.data) == ("C-7", TEXT, 500, {"rrn": sent.original.reference})
    assert "delivered" not in repr(sent)
    again = live.post(f"/v1/disputes/{id}", evidence=TEXT)
    assert (again.status, again.error["message"]) == (400, "The evidence of this dispute has already been submitted.")
    assert live.events()[-1] == "charge.dispute.updated"


def test_a_dispute_is_accepted_at_the_processor_and_lost(live: Live) -> None:
    id = open_one(live)
    answer = live.post(f"/v1/disputes/{id}/close")
    assert (answer.status, answer["status"]) == (200, "lost")
    assert live.said("accept", "contest") == ["accept"]
    paid = {"id": answer["payment_intent"]}
    reference = live.attempts(paid["id"])[-1].reference
    told(live, Notice("l", "dispute_lost", reference, live.api.now, 0, "usd"))
    assert differences(live) == []
    assert live.events().count("charge.dispute.closed") == 1


def test_the_dispute_of_a_charge_is_answered_at_its_charge_too(live: Live) -> None:
    charge = live.get(f"/v1/disputes/{open_one(live)}")["charge"]
    answer = live.post(f"/v1/charges/{charge}/dispute", evidence=TEXT)
    assert answer["status"] == "under_review"
    assert live.post(f"/v1/charges/{charge}/dispute/close")["status"] == "lost"
    assert live.said("accept", "contest") == ["contest", "accept"]


@pytest.mark.parametrize(("path", "left"), [("", "needs_response"), ("/close", "needs_response")])
def test_what_the_processor_refuses_or_does_not_hear_changes_nothing(live: Live, path: str, left: str) -> None:
    id = open_one(live)
    live.network.script = ["declined:too_late"]
    refused = live.post(f"/v1/disputes/{id}{path}", **({} if path else {"evidence": TEXT}))
    assert (refused.status, "too_late" in refused.error["message"]) == (400, True)
    assert live.get(f"/v1/disputes/{id}")["status"] == left
    live.api.world.server.sender.times = Times(wait=1.0, again=0.1)
    live.network.script = ["refused"] * 50
    unheard = live.post(f"/v1/disputes/{id}{path}", **({} if path else {"evidence": TEXT}))
    live.api.world.server.sender.times = Times()
    assert (unheard.status, unheard.error["type"]) == (503, "api_error")
    assert live.get(f"/v1/disputes/{id}")["status"] == left


def test_evidence_of_unknown_outcome_is_submitted_once_it_is_known(live: Live) -> None:
    id = open_one(live)
    live.network.script = ["unanswered"]
    waiting = live.post(f"/v1/disputes/{id}", evidence=TEXT)
    assert (waiting.status, waiting["status"]) == (200, "needs_response")
    busy = live.post(f"/v1/disputes/{id}/close")
    assert (busy.status, busy.error["code"]) == (429, "lock_timeout")
    live.recover(10)
    assert live.get(f"/v1/disputes/{id}")["status"] == "under_review"
    assert len([one for one in live.network.done if one in {request.reference for request in live.network.requests
                if request.operation == "contest"}]) == 1  # fmt: skip


def test_the_bank_may_decide_while_evidence_is_on_its_way(live: Live) -> None:
    id = open_one(live)
    live.network.script = ["unanswered"]
    live.post(f"/v1/disputes/{id}", evidence=TEXT)
    reference = live.attempts(live.get(f"/v1/disputes/{id}")["payment_intent"])[-1].reference
    told(live, Notice("w", "dispute_won", reference, live.api.now, 500, "usd"))
    live.recover(10)
    assert live.get(f"/v1/disputes/{id}")["status"] == "won"
    assert live.events()[-1] == "charge.dispute.funds_reinstated"


def test_files_of_evidence_are_refused_since_no_processor_takes_them(live: Live) -> None:
    id = open_one(live)
    refused = live.post(f"/v1/disputes/{id}", evidence={"receipt": "file_1"})
    assert (refused.status, refused.error["param"]) == (400, "evidence[receipt]")
    assert live.said("contest") == []


def test_evidence_after_its_date_is_past_due(live: Live) -> None:
    id = open_one(live, due_by=live.api.now + 60)
    live.api.world.clock[0] += 120
    answer = live.post(f"/v1/disputes/{id}", evidence=TEXT)
    assert (answer["status"], answer["evidence_details"]["past_due"]) == ("under_review", True)


@pytest.mark.parametrize(
    ("operations", "path", "message"),
    [
        (set(), "", "Live mode on this server has no provider for disputes"),
        (set(), "/close", "Live mode on this server has no provider for disputes"),
        ({"contest"}, "/close", "does not let a dispute be accepted"),
    ],
)
def test_what_the_processor_does_not_take_keeps_its_refusal(
    api: Api, operations: set[Any], path: str, message: str
) -> None:
    features = Features(frozenset({"authorize"} | operations), notices=True)
    with connected(api, Network(features)) as live:
        id = open_one(live)
        refused = live.post(f"/v1/disputes/{id}{path}", **({} if path else {"evidence": TEXT}))
        assert (refused.status, message in refused.error["message"]) == (400, True)
        assert live.get(f"/v1/disputes/{id}")["status"] == "needs_response"
