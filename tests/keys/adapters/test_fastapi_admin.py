"""The router with which a host's own administrators manage keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.testclient import TestClient

from tests.keys.adapters.steps import bearer
from tollkey.keys import KeyService
from tollkey.keys.actors import Actor
from tollkey.keys.adapters.fastapi import ApiKeys
from tollkey.keys.remote import RemoteKeys

YES = {"X-Admin": "yes"}


def admin(request: Request) -> str:
    """The host's own check."""
    if request.headers.get("x-admin") != "yes":
        raise HTTPException(403)
    return "carol"


def managed(api: ApiKeys, guard: Callable[..., Any] = admin, prefix: str = "/keys") -> TestClient:
    app = FastAPI()
    app.include_router(api.admin_router(guard, prefix=prefix))
    return TestClient(app, raise_server_exceptions=False)


def test_the_admin_router_is_for_whom_the_host_lets_in(keys: KeyService) -> None:
    with managed(ApiKeys(keys)) as http:
        for method, path in (("GET", "/keys"), ("POST", "/keys"), ("GET", "/keys/mk_1"), ("POST", "/keys/mk_1"),
                             ("POST", "/keys/mk_1/roll"), ("POST", "/keys/mk_1/revoke"), ("POST", "/keys/mk_1/disable"),
                             ("POST", "/keys/mk_1/enable")):  # fmt: skip
            assert http.request(method, path, json={}).status_code == 403
        made = http.post("/keys", json={"name": "CI", "account": "a", "permissions": ["report_read"]}, headers=YES)
        assert made.status_code == 201
        assert made.headers["cache-control"] == "no-store"
        assert keys.verify(made.json()["secret"])
        id = made.json()["id"]
        assert http.get(f"/keys/{id}", headers=YES).json().keys() & {"secret"} == set()
        assert http.post(f"/keys/{id}", json={"name": "Build"}, headers=YES).json()["name"] == "Build"
        changed = http.post(f"/keys/{id}", json={"metadata": {"team": "web"}}, headers=YES).json()
        assert (changed["name"], changed["metadata"]) == ("Build", {"team": "web"})
        assert http.post(f"/keys/{id}/disable", headers=YES).json()["disabled_at"] is not None
        assert not keys.verify(made.json()["secret"])
        assert http.post(f"/keys/{id}/enable", headers=YES).json()["disabled_at"] is None
        rolled = http.post(f"/keys/{id}/roll", json={"expires_in_seconds": 60}, headers=YES).json()
        assert (rolled["rolled_from"], bool(keys.verify(rolled["secret"]))) == (id, True)
        assert http.post(f"/keys/{rolled['id']}/revoke", headers=YES).json()["revoked_at"] is not None
        assert not keys.verify(rolled["secret"])
        listed = http.get("/keys", params={"account": "a", "limit": 1}, headers=YES).json()
        assert (len(listed["data"]), listed["has_more"]) == (1, True)
        assert listed["data"][0].keys() & {"secret"} == set()
    assert {entry.actor for entry in keys.audit(account="a")} == {Actor("user", "carol", ip="testclient")}


def test_the_admin_router_refuses_in_the_form_of_errors_and_never_takes_a_key_in_a_path(keys: KeyService) -> None:
    _, text = keys.create()
    with managed(ApiKeys(keys)) as http:
        unknown = http.post("/keys", json={"permissions": ["nothing_read"]}, headers=YES)
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "permission_unknown")
        gone = http.get(f"/keys/{text}", headers=YES)
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "resource_missing")
        assert text not in gone.text
        assert http.post("/keys", json={"naem": "x"}, headers=YES).status_code == 422
        assert http.get("/keys", params={"limit": 0}, headers=YES).status_code == 422
        assert http.get("/keys", params={"starting_after": "mk_x"}, headers=YES).status_code == 400
        keys.database.write(lambda tx: tx.execute("ALTER TABLE api_keys RENAME TO lost"))
        away = http.get("/keys", headers=YES)
        assert (away.status_code, away.json()["error"]["code"]) == (503, "unavailable")


def test_what_the_state_of_a_key_refuses_is_no_404(keys: KeyService) -> None:
    old = keys.create().key
    keys.roll(old, 60)
    revoked = keys.revoke(keys.create().key)
    with managed(ApiKeys(keys)) as http:
        for path, code in ((f"{old.id}/roll", "api_key_already_rolled"), (f"{revoked.id}/enable", "api_key_expired")):
            refused = http.post(f"/keys/{path}", headers=YES)
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)


def test_keys_of_a_key_server_have_no_admin_router(tmp_path: Path) -> None:
    remote = RemoteKeys("http://127.0.0.1:9", "rk" + "_live_none")
    try:
        with pytest.raises(TypeError, match="needs a KeyService"):
            ApiKeys(remote).admin_router(admin)
    finally:
        remote.close()


def test_the_guard_of_the_admin_router_may_be_any_dependency(keys: KeyService) -> None:
    api = ApiKeys(keys)
    _, text = keys.create(permissions=["user_write"])
    with managed(api, api.needs("user_write").dependency or admin, "/admin") as http:
        assert http.get("/admin", headers=bearer(text)).status_code == 200
        assert http.get("/admin").status_code == 401
