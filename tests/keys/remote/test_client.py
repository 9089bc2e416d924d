"""``RemoteKeys``: what it asks a server, what it makes of the answer, and what it is made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.keys.remote.conftest import TEXT, Make
from tests.keys.remote.scripted import Scripted, reply, verdict
from tollkey.keys import Denied, Key, Reason
from tollkey.keys.once import one_request
from tollkey.keys.remote import RemoteKeys
from tollkey.keys.token import BRAND


def test_a_valid_key_is_returned_with_what_the_server_knows_of_it(make: Make, server: Scripted) -> None:
    checked = make().check(TEXT, "report_read", ip="192.0.2.7", endpoint="GET /r\0", route="r", cost=2, account="cus_1")
    assert checked
    assert checked.key is not None
    assert (checked.key.id, checked.key.account, checked.key.metadata) == ("mk_1", "cus_1", {"machine": "7"})
    assert checked.key.allows("report_read")
    assert not checked.key.allows("report_write")
    assert server.requests == ["POST /v1/keys/verify"]
    assert server.headers[0]["authorization"] == "Bearer rk_live_service"
    assert server.bodies == [
        {"key": TEXT, "permission": "report_read", "ip": "192.0.2.7", "endpoint": "GET /r?", "route": "r", "cost": 2,
         "account": "cus_1"}
    ]  # fmt: skip


def test_verify_looks_at_the_limits_without_taking_from_them(make: Make, server: Scripted) -> None:
    assert isinstance(make().verify(TEXT), Key)
    assert server.bodies == [{"key": TEXT, "cost": 0}]


def test_a_refusal_says_why_and_when_to_come_back(make: Make, server: Scripted) -> None:
    limit = {"limit": 10, "remaining": 0, "reset": 2.5}
    server.then(reply(verdict(valid=False, code="rate_limited", ratelimit=limit, retry_after=2.5)))
    checked = make().check(TEXT)
    assert (checked.reason, checked.retry_after, bool(checked)) == (Reason.rate_limited, 2.5, False)
    assert checked.limit is not None
    assert (checked.limit.limit, checked.limit.remaining, checked.limit.reset) == (10, 0, 2.5)
    assert checked.known is not None
    denied = make().verify(TEXT)
    assert isinstance(denied, Denied)
    assert (denied.reason, denied.retry_after) == (Reason.rate_limited, 2.5)


def test_a_missing_permission_is_named(make: Make, server: Scripted) -> None:
    server.then(reply(verdict(valid=False, code="forbidden", permission="of_the_route")))
    assert make().check(TEXT, route="GET /r").permission == "of_the_route"
    server.then(reply(verdict(valid=False, code="forbidden")))
    assert make().check(TEXT, "report_read", publishable=False).permission is None
    assert server.bodies[-1]["publishable"] is False


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, Reason.missing),
        ("", Reason.missing),
        (b"", Reason.missing),
        ("x" * 513, Reason.unknown),
        ("a\0b", Reason.unknown),
        ("\ud800", Reason.unknown),
        (b"\xff\x00", Reason.unknown),
        (7, Reason.unknown),
    ],
)
def test_what_cannot_be_a_key_is_refused_without_asking(
    make: Make, server: Scripted, text: Any, reason: Reason
) -> None:
    assert make().check(text).reason == reason
    assert server.requests == []


def test_with_a_brand_a_mistyped_key_is_refused_without_asking(make: Make, server: Scripted) -> None:
    assert make(brand=BRAND).check(f"sk_live_{'x' * 99}").reason == Reason.unknown
    assert server.requests == []


def test_what_a_caller_sends_as_its_address_is_sent_only_if_it_is_one(make: Make, server: Scripted) -> None:
    keys = make()
    for ip in ("::ffff:192.0.2.7", "unknown", "192.0.2.7\0", "x" * 10_000, ""):
        keys.check(TEXT, ip=ip)
    assert [body.get("ip") for body in server.bodies] == ["::ffff:192.0.2.7", None, None, None, None]


def test_a_request_pays_the_highest_of_its_costs_once(make: Make, server: Scripted) -> None:
    keys = make()
    with one_request():
        for cost in (1, 3, 2):
            keys.check(TEXT, cost=cost)
    keys.check(TEXT, cost=3)
    assert [body["cost"] for body in server.bodies] == [1, 2, 0, 3]


def test_the_cost_of_a_declared_route_is_paid_once_a_request(make: Make, server: Scripted) -> None:
    keys = make()
    with one_request():
        for route in ("GET /r", "GET /r", "GET /s"):
            keys.check(TEXT, route=route)
    keys.check(TEXT, route="GET /r")
    assert [body.get("cost") for body in server.bodies] == [None, 0, None, None]


def test_a_refused_request_has_paid_nothing(make: Make, server: Scripted) -> None:
    keys = make()
    server.then(reply(verdict(valid=False, code="rate_limited", retry_after=1)), reply(verdict()))
    with one_request():
        assert not keys.check(TEXT)
        assert keys.check(TEXT)
    assert [body.get("cost") for body in server.bodies] == [None, None]


@pytest.mark.parametrize(
    "url",
    ["keys.example.com", "ftp://h", "https://", "https://user:pw@h", "https://h?x=1", "https://h#x"],
)
def test_an_address_that_cannot_be_right_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="URL of a key server"):
        RemoteKeys(url, "t")


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "é"])
def test_a_service_key_that_no_header_can_hold_is_refused_at_once(token: str) -> None:
    with pytest.raises(ValueError, match="service key"):
        RemoteKeys("https://h", token)


@pytest.mark.parametrize("option", [{"timeout": 0}, {"attempts": 0}, {"connections": 0}, {"capacity": -1}], ids=str)
def test_numbers_that_cannot_be_right_are_refused_at_once(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        RemoteKeys("https://h", "t", **option)


def test_the_path_of_the_address_is_kept(make: Make, server: Scripted) -> None:
    make(f"{server.url}/keys/").check(TEXT)
    assert server.requests == ["POST /keys/v1/keys/verify"]


def test_the_door_of_the_library_does_not_need_httpx() -> None:
    source = (Path(__file__).parents[3] / "src" / "tollkey" / "keys" / "__init__.py").read_text()
    assert "tollkey.keys.remote" not in source
