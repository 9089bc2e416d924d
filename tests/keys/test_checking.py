"""``check``: the key, then the permission, then the limits of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
import trio

from tollkey.keys import Checked, Denied, Key, KeyService, Permission, Reason
from tollkey.keys.errors import UnknownPermission
from tollkey.keys.key import LimitState
from tollkey.keys.once import one_request

T = TypeVar("T")


class Budget:
    """Limits that allow a total cost, and remember what was asked of them."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.asked: list[tuple[str, str | None, int, float]] = []
        self.broken = False
        self.at_once = True

    def take_at_once(
        self, key: Key, route: str | None, cost: int, now: float
    ) -> tuple[LimitState, ...] | Denied | None:
        return self.take(key, route, cost, now) if self.at_once else None

    def take(self, key: Key, route: str | None, cost: int, now: float) -> tuple[LimitState, ...] | Denied:
        if self.broken:
            raise RuntimeError("no redis")
        self.asked.append((key.id, route, cost, now))
        state = LimitState("budget", 10, self.left, 7.5)
        if cost > self.left:
            return Denied(Reason.quota_exceeded, key.masked, key, limit=state, retry_after=7.5)
        self.left -= cost
        return (LimitState("budget", 10, self.left, 7.5),)


@pytest.fixture
def budget() -> Budget:
    return Budget(10)


@pytest.fixture
def keys(database_url: str, tmp_path: Any, clock: Any, budget: Budget) -> Any:
    with KeyService.open(
        database_url, [Permission("report", "Reports"), Permission("project", "Projects", parameter=True)],
        keyring=str(tmp_path / "keyring"), clock=clock, flush_seconds=0, limits=budget,
    ) as opened:  # fmt: skip
        yield opened


def test_counts_that_another_process_reports_are_written_though_no_key_is_checked_here(tmp_path: Any) -> None:
    with KeyService.open(str(tmp_path / "keys.db"), flush_seconds=3600) as service:
        key = service.create().key
        service.count_reported(key, 5, 1, ip="192.0.2.1", route=None, cost=5, permission=None)
        assert service._flusher._thread is not None
        assert (service.flush(), service.verifier.usage.unwritten) == (0, False)


def run_in(loop: str, call: Callable[[], Awaitable[T]]) -> T:
    async def go() -> T:
        return await call()

    return asyncio.run(go()) if loop == "asyncio" else trio.run(go)


def test_an_accepted_request_has_its_key_and_the_state_of_its_limit(keys: KeyService, budget: Budget) -> None:
    key, text = keys.create(permissions=["report_read"])
    checked = keys.check(text, "report_read", route="reports", cost=3)
    assert checked
    assert checked.reason is None
    state = LimitState("budget", 10, 7, 7.5)
    assert checked == Checked(key, None, None, state, None, key.masked, key, (state,))
    assert budget.asked == [(key.id, "reports", 3, keys._clock())]


@pytest.mark.parametrize("text", [None, "", "nonsense", "rk_live_" + "x" * 60, b"\xff"])
def test_a_request_without_a_valid_key_pays_nothing(keys: KeyService, budget: Budget, text: Any) -> None:
    checked = keys.check(text, "report_read")
    assert not checked
    assert checked.key is None
    assert checked.known is None
    assert checked.reason in (Reason.missing, Reason.unknown)
    assert budget.asked == []


def test_a_request_without_the_permission_names_it_and_pays_nothing(keys: KeyService, budget: Budget) -> None:
    key, text = keys.create(permissions=["project:42:write"])
    assert keys.check(text, "project:42:read", cost=0)
    budget.asked.clear()
    checked = keys.check(text, "project:43:read")
    assert not checked
    assert checked.key is None
    assert checked.known == key
    assert (checked.reason, checked.permission, budget.asked) == (Reason.forbidden, "project:43:read", [])


def test_a_permission_that_nothing_declares_is_an_error_of_the_host(keys: KeyService) -> None:
    with pytest.raises(UnknownPermission):
        keys.check(keys.create().secret, "reprot_read")
    with pytest.raises(ValueError, match="negative"):
        keys.check(keys.create().secret, cost=-1)


def test_a_request_beyond_the_limit_says_when_to_try_again(keys: KeyService) -> None:
    key, text = keys.create()
    checked = keys.check(text, cost=11, ip="192.0.2.1")
    assert not checked
    assert checked.known == key
    assert (checked.reason, checked.retry_after) == (Reason.quota_exceeded, 7.5)
    assert checked.limit == LimitState("budget", 10, 10, 7.5)
    keys.flush()
    assert [(refusal.reason, refusal.subject) for refusal in keys.refusals()] == [("quota_exceeded", key.id)]


def test_limits_that_fail_refuse_the_request(keys: KeyService, budget: Budget) -> None:
    _, text = keys.create()
    budget.broken = True
    assert keys.check(text).reason is Reason.unavailable


def test_in_one_request_a_key_pays_its_highest_cost_once(keys: KeyService, budget: Budget) -> None:
    _, text = keys.create()
    with one_request():
        for cost in (1, 1, 5, 2):
            assert keys.check(text, cost=cost)
    assert [cost for _, _, cost, _ in budget.asked] == [1, 4]
    keys.check(text)
    assert budget.left == 4


def test_each_request_is_counted_once_with_its_route_cost_and_outcome(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_read"])
    keys.check(text, "report_read", route="reports", cost=3)
    keys.check(text, "report_write", route="reports", endpoint="POST /reports")
    keys.check(text, route="reports", cost=8)
    keys.flush()
    rows = keys.usage_report(by=("route", "outcome"))
    assert {(row.route, row.outcome, row.requests, row.cost) for row in rows} == {
        ("reports", "accepted", 1, 3), ("reports", "forbidden", 1, 0), ("reports", "quota_exceeded", 1, 0),
    }  # fmt: skip
    usage = keys.usage(key)
    assert usage is not None
    assert (usage.endpoint, usage.uses) == ("POST /reports", 2), "a request without the permission is a use of the key"


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_the_asynchronous_form_does_the_same_from_the_database_and_from_the_cache(keys: KeyService, loop: str) -> None:
    key, text = keys.create(permissions=["report_read"])
    for _ in range(2):
        assert run_in(loop, lambda: keys.acheck(text, "report_read")).key == key
        assert run_in(loop, lambda: keys.acheck(text, "report_write")).reason is Reason.forbidden
    assert run_in(loop, lambda: keys.acheck(None)).reason is Reason.missing
    assert run_in(loop, lambda: keys.acheck(text, account="other")).reason is Reason.unknown


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_limits_that_would_block_are_taken_in_a_thread(keys: KeyService, budget: Budget, loop: str) -> None:
    _, text = keys.create()
    budget.at_once = False
    assert run_in(loop, lambda: keys.acheck(text, cost=3)).limit == LimitState("budget", 10, 7, 7.5)
    assert budget.left == 7


def test_what_would_have_to_wait_is_not_answered_at_once_and_counts_nothing(keys: KeyService, budget: Budget) -> None:
    key, text = keys.create(permissions=["report_read"])
    assert keys.check_at_once(text) is None, "it is not in memory"
    assert (keys.usage(key), budget.asked) == (None, [])
    assert keys.check(text)
    at_once = keys.check_at_once(text, "report_read")
    assert at_once is not None
    assert at_once.key == key
    budget.at_once = False
    assert keys.check_at_once(text) is None, "its limit would block"
    usage = keys.usage(key)
    assert usage is not None
    assert usage.uses == 2
