"""Attempts: one row for each operation, of which one process at a time does the next step."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tollkey.db import Scope
from tollkey.payments.processors import attempts
from tollkey.payments.processors.attempts import Attempt, Question
from tollkey.payments.shared.states import InvalidTransition


def stored(api: Api, livemode: bool = True) -> Attempt:
    scope, reference = Scope(api.account, livemode), attempts.new_reference(api.core.setup.ids)
    question = Question("authorize", "pi_1", 500, "usd", {"capture": True})
    api.core.database.write(lambda tx: attempts.add(tx, scope, reference, question, "scripted", api.now))
    found = api.core.database.read(lambda tx: attempts.find(tx, reference))
    assert found is not None
    return found


def test_an_attempt_is_found_as_it_was_stored(api: Api) -> None:
    made = stored(api)
    assert (made.state, made.amount, made.asked, made.applied) == ("prepared", 500, {"capture": True}, False)
    assert len(made.reference) == 12
    assert made.reference.isalnum()
    assert 1 <= made.trace < 900_000


def test_of_two_processes_one_claims_an_attempt(api: Api) -> None:
    made = stored(api)
    move = api.core.database.write
    first = move(lambda tx: attempts.move(tx, made, "sent", api.now, claimed_until=api.now + 60))
    assert first is not None
    assert first.state == "sent"
    assert move(lambda tx: attempts.move(tx, made, "sent", api.now, claimed_until=api.now + 60)) is None


def test_an_answer_after_another_took_over_changes_nothing(api: Api) -> None:
    made, move = stored(api), api.core.database.write
    sent = move(lambda tx: attempts.move(tx, made, "sent", api.now, claimed_until=api.now + 60))
    assert sent is not None
    unknown = move(lambda tx: attempts.move(tx, sent, "unknown", api.now + 60))
    assert unknown is not None
    move(lambda tx: attempts.move(tx, unknown, "reversing", api.now + 61))
    assert move(lambda tx: attempts.move(tx, sent, "approved", api.now + 62)) is None
    after = api.core.database.read(lambda tx: attempts.find(tx, made.reference))
    assert after is not None
    assert after.state == "reversing"


def test_no_attempt_takes_a_step_that_the_table_lacks(api: Api) -> None:
    made = stored(api)
    with pytest.raises(InvalidTransition):
        api.core.database.write(lambda tx: attempts.move(tx, made, "approved", api.now))


def test_what_is_claimed_is_due_again_when_its_time_is_over(api: Api) -> None:
    made, until = stored(api), api.now + 60
    api.core.database.write(lambda tx: attempts.move(tx, made, "sent", api.now, claimed_until=until, next_at=until))

    def due(now: int) -> bool:
        found = api.core.database.read(lambda tx: attempts.due(tx, now))
        return made.reference in {one.reference for one in found}

    assert (due(until - 1), due(until)) == (False, True)


def test_an_account_sees_its_own_attempts(api: Api) -> None:
    made = stored(api)
    other = Scope(api.another().account, True)
    read = api.core.database.read
    assert [one.reference for one in read(lambda tx: attempts.list_of(tx, made.scope))] == [made.reference]
    assert read(lambda tx: attempts.list_of(tx, other)) == []
    assert read(lambda tx: attempts.of_object(tx, other, "pi_1")) == []


def test_what_is_open_for_long_is_for_a_person(api: Api) -> None:
    made = stored(api)
    read = api.core.database.read
    assert read(lambda tx: attempts.troubled(tx, api.now, made.scope)) == []
    assert [one.reference for one in read(lambda tx: attempts.troubled(tx, api.now + 1, made.scope))] == [
        made.reference
    ]


def test_an_account_whose_processor_is_away_holds_up_no_other(api: Api) -> None:
    for _ in range(3):
        stored(api)
    other = stored(api.another())
    found = api.core.database.read(lambda tx: attempts.due(tx, api.now, 2))
    assert len([one for one in found if one.scope.account == api.account]) == 2
    assert other.reference in {one.reference for one in found}
