"""Limits of a key service: who is counted together, what a request costs, and that nobody gets around them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clock
from tests.support.long_texts import long_text
from tollkey.keys import Checked, KeyRefused, KeyService, Permission, Reason
from tollkey.keys.actors import Actor
from tollkey.keys.config import Config, parse
from tollkey.keys.once import one_request

FREE = """
[service]
default_plan = "free"
[permissions.report]
[plans.free]
quota = "10/month"
"""
Open = Callable[..., KeyService]


@pytest.fixture
def opened(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Open]:
    """Opens services on one database: the processes of one application."""
    with ExitStack() as stack:

        def open_one(text: str = FREE) -> KeyService:
            service = KeyService.open(
                database_url, config=parse(text), keyring=str(tmp_path / "keyring"), clock=clock, flush_seconds=0
            )
            return stack.enter_context(service)

        yield open_one


def accepted(keys: KeyService, text: str, times: int, **more: Any) -> int:
    return sum(bool(keys.check(text, **more)) for _ in range(times))


def test_a_request_above_the_quota_is_refused_until_the_next_month(opened: Open, clock: Clock) -> None:
    keys = opened()
    key, text = keys.create(account="a")
    checked = keys.check(text)
    assert checked
    assert checked.limit is not None
    assert (checked.limit.policy, checked.limit.limit, checked.limit.remaining) == ("free.month", 10, 9)
    assert accepted(keys, text, 20) == 9
    refused = keys.check(text)
    assert (refused.key, refused.known, refused.reason) == (None, key, Reason.quota_exceeded)
    assert refused.retry_after == refused.limit.reset == 31 * 86400  # type: ignore[union-attr]
    clock.advance(31 * 86400)
    assert accepted(keys, text, 20) == 10


def test_a_rate_tells_when_to_try_again(opened: Open, clock: Clock) -> None:
    keys = opened(FREE.replace('quota = "10/month"', 'rate = "1/minute"\nburst = 2'))
    _, text = keys.create()
    assert accepted(keys, text, 5) == 2
    refused = keys.check(text)
    assert (refused.reason, refused.retry_after) == (Reason.rate_limited, 60.0)
    clock.advance(59)
    assert keys.check(text).retry_after == pytest.approx(1.0)
    clock.advance(1)
    assert keys.check(text)


def test_rolling_and_making_keys_resets_nothing(opened: Open) -> None:
    """Tyk 5971: a customer got a new quota by rolling the key."""
    keys = opened()
    key, text = keys.create(account="a")
    assert accepted(keys, text, 6) == 6
    _, _, rolled = keys.roll(key, 3600)
    assert accepted(keys, rolled, 3) == 3
    _, another = keys.create(account="a")
    assert accepted(keys, another, 3) == 1
    assert accepted(keys, text, 1) == 0
    assert keys.check(keys.create(account="b").secret)


def test_the_modes_of_an_account_count_apart(opened: Open) -> None:
    keys = opened()
    assert accepted(keys, keys.create(account="a", livemode=False).secret, 20) == 10
    assert accepted(keys, keys.create(account="a", livemode=True).secret, 20) == 10


def test_a_request_costs_what_it_says(opened: Open) -> None:
    """Unkey 1609: a check takes a cost."""
    keys = opened()
    _, text = keys.create()
    assert accepted(keys, text, 5, cost=4) == 2
    assert accepted(keys, text, 5, cost=0) == 5
    assert accepted(keys, text, 5) == 2
    assert keys.check(text, cost=11).retry_after is None, "it can never be accepted"


def test_one_request_is_counted_once_however_often_it_is_checked(opened: Open) -> None:
    """better-auth 4023: the gate and the handler each counted."""
    keys = opened()
    _, text = keys.create()
    with one_request():
        assert accepted(keys, text, 5) == 5
        assert keys.check(text, cost=3), "the handler knows better: two more are paid"
        assert keys.check(text, cost=2)
    assert keys.check(text, cost=0).limit.remaining == 7  # type: ignore[union-attr]


def test_a_refused_request_takes_nothing(opened: Open) -> None:
    keys = opened()
    _, text = keys.create()
    assert accepted(keys, text, 5, permission="report_read") == 0
    assert accepted(keys, text, 20) == 10


@pytest.mark.parametrize(
    ("per", "together", "apart"),
    [
        ("key", [("a", {})], [("a", {}), ("b", {})]),
        ("account", [("a", {}), ("a", {})], [("b", {})]),
        ("identity", [("a", {"identity": "u1"}), ("a", {"identity": "u1"})],
         [("a", {"identity": "u2"}), ("b", {"identity": "u1"}), ("a", {}), ("a", {})]),
    ],
)  # fmt: skip
def test_who_is_counted_together(opened: Open, per: str, together: list[Any], apart: list[Any]) -> None:
    keys = opened(FREE + f'per = "{per}"')
    texts = [keys.create(account=account, metadata=metadata).secret for account, metadata in together]
    assert sum(accepted(keys, text, 10) for text in texts) == 10
    for account, metadata in apart:
        assert accepted(keys, keys.create(account=account, metadata=metadata).secret, 20) == 10


def test_a_long_identity_is_counted_in_all_processes_and_keeps_no_other_count_back(opened: Open) -> None:
    one, two = opened(FREE + 'per = "identity"'), opened(FREE + 'per = "identity"')
    account, same = long_text(200), long_text(499)
    _, long = one.create(account=account, metadata={"identity": f"{same}1"})
    _, other = one.create(account=account, metadata={"identity": f"{same}2"})
    _, plain = one.create()
    for text in (long, plain):
        assert accepted(one, text, 6) == 6
    one.flush()
    assert [accepted(two, text, 20) for text in (long, plain, other)] == [4, 4, 10]


def test_a_changed_identity_counts_from_the_next_request(opened: Open) -> None:
    keys = opened(FREE + 'per = "identity"')
    key, text = keys.create(metadata={"identity": "u1"})
    assert accepted(keys, text, 20) == 10
    keys.update(key, metadata={"identity": "u2"})
    assert accepted(keys, text, 20) == 10


ROUTES = (
    FREE
    + """
per = "route"
[limits.search]
rate = "2/day"
routes = "GET /search/*"
[[routes]]
match = "GET /reports/*"
needs = "report_read"
[[routes]]
match = "POST /reports"
cost = 5
[[routes]]
match = "* /*"
publishable = true
"""
)


def test_each_route_counts_apart_and_its_paths_together(opened: Open) -> None:
    keys = opened(ROUTES)
    _, text = keys.create(permissions=["report_read"])
    assert sum(accepted(keys, text, 1, route=f"GET /reports/{number}") for number in range(20)) == 10
    assert accepted(keys, text, 5, route="POST /reports") == 2
    assert accepted(keys, text, 5, route="GET /search/x?q=1") == 2
    assert accepted(keys, text, 20, route="GET /search") == 8, "with /search/x it is one route"
    assert accepted(keys, text, 20, route="jobs") == 10, "a name is a route"


def test_a_route_says_what_its_requests_need(opened: Open) -> None:
    keys = opened(ROUTES)
    _, text = keys.create()
    refused = keys.check(text, route="GET /reports/1")
    assert (refused.reason, refused.permission) == (Reason.forbidden, "report_read")
    assert keys.check(text, route="POST /reports").limit.remaining == 5  # type: ignore[union-attr]
    assert keys.check(text, route="GET /other")


def test_a_request_that_no_route_matches_is_refused_even_for_a_secret_key(opened: Open) -> None:
    keys = opened(ROUTES.replace("* /*", "* /public/*"))
    key, text = keys.create(kind="secret")
    for route in ("GET /other", "GET /public/../admin", "DELETE /reports/1"):
        refused = keys.check(text, route=route)
        assert refused == Checked(None, Reason.forbidden, None, masked=key.masked, known=key)


def test_a_publishable_key_is_accepted_only_where_a_route_says_so(opened: Open) -> None:
    keys = opened(ROUTES)
    _, text = keys.create(kind="publishable")
    assert keys.check(text, route="GET /other")
    assert keys.check(text, route="POST /reports").reason is Reason.forbidden
    assert keys.check(text, route="GET /other", publishable=False).reason is Reason.forbidden


def test_the_limit_with_the_least_left_is_told_first_and_all_of_them_are(opened: Open) -> None:
    keys = opened(FREE + '[limits.any]\nrate = "5/s"\n')
    _, text = keys.create()
    checked = keys.check(text)
    assert [(limit.policy, limit.remaining) for limit in checked.limits] == [("any", 4), ("free.month", 9)]
    assert checked.limit == checked.limits[0]


# -- plans

PLANS = FREE + '[plans.pro]\nquota = "100/month"\n[plans.unlimited]\n'


def test_an_account_has_the_plan_that_was_set_in_every_process(opened: Open) -> None:
    one, two = opened(PLANS), opened(PLANS)
    key, text = one.create(account="a")
    assert accepted(one, text, 12) == 10
    two.set_plan("a", "pro")
    assert (one.plan_of("a"), one.plan_of("b"), one.plan_of("a", livemode=False)) == ("pro", "free", "free")
    one.flush()
    one.plans.forget()  # announced within a second; here at once
    assert one.check(text).limit.remaining == 89, "another plan resets nothing"  # type: ignore[union-attr]
    one.set_plan("a", "unlimited")
    assert one.check(text) == Checked(key, masked=key.masked, known=key), "there is nothing to tell"
    one.account("a").set_plan(None)
    assert one.account("a").plan() == "free"
    assert not one.check(text)


def test_a_change_of_a_plan_stands_in_the_audit_log_once(opened: Open) -> None:
    keys = opened(PLANS)
    key = keys.create(account="a").key
    keys.set_plan("a", "pro", actor=Actor("user", "kim"))
    keys.account("a").set_plan("pro")  # it has it already
    keys.account("a").set_plan(None)
    newest, entry, _ = keys.audit(account="a")
    assert (entry.action, entry.key_id, str(entry.actor)) == ("plan_changed", "", "user:kim")
    assert (entry.was, entry.became) == ({"plan": None}, {"plan": "pro"})
    assert (newest.was, newest.became) == ({"plan": "pro"}, {"plan": None})
    assert [one.action for one in keys.audit(account="a", key_id=key.id)] == ["created"]
    assert keys.audit(account="a", livemode=False) == []


def test_the_view_of_one_mode_takes_nothing_from_the_limits_of_the_other(opened: Open) -> None:
    keys = opened(PLANS)
    text = keys.create(account="a", livemode=False).secret
    test, live = keys.account("a", livemode=False), keys.account("a")
    before = test.check(text).limit
    assert live.check(text).reason is Reason.unknown
    assert asyncio.run(live.acheck(text)).reason is Reason.unknown
    after = test.check(text).limit
    assert before is not None
    assert after is not None
    assert after.remaining == before.remaining - 1


def test_a_plan_that_is_not_declared_is_refused(opened: Open) -> None:
    keys = opened(PLANS)
    with pytest.raises(KeyRefused, match=r"There is no plan 'por'; did you mean pro\?") as refused:
        keys.set_plan("a", "por")
    assert (refused.value.code, refused.value.param) == ("plan_unknown", "plan")
    assert keys.plan_of("a") == "free"


def test_an_account_whose_plan_was_removed_from_the_file_has_the_default_one(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    opened(PLANS).set_plan("main", "pro")
    keys = opened(FREE)
    _, text = keys.create()
    assert accepted(keys, text, 20) == 10
    assert [record.message for record in caplog.records if "plan" in record.message] == [
        "an account has the plan 'pro', which the configuration lacks; the default plan is used"
    ]


# -- several processes, and restarts


def test_two_processes_know_of_each_other_after_a_flush(opened: Open) -> None:
    one, two = opened(), opened()
    _, text = one.create()
    assert accepted(one, text, 6) == 6
    one.flush()
    assert accepted(two, text, 6) == 4
    two.flush()
    assert accepted(one, text, 3) <= 3
    one.flush()
    assert accepted(one, text, 3) + accepted(two, text, 3) == 0


def test_a_quota_survives_a_restart(opened: Open) -> None:
    first = opened()
    _, text = first.create()
    assert accepted(first, text, 7) == 7
    first.close()
    assert accepted(opened(), text, 20) == 3


def test_a_process_that_is_killed_loses_what_it_took_since_the_last_flush(
    opened: Open, database_url: str, tmp_path: Path
) -> None:
    keys = opened()
    _, text = keys.create()
    program = f"""
        import os, signal, sys
        from tollkey.keys import KeyService
        from tollkey.keys.config import parse
        keys = KeyService.open({database_url!r}, config=parse({FREE!r}), keyring={str(tmp_path / "keyring")!r},
                               clock=lambda: {keys._clock()}, flush_seconds=0)
        text = sys.stdin.read()
        assert all(keys.check(text) for _ in range(6))
        keys.flush()
        assert all(keys.check(text) for _ in range(2))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], input=text, text=True, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr
    assert accepted(keys, text, 20) == 4


def test_a_check_writes_nothing_and_after_the_first_one_reads_nothing(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = opened(PLANS)
    _, text = keys.create()
    assert keys.check(text)
    keys.verifier.lease.bound_seconds = 1e9
    assert keys.check(text)

    def no(*_: object, **__: object) -> None:
        raise AssertionError("the database was used")

    monkeypatch.setattr(keys.database, "write", no)
    monkeypatch.setattr(keys.database, "read", no)
    assert accepted(keys, text, 20) == 8
    assert asyncio.run(keys.acheck(text)).reason is Reason.quota_exceeded
    monkeypatch.undo()


def test_a_check_on_an_event_loop_reads_in_a_thread(opened: Open) -> None:
    keys = opened(PLANS)
    _, text = keys.create()

    async def ten() -> int:
        return sum([bool(await keys.acheck(text)) for _ in range(20)])

    assert asyncio.run(ten()) == 10


def test_a_database_that_is_gone_refuses_rather_than_forgets_limits(opened: Open) -> None:
    keys = opened()
    _, text = keys.create()
    assert keys.verify(text)
    keys.database.write(lambda tx: tx.execute("ALTER TABLE limit_counts RENAME TO lost"))
    assert keys.check(text).reason is Reason.unavailable
    keys.database.write(lambda tx: tx.execute("ALTER TABLE lost RENAME TO limit_counts"))
    assert keys.check(text)


def test_what_a_configuration_declares_is_not_declared_again(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="are declared by config: give only that"):
        KeyService.open(str(tmp_path / "keys.db"), [Permission("report", "Reports")], config=Config())


def test_a_service_takes_the_prefixes_and_permissions_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "tollkey.toml"
    file.write_text(FREE + '[permissions.file]\nlabel = "Files"\n'.replace("[plans", "[plans"))
    text = FREE.replace('default_plan = "free"', 'default_plan = "free"\nprefix = { restricted = "acmerk" }')
    file.write_text(text.replace('"free"\n', '"free"\nenvironments = ["sandbox", "production"]\n', 1))
    with KeyService.open(str(tmp_path / "keys.db"), config=file, flush_seconds=0) as keys:
        assert keys.create(permissions=["report_read"]).secret.startswith("acmerk_production_")
        assert keys.create(livemode=False).secret.startswith("acmerk_sandbox_")
        assert keys.check(keys.create(permissions=["report_read"]).secret, "report_read")
