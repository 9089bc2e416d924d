"""Reports of leaked keys at a key server, as ``[scanning]`` in ``tollkey.toml`` declares."""

from __future__ import annotations

import time

import pytest

from tests.keys.http.conftest import Web, ask
from tollkey.db import Ids
from tollkey.keys.config import Config, parse
from tollkey.keys.http import KeyServer

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def declared(web: Web, text: str) -> KeyServer:
    config: Config = parse(text)
    return KeyServer(web.keys, clock=lambda: 2e9, monotonic=time.monotonic, new_id=Ids.seeded(7).new, config=config)


def test_whoever_has_the_text_of_a_key_ends_it_without_a_service_key(web: Web) -> None:
    _, text = web.keys.create("CI")
    answer = web.post("/v1/leaks/revoke", {"key": text}, key=None)
    assert (answer.status, answer.json["data"][0]["revoked"]) == (200, True)
    assert answer.headers["request-id"].startswith("req_")
    assert not web.keys.verify(text)


def test_github_s_messages_are_taken_when_that_is_declared(web: Web) -> None:
    assert web.post("/v1/leaks/github", {}, key=None).error == (404, "url_unknown")
    app = declared(web, "[scanning]\ngithub = true\n")
    answer = web.run(ask(app, "POST", "/v1/leaks/github", {"content-type": "application/json"}, b"[]", "192.0.2.9"))
    assert answer.error == (401, "signature_missing")


def test_revocation_by_possession_may_be_left_out(web: Web) -> None:
    app = declared(web, "[scanning]\npossession = false\n")
    answer = web.run(ask(app, "POST", "/v1/leaks/revoke", {}, b"", "192.0.2.9"))
    assert answer.error == (404, "url_unknown")
