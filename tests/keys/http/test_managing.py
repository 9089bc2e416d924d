"""Creating and changing keys over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NOW, Clock
from tests.keys.http.conftest import Answer, Declare, Start, Web, ask, away, node_of
from tests.support.altered import altered
from tollkey.db import SQLite
from tollkey.keys import Key, KeyService
from tollkey.keys.http import SERVICE_ACCOUNT
from tollkey.keys.http.idempotency import SEALED
from tollkey.keys.sealed import reseal_all
from tollkey.keys.token import BRAND

KEYS = "/v1/keys"


def created(web: Web, **given: Any) -> dict[str, Any]:
    answer = web.post(KEYS, {"account": "cus_1", **given})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def stored(web: Web, id: str) -> Key:
    key = web.keys.find(id)
    assert key is not None
    return key


def test_a_key_is_created_shown_once_and_only_its_digest_is_stored(web: Web) -> None:
    made = created(
        web, name="CI", note="in the vault", permissions=["report_write"], ip_allowlist=["192.0.2.0/24"],
        metadata={"team": "a"}, expires_at=NOW + 60,
    )  # fmt: skip
    assert web.keys.verify(made["secret"], ip="192.0.2.1") == stored(web, made["id"])
    assert {name: made[name] for name in ("object", "account", "environment", "kind", "status", "version")} == {
        "object": "api_key", "account": "cus_1", "environment": "live", "kind": "restricted", "status": "active",
        "version": 1,
    }  # fmt: skip
    assert made["permissions"] == ["report_write"]
    assert made["effective_permissions"] == ["report_read", "report_write"]
    assert made["metadata"] == {"team": "a"}
    read = web.get(f"{KEYS}/{made['id']}").json
    assert read == {**made, "secret": None}
    if isinstance(web.keys.database, SQLite):
        web.keys.database.checkpoint()
        assert made["secret"].encode() not in web.keys.database.path.read_bytes()


def test_what_a_new_key_cannot_be_is_named(web: Web) -> None:
    assert web.post(KEYS, {}).json["error"]["param"] == "account"
    for given, param in (
        ({"permissions": ["reprot_read"]}, "permissions"),
        ({"kind": "ephemeral"}, "kind"),
        ({"environment": "staging"}, "environment"),
        ({"ip_allowlist": ["nowhere"]}, "ip_allowlist"),
        ({"expires_at": NOW - 1}, "expires_at"),
        ({"metadata": {"a": 1}}, "metadata[a]"),
        ({"metadata": {str(n): "" for n in range(51)}}, "metadata"),
        ({"account": " "}, "account"),
        ({"name": "x" * 201}, "name"),
        ({"livemode": True}, "livemode"),
    ):
        answer = web.post(KEYS, {"account": "cus_1", **given})
        assert (answer.status, answer.json["error"]["param"]) == (400, param), given
    assert len(web.keys.list(account="cus_1")) == 0


def test_environments_have_the_names_that_the_keys_were_opened_with(tmp_path: Path, clock: Clock) -> None:
    path, brand = str(tmp_path / "keys.db"), replace(BRAND, test="sandbox", live="production")
    with asyncio.Runner() as runner, KeyService.open(path, brand=brand, clock=clock, flush_seconds=0) as keys:
        web = node_of(keys, runner, clock)
        assert created(web)["environment"] == "production"
        assert created(web, environment="sandbox")["livemode"] is False
        runner.run(web.app.stop())


def test_the_actor_of_a_change_is_the_service_key(web: Web) -> None:
    key, text = web.service_key("key_write")
    answer = web.post(KEYS, {"account": "cus_1"}, key=text, ip="192.0.2.77")
    (entry,) = web.keys.audit(account="cus_1")
    assert str(entry.actor) == f"api_key:{key.id}"
    assert (entry.actor.ip, entry.actor.request_id) == ("192.0.2.77", answer.headers["request-id"])


def test_changes_keep_what_was_not_sent(web: Web) -> None:
    made = created(web, name="CI", permissions=["report_read"], metadata={"a": "1", "b": "2"})
    path = f"{KEYS}/{made['id']}"
    changed = web.post(path, {"note": "moved", "metadata": {"a": "", "c": "3"}}).json
    assert (changed["name"], changed["note"], changed["metadata"]) == ("CI", "moved", {"b": "2", "c": "3"})
    assert changed["permissions"] == ["report_read"]
    assert web.post(path, {"permissions": []}).json["permissions"] == []
    assert web.post(path, {"account": "cus_2"}).error == (400, "parameter_unknown")


def test_a_key_lives_through_all_its_states(web: Web) -> None:
    made = created(web)
    path = f"{KEYS}/{made['id']}"
    assert web.post(f"{path}/disable").json["status"] == "disabled"
    assert web.keys.check(made["secret"]).reason == "disabled"
    assert web.post(f"{path}/enable").json["status"] == "active"
    rolled = web.post(f"{path}/roll", {"expires_in": 3600}).json
    assert rolled["rolled"]["expires_at"] == NOW + 3600
    assert (rolled["rolled_from"], rolled["rolled"]["replaced_by"]) == (made["id"], rolled["id"])
    assert web.keys.verify(rolled["secret"])
    assert web.post(f"{path}/cancel_expiry").json["expires_at"] is None
    assert web.post(f"{path}/revoke").json["status"] == "revoked"
    assert web.post(f"{path}/revoke").error == (400, "api_key_expired")
    assert web.post(f"{path}/roll", {"expires_in": 604801}).error == (400, "parameter_invalid_integer")
    assert web.post(f"{KEYS}/mk_1nothing/revoke").error == (404, "resource_missing")


def test_a_sealed_text_is_revealed_once(web: Web) -> None:
    made = created(web)
    rolled = web.post(f"{KEYS}/{made['id']}/roll", {"expires_in": 60, "show_secret": False}).json
    assert (rolled["secret"], rolled["revealable"]) == (None, True)
    text = web.post(f"{KEYS}/{rolled['id']}/reveal").json["secret"]
    assert web.keys.verify(text)
    assert web.post(f"{KEYS}/{rolled['id']}/reveal").error == (400, "api_key_already_revealed")


def test_a_reader_changes_nothing_and_a_verifier_reads_nothing(web: Web) -> None:
    made = created(web)
    reader, verifier = web.service_key("key_read")[1], web.service_key("key_verify_write")[1]
    for method, path in (
        ("POST", KEYS), ("POST", f"{KEYS}/{made['id']}"),
        *(("POST", f"{KEYS}/{made['id']}/{verb}")
          for verb in ("roll", "reveal", "cancel_expiry", "disable", "enable", "revoke")),
    ):  # fmt: skip
        assert web.call(method, path, {}, key=reader).error == (403, "insufficient_scope")
    for path in (KEYS, f"{KEYS}/{made['id']}", "/v1/accounts"):
        assert web.get(path, key=reader).status == 200
        assert web.get(path, key=verifier).error == (403, "insufficient_scope")


def test_a_service_key_gives_no_more_than_it_has(web: Web) -> None:
    _, writer = web.service_key("key_write")
    more = {"account": SERVICE_ACCOUNT, "permissions": ["import_write"]}
    assert web.post(KEYS, more, key=writer).error == (403, "api_key_grant_exceeded")
    assert web.post(KEYS, {"account": SERVICE_ACCOUNT, "kind": "secret"}, key=writer).status == 403
    made = web.post(KEYS, {"account": SERVICE_ACCOUNT, "permissions": ["key_verify_write"]}, key=writer).json
    assert web.post("/v1/keys/verify", {"key": "x"}, key=made["secret"]).status == 200
    (admin, *_) = [
        each for each in web.get(f"{KEYS}?account={SERVICE_ACCOUNT}").json["data"] if each["kind"] == "secret"
    ]
    for verb in ("revoke", "roll", "reveal", "disable"):
        assert web.post(f"{KEYS}/{admin['id']}/{verb}", key=writer).status in (400, 403)
    assert web.get(f"{KEYS}/{admin['id']}").json["status"] == "active"
    test_mode = {"account": SERVICE_ACCOUNT, "environment": "test"}
    assert web.post(KEYS, test_mode).json["error"]["param"] == "environment"


def test_the_same_request_again_gets_the_same_answer_and_makes_nothing(web: Web, clock: Clock) -> None:
    again = {"Idempotency-Key": "one"}
    first = web.post(KEYS, {"account": "cus_1"}, headers=again)
    second = web.post(KEYS, {"account": "cus_1"}, headers=again)
    assert second.body == first.body
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(web.keys.list(account="cus_1")) == 1
    other = web.post(KEYS, {"account": "cus_2"}, headers=again)
    assert other.error == (400, "idempotency_key_in_use")
    assert other.json["error"]["type"] == "idempotency_error"
    assert web.post(f"{KEYS}/{first.json['id']}/revoke", headers=again).error == (400, "idempotency_key_in_use")
    _, writer = web.service_key("key_write")
    assert web.post(KEYS, {"account": "cus_1"}, headers=again, key=writer).json["id"] != first.json["id"]
    clock.advance(24 * 3600)
    assert web.post(KEYS, {"account": "cus_1"}, headers=again).json["id"] != first.json["id"]
    assert web.post(KEYS, {"account": "cus_1"}, headers={"Idempotency-Key": ""}).error[0] == 400
    assert web.post(KEYS, {"account": "cus_1"}, headers={"Idempotency-Key": "x" * 256}).error[0] == 400


def test_a_roll_whose_answer_was_lost_can_be_repeated(web: Web) -> None:
    made, named = created(web), {"idempotency-key": "roll-1"}
    first, second = (web.post(f"{KEYS}/{made['id']}/roll", {"expires_in": 60}, headers=named).json for _ in range(2))
    assert first == second
    assert web.keys.verify(first["secret"])
    assert len(web.keys.list(account="cus_1")) == 2


def test_a_stored_answer_can_be_resealed_with_the_keyring(web: Web) -> None:
    web.post(KEYS, {"account": "cus_1"}, headers={"Idempotency-Key": "one"})
    result = reseal_all(web.keys.database, SEALED, web.keys.authority.keyring.rotate_sealing())
    assert (result.texts, result.broken) == (1, {})


def test_a_refused_request_leaves_its_idempotency_key_free(web: Web) -> None:
    again = {"Idempotency-Key": "one"}
    assert web.post(KEYS, {"account": "cus_1", "permissions": ["no"]}, headers=again).status == 400
    assert web.post(KEYS, {"account": "cus_1"}, headers=again).status == 200


def test_a_stored_answer_holds_no_key_in_clear_and_is_deleted_after_a_day(web: Web, clock: Clock) -> None:
    made = web.post(KEYS, {"account": "cus_1"}, headers={"Idempotency-Key": "one"}).json
    query = "SELECT caller, name, request, answer FROM service_requests"
    ((caller, *parts),) = web.keys.database.read(lambda tx: tx.execute(query))
    assert caller.startswith("mk_")
    assert all(made["secret"][-20:].encode() not in bytes(part) for part in parts)
    clock.advance(24 * 3600)
    web.app._try_forget()
    assert web.keys.database.read(lambda tx: tx.execute(query)) == []


def test_the_same_request_on_two_nodes_at_once_makes_one_key(start: Start) -> None:
    first, second = start(), start()
    _, key = first.service_key("key_write")
    headers = {"authorization": f"Bearer {key}", "idempotency-key": "one", "content-type": "application/json"}

    async def both() -> list[Answer]:
        body = b'{"account": "cus_1"}'
        nodes = (first, second, first, second)
        return await asyncio.gather(*(ask(node.app, "POST", KEYS, headers, body, "192.0.2.9") for node in nodes))

    answers = first.run(both())
    assert len({answer.body for answer in answers}) == 1, answers
    assert len(first.keys.list(account="cus_1")) == 1


def test_lists_have_pages_and_filters(web: Web, clock: Clock) -> None:
    made = [created(web, name=str(index)) for index in range(3)]
    other = created(web, account="cus_2", environment="test", kind="secret")
    web.post(f"{KEYS}/{made[0]['id']}/revoke")
    web.post(f"{KEYS}/{made[1]['id']}/disable")
    ends = created(web, account="cus_3", expires_at=NOW + 1)
    clock.advance(1)

    def ids(query: str) -> list[str]:
        return [each["id"] for each in web.get(f"{KEYS}?{query}").json["data"]]

    everything = [ends["id"], other["id"], *(each["id"] for each in reversed(made))]
    assert ids("") == everything
    page = web.get(f"{KEYS}?limit=2").json
    assert (page["object"], page["url"], page["has_more"]) == ("list", KEYS, True)
    assert ids(f"limit=3&starting_after={page['data'][-1]['id']}") == everything[2:]
    assert web.get(f"{KEYS}?limit=5").json["has_more"] is False
    assert ids("account=cus_1") == everything[2:]
    assert ids("status=revoked") == [made[0]["id"]]
    assert ids("status=disabled&account=cus_1") == [made[1]["id"]]
    assert ids("status=expired") == [ends["id"]]
    assert ids("status=active") == [other["id"], made[2]["id"]]
    once = created(web, max_uses=1, account="cus_4")
    assert web.keys.verify(once["secret"])
    assert web.get(f"{KEYS}/{once['id']}").json["status"] == "expired"
    assert ids("status=expired") == [once["id"], ends["id"]]
    assert ids("status=active&account=cus_4") == []
    assert ids("kind=secret") == ids("prefix=sk_test_") == [other["id"]]
    assert ids("prefix=sk_live_") == ids("prefix=zz") == ids("account=nobody") == []
    for wrong in (
        "limit=0",
        "limit=101",
        "status=old",
        "limit=x",
        "colour=red",
        "starting_after=mk_none",
        "limit=1&limit=2",
    ):
        assert web.get(f"{KEYS}?{wrong}").status in (400, 404), wrong


def test_accounts_are_listed_by_name(web: Web) -> None:
    for name in ("b", "a", "z", SERVICE_ACCOUNT, "a"):
        web.app.server.callers.keys.create(account=name)
    assert web.get("/v1/accounts").json["data"] == [{"id": name, "object": "account"} for name in "abz"]
    page = web.get("/v1/accounts?limit=1&starting_after=a").json
    assert ([each["id"] for each in page["data"]], page["has_more"]) == (["b"], True)
    assert web.get("/v1/accounts?limit=1&starting_after=b").json["has_more"] is False


def test_a_key_is_found_by_its_text_whatever_its_state(web: Web) -> None:
    made = created(web)
    web.post(f"{KEYS}/{made['id']}/revoke")
    lookup = f"{KEYS}/lookup"
    assert web.post(lookup, {"key": made["secret"]}).json["id"] == made["id"]
    assert web.post(lookup, {"id": made["id"]}).json["status"] == "revoked"
    answer = web.post(lookup, {"key": altered(made["secret"])})
    assert answer.error == (404, "resource_missing")
    assert made["secret"][:-1] not in answer.body.decode()
    assert web.post(lookup, {}).error == (400, "parameter_invalid")
    assert web.keys.usage(stored(web, made["id"])) is None


def test_a_key_is_made_for_a_number_of_requests_and_rotates_on_schedule(web: Web) -> None:
    made = created(web, max_uses=2, rotate_every=86_400)
    assert (made["max_uses"], made["uses_left"], made["rotate_every"]) == (2, 2, 86_400)
    assert made["rotate_at"] == made["created"] + 86_400
    codes = [web.post(f"{KEYS}/verify", {"key": made["secret"]}).json["code"] for _ in range(3)]
    assert codes == ["valid", "valid", "expired"]
    assert web.post(KEYS, {"account": "cus_1", "max_uses": 0}).error[0] == 400


def test_a_server_that_is_to_do_so_rolls_keys_on_their_schedule(declare: Declare, clock: Clock) -> None:
    web = declare("[permissions.report]\n", rotation_grace=3600)
    key = web.keys.create(permissions=["report_read"], rotate_every=7200).key
    web.app.try_rotate()
    assert web.get(f"/v1/keys/{key.id}").json["replaced_by"] is None
    clock.advance(7200)
    web.app.try_rotate()
    web.app.try_rotate()
    rolled = web.get(f"/v1/keys/{key.id}").json
    assert rolled["expires_at"] == clock.now + 3600
    assert web.get(f"/v1/keys/{rolled['replaced_by']}").json["revealable"] is True
    assert len(web.keys.list()) == 2


def test_a_failure_of_a_rotation_is_logged_and_the_server_goes_on(
    declare: Declare, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    web = declare("", rotation_grace=3600)
    away(web, monkeypatch)
    web.app.try_rotate()
    assert "keys could not be rotated: StorageError" in caplog.text


def test_a_stored_answer_is_not_given_to_a_service_key_that_may_do_less_by_now(web: Web) -> None:
    service, text = web.service_key("key_write", "usage_read")
    named = {"idempotency-key": "made-1"}
    assert web.post(KEYS, {"account": "cus_1"}, key=text, headers=named).status == 200
    web.app.server.callers.keys.update(service, permissions=["key_write"])
    web.app.server.callers.keys.hear()
    assert web.post(KEYS, {"account": "cus_1"}, key=text, headers=named).error == (400, "idempotency_key_in_use")
