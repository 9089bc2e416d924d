"""Proxies ask about each request: nginx, Caddy, Traefik, HAProxy and Envoy, each in its own way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.keys.http.conftest import Answer, Declare, Web, away
from tollkey.db import Ids
from tollkey.keys.token import generate

PATH = "/v1/keys/forward-auth"
CONFIG = """
[service]
environments = ["sandbox", "production"]
default_plan = "free"
[permissions.report]
label = "Reports"
[[routes]]
match = "GET /public/*"
publishable = true
[[routes]]
match = "GET /reports/*"
needs = "report_read"
[[routes]]
match = "POST /reports/*"
needs = "report_write"
[plans.free]
rate = "2/minute"
burst = 4
[plans.paid]
rate = "1000/s"
"""


class Server(Web):
    """A node as the HTTP server asks it: GET requests at once, and by ASGI if that has no answer."""

    at_once = 0

    def call(self, method: str, path: str, body: object = None, **given: Any) -> Answer:
        key, headers = given.get("key"), given.get("headers") or {}
        sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        sent += [(b"authorization", f"Bearer {key}".encode("latin-1"))] if key else []
        found = self.app.at_once(path.encode(), sent, "192.0.2.9", False) if method == "GET" else None
        if found is None:
            return super().call(method, path, body, **given)
        self.at_once += 1
        lines = [line.split(": ", 1) for line in found[1].decode("latin-1").splitlines()]
        return Answer(found[0], {name: value for name, value in lines}, [found[2]])


@pytest.fixture(params=[Web, Server], ids=["asgi", "server"])
def served(declare: Declare, request: pytest.FixtureRequest) -> Web:
    """A node with declared routes, on SQLite: nothing here is about storage."""
    web: Web = request.param(**vars(declare(CONFIG)))
    return web


def nginx(web: Web, method: str, uri: str, text: str | None, query: str = "", **headers: str) -> Answer:
    """nginx and HAProxy: the original request in headers of their own."""
    sent = {"x-original-method": method, "x-original-uri": uri, **{n.replace("_", "-"): v for n, v in headers.items()}}
    return web.get(PATH + query, key=text, headers=sent)


def made(web: Web, *permissions: str, **given: Any) -> str:
    return web.keys.create(permissions=permissions, account="jenny@example.com", **given)[1]


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["error"]["code"]


def test_an_accepted_request_is_told_whose_key_it_has(served: Web) -> None:
    key, text = served.keys.create(permissions=["report_write"], account="Zoë")
    rename = "UPDATE api_keys SET account = ? WHERE id = ?"  # as an earlier version took it
    key = replace(key, account="Zoë\r\nX-Key-Id: 1")
    served.keys.database.write(lambda tx: tx.execute(rename, (key.account, key.id)))
    answer = nginx(served, "GET", "/reports/7?page=2", text)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == "0"
    about = {name: value for name, value in answer.headers.items() if name.startswith("x-key-")}
    assert about == {
        "x-key-id": key.id,
        "x-key-account": "Zo%C3%AB%0D%0AX-Key-Id:%201",
        "x-key-environment": "production",
        "x-key-permissions": "report_read report_write",
    }
    served.keys.flush()
    usage = served.keys.usage(key)
    assert usage is not None
    assert usage.endpoint == "GET /reports/7"


def test_every_proxy_s_way_of_asking_means_the_same(served: Web) -> None:
    text = made(served, "report_read")
    forwarded = {"x-forwarded-method": "POST", "x-forwarded-uri": "/reports/7"}
    assert code(served.get(PATH, key=text, headers=forwarded)) == (403, "insufficient_scope")
    assert code(served.call("POST", PATH + "/reports/7", key=text)) == (403, "insufficient_scope")
    assert code(nginx(served, "POST", "/reports/7", text)) == (403, "insufficient_scope")
    assert served.get(PATH, key=text, headers={**forwarded, "x-forwarded-method": "GET"}).status == 200
    assert served.get(PATH + "/reports/7", key=text).status == 200
    assert nginx(served, "HEAD", "/reports/7", text).status == 200


def test_a_request_described_in_two_ways_or_by_half_is_refused(served: Web) -> None:
    text = made(served, "report_read")
    original = {"x-original-method": "GET", "x-original-uri": "/reports/7"}
    forwarded = {"x-forwarded-method": "POST", "x-forwarded-uri": "/reports/7"}
    for path, headers in (
        (PATH, {**original, **forwarded}),
        (PATH, {**forwarded, "x-original-uri": "/public/1"}),
        (PATH + "/reports/7", original),
        (PATH, {"x-original-uri": "/reports/7"}),
        (PATH, {"x-original-method": "GET POST", "x-original-uri": "/reports/7"}),
    ):
        assert code(served.get(path, key=text, headers=headers)) == (403, "request_ambiguous")


def test_what_no_route_declares_is_refused_and_paths_are_not_read_in_two_ways(served: Web) -> None:
    text = made(served, "report_read", kind="restricted")
    for target in ("/nothing", "/reports/../admin", "/reports//7", "/reports/%2e%2e/admin", "/reports/a%2fb"):
        assert code(nginx(served, "GET", target, text)) == (403, "route_unknown")
    assert code(nginx(served, "GET", "/nothing", None)) == (401, "no_api_key")


def test_each_refusal_has_its_status_and_challenge(served: Web) -> None:
    missing = nginx(served, "GET", "/reports/7", None)
    assert code(missing) == (401, "no_api_key")
    assert missing.headers["www-authenticate"] == 'Bearer realm="API"'
    assert code(nginx(served, "GET", "/reports/7", "nothing")) == (401, "invalid_token")
    lacking = nginx(served, "GET", "/reports/7", made(served))
    assert code(lacking) == (403, "insufficient_scope")
    assert 'scope="report_read"' in lacking.headers["www-authenticate"]
    assert "x-key-id" not in lacking.headers
    public = made(served, kind="publishable")
    assert code(nginx(served, "GET", "/reports/7", public)) == (403, "publishable_key_refused")
    assert nginx(served, "GET", "/public/7", public).status == 200


def test_a_service_key_opens_nothing_behind_a_proxy(served: Web) -> None:
    _, text = served.service_key("key_write")
    assert code(nginx(served, "GET", "/public/7", text)) == (401, "invalid_token")


def test_preflights_pass_and_other_options_requests_do_not(served: Web) -> None:
    asks = {"origin": "https://a.example", "access_control_request_method": "PUT"}
    answer = nginx(served, "OPTIONS", "/reports/7", None, **asks)
    assert (answer.status, [name for name in answer.headers if name.startswith("x-key")]) == (200, [])
    assert nginx(served, "OPTIONS", "/reports/7", None).status == 401


def test_the_client_s_address_is_the_one_that_the_proxy_added(served: Web) -> None:
    text = made(served, "report_read", ip_allowlist=["198.51.100.7"])
    assert nginx(served, "GET", "/reports/7", text, x_forwarded_for="198.51.100.7").status == 200
    assert nginx(served, "GET", "/reports/7", text, x_forwarded_for="198.51.100.7, 203.0.113.9").status == 401
    assert nginx(served, "GET", "/reports/7", text).status == 401


def test_a_used_up_limit_is_a_429_with_its_headers(served: Web) -> None:
    text = made(served, "report_read")
    answers = [nginx(served, "GET", "/reports/7", text) for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 429]
    assert answers[0].headers["ratelimit"] == '"free";r=3;t=30'
    assert answers[4].json["error"]["code"] == "rate_limited"
    assert answers[4].headers["retry-after"] == "30"
    assert answers[4].headers["ratelimit-policy"] == '"free";q=4;w=120'


def test_nginx_gets_a_403_for_what_it_does_not_pass_on(served: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    text = made(served, "report_read")
    for _ in range(5):
        answer = nginx(served, "GET", "/reports/7", text, "?nginx=1")
    assert (answer.status, answer.headers["x-key-status"], answer.headers["x-key-retry-after"]) == (403, "429", "30")
    assert answer.headers["x-key-body"] == answer.body.decode()
    away(served, monkeypatch)
    unknown = nginx(served, "GET", "/reports/7", made_elsewhere(served), "?nginx=1")
    assert (unknown.status, unknown.headers["x-key-status"]) == (403, "503")
    assert nginx(served, "GET", "/reports/7", made_elsewhere(served)).status == 503
    assert nginx(served, "GET", "/reports/7", None, "?nginx=1").status == 401
    twice = nginx(served, "GET", "/reports/7", None, "?nginx=1", x_forwarded_uri="/")
    assert (twice.status, twice.headers["x-key-status"]) == (403, "403")


def test_the_server_answers_at_once_what_it_has_in_memory(declare: Declare) -> None:
    served = Server(**vars(declare(CONFIG)))
    text = made(served, "report_read")
    first, second = (nginx(served, "GET", "/reports/7", text, "?nginx=1") for _ in range(2))
    assert served.at_once == 1, "the first one is read from the database"
    changing = {"request-id", "ratelimit"}
    assert {name: value for name, value in first.headers.items() if name not in changing} == {
        name: value for name, value in second.headers.items() if name not in changing
    }
    assert nginx(served, "GET", "/reports/7", None).status == 401
    assert nginx(served, "GET", "/reports/7", "nothing", "?nginx=1").headers["x-key-status"] == "401"
    assert served.at_once == 3
    assert served.get("/v1/keys/forward-authors", key=text).status == 401, "there it would be a service key"
    assert served.at_once == 3
    key = served.keys.check(text).key
    assert key is not None
    usage = served.keys.usage(key)
    assert usage is not None
    assert usage.uses == 3, "each request is counted once"


def test_a_header_that_is_sent_twice_is_left_to_the_long_way(declare: Declare) -> None:
    app = declare(CONFIG).app
    for name in (b"x-original-uri", b"authorization", b"x-other"):
        assert app.at_once(PATH.encode(), [(name, b"/a"), (name, b"/b")], None, False) is None


def made_elsewhere(web: Web) -> str:
    """A key that looks right and is not in memory."""
    return generate("secret", True, "", Ids.seeded(3), web.keys.authority.brand)


def test_another_header_can_carry_the_key(declare: Declare) -> None:
    served = declare(CONFIG, key_header="X-API-Key")
    text = made(served, "report_read")
    assert nginx(served, "GET", "/reports/7", None, x_api_key=text).status == 200
    answer = nginx(served, "GET", "/reports/7", text)
    assert code(answer) == (401, "no_api_key")
    assert answer.headers["www-authenticate"].startswith("ApiKey")


def test_with_forward_auth_key_only_a_service_key_may_ask(declare: Declare) -> None:
    served = declare(CONFIG, forward_auth_key=True)
    text, proxy = made(served, "report_read"), served.service_key("key_verify_write")[1]
    assert nginx(served, "GET", "/reports/7", text, x_tollkey_service=proxy).status == 200
    lesser = served.service_key("usage_read")[1]
    for sent in ({}, {"x_tollkey_service": text}, {"x_tollkey_service": lesser}):
        assert code(nginx(served, "GET", "/reports/7", text, **sent)) == (503, "unavailable")
