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


def test_a_link_and_a_session_end_with_the_service_key_that_made_them(with_portal: Web) -> None:
    web = with_portal
    headers = {"host": "keys.example", "sec-fetch-site": "same-origin"}
    sent = {"account": "alice", "permissions": ["report_read"]}
    key, text = web.service_key("portal_write")
    link = urlsplit(web.post("/v1/portal_sessions", sent, key=text).json["url"]).path
    token = web.post("/v1/portal_sessions", {**sent, "ui_mode": "component"}, key=text).json["token"]
    bearer = {**headers, "authorization": f"Bearer {token}"}
    services = web.app.server.callers.keys
    for pause, resume in ((services.disable, services.enable), (services.revoke, None)):
        pause(key)
        assert web.call("GET", "/portal/api/session", key=None, headers=bearer).error == (401, "session_ended")
        assert web.call("POST", link, key=None, headers=headers).status == 404
        if resume is not None:
            resume(key)
            assert web.call("GET", "/portal/api/session", key=None, headers=bearer).status == 200
    other, text = web.service_key("portal_write", "usage_read")
    token = web.post("/v1/portal_sessions", {**sent, "ui_mode": "component"}, key=text).json["token"]
    services.update(other, permissions=["usage_read"])
    bearer = {**headers, "authorization": f"Bearer {token}"}
    assert web.call("GET", "/portal/api/session", key=None, headers=bearer).error == (401, "session_ended")
