from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest

from tests.conftest import Clock
from tests.keys.http.conftest import Web
from tollkey.db import Ids
from tollkey.keys.http import KeyServer
from tollkey.keys.portal import Portal


@pytest.fixture
def with_portal(web: Web, clock: Clock) -> Web:
    """A second server on the same keys, with a portal."""
    portal = Portal(web.keys, base_url="https://keys.example/portal", clock=clock)
    web.app = KeyServer(web.keys, clock=clock, monotonic=time.monotonic, new_id=Ids.seeded(2).new, portal=portal)
    return web


def test_a_session_s_url_opens_the_portal_once(with_portal: Web) -> None:
    sent = {"account": "alice", "permissions": ["report_read"], "return_url": "https://app.example/"}
    session = with_portal.post("/v1/portal_sessions", sent).json
    assert (session["object"], session["ui_mode"], session["account"]) == ("portal_session", "hosted", "alice")
    path = urlsplit(session["url"]).path
    headers = {"host": "keys.example", "sec-fetch-site": "same-origin"}
    opened = with_portal.call("POST", path, key=None, headers=headers)
    assert opened.status == 303
    assert "tollkey-portal=" in opened.headers["set-cookie"]
    assert with_portal.call("POST", path, key=None, headers=headers).status == 404


def test_a_component_gets_a_token_and_no_url(with_portal: Web) -> None:
    sent = {"account": "alice", "may": ["revoke"], "ui_mode": "component", "environment": "test"}
    session = with_portal.post("/v1/portal_sessions", sent).json
    assert "url" not in session
    headers = {"host": "keys.example", "authorization": f"Bearer {session['token']}"}
    answer = with_portal.call("GET", "/portal/api/session", key=None, headers=headers).json
    assert (answer["may"], answer["livemode"]) == (["revoke"], False)


def test_no_customer_manages_the_service_s_own_keys(with_portal: Web) -> None:
    sent = {"account": "tollkey", "permissions": ["report_read"]}
    answer = with_portal.post("/v1/portal_sessions", sent)
    assert (answer.status, answer.json["error"]["param"]) == (400, "account")


def test_it_needs_a_permission_of_its_own_and_names_what_is_wrong(with_portal: Web) -> None:
    _, key = with_portal.service_key("key_write")
    assert with_portal.post("/v1/portal_sessions", {"account": "a"}, key=key).error == (403, "insufficient_scope")
    for sent, param in (
        ({}, "account"), ({"account": "a"}, "permissions"), ({"account": "a", "may": ["fly"]}, "may"),
        ({"account": "a", "permissions": ["report_read"], "environment": "prod"}, "environment"),
    ):  # fmt: skip
        answer = with_portal.post("/v1/portal_sessions", sent)
        assert (answer.status, answer.json["error"]["param"]) == (400, param)


def test_a_server_without_a_portal_has_no_such_url(web: Web) -> None:
    assert web.post("/v1/portal_sessions", {"account": "a"}).error == (404, "url_unknown")
