"""The secret store keeps payloads by name and scope, and shows them only when asked to."""

from __future__ import annotations

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid
from tollkey.db import Scope
from tollkey.platform.request_logs import find, one

ACCOUNT = {"type": "account"}
HUSH = "cus_hush-hush"


def store(api: Api, **more: object) -> Answer:
    return api.ok("POST", "/v1/apps/secrets", **{"name": "mine", "payload": HUSH, "scope": ACCOUNT, **more})


def test_a_payload_is_shown_only_when_expanded(api: Api) -> None:
    made = store(api)
    assert_valid("POST", "/v1/apps/secrets", 200, made, strict=True)
    found = api.ok("GET", "/v1/apps/secrets/find", name="mine", scope=ACCOUNT)
    assert found == made
    listed = api.ok("GET", "/v1/apps/secrets", scope=ACCOUNT)
    assert_valid("GET", "/v1/apps/secrets", 200, listed)
    assert not any(HUSH in answer.body.decode() for answer in (made, found, listed))
    opened = api.ok("GET", "/v1/apps/secrets/find", name="mine", scope=ACCOUNT, expand=["payload"])
    assert_valid("GET", "/v1/apps/secrets/find", 200, opened)
    assert opened["payload"] == HUSH
    assert api.ok("GET", "/v1/apps/secrets", scope=ACCOUNT, expand=["data.payload"])["data"][0]["payload"] == HUSH


def test_a_payload_is_never_logged(api: Api) -> None:
    store(api, expand=["payload"])
    api.post("/v1/apps/secrets", name="mine", payload=HUSH, scope={"type": "nobody"})
    api.world.write_logs()
    read, scope = api.core.database.read, Scope(api.account, False)
    entries = [
        read(lambda tx, id=entry.id: one(tx, scope, id))
        for entry in read(lambda tx: find(tx, scope, path="/v1/apps/secrets"))
    ]
    assert len(entries) == 2
    assert not any(HUSH in repr(entry) for entry in entries)


def test_the_same_name_in_the_same_scope_is_replaced_and_other_scopes_are_apart(api: Api) -> None:
    made = store(api)
    assert store(api, payload="new")["id"] == made["id"]
    user = {"type": "user", "user": "usr_1"}
    assert store(api, scope=user)["id"] != made["id"]
    opened = api.ok("GET", "/v1/apps/secrets/find", name="mine", scope=ACCOUNT, expand=["payload"])
    assert opened["payload"] == "new"
    assert len(api.ok("GET", "/v1/apps/secrets", scope=user)["data"]) == 1
    assert api.get("/v1/apps/secrets/find", name="mine", scope=ACCOUNT, key=api.live_sk).status == 404
    assert api.post("/v1/apps/secrets", name="a", payload="b", scope={"type": "user"}).error["param"] == "scope[user]"
    stray = {"type": "account", "user": "usr_1"}
    assert api.post("/v1/apps/secrets", name="a", payload="b", scope=stray).error["param"] == "scope[user]"


def test_a_secret_goes_when_it_is_deleted_or_expires(api: Api) -> None:
    store(api)
    gone = api.ok("POST", "/v1/apps/secrets/delete", name="mine", scope=ACCOUNT)
    assert_valid("POST", "/v1/apps/secrets/delete", 200, gone)
    assert gone["deleted"] is True
    missing = api.get("/v1/apps/secrets/find", name="mine", scope=ACCOUNT)
    assert (missing.status, missing.error["code"], missing.error["param"]) == (404, "resource_missing", "name")
    store(api, expires_at=api.now + 60)
    api.advance(61)
    assert api.ok("GET", "/v1/apps/secrets", scope=ACCOUNT)["data"] == []
    assert (
        api.post("/v1/apps/secrets", name="mine", payload="x", scope=ACCOUNT, expires_at=api.now).error["param"]
        == "expires_at"
    )


def test_a_key_needs_the_permission(api: Api) -> None:
    reader = api.restricted("secret_read")
    assert api.get("/v1/apps/secrets", scope=ACCOUNT, key=reader).status == 200
    assert api.post("/v1/apps/secrets", name="mine", payload="x", scope=ACCOUNT, key=reader).status == 403


def test_what_is_in_a_secret_is_not_in_the_database(api: Api) -> None:
    made = api.ok("POST", "/v1/apps/secrets", name="token", payload="hush_hush_hush", scope={"type": "account"})
    rows = api.core.database.read(
        lambda tx: tx.execute("SELECT body, private FROM obj_apps_secret WHERE id = ?", (made["id"],))
    )
    assert b"hush_hush" not in bytes(rows[0][0]) + bytes(rows[0][1])
    found = api.ok("GET", "/v1/apps/secrets/find", name="token", scope={"type": "account"}, expand=["payload"])
    assert found["payload"] == "hush_hush_hush"
