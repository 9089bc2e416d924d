"""What every endpoint refuses, and how."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.keys.http.conftest import Answer, Declare, Web, away, scope_of
from tollkey.keys.http import dispatch
from tollkey.keys.http.answer import Answer as Sent
from tollkey.keys.http.endpoint import Call

VERIFY = "/v1/keys/verify"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite alone: nothing here is about storage."""
    return f"sqlite:///{tmp_path / 'keys.db'}"


def test_an_unknown_url_a_wrong_method_and_options(web: Web) -> None:
    assert web.get("/v1/nothing").error == (404, "url_unknown")
    assert web.get("/v1/keys/verify/").error == (404, "url_unknown")
    answer = web.call("PUT", VERIFY)
    assert answer.error == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST, OPTIONS"
    answer = web.call("OPTIONS", VERIFY, key=None)
    assert (answer.status, answer.body, answer.headers["allow"]) == (204, b"", "POST, OPTIONS")


def test_a_key_in_an_unknown_url_is_not_repeated(web: Web) -> None:
    text = web.keys.create(kind="secret")[1]
    assert text not in web.get(f"/v1/{text}").body.decode()


def test_head_answers_the_headers_of_get(web: Web) -> None:
    answer = web.call("HEAD", "/healthz", key=None)
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "15")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", (400, "json_invalid")),
        (b'{"key": "\xff"}', (400, "json_invalid")),
        (b'{"key": "\\ud800"}', (400, "json_invalid")),
        (b"[" * 5000, (400, "json_invalid")),
        (b"[]", (400, "parameter_invalid_object")),
        (b'"x"', (400, "parameter_invalid_object")),
        (b"{}", (400, "parameter_missing")),
        (b"", (400, "parameter_missing")),
        (b'{"key": 1}', (400, "parameter_invalid_string")),
        (b'{"key": "a", "ip": "%s"}' % (b"9" * 65), (400, "parameter_too_long")),
        (b'{"key": "a", "account": "\\u0000"}', (400, "parameter_invalid_string")),
        (b'{"key": "a", "colour": 1}', (400, "parameter_unknown")),
    ],
)
def test_a_broken_body_is_named(web: Web, body: bytes, error: tuple[int, str]) -> None:
    assert web.call("POST", VERIFY, body).error == error


def test_other_content_types_and_encodings_are_refused(web: Web) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", ""):
        answer = web.post(VERIFY, {"key": "x"}, headers={"Content-Type": kind})
        assert answer.error == (415, "content_type_unsupported")
    assert web.post(VERIFY, {"key": "x"}, headers={"Content-Type": 'Application/JSON; charset="UTF-8"'}).status == 200
    answer = web.post(VERIFY, {"key": "x"}, headers={"Content-Encoding": "gzip"})
    assert answer.error == (415, "content_encoding_unsupported")


def arrives(web: Web, headers: dict[str, str], *events: dict[str, Any]) -> tuple[Answer, int]:
    """The answer to a request whose body comes in these pieces, and how many of them were read."""
    answer, left = Answer(), list(events)

    async def receive() -> dict[str, Any]:
        return left.pop(0) if left else await asyncio.Event().wait()  # type: ignore[return-value]

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.parts.append(message["body"])

    web.run(web.app(scope_of("POST", VERIFY, headers, "192.0.2.9"), receive, send))
    return answer, len(events) - len(left)


@pytest.mark.parametrize("ending", ["revoke", "disable"])
def test_a_service_key_that_ends_while_its_body_arrives_does_nothing(
    web: Web, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    key, text = web.service_key("key_write")
    monkeypatch.setattr(dispatch, "AGE_SECONDS", -1.0)  # each body takes too long
    assert web.post("/v1/keys", {"account": "a"}, key=text).status == 200
    before = len(web.keys.list(account="a"))
    answer = Answer()

    async def receive() -> dict[str, Any]:
        getattr(web.app.server.callers.keys, ending)(key)
        return piece(b'{"account": "a"}', more=False)

    async def send(message: Any) -> None:
        answer.status = message.get("status", answer.status)

    headers = {"authorization": f"Bearer {text}", "content-type": "application/json"}
    web.run(web.app(scope_of("POST", "/v1/keys", headers, "192.0.2.9"), receive, send))
    assert (answer.status, len(web.keys.list(account="a"))) == (401, before)


def piece(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_above_64_kilobytes_is_refused_unread_where_its_length_says_so(web: Web) -> None:
    known = {"authorization": f"Bearer {web.admin}", "content-type": "application/json"}
    answer, read = arrives(web, {**known, "content-length": "65537"}, piece(b"{"))
    assert (answer.error, read) == ((413, "body_too_large"), 0)
    assert answer.headers["connection"] == "close"
    answer, read = arrives(web, known, *[piece(b" " * 40_000)] * 5)
    assert (answer.error, read) == ((413, "body_too_large"), 2)
    answer, _ = arrives(web, {**known, "content-length": "9" * 5000}, piece(b"{"))
    assert answer.error == (413, "body_too_large")
    answer, _ = arrives(web, {**known, "content-length": "-1"}, piece(b"{"))
    assert answer.error == (400, "parameter_invalid")


def test_nothing_of_a_body_is_read_before_the_caller_is_known(web: Web) -> None:
    answer, read = arrives(web, {"content-type": "application/json"}, piece(b"{"))
    assert (answer.error, read) == ((401, "no_api_key"), 0)


def test_a_body_that_never_ends_or_breaks_off_is_answered(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "BODY_SECONDS", 0.0)
    known = {"authorization": f"Bearer {web.admin}", "content-type": "application/json"}
    assert arrives(web, known, piece(b"{"))[0].error == (408, "request_timeout")
    monkeypatch.undo()
    broken, _ = arrives(web, known, piece(b"{"), {"type": "http.disconnect"})
    assert broken.error == (400, "client_disconnected")


def test_an_unexpected_failure_is_answered_and_logged_with_its_request_id(
    web: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(call: Call) -> Sent:
        raise RuntimeError("sk_live_secret")

    endpoints = web.app._router.routes
    (route,) = [each for each in endpoints if getattr(each, "path", "") == "/healthz"]
    target = route.endpoint._endpoints["GET"]  # type: ignore[attr-defined]
    monkeypatch.setitem(route.endpoint._endpoints, "GET", _with(target, fails))  # type: ignore[attr-defined]
    answer = web.get("/healthz", key=None)
    assert answer.error == (500, "internal_error")
    assert "sk_live_secret" not in answer.body.decode()
    assert answer.headers["request-id"] in caplog.text


def _with(endpoint: Any, handle: Any) -> Any:
    return replace(endpoint, handle=handle)


def test_a_websocket_is_refused(web: Web) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    web.run(web.app({"type": "websocket", "path": "/", "headers": []}, receive, send))
    assert [each["type"] for each in sent] == ["websocket.close"]


def test_readiness_follows_the_database(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    assert web.get("/readyz", key=None).json == {"status": "ready"}
    away(web, monkeypatch)
    assert web.get("/readyz", key=None).error == (503, "unavailable")
    assert web.get("/healthz", key=None).json == {"status": "ok"}


@pytest.mark.parametrize("path", ["keys/mk_\0", "keys/\0/roll", "accounts/\0", f"accounts/{'a' * 501}"])
def test_a_path_that_no_database_takes_is_the_callers_fault(web: Web, path: str) -> None:
    method = "POST" if path.endswith("roll") else "GET"
    assert web.call(method, f"/v1/{path}").status == 400


@pytest.mark.parametrize("name", ["Authorization", "idempotency-key"])
def test_a_header_of_which_one_must_be_chosen_is_refused(web: Web, name: str) -> None:
    pairs = [(b"authorization", f"Bearer {web.admin}".encode()), (b"idempotency-key", b"a")]
    scope = {**scope_of("POST", "/v1/keys", {}, "192.0.2.1"), "headers": [*pairs, (name.lower().encode(), b"b")]}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    web.run(web.app(scope, receive, send))
    assert sent[0]["status"] == 400
    assert json.loads(sent[1]["body"])["error"]["code"] == "header_repeated"


def test_no_error_repeats_a_key_that_was_sent_in_another_place(web: Web) -> None:
    text = web.keys.create(permissions=["report_read"]).secret
    for answer in (
        web.post("/v1/keys/verify", {text: 1}), web.get(f"/v1/keys?limit={text}"),
        web.get(f"/v1/keys?{text}=1&{text}=2"),
        web.post("/v1/keys/verify", {"key": text, "permission": text}), web.get(f"/v1/usage?by={text}"),
        web.post("/v1/keys", {"account": "a", "permissions": [text]}), web.post("/v1/accounts/a", {"plan": text[:60]}),
        web.post("/v1/keys", {"account": "a", "ip_allowlist": [text]}), web.get(f"/v1/keys/{text}"),
        web.post("/v1/keys", {"account": "a", "metadata": {"a": 1, text: 2}}), web.get(f"/v1/{text}"),
    ):  # fmt: skip
        assert answer.status in (400, 404)
        assert text[8:24] not in answer.body.decode()


def test_a_batch_with_a_permission_that_nothing_declares_takes_nothing(declare: Declare) -> None:
    web = declare('[service]\ndefault_plan = "free"\n[plans.free]\nrate = "1/minute"\n')
    text = web.keys.create().secret
    keys = [{"key": text}, {"key": text, "permission": "nonsense_read"}]
    assert web.post("/v1/keys/verify", {"keys": keys}).error == (400, "permission_unknown")
    assert web.post("/v1/keys/verify", {"key": text}).json["valid"] is True
