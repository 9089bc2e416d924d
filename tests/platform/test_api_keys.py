"""Keys managed through the API itself."""

from __future__ import annotations

from tests.support.api import Api
from tollkey.db import Scope
from tollkey.keys.actors import SYSTEM


def test_a_created_live_key_shows_its_text_once_and_works_at_once(api: Api) -> None:
    made = api.post("/v1/api_keys", key=api.live_sk, type="restricted", name="Disputes", permissions=["event_read"])
    assert made["secret"].startswith("rk_live_")
    assert api.get("/v1/customers", key=made["secret"]).status == 403
    assert api.get(f"/v1/api_keys/{made['id']}", key=api.live_sk)["secret"] is None
    refused = api.post(f"/v1/api_keys/{made['id']}/reveal", key=api.live_sk)
    assert (refused.status, refused.error["code"]) == (400, "api_key_already_revealed")


def test_a_replayed_creation_does_not_show_the_secret_again(api: Api) -> None:
    headers = {"Idempotency-Key": "make-once"}
    made = api.post("/v1/api_keys", headers=headers, type="secret")
    again = api.post("/v1/api_keys", headers=headers, type="secret")
    assert (again["id"], again["secret"]) == (made["id"], None)
    assert made["secret"] is not None


def test_a_rolled_key_answers_expired_from_that_second_on(api: Api) -> None:
    made = api.post("/v1/api_keys", type="secret")
    new = api.post(f"/v1/api_keys/{made['id']}/roll", expires_in="in_1_hour")
    assert api.get("/v1/customers", key=new["secret"]).status == 200
    api.world.clock[0] += 3599
    assert api.get("/v1/customers", key=made["secret"]).status == 200
    api.world.clock[0] += 1
    answer = api.get("/v1/customers", key=made["secret"])
    assert (answer.status, answer.error["code"]) == (401, "api_key_expired")


def test_creating_with_an_unknown_permission_is_refused(api: Api) -> None:
    answer = api.post("/v1/api_keys", type="restricted", permissions=["moon_read"])
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "permission_unknown", "permissions")
    assert "doc_url" not in answer.error  # a code of our own has no page elsewhere


def test_a_key_cannot_grant_more_than_it_has(api: Api) -> None:
    manager = api.restricted("api_key_write", "customer_read")
    assert api.post("/v1/api_keys", key=manager, type="restricted", permissions=["customer_read"]).status == 200
    refused = api.post("/v1/api_keys", key=manager, type="restricted", permissions=["customer_write"])
    assert (refused.status, refused.error["code"]) == (403, "api_key_grant_exceeded")
    assert api.post("/v1/api_keys", key=manager, type="secret").status == 403


def test_keys_of_another_account_do_not_exist(api: Api) -> None:
    made = api.post("/v1/api_keys", type="secret")
    other = api.another()
    for verb in ("", "/reveal", "/roll", "/revoke"):
        answer = other.post(f"/v1/api_keys/{made['id']}{verb}")
        assert (answer.status, answer.error["message"]) == (404, f"No such api_key: '{made['id']}'")


def test_the_audit_log_tells_who_did_what_and_holds_no_secret(api: Api) -> None:
    made = api.post("/v1/api_keys", type="secret", name="Deploys")
    api.post(f"/v1/api_keys/{made['id']}", note="in the vault")
    api.post(f"/v1/api_keys/{made['id']}/revoke")
    log = api.get("/v1/api_key_audit_entries", api_key=made["id"])
    assert [entry["action"] for entry in log["data"]] == ["revoked", "updated", "created"]
    assert made["secret"] not in log.body.decode()


def test_a_restricted_key_is_told_which_permission_it_lacks_by_its_human_name(api: Api) -> None:
    answer = api.post("/v1/customers", key=api.restricted("customer_read"))
    assert answer.status == 403
    assert (
        "Enabling Customers Write ('customer_write') permissions on this key would allow this request to continue."
        in answer.error["message"]
    )
    assert "request-id" in answer.headers


def test_permission_is_checked_before_parameters_and_before_lookup(api: Api) -> None:
    key = api.restricted("event_read")
    assert api.post("/v1/customers/cus_none", key=key, wat="1").status == 403


def test_the_cli_can_ask_which_permissions_endpoints_need(api: Api) -> None:
    answer = api.post(
        "/v1/stripecli/key_permissions", endpoints=["GET /v1/customers", "POST /v1/customers/cus_1", "GET /v1/moon"]
    )
    assert answer["permissions"] == ["customer_read", "customer_write"]
    assert [item["endpoint"] for item in answer["unresolved_endpoints"]] == ["GET /v1/moon"]


def test_an_audit_entry_that_cannot_be_is_not_there(api: Api) -> None:
    for id in ("akae_x", "akae_\u00b2", "akae_" + "9" * 5000, "akae_" + "9" * 30):
        assert api.get("/v1/api_key_audit_entries", starting_after=id).status == 400


def test_a_paused_key_is_refused_until_it_is_enabled(api: Api) -> None:
    made = api.post("/v1/api_keys", type="secret")
    paused = api.post(f"/v1/api_keys/{made['id']}/disable")
    assert (paused["status"], paused["disabled_at"]) == ("disabled", api.world.clock[0])
    answer = api.get("/v1/customers", key=made["secret"])
    assert (answer.status, answer.error["type"]) == (401, "invalid_request_error")
    assert "disabled" in answer.error["message"]
    rolled = api.post(f"/v1/api_keys/{made['id']}/roll", expires_in="now")
    assert (rolled.status, rolled.error["code"]) == (400, "api_key_disabled")
    enabled = api.post(f"/v1/api_keys/{made['id']}/enable")
    assert (enabled["status"], enabled["disabled_at"]) == ("active", None)
    assert api.get("/v1/customers", key=made["secret"]).status == 200


def test_metadata_of_a_key_is_merged_and_removed_like_that_of_any_object(api: Api) -> None:
    made = api.post("/v1/api_keys", type="secret", metadata={"team": "billing", "host": "ci-1", "empty": ""})
    assert made["metadata"] == {"team": "billing", "host": "ci-1"}
    path = f"/v1/api_keys/{made['id']}"
    assert api.post(path, metadata={"host": "", "site": "b"})["metadata"] == {"site": "b", "team": "billing"}
    assert api.post(path, name="Renamed")["metadata"] == {"site": "b", "team": "billing"}
    assert api.post(path, metadata="")["metadata"] == {}
    answer = api.post(path, metadata={"key": made["secret"]})
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "metadata_invalid", "metadata")
    assert made["secret"] not in answer.error["message"]


def test_a_key_tells_who_still_uses_the_one_it_replaced(api: Api) -> None:
    made = api.post("/v1/api_keys", type="secret")
    new = api.post(f"/v1/api_keys/{made['id']}/roll", expires_in="in_1_hour")
    use = api.get(f"/v1/api_keys/{new['id']}")["old_key_use"]
    assert (use["api_key"], use["used_since_roll"], use["last_used"]) == (made["id"], False, None)
    api.world.clock[0] += 120
    assert api.get("/v1/customers", key=made["secret"]).status == 200
    api.world.write_uses()
    use = api.get(f"/v1/api_keys/{new['id']}")["old_key_use"]
    assert (use["used_since_roll"], use["last_used"]["endpoint"]) == (True, "GET /v1/customers")
    assert api.get(f"/v1/api_keys/{api.post('/v1/api_keys', type='secret')['id']}")["old_key_use"] is None


def test_a_key_for_one_request_is_accepted_once(api: Api) -> None:
    core, now = api.world.core, int(api.world.clock[0])
    account = api.get("/v1/account")["id"]
    _, text = core.database.write(
        lambda tx: core.authority.create(tx, Scope(account, False), "secret", actor=SYSTEM, now=now, max_uses=1)
    )
    assert api.get("/v1/customers", key=text).status == 200
    answer = api.get("/v1/customers", key=text)
    assert (answer.status, answer.error["code"]) == (401, "api_key_expired")
