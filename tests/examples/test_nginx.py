"""The nginx example on a real nginx: what it lets through, how it refuses, and what is recorded."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from tests.examples.test_examples import EXAMPLES, load
from tests.support.nginx import nginx
from tollkey.keys import KeyService


class Serving:
    """An ASGI application on a port, in a thread."""

    def __init__(self, app: Any) -> None:
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)


@dataclass
class Front:
    keys: KeyService
    client: httpx.Client
    seen: list[dict[str, str]]  # the headers of what reached the application behind nginx


def configuration(folder: Path, auth: int, app: int) -> Path:
    """The example in a server of its own, which listens on a socket in the folder: no port can be taken by another."""
    lines = (EXAMPLES / "nginx.conf").read_text()
    lines = lines.replace("127.0.0.1:9000", f"127.0.0.1:{auth}").replace("127.0.0.1:8080", f"127.0.0.1:{app}")
    paths = "\n".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    path = folder / "nginx.conf"
    path.write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nworker_processes 1;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{paths}\nserver {{\nlisten unix:{folder}/nginx.sock;\n{lines}\n}}\n}}\n"
    )
    return path


def answering(address: Path, running: subprocess.Popen[bytes]) -> None:
    """Wait until nginx listens."""
    while running.poll() is None:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(address)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"nginx ended with {running.returncode}")


@pytest.fixture
def front(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    for name, value in getattr(request, "param", {}).items():
        monkeypatch.setenv(name, value)
    program = nginx()
    if program is None:
        pytest.skip("nginx is not installed, and this is no Debian from which to take it")
    module = load("nginx_auth", tmp_path)
    seen: list[dict[str, str]] = []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"reports"})

    auth, app = Serving(module.app), Serving(behind)
    with tempfile.TemporaryDirectory(prefix="nginx") as name:  # a short path: that of a socket has 108 bytes at most
        folder = Path(name)
        running = subprocess.Popen(
            [program, "-e", f"{folder}/start.log", "-c", str(configuration(folder, auth.port, app.port))]
        )
        try:
            answering(folder / "nginx.sock", running)
            transport = httpx.HTTPTransport(uds=f"{folder}/nginx.sock")
            with module.keys, httpx.Client(base_url="http://nginx", transport=transport) as client:
                yield Front(module.keys, client, seen)
        finally:
            running.terminate()
            running.wait(timeout=10)
            auth.stop()
            app.stop()


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def challenges(answer: httpx.Response) -> list[str]:
    return answer.headers.get_list("www-authenticate")


def test_an_accepted_request_goes_on_without_its_key_and_is_recorded_as_what_it_was(front: Front) -> None:
    key, text = front.keys.create(permissions=["report_read"], account="alice")
    for method in ("GET", "HEAD"):
        assert front.client.request(method, "/reports/7?secret=1", headers=bearer(text)).status_code == 200
    assert front.seen[0]["x-key-account"] == "alice"
    assert not any("authorization" in headers for headers in front.seen)
    front.keys.flush()
    usage = front.keys.usage(key)
    assert usage is not None
    assert (usage.endpoint, usage.ip, usage.uses) == ("HEAD /reports/7", "unix:", 2)


def test_each_refusal_has_its_status_its_body_and_one_challenge(front: Front) -> None:
    _, text = front.keys.create(permissions=["report_read"])
    missing = front.client.get("/reports")
    assert (missing.status_code, challenges(missing)) == (401, ['Bearer realm="API"'])
    wrong = front.client.get("/reports", headers=bearer(text[:-1]))
    assert (wrong.status_code, len(challenges(wrong)), 'error="invalid_token"' in challenges(wrong)[0]) == (
        401,
        1,
        True,
    )
    forbidden = front.client.post("/reports", headers=bearer(text), content=b"x")
    assert (forbidden.status_code, len(challenges(forbidden)), 'scope="report_write"' in challenges(forbidden)[0]) == (
        403,
        1,
        True,
    )
    for answer, code in ((missing, "no_api_key"), (wrong, "invalid_token"), (forbidden, "insufficient_scope")):
        assert answer.headers["content-type"] == "application/json"
        assert json.loads(answer.text)["error"]["code"] == code
        assert answer.headers["cache-control"] == "no-store"
    assert not front.seen


@pytest.mark.parametrize("front", [{"KEYS_RATE": "0.001", "KEYS_BURST": "1"}], indirect=True, ids=["one request"])
def test_a_limit_stays_a_429_and_an_outage_a_503(front: Front) -> None:
    _, text = front.keys.create(permissions=["report_read"])
    assert front.client.get("/reports", headers=bearer(text)).status_code == 200
    limited = front.client.get("/reports", headers=bearer(text))
    assert (limited.status_code, limited.headers["retry-after"], challenges(limited)) == (429, "1", [])
    assert json.loads(limited.text)["error"]["code"] == "rate_limited"
    front.keys.database.write(lambda tx: tx.execute("ALTER TABLE api_keys RENAME TO lost"))
    front.keys.verifier.clear()
    away = front.client.get("/reports", headers=bearer(text))
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
    assert json.loads(away.text)["error"]["code"] == "unavailable"


def test_a_browsers_preflight_reaches_what_is_behind(front: Front) -> None:
    asks = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    assert front.client.options("/reports", headers=asks).status_code == 200
    assert front.client.options("/reports").status_code == 401
    assert front.client.post("/reports", headers=asks).status_code == 401
    assert len(front.seen) == 1
