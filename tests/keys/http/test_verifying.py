"""Verification and introspection over HTTP."""

from __future__ import annotations

import pytest

from tests.conftest import NOW
from tests.keys.http.conftest import Web, away
from tests.support.altered import altered
from tollkey.keys import Key
from tollkey.keys.lease import Lease

VERIFY, INTROSPECT = "/v1/keys/verify", "/oauth2/introspect"


def made(web: Web, **given: object) -> tuple[Key, str]:
    return web.keys.create("CI", permissions=["report_write"], account="cus_1", **given)  # type: ignore[arg-type]


def code(web: Web, text: str | None, **given: object) -> str:
    found: str = web.post(VERIFY, {"key": text, **given}).json["code"]
    return found


def test_a_valid_key_is_answered_with_what_it_may_do(web: Web) -> None:
    key, text = made(web, expires_at=NOW + 1000, metadata={"team": "a"})
    answer = web.post(VERIFY, {"key": text, "permission": "report_read"})
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["request-id"].startswith("req_")
    assert answer.json == {
        "valid": True, "code": "valid", "permission": None, "ratelimit": None, "retry_after": None, "ttl": 300,
        "version": 1,
        "key": {
            "id": key.id, "account": "cus_1", "environment": "live", "livemode": True, "kind": "restricted",
            "name": "CI", "permissions": ["report_read", "report_write"], "metadata": {"team": "a"}, "created": NOW,
            "expires_at": NOW + 1000,
        },
    }  # fmt: skip


def test_each_refusal_has_its_code(web: Web) -> None:
    key, text = made(web)
    assert code(web, None) == code(web, "") == "missing"
    assert code(web, "sk_live_nothing") == code(web, text[:-1]) == code(web, "x" * 5000) == "unknown"
    assert code(web, text, account="cus_2") == "unknown"
    assert code(web, text, account="cus_1") == "valid"
    assert code(web, text, permission="user_read") == "forbidden"
    _, here = made(web, ip_allowlist=["192.0.2.0/24"])
    assert code(web, here) == code(web, here, ip="198.51.100.1") == "ip_not_allowed"
    assert code(web, here, ip="192.0.2.7") == "valid"
    web.keys.disable(key)
    assert code(web, text) == "disabled"
    web.keys.revoke(key)
    assert code(web, text) == "revoked"


def test_a_refusal_tells_whose_key_it_is_only_to_a_caller_that_named_no_other_account(web: Web) -> None:
    key, text = made(web)
    assert web.post(VERIFY, {"key": text, "account": "cus_2"}).json["key"] is None
    assert web.post(VERIFY, {"key": text, "permission": "user_read"}).json["key"]["id"] == key.id


def test_what_depends_on_more_than_the_key_is_not_kept_by_remote_caches(web: Web) -> None:
    ttl = {}
    for name, given in {
        "plain": {},
        "listed": {"ip_allowlist": ["192.0.2.7"]},
        "ends": {"expires_at": NOW + 9},
    }.items():
        ttl[name] = web.post(VERIFY, {"key": made(web, **given)[1], "ip": "192.0.2.7"}).json["ttl"]
    assert ttl == {"plain": 300, "listed": 0, "ends": 9}
    assert web.post(VERIFY, {"key": "nothing"}).json["ttl"] == 0


def test_a_hundred_keys_are_answered_in_their_order(web: Web) -> None:
    _, text = made(web)
    items = [{"key": text}, {"key": "nothing"}, {"key": text, "permission": "user_write"}]
    answer = web.post(VERIFY, {"keys": items})
    assert [each["code"] for each in answer.json["data"]] == ["valid", "unknown", "forbidden"]
    assert web.post(VERIFY, {"keys": items * 34}).error == (400, "parameter_invalid_array")
    assert web.post(VERIFY, {"keys": []}).error == (400, "parameter_invalid_array")
    assert web.post(VERIFY, {"keys": items, "key": text}).error == (400, "parameter_invalid")
    wrong = web.post(VERIFY, {"keys": [{"key": text}, {"kye": text}]})
    assert wrong.json["error"]["param"] == "keys[1][kye]"


def test_a_permission_that_nobody_declared_is_an_error_of_the_caller(web: Web) -> None:
    answer = web.post(VERIFY, {"key": made(web)[1], "permission": "reprot_read"})
    assert answer.error == (400, "permission_unknown")


def test_a_service_key_is_no_key_of_a_customer(web: Web) -> None:
    _, text = web.service_key("key_verify_write")
    assert code(web, text) == code(web, web.admin) == "unknown"
    assert web.form(INTROSPECT, f"token={text}").json == {"active": False}


def test_a_revocation_is_answered_at_once_by_the_node_that_made_it(web: Web) -> None:
    key, text = made(web)
    assert code(web, text) == "valid"
    web.keys.revoke(key)
    assert code(web, text) == "revoked"


def test_what_cannot_be_known_is_a_503(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = made(web)
    assert code(web, text) == "valid"
    caller = web.service_key("key_verify_write")[1]
    web.post(VERIFY, {"key": text}, key=caller)
    monkeypatch.setattr(Lease, "fresh", lambda *_: True)
    away(web, monkeypatch)
    assert code(web, text) == "valid"  # announcements arrive
    answer = web.post(VERIFY, {"key": altered(text)})
    assert answer.json["code"] == "unknown"
    web.keys.verifier.clear()
    answer = web.post(VERIFY, {"key": text})
    assert answer.error == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert web.post(VERIFY, {"keys": [{"key": text}]}).error == (503, "unavailable")


def test_a_key_s_use_is_kept_with_its_endpoint(web: Web) -> None:
    key, text = made(web)
    code(web, text, ip="192.0.2.7", endpoint="GET /reports")
    web.keys.flush()
    usage = web.keys.usage(key)
    assert usage is not None
    assert (usage.ip, usage.endpoint, usage.uses) == ("192.0.2.7", "GET /reports", 1)


def test_introspection_says_what_rfc_7662_says(web: Web) -> None:
    key, text = made(web, expires_at=NOW + 60)
    answer = web.form(INTROSPECT, f"token={text}&token_type_hint=access_token")
    assert answer.json == {
        "active": True, "sub": "cus_1", "client_id": key.id, "scope": "report_read report_write",
        "token_type": "Bearer", "iat": NOW, "exp": NOW + 60,
    }  # fmt: skip
    web.keys.revoke(key)
    assert web.form(INTROSPECT, f"token={text}").json == {"active": False}
    assert web.form(INTROSPECT, "").error == (400, "parameter_missing")
    assert web.post(INTROSPECT, {"token": text}).error == (415, "content_type_unsupported")
    assert web.form(INTROSPECT, "token=a&token=b").error == (400, "parameter_invalid")
