"""Changes ask again in their transaction: a service key that ends while its request waits changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Clock
from tests.keys.http.conftest import Web
from tollkey.db import Ids
from tollkey.keys import Key
from tollkey.keys.http import SERVICE_ACCOUNT, KeyServer
from tollkey.keys.http.app import ENDPOINTS
from tollkey.keys.portal import Portal

CHANGES: dict[str, dict[str, object]] = {
    "/v1/keys": {"account": "alice", "permissions": ["report_read"]},
    "/v1/keys/{id}": {"name": "Another"},
    "/v1/keys/{id}/roll": {},
    "/v1/keys/{id}/reveal": {},
    "/v1/keys/{id}/cancel_expiry": {},
    "/v1/keys/{id}/disable": {},
    "/v1/keys/{id}/enable": {},
    "/v1/keys/{id}/revoke": {},
    "/v1/keys/uses": {"uses": [{"id": "mk_1", "requests": 1, "at": 1}]},
    "/v1/accounts/{id}": {"plan": ""},
}
Ending = Callable[[Web, Key], object]
ENDINGS: dict[str, tuple[Ending, tuple[int, str]]] = {
    "revoked": (lambda web, key: web.app.server.callers.keys.revoke(key), (401, "invalid_token")),
    "paused": (lambda web, key: web.app.server.callers.keys.disable(key), (401, "invalid_token")),
    "elsewhere": (
        lambda web, key: web.app.server.callers.keys.update(key, ip_allowlist=["198.51.100.0/24"]),
        (401, "invalid_token"),
    ),
    "lowered": (
        lambda web, key: web.app.server.callers.keys.update(key, permissions=["usage_read"]),
        (403, "insufficient_scope"),
    ),
}


def overtake(web: Web, monkeypatch: pytest.MonkeyPatch, ending: Callable[[], object], before: str = "write") -> None:
    """Let something else be committed before the next transaction. before: its kind, ``write`` or ``read``."""
    run = getattr(web.keys.database, before)

    def after_another(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(web.keys.database, before, run)
        ending()
        return run(*given, **more)

    monkeypatch.setattr(web.keys.database, before, after_another)


def test_every_change_that_is_answered_once_is_tried() -> None:
    assert {endpoint.path for endpoint in ENDPOINTS if endpoint.takes_idempotency_key} == set(CHANGES)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}], ids=["plain", "idempotent"])
@pytest.mark.parametrize("how", ENDINGS)
@pytest.mark.parametrize("path", CHANGES)
def test_a_service_key_that_ends_before_the_transaction_changes_nothing(
    web: Web, monkeypatch: pytest.MonkeyPatch, path: str, how: str, headers: dict[str, str]
) -> None:
    caller, text = web.service_key("key_write", "key_verify_write")
    key = web.keys.create("Old", permissions=["report_read"], account="alice").key
    ending, refusal = ENDINGS[how]
    overtake(web, monkeypatch, lambda: ending(web, caller))
    answer = web.post(path.replace("{id}", "alice" if "accounts" in path else key.id), CHANGES[path], key=text,
                      headers=headers)  # fmt: skip
    assert answer.error == refusal
    assert [one.version for one in web.keys.account("alice").list()] == [key.version]


@pytest.mark.parametrize("how", ENDINGS)
def test_a_service_key_that_ends_before_the_transaction_imports_nothing(
    web: Web, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    caller, text = web.service_key("import_write")
    ending, refusal = ENDINGS[how]
    overtake(web, monkeypatch, lambda: ending(web, caller))
    body = {"keys": [{"hash": "ab" * 32, "account": "bob", "name": "CI"}], "permissions": ["report_read"]}
    assert web.post("/v1/keys/import", body, key=text).error == refusal
    assert web.keys.list(account="bob") == ()
    assert web.post("/v1/keys/import", body, key=web.service_key("import_write")[1]).json["imported"] == 1


@pytest.mark.parametrize("how", ENDINGS)
def test_a_service_key_that_ends_before_the_transaction_gets_no_token(
    web: Web, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    caller, text = web.service_key("key_verify_write")
    sent = {"key": web.keys.create(permissions=["report_read"], account="alice").secret, "audience": "edge"}
    assert web.post("/v1/tokens", sent, key=text).status == 200  # which both verifiers remember
    ending, refusal = ENDINGS[how]
    overtake(web, monkeypatch, lambda: ending(web, caller), "read")
    assert web.post("/v1/tokens", sent, key=text).error == refusal


@pytest.mark.parametrize("how", ENDINGS)
def test_a_service_key_that_ends_before_the_transaction_opens_no_portal(
    web: Web, clock: Clock, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    portal = Portal(web.keys, base_url="https://keys.example/portal", clock=clock)
    web.app = KeyServer(web.keys, clock=clock, monotonic=time.monotonic, new_id=Ids.seeded(2).new, portal=portal)
    caller, text = web.service_key("portal_write")
    ending, refusal = ENDINGS[how]
    overtake(web, monkeypatch, lambda: ending(web, caller))
    assert web.post("/v1/portal_sessions", {"account": "alice", "may": ["revoke"]}, key=text).error == refusal
    assert web.keys.database.read(lambda tx: tx.execute("SELECT id FROM portal_sessions")) == []


def test_a_service_key_gives_no_more_than_it_has_in_the_transaction(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    services = web.app.server.callers.keys
    caller, text = web.service_key("key_write", "usage_read")
    overtake(web, monkeypatch, lambda: services.update(caller, permissions=["key_write"]))
    answer = web.post("/v1/keys", {"account": SERVICE_ACCOUNT, "permissions": ["usage_read"]}, key=text)
    assert answer.status == 403
    assert "usage_read" in answer.json["error"]["message"]


def test_a_service_key_for_one_request_makes_its_change(web: Web) -> None:
    services = web.app.server.callers.keys
    _, text = services.create("Once", permissions=["key_write"], account=SERVICE_ACCOUNT, max_uses=1)
    assert web.post("/v1/keys", CHANGES["/v1/keys"], key=text).status == 200
    assert web.post("/v1/keys", CHANGES["/v1/keys"], key=text).error == (401, "invalid_token")
