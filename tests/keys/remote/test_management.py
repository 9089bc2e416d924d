"""Listing and changing keys from elsewhere, at a real key server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.keys.remote.scripted import reply, scripted
from tests.keys.remote.serving import Serving, serving
from tollkey.keys import KeyRefused, KeyService, Permission
from tollkey.keys.remote import AsyncRemoteKeys, RemoteKeys, RemoteRefused, RemoteUnavailable


@pytest.fixture
def service(tmp_path: Path) -> Iterator[KeyService]:
    permissions = [Permission("report", "Reports"), Permission("user", "Users")]
    with KeyService.open(str(tmp_path / "keys.db"), permissions, flush_seconds=0) as opened:
        yield opened


@pytest.fixture
def server(service: KeyService) -> Iterator[Serving]:
    with serving(service) as running:
        yield running


@pytest.fixture
def keys(server: Serving) -> Iterator[RemoteKeys]:
    token = server.service_key("key_verify_write", "key_read", "key_write")
    with RemoteKeys(server.url, token, capacity=0) as opened:
        yield opened


def test_a_key_is_made_changed_rolled_and_ended_as_in_the_library(keys: RemoteKeys, service: KeyService) -> None:
    made = keys.create(
        "CI", permissions=["report_read"], account="cus_1", note="in the vault", ip_allowlist=["192.0.2.0/24"],
        expires_in=timedelta(days=1), metadata={"machine": "7"},
    )  # fmt: skip
    here = service.get(made.key.id, account="cus_1")
    assert here is not None
    for name in ("id", "account", "livemode", "kind", "name", "note", "permissions", "effective", "ip_allowlist",
                 "created", "expires_at", "redacted", "version", "metadata"):  # fmt: skip
        assert getattr(made.key, name) == getattr(here, name), name
    assert keys.check(made.secret, "report_read", ip="192.0.2.1").key is not None
    changed = keys.update(
        made.key, permissions=["user_write"], ip_allowlist=[], metadata={"machine": None, "rack": "1"}
    )
    assert (changed.metadata, changed.ip_allowlist, changed.version) == ({"rack": "1"}, (), made.key.version + 1)
    assert keys.cancel_expiry(changed).expires_at is None
    rolled = keys.roll(changed, timedelta(hours=1))
    assert (rolled.old.replaced_by, rolled.key.rolled_from) == (rolled.key.id, made.key.id)
    assert keys.check(rolled.secret)
    assert keys.disable(rolled.key).disabled_at is not None
    assert not keys.check(rolled.secret)
    assert keys.enable(rolled.key).disabled_at is None
    sealed = keys.roll(rolled.key, 60, show=False)
    assert sealed.secret is None
    assert keys.check(keys.reveal(sealed.key).secret)
    assert keys.revoke(sealed.key).revoked_at is not None


def test_keys_are_found_by_id_by_text_and_in_lists(keys: RemoteKeys) -> None:
    live = [keys.create(f"live {number}", account="cus_1") for number in range(3)]
    test = keys.create("test", account="cus_1", livemode=False)
    other = keys.create("other", account="cus_2", kind="publishable")
    assert keys.get(live[0].key.id, account="cus_1") == live[0].key
    assert keys.get(live[0].key.id, account="cus_2") is None
    assert keys.get(test.key.id, account="cus_1") is None
    assert keys.get("mk_nobody", account="cus_1") is None
    assert keys.get("../accounts", account="cus_1") is None
    assert keys.find(other.secret) == keys.find(other.key.id) == other.key
    assert other.key.token == other.secret
    assert keys.find("rk_live_nobody") is None
    keys.revoke(live[1].key)
    newest = [key.name for key in keys.list(account="cus_1")]
    assert newest == ["live 2", "live 1", "live 0"]
    assert [key.name for key in keys.list(account="cus_1", active=True)] == ["live 2", "live 0"]
    assert [key.name for key in keys.list(account="cus_1", livemode=None)] == ["test", *newest]
    first = keys.list(account="cus_1", limit=2)
    assert ([key.name for key in first], first.has_more) == (newest[:2], True)
    rest = keys.list(account="cus_1", limit=2, after=first[-1].id)
    assert ([key.name for key in rest], rest.has_more) == (newest[2:], False)
    assert [key.name for key in keys.each(account="cus_1")] == newest
    with pytest.raises(ValueError, match="at least 1"):
        keys.list(limit=0)


def test_what_the_server_refuses_has_its_code_and_parameter(keys: RemoteKeys, server: Serving) -> None:
    with pytest.raises(KeyRefused) as refused:
        keys.create(permissions=["reprot_read"])
    assert (refused.value.code, refused.value.param) == ("permission_unknown", "permissions")
    ended = keys.revoke(keys.create().key)
    with pytest.raises(KeyRefused) as refused:
        keys.disable(ended)
    assert refused.value.code == "api_key_expired"
    with (
        RemoteKeys(server.url, server.service_key("key_verify_write"), capacity=0) as less,
        pytest.raises(RemoteRefused, match="lacks the permission key_write"),
    ):
        less.create()


def test_the_asynchronous_client_does_the_same(server: Serving, service: KeyService) -> None:
    async def main() -> None:
        token = server.service_key("key_verify_write", "key_read", "key_write")
        async with AsyncRemoteKeys(server.url, token, capacity=0) as keys:
            made = await keys.create("CI", account="cus_1", permissions=["report_read"])
            rolled = await keys.roll(made.key)
            assert await keys.find(rolled.secret) == rolled.key == await keys.get(rolled.key.id, account="cus_1")
            assert [key.id async for key in keys.each(account="cus_1")] == [rolled.key.id, made.key.id]
            assert [key.id for key in await keys.list(account="cus_1", active=True)] == [rolled.key.id]
            assert (await keys.revoke(rolled.key)).revoked_at is not None
            assert not await keys.check(rolled.secret)

    asyncio.run(main())


def shown(**changes: Any) -> dict[str, Any]:
    """A key as a server shows it."""
    plain = {
        "id": "mk_1", "account": "main", "livemode": True, "kind": "restricted", "name": "", "note": "",
        "permissions": [], "effective_permissions": [], "ip_allowlist": [], "created": 1, "created_by": "x:y",
        "redacted": "rk_live_...abcd", "secret": "rk_live_x", "revealable": False, "version": 1,
    }  # fmt: skip
    return {**plain, **changes}


def test_a_change_whose_answer_was_lost_is_sent_again_under_the_same_name() -> None:
    with scripted(b"", reply(shown())) as server, RemoteKeys(server.url, "rk_live_service", capacity=0) as keys:
        assert keys.create().secret == "rk_live_x"
        names = [headers["idempotency-key"] for headers in server.headers]
        assert len(names) == 2
        assert names[0] == names[1]
        keys.create()
        assert server.headers[2]["idempotency-key"] != names[0]


@pytest.mark.parametrize("wrong", [{"secret": None}, {"version": "1"}, {"kind": "odd"}, {"ip_allowlist": [1]}], ids=str)
def test_an_answer_that_is_not_understood_may_have_changed_something(wrong: dict[str, Any]) -> None:
    with (
        scripted(reply(shown(**wrong))) as server,
        RemoteKeys(server.url, "rk_live_service", capacity=0) as keys,
        pytest.raises(RemoteUnavailable) as failed,
    ):
        keys.create()
    assert failed.value.sent
