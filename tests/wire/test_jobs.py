"""Work that has to happen later: claimed once, kept when it raises, shown to people."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.support.api import NOW, Api
from tollkey.db import Database, Migration, Scope, Tx, migrate
from tollkey.server import run_due
from tollkey.wire import jobs
from tollkey.wire.jobs import (
    RETRIES,
    FailingJob,
    Schedule,
    ScheduledJob,
    due_jobs,
    failing_jobs,
    find_failing_job,
    run_job,
)
from tollkey.wire.kinds import Job
from tollkey.wire.resource import Catalogue

SCOPE = Scope("acct_1", False)
CARD = "4242 4242 4242 4242"
KIND = "test.poison"


@pytest.fixture
def table(database: Database) -> Database:
    """An empty table of what is due, on each kind of database."""
    migrate(database, [jobs.MIGRATION])
    return database


def waiting(table: Database, now: int = NOW) -> list[ScheduledJob]:
    return table.read(lambda tx: due_jobs(tx, now))


def test_an_appointment_that_is_made_again_replaces_the_earlier_one_in_one_statement(table: Database) -> None:
    for at in (NOW - 5, NOW - 3):
        table.write(lambda tx, at=at: Schedule(tx, SCOPE).add(at, "work", "a"))  # type: ignore[misc]
    table.write(lambda tx: Schedule(tx, SCOPE).add(NOW - 3, "work", "b"))
    table.write(lambda tx: Schedule(tx, SCOPE).add(NOW - 3, "work", "a"))
    assert [(item.at, item.id) for item in waiting(table)] == [(NOW - 3, "b"), (NOW - 3, "a")]
    seqs = [item.seq for item in waiting(table)]
    assert seqs == sorted(seqs)
    assert seqs[0] > 0


def test_an_appointment_on_another_clock_takes_it_off_the_first(table: Database) -> None:
    table.write(lambda tx: Schedule(tx, SCOPE).add(NOW, "work", "a"))
    table.write(lambda tx: Schedule(tx, SCOPE).add(NOW, "work", "a", "clock_1"))
    assert waiting(table) == []
    found = table.read(lambda tx: Schedule(tx, SCOPE).next("clock_1", NOW))
    assert found is not None
    assert found.clock == "clock_1"


def test_work_that_was_put_off_meanwhile_is_not_claimed(table: Database) -> None:
    table.write(lambda tx: Schedule(tx, SCOPE).add(NOW, "work", "a"))
    (item,) = waiting(table)
    table.write(lambda tx: Schedule(tx, SCOPE).add(NOW + 60, "work", "a"))
    assert not table.write(lambda tx: jobs.claim(tx, item))
    assert len(waiting(table, NOW + 60)) == 1


def test_an_appointment_that_is_to_be_there_once_keeps_its_time(table: Database) -> None:
    for at in (NOW, NOW - 5):
        table.write(lambda tx, at=at: Schedule(tx, SCOPE).once(at, "work", "a"))  # type: ignore[misc]
    assert [item.at for item in waiting(table)] == [NOW]


def test_an_appointment_that_was_cancelled_in_the_transaction_can_be_made_once_again(table: Database) -> None:
    def work(tx: Tx) -> None:
        schedule = Schedule(tx, SCOPE)
        schedule.once(NOW - 5, Job("work"), "a")
        schedule.cancel(Job("work"), "a")
        schedule.once(NOW - 4, Job("work"), "a")
        schedule.once(NOW - 3, Job("work"), "a")
        with suppress(KeyError), tx.savepoint():
            schedule.once(NOW - 2, Job("work"), "b")
            raise KeyError("undone")
        schedule.once(NOW - 1, Job("work"), "b")

    table.write(work)
    assert [(item.at, item.id) for item in waiting(table)] == [(NOW - 4, "a"), (NOW - 1, "b")]


def test_a_database_of_an_older_version_keeps_what_was_due(database: Database) -> None:
    migrate(database, [Migration("due", jobs.MIGRATION.statements[:3])])
    insert = "INSERT INTO due (account, livemode, clock, at, kind, id) VALUES ('acct_1', 0, '', ?, 'work', 'a')"
    database.write(lambda tx: tx.execute(insert, (NOW,)))
    migrate(database, [jobs.MIGRATION])
    assert [(item.kind, item.attempts) for item in waiting(database)] == [("work", 0)]
    assert database.read(lambda tx: failing_jobs(tx)) == []


# -- through a whole server


class Poison:
    """Work that raises as long as ``broken``; counts how often it was asked."""

    def __init__(self, api: Api) -> None:
        self.api, self.broken, self.asked = api, True, 0
        self.catalogue = api.core.setup.tables.catalogue

    def __call__(self, call: Any, id: str) -> None:
        if call.account != self.api.account:  # left over by another test
            return
        self.asked += 1
        call.objects.insert({"id": call.ids.new("cus"), "object": "customer", "created": call.now, "livemode": False})
        if self.broken:
            raise RuntimeError(f"no luck with {self.api.sk} and {CARD}\nat all")

    def know(self, doer: Callable[[Any, str], None]) -> None:
        """Let the server know what to do."""
        self.catalogue.by_job[KIND] = replace(self.catalogue.by_object["refund"], on_due={KIND: doer}, due_live={})

    def schedule(self, at: int, clock: str | None = None) -> None:
        scope = Scope(self.api.account, False)
        self.api.core.database.write(lambda tx: Schedule(tx, scope).add(at, KIND, "thing", clock))

    def trouble(self) -> list[FailingJob]:
        scope = Scope(self.api.account, False)
        return self.api.core.database.read(lambda tx: failing_jobs(tx, scope))


@pytest.fixture
def poison(api: Api) -> Any:
    """A kind of work that raises, known to the server for the time of a test."""
    made = Poison(api)
    made.know(made)
    yield made
    del made.catalogue.by_job[KIND]


def run(api: Api) -> None:
    """What the server's timer does."""
    while api.world.runner.run(run_due(api.core, api.world.server.edge)):
        pass


def test_work_that_raises_stays_with_its_count_its_time_and_its_error_and_leaves_nothing_else(
    api: Api, poison: Poison
) -> None:
    poison.schedule(api.now)
    run(api)
    (found,) = poison.trouble()
    assert (found.state, found.tried, found.job.at, found.job.attempts) == ("waiting", api.now, api.now + RETRIES[0], 1)
    assert found.error.startswith("RuntimeError: no luck with sk_t...")
    assert api.sk not in found.error
    assert CARD not in found.error
    assert api.get("/v1/customers")["data"] == []


def test_it_is_tried_again_later_and_later_and_then_has_failed(api: Api, poison: Poison) -> None:
    poison.schedule(api.now)
    run(api)
    for number, seconds in enumerate(RETRIES, 1):
        api.world.clock[0] += seconds - 1
        run(api)
        assert poison.asked == number
        api.world.clock[0] += 1
        run(api)
        assert poison.asked == number + 1
    (found,) = poison.trouble()
    assert (found.state, found.job.attempts) == ("failed", len(RETRIES) + 1)
    api.world.clock[0] += 2 * max(RETRIES)  # no longer: all work of the other merchants of this world is due then, too
    run(api)
    assert poison.asked == len(RETRIES) + 1


def test_it_does_not_hold_up_other_work(api: Api, poison: Poison) -> None:
    poison.schedule(api.now - 100)
    charge = api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_pendingRefund")
    api.ok("POST", "/v1/refunds", charge=charge["id"])
    api.world.clock[0] += 10
    run(api)
    assert [refund["status"] for refund in api.get("/v1/refunds")["data"]] == ["succeeded"]


def test_a_new_appointment_takes_the_place_of_one_that_failed(api: Api, poison: Poison) -> None:
    poison.schedule(api.now)
    run(api)
    poison.broken = False
    poison.schedule(api.now)
    run(api)
    assert poison.trouble() == []
    assert len(api.get("/v1/customers")["data"]) == 1


def test_work_of_a_kind_that_this_version_does_not_know_stays(api: Api) -> None:
    scope = Scope(api.account, False)
    api.core.database.write(lambda tx: Schedule(tx, scope).add(api.now, "test.of_tomorrow", "thing"))
    run(api)
    (found,) = api.core.database.read(lambda tx: failing_jobs(tx, scope))
    assert found.error == "LookupError: this version of the server has no job called test.of_tomorrow"


def test_work_whose_whole_transaction_is_lost_is_counted_too(api: Api, poison: Poison) -> None:
    def lose(call: Any, id: str) -> None:
        call.tx.execute("ROLLBACK")
        raise RuntimeError("and no savepoint to go back to")

    poison.know(lose)
    poison.schedule(api.now)
    run(api)
    (found,) = poison.trouble()
    assert (found.state, found.job.attempts) == ("waiting", 1)


def test_work_that_is_done_again_by_hand_is_done_once(api: Api, poison: Poison) -> None:
    poison.schedule(api.now)
    run(api)
    (found,) = poison.trouble()
    poison.broken = False
    scope = Scope(api.account, False)
    done = [api.core.database.write(lambda tx: run_job(api.core.call(tx, scope, api.now), found.job)) for _ in range(2)]
    assert done == [True, False]
    assert poison.trouble() == []
    assert len(api.get("/v1/customers")["data"]) == 1


def test_what_is_discarded_is_never_done(api: Api, poison: Poison) -> None:
    poison.schedule(api.now)
    run(api)
    scope = Scope(api.account, False)
    api.core.database.write(lambda tx: Schedule(tx, scope).cancel(KIND, "thing"))
    assert api.core.database.read(lambda tx: find_failing_job(tx, scope, KIND, "thing")) is None


def test_an_appointment_once_begins_anew_after_it_failed(api: Api, poison: Poison) -> None:
    scope = Scope(api.account, False)

    def once() -> None:
        api.core.database.write(lambda tx: Schedule(tx, scope).once(api.now, KIND, "thing"))

    once()
    for seconds in (0, *RETRIES):
        api.world.clock[0] += seconds
        run(api)
    poison.broken = False
    once()
    run(api)
    assert poison.trouble() == []
    assert poison.asked == len(RETRIES) + 2


def test_work_on_a_test_clock_is_tried_again_in_the_clocks_time(api: Api, poison: Poison) -> None:
    clock = api.ok("POST", "/v1/test_helpers/test_clocks", frozen_time=api.now)
    poison.schedule(api.now + 100, clock["id"])
    api.ok("POST", f"/v1/test_helpers/test_clocks/{clock['id']}/advance", frozen_time=api.now + 100 + RETRIES[0])
    run(api)
    assert api.get(f"/v1/test_helpers/test_clocks/{clock['id']}")["status"] == "ready"
    (found,) = poison.trouble()
    assert (found.job.attempts, found.job.at) == (2, api.now + 100 + RETRIES[0] + RETRIES[1])


def test_work_on_a_test_clock_that_is_tried_again_sees_nothing_of_its_failed_attempt(api: Api, poison: Poison) -> None:
    who = api.ok("POST", "/v1/customers", name="before")["id"]
    seen = []

    def rename(call: Any, id: str) -> None:
        customer = call.objects.get("customer", who)
        seen.append((customer["name"], call.memo.get(KIND)))
        customer["name"] = call.memo[KIND] = "after"
        call.objects.save(customer)
        raise RuntimeError("not yet")

    poison.know(rename)
    clock = api.ok("POST", "/v1/test_helpers/test_clocks", frozen_time=api.now)
    poison.schedule(api.now + 100, clock["id"])
    api.ok("POST", f"/v1/test_helpers/test_clocks/{clock['id']}/advance", frozen_time=api.now + 100 + RETRIES[0])
    run(api)
    assert seen == [("before", None)] * 2
    advanced = api.get(f"/v1/test_helpers/test_clocks/{clock['id']}")
    assert (advanced["status"], advanced["frozen_time"]) == ("ready", api.now + 100 + RETRIES[0])


def test_two_resources_cannot_do_the_same_kind_of_work(api: Api) -> None:
    first, *_ = (resource for resource in api.core.catalogue.resources if resource.on_due)
    other = replace(first, object="other", endpoints=(), prefix="other", prefixes=())
    with pytest.raises(ValueError, match="two resources declare the job"):
        Catalogue((first, other))
