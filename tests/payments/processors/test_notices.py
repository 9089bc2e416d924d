"""What processors tell by themselves: it is taken once, compared in three ways, and never corrected silently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.many_keys import Watched, analyse
from tests.support.processor import Live, connected
from tollkey import ledger
from tollkey.db import Tx
from tollkey.ledger.books import BANK, NETWORK, PROCESSOR_FEES, SUSPENSE
from tollkey.payments.processors import attempts, backends, notices
from tollkey.payments.processors.network import Approved, Declined, Notice

DAY = 86_400


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
    told(live, Notice("d1", "returned", reference, live.api.now, -500, "usd", code="AC04"))
    assert differences(live) == ["the money came back (AC04): nothing here shows it"]


def test_what_was_not_settled_for_long_is_listed(live: Live) -> None:
    paid, held = live.pay(), live.pay(capture_method="manual")
    read = live.api.core.database.read
    assert read(lambda tx: attempts.unsettled(tx, live.scope, live.api.now)) == []
    found = read(lambda tx: attempts.unsettled(tx, live.scope, live.api.now + 1))
    assert [one.object for one in found] == [paid["id"]]
    assert held["status"] == "requires_capture"
    told(live, line(live, paid["id"], 500))
    assert read(lambda tx: attempts.unsettled(tx, live.scope, live.api.now + 1)) == []


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


def tidied(live: Live, days: int) -> dict[str, int]:
    """How many attempts of each operation are left, and how many notices, when so many days have passed."""
    world, scope = live.api.world, live.scope
    world.runner.run(notices.tidy(world.server.edge, live.api.now + days * DAY + 1, 400))
    read = live.api.core.database.read
    left = [one.operation for one in read(lambda tx: attempts.list_of(tx, scope, limit=1_000))]
    counted = "SELECT count(*) FROM processor_notices WHERE account = ?"
    return {
        **{operation: left.count(operation) for operation in left},
        "notices": read(lambda tx: tx.execute(counted, (scope.account,)))[0][0],
    }


def test_what_is_over_goes_and_what_a_refund_needs_stays(live: Live) -> None:
    paid = live.pay(500)
    told(live, line(live, paid["id"], 500, "n1"))
    live.post("/v1/refunds", payment_intent=paid["id"], amount=200)
    assert tidied(live, 399) == {"authorize": 1, "refund": 1, "notices": 1}
    assert tidied(live, 400) == {"authorize": 1, "refund": 1, "notices": 0}  # nobody has settled the refund


def test_a_line_that_comes_after_the_first_one_was_deleted_is_still_not_expected(live: Live) -> None:
    paid = live.pay(500)
    told(live, line(live, paid["id"], 500, "n1"))
    assert tidied(live, 400) == {"authorize": 1, "notices": 0}
    told(live, line(live, paid["id"], 500, "n2"))
    assert tidied(live, 1_000)["notices"] == 1  # a difference stays


def test_what_may_have_been_told_before_notices_were_deleted_is_only_listed(live: Live) -> None:
    intent = live.pay(500)["id"]
    reference = live.attempts(intent)[-1].reference
    old = live.api.now - notices.OLDEST_DAYS * DAY
    live.network.told += [Notice(f"n{at}", "settled", reference, at, 500, "usd") for at in (old - 1, old)]
    live.api.world.runner.run(live.api.world.server.sender.read_notices())
    listed = live.api.core.database.read(lambda tx: notices.differences(tx, live.scope))
    told_late = "told after more than 380 days: nothing was done"
    assert [(one.at, one.difference) for one in listed] == [(old - 1, told_late)]
    assert live.attempts(intent)[-1].settled == 500


def test_what_looks_for_few_does_not_read_the_many_that_are_over(live: Live) -> None:
    database, account = live.api.core.database, live.scope.account
    held = live.attempts(live.pay(500)["id"])[-1]

    def fill(tx: Tx) -> None:
        names = attempts._COLUMNS.removeprefix("seq, ").replace("reference, ", "")
        tx.execute(
            f"INSERT INTO processor_attempts (reference, {names}) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT"
            f" i + 1 FROM n WHERE i < 3000) SELECT 'X' || i || '-' || seq, {names} FROM processor_attempts, n"
            " WHERE reference = ?",
            (held.reference,),
        )
        tx.execute("UPDATE processor_attempts SET settled = amount WHERE account = ?", (account,))

    database.write(fill)
    analyse(database)
    watched = Watched(database)
    now, scope = live.api.now, live.scope
    for ask in (
        lambda tx: attempts.list_of(tx, scope, open_only=True),
        lambda tx: attempts.troubled(tx, now - 60, scope),
        lambda tx: attempts.due(tx, now),
        lambda tx: attempts.unsettled(tx, scope, now + 60),
        lambda tx: notices.differences(tx, scope),
        lambda tx: [backends.open_attempts(tx, scope)] * 0,
        lambda tx: [attempts.delete_old(tx, now - 60), notices.delete_old(tx, now - 60)] * 0,
    ):
        assert watched.write(ask) == []
    assert max(cost.rows for cost in watched.costs) < 500, max(watched.costs, key=lambda cost: cost.rows)
