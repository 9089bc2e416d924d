"""The documented configurations of proxies, on the real programs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.contract.judges.proxies import EXAMPLES, HTML, PROXIES, Stage, stage

FORGED = {
    **{f"X-Key-{name}": "forged" for name in ("Id", "Account", "Environment", "Permissions")},
    **dict.fromkeys(("X_Key_Account", "X-Key_Id", "X_KEY-PERMISSIONS"), "forged"),
}


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


@pytest.fixture(params=PROXIES)
def proxy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    with stage(request.param, tmp_path) as running:
        yield running


def test_an_accepted_request_goes_on_with_the_account_and_without_the_key(proxy: Stage) -> None:
    key, text = proxy.keys.create(permissions=["report_read"], account="alice")
    for method in ("GET", "HEAD"):
        answer = proxy.client.request(method, "/reports/7?page=2", headers={**bearer(text), **FORGED})
        assert (answer.status_code, answer.text) == (200, HTML if method == "GET" else "")
    for seen in proxy.seen:
        assert (seen["x-key-account"], seen["x-key-id"], seen["x-key-environment"]) == ("alice", key.id, "live")
        assert "authorization" not in seen
        assert "forged" not in seen.values()
        assert text not in str(seen)


def test_each_refusal_has_its_status_its_challenge_and_its_body_and_goes_no_further(proxy: Stage) -> None:
    _, text = proxy.keys.create(permissions=["report_read"])
    missing = proxy.client.get("/reports", headers=FORGED)
    wrong = proxy.client.get("/reports", headers=bearer(text[:-1]))
    forbidden = proxy.client.post("/reports", headers=bearer(text), content=b"x" * 100_000)
    for answer, status, name in (
        (missing, 401, "no_api_key"), (wrong, 401, "invalid_token"), (forbidden, 403, "insufficient_scope")
    ):  # fmt: skip
        assert (answer.status_code, code(answer)) == (status, name)
        assert answer.headers["content-type"] == "application/json"
        assert len(answer.headers.get_list("www-authenticate")) == 1
    assert not proxy.seen


@pytest.mark.parametrize("name", PROXIES)
def test_a_limit_stays_a_429(name: str, tmp_path: Path) -> None:
    with stage(name, tmp_path, limited=True) as proxy:
        _, text = proxy.keys.create(permissions=["report_read"])
        assert proxy.client.get("/reports", headers=bearer(text)).status_code == 200
        limited = proxy.client.get("/reports", headers=bearer(text))
        assert (limited.status_code, code(limited)) == (429, "rate_limited")
        assert int(limited.headers["retry-after"]) > 0


def test_nothing_passes_while_keys_cannot_be_checked(proxy: Stage) -> None:
    _, text = proxy.keys.create(permissions=["report_read"])
    _, not_seen_yet = proxy.keys.create(permissions=["report_read"])
    assert proxy.client.get("/reports", headers=bearer(text)).status_code == 200
    proxy.keys.database.write(lambda tx: tx.execute("ALTER TABLE api_keys RENAME TO lost"))
    broken = proxy.client.get("/reports", headers=bearer(not_seen_yet))
    proxy.server.terminate()
    proxy.server.wait(timeout=20)
    away = proxy.client.get("/reports", headers=bearer(text))
    for answer in (broken, away):
        assert (answer.status_code, code(answer)) == (503, "unavailable")
        assert answer.headers["retry-after"] == "1"
    assert len(proxy.seen) == 1


def test_a_caller_cannot_say_that_its_request_is_another(proxy: Stage) -> None:
    _, text = proxy.keys.create(permissions=["report_read"])
    for name in ("X-Original-Method", "X-Forwarded-Method", "X-HTTP-Method-Override"):
        assert proxy.client.post("/reports", headers={**bearer(text), name: "GET"}).status_code == 403
    preflight = {"X-Original-Method": "OPTIONS", "X-Forwarded-Method": "OPTIONS", "Origin": "https://app.example",
                 "Access-Control-Request-Method": "GET"}  # fmt: skip
    assert proxy.client.get("/reports", headers=preflight).status_code == 401
    assert not proxy.seen


def test_a_browsers_preflight_reaches_the_application_and_other_options_need_a_key(proxy: Stage) -> None:
    asks = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    answer = proxy.client.options("/reports", headers={**asks, **FORGED})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
    assert "forged" not in proxy.seen[0].values()
    assert proxy.client.options("/reports").status_code == 401


def test_websockets_open_with_a_key_and_are_refused_with_the_status(proxy: Stage) -> None:
    _, text = proxy.keys.create(permissions=["report_read"], account="alice")
    _, weak = proxy.keys.create()
    assert proxy.websocket({**bearer(text), **FORGED}) == "alice"
    for headers, status in (({}, 401), (bearer(weak), 403)):
        with pytest.raises(InvalidStatus) as refused:
            proxy.websocket(headers)
        assert refused.value.response.status_code == status


def test_a_revoked_key_is_refused_within_a_second(proxy: Stage) -> None:
    key, text = proxy.keys.create(permissions=["report_read"])
    assert proxy.client.get("/reports", headers=bearer(text)).status_code == 200
    proxy.keys.revoke(key)
    revoked = time.monotonic()
    while proxy.client.get("/reports", headers=bearer(text)).status_code == 200:
        assert time.monotonic() - revoked < 1.5, "a second, and what a busy machine needs for the request"
    assert proxy.client.get("/reports", headers=bearer(text)).status_code == 401


def test_nginx_serves_static_files_to_those_who_have_a_key(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir(mode=0o755)
    (tmp_path / "files" / "july.html").write_text(HTML)
    with stage("nginx", tmp_path, static=True) as proxy:
        key, text = proxy.keys.create(permissions=["report_read"])
        assert proxy.client.get("/july.html", headers=bearer(text)).text == HTML
        assert proxy.client.get("/august.html", headers=bearer(text)).status_code == 404
        assert proxy.client.get("/july.html").status_code == 401
        assert proxy.client.get("/august.html").status_code == 401, "a stranger does not learn which files there are"
        proxy.server.terminate()  # it writes the uses that it has in memory
        proxy.server.wait(timeout=20)
        usage = proxy.keys.usage(key)
        assert usage is not None
        assert (usage.endpoint, usage.ip, usage.uses) == ("GET /august.html", "127.0.0.1", 2)


def test_the_configurations_add_five_lines_at_most() -> None:
    added = {
        "nginx/nginx.conf": ("tollkey", 3),
        "haproxy.cfg": ("tollkey", 2),
    }
    for name, (word, most) in added.items():
        lines = [line.strip() for line in (EXAMPLES / name).read_text().splitlines()]
        assert sum(word in line for line in lines if not line.startswith("#")) <= most <= 5, name
