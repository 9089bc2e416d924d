"""What processors tell by themselves: it is taken once, compared in three ways, and never corrected silently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.processor import Live, connected
from tollkey import ledger
from tollkey.ledger.books import BANK, NETWORK, PROCESSOR_FEES, SUSPENSE
from tollkey.payments.processors import attempts, notices
from tollkey.payments.processors.network import Approved, Declined, Notice


@pytest.fixture
def live(api: Api) -> Iterator[Live]:
    with connected(api) as found:
        yield found


def told(live: Live, *items: Notice) -> None:
    live.network.told += items
    live.api.world.runner.run(live.api.world.server.sender.read_notices())


def books(live: Live) -> dict[str, int]:
    names = (NETWORK, BANK, PROCESSOR_FEES, SUSPENSE)
    read = live.api.core.database.read
    return {book: read(lambda tx, book=book: ledger.book_total(tx, live.scope, book, "usd")) for book in names}


def line(live: Live, object: str, amount: int, number: str = "1", **more: Any) -> Notice:
    made = [one for one in live.attempts(object) if one.operation != "void"][-1]
    return Notice(number, "settled", made.reference, live.api.now, amount, "usd", **more)


def differences(live: Live) -> list[str]:
    return [one.difference for one in live.api.core.database.read(lambda tx: notices.differences(tx, live.scope))]


def test_a_line_that_agrees_moves_what_the_network_owes_to_the_bank(live: Live) -> None:
    paid = live.pay(1_000)
    assert books(live) == {NETWORK: -1_000, BANK: 0, PROCESSOR_FEES: 0, SUSPENSE: 0}
    told(live, line(live, paid["id"], 1_000, fee=30))
    assert books(live) == {NETWORK: 0, BANK: -970, PROCESSOR_FEES: -30, SUSPENSE: 0}
    assert differences(live) == []


@pytest.mark.parametrize("amount", [900, 1_100, 0])
def test_a_line_with_another_amount_is_held_in_suspense_with_its_reason(live: Live, amount: int) -> None:
    paid = live.pay(1_000)
    told(live, line(live, paid["id"], amount))
    assert books(live) == {NETWORK: 0, BANK: -amount, PROCESSOR_FEES: 0, SUSPENSE: amount - 1_000}
    assert differences(live) == [f"{amount} was settled where 1000 was expected"]


def test_a_second_line_about_the_same_payment_is_not_expected(live: Live) -> None:
    paid = live.pay(1_000)
    told(live, line(live, paid["id"], 1_000), line(live, paid["id"], 1_000, "2"))
    assert books(live)[SUSPENSE] == 1_000
    assert differences(live) == ["1000 was settled where 0 was expected"]


def test_a_line_about_nothing_that_was_asked_is_held_in_suspense(live: Live) -> None:
    told(live, Notice("9", "settled", None, live.api.now, 500, "usd"))
    assert books(live) == {NETWORK: 0, BANK: -500, PROCESSOR_FEES: 0, SUSPENSE: 500}
    assert differences(live) == ["a line about nothing that was asked"]


def test_another_account_s_reference_is_unknown(live: Live) -> None:
    other = live.api.another()
    with connected(other, live.network) as theirs:
        paid = theirs.pay(1_000)
        notice = line(theirs, paid["id"], 1_000)
    with connected(live.api, live.network) as again:
        told(again, notice)
    assert differences(live) == ["a line about nothing that was asked"]


def test_a_refund_is_settled_by_a_negative_line(live: Live) -> None:
    paid = live.pay(1_000)
    refund = live.post("/v1/refunds", payment_intent=paid["id"], amount=400)
    told(live, line(live, paid["id"], 1_000), line(live, refund["id"], -400, "2"))
    assert books(live) == {NETWORK: 0, BANK: -600, PROCESSOR_FEES: 0, SUSPENSE: 0}
    assert differences(live) == []


def test_what_is_told_twice_counts_once(live: Live) -> None:
    paid = live.pay(1_000)
    notice = line(live, paid["id"], 1_000)
    told(live, notice, notice)
    told(live, notice)
    assert books(live)[BANK] == -1_000
    assert differences(live) == []


def test_a_late_outcome_ends_what_was_pending(live: Live) -> None:
    live.network.script = ["pending"]
    waiting = live.pay()
    assert waiting["status"] == "processing"
    reference = live.attempts(waiting["id"])[0].reference
    told(live, Notice("r1", "result", reference, live.api.now, outcome=Approved("Z")))
    assert live.get(f"/v1/payment_intents/{waiting['id']}")["status"] == "succeeded"


def test_an_outcome_that_contradicts_is_kept_as_a_difference(live: Live) -> None:
    paid = live.pay()
    reference = live.attempts(paid["id"])[0].reference
    told(live, Notice("r2", "result", reference, live.api.now, outcome=Declined("generic_decline")))
    assert live.get(f"/v1/payment_intents/{paid['id']}")["status"] == "succeeded"
    assert differences(live) == ["told as declined, and here it is approved"]


def test_money_that_came_back_is_for_a_person(live: Live) -> None:
    paid = live.pay()
    reference = live.attempts(paid["id"])[0].reference
    told(live, Notice("d1", "disputed", reference, live.api.now, -500, "usd", code="10.4"))
    assert differences(live) == ["the money was disputed (10.4)"]


def test_what_was_not_settled_for_long_is_listed(live: Live) -> None:
    paid, held = live.pay(), live.pay(capture_method="manual")
    read = live.api.core.database.read
    assert read(lambda tx: notices.unsettled(tx, live.scope, live.api.now)) == []
    found = read(lambda tx: notices.unsettled(tx, live.scope, live.api.now + 1))
    assert [one.object for one in found] == [paid["id"]]
    assert held["status"] == "requires_capture"
    told(live, line(live, paid["id"], 500))
    assert read(lambda tx: notices.unsettled(tx, live.scope, live.api.now + 1)) == []


def test_a_person_decides_what_nobody_could_tell(live: Live) -> None:
    live.network.script = ["unanswered"] + ["lost"] * 200
    paid = live.pay()
    live.recover(4 * 86_400)
    made = live.attempts(paid["id"])[0]
    assert made.state == "manual"
    core = live.api.core
    core.database.write(lambda tx: notices.decide(core.call(tx, live.scope), made, "approved"))
    assert live.get(f"/v1/payment_intents/{paid['id']}")["status"] == "succeeded"
    found = core.database.read(lambda tx: attempts.find(tx, made.reference))
    assert found is not None
    assert (found.state, found.applied) == ("approved", True)


def test_a_line_waits_for_the_outcome_of_what_it_settles_and_not_for_ever(live: Live) -> None:
    live.network.script = ["unanswered"]
    waiting = live.pay(1_000)
    told(live, line(live, waiting["id"], 1_000))
    assert books(live)[BANK] == 0
    live.recover(10)
    told(live)
    assert books(live) == {NETWORK: 0, BANK: -1_000, PROCESSOR_FEES: 0, SUSPENSE: 0}
    live.network.script = ["unanswered"] + ["lost"] * 300
    lost = live.pay(700)
    told(live, line(live, lost["id"], 700, "2"))
    live.api.world.clock[0] += 2 * 86_400
    told(live)
    assert books(live)[SUSPENSE] == 700
    assert differences(live) == ["settled while it is unknown here"]


def test_an_outcome_and_its_settlement_are_told_on_one_page(live: Live) -> None:
    live.network.script = ["pending"]
    waiting = live.pay(1_000)
    reference = live.attempts(waiting["id"])[0].reference
    told(live, Notice("r", "result", reference, live.api.now, outcome=Approved()), line(live, waiting["id"], 1_000))
    assert books(live) == {NETWORK: 0, BANK: -1_000, PROCESSOR_FEES: 0, SUSPENSE: 0}
    assert differences(live) == []
