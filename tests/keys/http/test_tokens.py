from __future__ import annotations

from tests.conftest import Clock
from tests.keys.http.conftest import Web
from tollkey.keys.tokens import verify_token


def test_a_token_is_issued_for_the_text_of_a_key_and_verified_with_the_key_set(web: Web, clock: Clock) -> None:
    _, text = web.keys.create(permissions=["report_write"], account="alice")
    sent = {"key": text, "audience": "edge", "permissions": ["report_read"], "lifetime": 60}
    issued = web.post("/v1/tokens", sent).json
    assert issued["permissions"] == ["report_read"]
    jwks = web.get("/.well-known/jwks.json", key=None)
    assert jwks.headers["cache-control"] == "public, max-age=300"
    token = verify_token(issued["token"], jwks.json, "edge", clock=clock)
    assert token
    assert issued["expires_at"] == clock.now + 60


def test_what_a_token_cannot_have_is_refused(web: Web) -> None:
    key, text = web.keys.create(permissions=["report_read"])
    sent = {"key": text, "audience": "edge"}
    assert web.post("/v1/tokens", {**sent, "permissions": ["report_write"]}).json["error"]["param"] == "permissions"
    assert web.post("/v1/tokens", {**sent, "lifetime": 901}).json["error"]["param"] == "lifetime"
    assert web.post("/v1/tokens", {**sent, "key": "nonsense"}).error == (400, "api_key_invalid")
    web.keys.revoke(key)
    answer = web.post("/v1/tokens", sent)
    assert answer.error == (400, "api_key_invalid")
    assert text not in answer.body.decode()


def test_a_service_key_must_be_allowed_to_verify(web: Web) -> None:
    _, key = web.service_key("usage_read")
    assert web.post("/v1/tokens", {"key": "x", "audience": "edge"}, key=key).error == (403, "insufficient_scope")
