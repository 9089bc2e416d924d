"""The check that gates and adapters share."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.keys.adapters.steps import with_projects
from tollkey.keys import Checked, Denied, KeyService, Permission, Reason, wsgi
from tollkey.keys.accepted import Accepted
from tollkey.keys.config import Config, Limit, Pattern, Rate, Route
from tollkey.keys.guard import Asked, Guard, Plan, target_of
from tollkey.keys.key import SERVICE_ACCOUNT
from tollkey.keys.needs import MissingParameter, Need
from tollkey.keys.refusal import Forbidden


def asked(*values: str, **parameters: object) -> Asked[None]:
    return Asked(None, values, parameters, None, "GET /reports", "GET /reports")


def test_an_accepted_request_never_shows_the_text_of_its_key(service: KeyService) -> None:
    key, text = service.create(permissions=["report_read"])
    accepted = Guard(service).check(asked(f"Bearer {text}"), Need("report_read"))
    assert isinstance(accepted, Accepted)
    assert (repr(accepted), accepted.key) == (f"Accepted({key.id})", key)
    assert text not in f"{accepted} {accepted!r}"


def test_a_second_check_of_a_request_needs_no_header(service: KeyService) -> None:
    guard = Guard(service)
    _, text = service.create(permissions=["report_read"])
    accepted = guard.check(asked(f"Bearer {text}"), Need("report_read"))
    assert isinstance(accepted, Accepted)
    assert guard.check_again(accepted, asked(), Need("report_read")) is accepted
    assert not guard.check_again(accepted, asked(), Need("report_write"))
    dearer = guard.check_again(accepted, asked(), Need("report_read", cost=3))
    assert isinstance(dearer, Accepted)
    assert dearer.cost == 3


class Offline(KeyService):
    """A service whose ``check`` may not be called on an event loop, where it could block."""

    def check(self, *args: Any, **options: Any) -> Checked:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return super().check(*args, **options)


def test_what_is_in_memory_is_told_at_once_and_the_rest_is_waited_for(service: KeyService) -> None:
    guard = Guard(service)
    need: Need[None] = Need("report_read")
    key, text = service.create(permissions=["report_read"])
    plan = guard.check_at_once(asked(f"Bearer {text}"), need)
    assert isinstance(plan, Plan)
    waited = asyncio.run(guard.acheck_planned(plan, asked(f"Bearer {text}"), need))
    told = guard.check_at_once(asked(f"Bearer {text}"), need)
    assert isinstance(waited, Accepted)
    assert isinstance(told, Accepted)
    assert (waited.key, told.key) == (key, key)
    assert isinstance(guard.check_at_once(asked(), need), Denied)
    assert isinstance(guard.check_at_once(asked(f"Bearer {text}"), Need("report_write")), Forbidden)


def test_what_a_request_costs_is_asked_once_whether_the_key_is_in_memory_or_not(service: KeyService) -> None:
    calls = []
    need: Need[None] = Need("report_read", cost=lambda request: calls.append(request) or 1)  # type: ignore[func-returns-value]
    _, text = service.create(permissions=["report_read"])
    for expected in (1, 2):
        assert asyncio.run(Guard(service).acheck(asked(f"Bearer {text}"), need))
        assert len(calls) == expected


def test_a_second_check_that_costs_more_does_not_block_the_event_loop(tmp_path: Path) -> None:
    with Offline.open(str(tmp_path / "keys.db"), [Permission("report", "Reports")]) as keys:
        guard = Guard(keys)
        _, text = keys.create(permissions=["report_read"])
        accepted = guard.check(asked(f"Bearer {text}"), Need("report_read"))
        assert isinstance(accepted, Accepted)
        dearer = asyncio.run(guard.acheck_again(accepted, asked(), Need("report_read", cost=3)))
        assert isinstance(dearer, Accepted)
        assert dearer.cost == 3
        assert asyncio.run(guard.acheck_again(accepted, asked(), Need("report_read"))) is accepted


def test_a_route_whose_path_lacks_the_parameter_of_its_permission_is_a_fault(service: KeyService) -> None:
    with pytest.raises(MissingParameter, match="no such parameter"):
        Need("report:{id}:read").permission_for({}, service.authority.catalogue)


def test_a_value_that_no_permission_can_have_does_not_save_a_secret_key_its_cost(tmp_path: Path) -> None:
    with with_projects(tmp_path) as (keys, limits):
        guard, odd = Guard(keys), 'a"b'
        need: Need[None] = Need("project:{id}:write", cost=6)
        for kind, permissions in (("restricted", ()), ("restricted", ["project:*:write"]), ("publishable", ())):
            _, text = keys.create(kind=kind, permissions=permissions)  # type: ignore[arg-type]
            refused = guard.check(asked(f"Bearer {text}", id=odd), need)
            assert isinstance(refused, Forbidden)
            assert refused.permission == (None if kind == "publishable" else "project:{id}:write")
        limits.taken.clear()
        _, secret = keys.create(kind="secret")
        assert guard.check(asked(f"Bearer {secret}", id=odd), need)
        assert limits.taken == [(None, 6)]
        limited = guard.check(asked(f"Bearer {secret}", id=odd), need)
        assert isinstance(limited, Denied)
        assert limited.reason is Reason.rate_limited


def test_the_target_of_a_request_is_its_path_as_it_was_sent() -> None:
    assert target_of("GET", "/reports/1") == "GET /reports/1"
    assert target_of("GET", "/public?/reports/50%") == "GET /public%3F/reports/50%25"
    assert target_of("GET", "/\ud800") == "GET /%3F"


def test_a_cost_below_0_is_a_fault(service: KeyService) -> None:
    with pytest.raises(ValueError, match="negative"):
        Guard(service).need(None, cost=-1)
    with pytest.raises(ValueError, match="negative"):
        Need(cost=lambda request: -1).cost_of(None)


def test_a_wsgi_gate_adds_the_state_of_limits_to_an_accepted_response_once(tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []

    def application(environ: wsgi.Environ, start_response: wsgi.StartResponse) -> list[bytes]:
        start_response("200 OK", [("content-type", "text/plain")])
        return [b"reports"]

    with with_projects(tmp_path) as (keys, _):
        _, text = keys.create(permissions=["report_read"])
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/reports", "HTTP_AUTHORIZATION": f"Bearer {text}"}
        gate = wsgi.KeyGate(wsgi.KeyGate(application, keys), keys, "report_read")
        gate(environ, lambda status, headers, *error: seen.extend(headers))
    assert [value for name, value in seen if name == "ratelimit"] == ['"ten";r=9;t=30']


VALUES = (
    "Bearer {}",
    "bearer {}",
    "Bearer  {}",
    " Bearer {}",
    "{}",
    "Basic {}",
    "Bearer {} ",
    "Bearer {}é",
    "Bearer",
    "",
)
NEEDS: tuple[Need[None], ...] = (
    Need(),
    Need("report_read"),
    Need("report_write", cost=3),
    Need("project:{id}:read"),
    Need("project:42:read"),
    Need("report_read", cost=lambda request: 2, optional=True),
    Need("report_read", route="reports", publishable=True),
)
KINDS: dict[str, dict[str, Any]] = {
    "secret": {"kind": "secret"},
    "publishable": {"kind": "publishable"},
    "restricted": {"permissions": ["report_write"]},
    "of any project": {"permissions": ["project:*:read"]},
    "expiring": {"permissions": ["report_read"], "expires_in": timedelta(hours=1)},
    "from one address": {"permissions": ["report_read"], "ip_allowlist": ["192.0.2.0/24"]},
    "for two uses": {"permissions": ["report_read"], "max_uses": 2},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_short_check_of_the_usual_case_accepts_what_the_long_one_does(tmp_path: Path, kind: str) -> None:
    permissions = [Permission("report", "Reports"), Permission("project", "Projects", parameter=True)]
    accepted = 0
    with KeyService.open(str(tmp_path / "keys.db"), permissions, flush_seconds=0) as keys:
        guard, text = Guard(keys), keys.create(**KINDS[kind]).secret
        assert keys.check(text, ip="192.0.2.1")
        for header, need in itertools.product(VALUES, NEEDS):
            value = header.format(text)
            check = guard.short_check(need)
            short = check and check.accept(value.encode("latin-1"), "192.0.2.1", "GET /reports", "GET /reports")
            if short is not None:
                request = Asked(None, [value], {"id": "42"}, "192.0.2.1", "GET /reports", "", "GET /reports")
                long = guard.check(request, need)
                assert isinstance(long, Accepted)
                assert (short.key, short.values, short.cost, short.limits) == (long.key, long.values, long.cost, ())
                accepted += 1
        counted = keys.verifier.unwritten
    assert accepted == {"secret": 5, "restricted": 4, "of any project": 1}.get(kind, 0)
    assert counted


def test_the_short_check_leaves_limits_declared_routes_and_old_news_to_the_long_one(tmp_path: Path) -> None:
    permission, need = (Permission("report", "Reports"),), NEEDS[1]
    route = Route(Pattern.parse("GET /reports"), "report_read")
    for number, config in enumerate(
        (
            Config(permissions=permission),
            Config(permissions=permission, limits=(Limit("rate", Rate(1), 1),)),
            Config(permissions=permission, routes=(route,)),
        )
    ):
        with KeyService.open(str(tmp_path / f"{number}.db"), config=config, flush_seconds=0) as keys:
            text = keys.create(permissions=["report_read"]).secret
            assert keys.verify(text)
            check = Guard(keys).short_check(need)
            assert (check is not None) == (number == 0)
            if check is not None:
                assert check.accept(f"Bearer {text}".encode(), None, "GET /reports")
                keys.verifier.lease.expire()
                assert check.accept(f"Bearer {text}".encode(), None, "GET /reports") is None


def test_the_short_check_does_not_accept_a_key_of_the_key_servers_own(service: KeyService) -> None:
    service.authority._for_services = True
    text = service.create(permissions=["report_read"], account=SERVICE_ACCOUNT).secret
    assert service.verify(text, account=SERVICE_ACCOUNT), "it is in memory now"
    check = Guard(service).short_check(NEEDS[1])
    assert check is not None
    assert check.accept(f"Bearer {text}".encode(), None, "GET /reports") is None
