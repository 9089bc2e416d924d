"""The two endpoints that take reports of leaks over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from tests.conftest import Clock
from tests.keys.scanning.partner import GitHub
from tollkey.keys import KeyService
from tollkey.keys.brake import Brake
from tollkey.keys.scanning.github import GithubKeys
from tollkey.keys.scanning.leaks import Leaks
from tollkey.keys.scanning.routes import LARGEST_MESSAGE, LARGEST_REVOCATION, routes

Post = Callable[..., httpx.Response]


@pytest.fixture
def service(tmp_path: Path, clock: Clock) -> Iterator[KeyService]:
    with KeyService.open(str(tmp_path / "keys.db"), clock=clock, flush_seconds=0) as opened:
        yield opened


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def post(service: KeyService, clock: Clock, github: GitHub) -> Post:
    """Sends a body to a path."""
    keys = GithubKeys(github.fetch, lambda: 1000.0)
    app = Starlette(routes=routes(Leaks(service, clock), keys, lambda prefix: f"{prefix}_1", Brake(lambda: 1000.0, 5)))

    def send(path: str, body: bytes, **headers: str) -> httpx.Response:
        async def run() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://keys") as client:
                given = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
                return await client.post(path, content=body, headers=given)

        return asyncio.run(run())

    return send


def signed(github: GitHub, body: bytes) -> dict[str, str]:
    return {"github_public_key_identifier": "k1", "github_public_key_signature": github.sign(body)}


def test_a_signed_message_ends_our_keys_and_labels_each_match(service: KeyService, post: Post, github: GitHub) -> None:
    _, text = service.create("CI")
    matches = [
        {"token": text, "type": "acme_key", "url": "https://github.com/a/b", "source": "commit"},
        {"token": "sk_live_nobody", "type": "acme_key", "url": "", "source": "content"},
    ]
    body = json.dumps(matches).encode()
    answer = post("/v1/leaks/github", body, **signed(github, body))
    assert (answer.status_code, answer.headers["request-id"]) == (200, "req_1")
    assert answer.json() == [
        {"token_hash": hashlib.sha256(text.encode()).hexdigest(), "token_type": "acme_key", "label": "true_positive"},
        {
            "token_hash": hashlib.sha256(b"sk_live_nobody").hexdigest(),
            "token_type": "acme_key",
            "label": "false_positive",
        },
    ]
    assert not service.verify(text)
    assert text not in answer.text


def test_a_message_that_github_did_not_sign_ends_nothing(service: KeyService, post: Post, github: GitHub) -> None:
    _, text = service.create("CI")
    body = json.dumps([{"token": text, "type": "x"}]).encode()
    for headers in ({}, signed(github, b"other"), signed(GitHub(), body)):
        answer = post("/v1/leaks/github", body, **headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "invalid_request_error"
    assert post("/v1/leaks/github", b" " * (LARGEST_MESSAGE + 1)).status_code == 401, "its body is not read"
    assert service.verify(text)


def test_a_message_is_to_be_sent_again_while_github_s_keys_are_unknown(post: Post, github: GitHub) -> None:
    github.away = True
    answer = post("/v1/leaks/github", b"[]", **signed(github, b"[]"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


def test_a_signed_message_of_another_form_is_refused(post: Post, github: GitHub) -> None:
    answer = post("/v1/leaks/github", b"{}", **signed(github, b"{}"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "parameter_invalid")


def test_whoever_sends_the_text_of_a_key_ends_it(service: KeyService, post: Post) -> None:
    key, text = service.create("CI")
    _, other = service.create("CI")
    answer = post("/v1/leaks/revoke", json.dumps({"key": text}).encode())
    assert (answer.status_code, [each["revoked"] for each in answer.json()["data"]]) == (200, [True])
    assert text not in answer.text
    assert not service.verify(text)
    assert str(service.audit(key_id=key.id)[0].actor) == "leak_report:holder"
    answer = post("/v1/leaks/revoke", json.dumps({"keys": [text, "sk_live_nobody", other]}).encode())
    assert [each["revoked"] for each in answer.json()["data"]] == [True, False, True]


def test_neither_an_id_nor_a_publishable_key_ends_a_key(service: KeyService, post: Post) -> None:
    key, text = service.create("CI")
    _, public = service.create(kind="publishable")
    answer = post("/v1/leaks/revoke", json.dumps({"keys": [key.id, public, text[:-1]]}).encode())
    assert [each["revoked"] for each in answer.json()["data"]] == [False, False, False]
    assert service.verify(text)
    assert service.verify(public)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "body_invalid"),
        (b"[]", 400, "parameter_missing"),
        (b'{"key": 1}', 400, "parameter_invalid"),
        (b'{"key": "a", "keys": []}', 400, "parameter_missing"),
        (b'{"keys": []}', 400, "parameter_invalid"),
        (b'{"keys": "a"}', 400, "parameter_invalid"),
        (b"[" * 20_000, 400, "body_invalid"),
        (b" " * (LARGEST_REVOCATION + 1), 413, "body_too_large"),
    ],
)
def test_other_bodies_are_refused(post: Post, body: bytes, status: int, code: str) -> None:
    answer = post("/v1/leaks/revoke", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_form_is_refused(post: Post) -> None:
    answer = post("/v1/leaks/revoke", b"key=a", content_type="application/x-www-form-urlencoded")
    assert answer.json()["error"]["code"] == "content_type_unsupported"


def test_half_a_surrogate_pair_is_no_json_that_could_be_answered(post: Post) -> None:
    answer = post("/v1/leaks/revoke", b'{"key": "\\ud800"}')
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "body_invalid")


def test_an_address_that_guesses_gets_429_and_still_ends_a_key_that_it_has(service: KeyService, post: Post) -> None:
    _, text = service.create("CI")
    _, other = service.create("CI")

    def reported(*texts: str) -> tuple[int, object]:
        answer = post("/v1/leaks/revoke", json.dumps({"keys": texts}).encode())
        return answer.status_code, answer.json().get("data") or answer.json()["error"]["code"]

    guesses = [f"sk_live_{number:032}" for number in range(6)]
    status, answered = reported(*guesses)
    assert status == 200, "they count from the next request on"
    assert not any(each["revoked"] for each in answered)  # type: ignore[attr-defined]
    assert reported(guesses[0]) == (429, "rate_limited")
    assert reported(other, guesses[0]) == (429, "rate_limited")
    assert service.verify(other), "of an address that guesses, several texts are not read"
    status, answered = reported(text)
    assert (status, answered[0]["revoked"]) == (200, True)  # type: ignore[index]
    assert not service.verify(text)
    assert post("/v1/leaks/revoke", json.dumps({"key": guesses[0]}).encode()).headers["retry-after"] == "60"
