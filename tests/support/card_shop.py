"""A shop whose acquirer takes numbers of cards: a server with a card vault in a process of its own, and the host."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.contract.judges.proxies import free_port
from tests.support.api import form
from tests.support.iso_host import Host, iso_host

NEVER = {"enabled": True, "allow_redirects": "never"}


@dataclass
class Shop:
    """A server in a process of its own, with a vault and an acquirer's host. pages: everything that it has answered."""

    folder: Path
    host: Host
    keys: dict[str, str] = field(default_factory=dict)
    pages: list[bytes] = field(default_factory=list)
    server: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.port, self.metrics = free_port(), free_port()
        self.data, self.apart = self.folder / "data", self.folder / "apart"
        self.environment = {
            **os.environ, "TOLLKEY_VAULT_DATABASE": str(self.apart / "vault.db"), "TOLLKEY_PORT": str(self.port),
            "TOLLKEY_VAULT_KEYRING": str(self.apart / "keyring.json"), "TOLLKEY_DATA": str(self.data),
            "TOLLKEY_METRICS_PORT": str(self.metrics),
        }  # fmt: skip

    def run(self, *words: str) -> str:
        """What a command says; that is searched later too."""
        done = subprocess.run(
            [sys.executable, "-m", "tollkey", *words], env=self.environment, capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        self.pages.append(done.stdout + done.stderr)
        return done.stdout.decode()

    def start(self) -> None:
        command = [sys.executable, "-m", "tollkey", "serve"]
        with (self.folder / "output.log").open("ab") as output:
            self.server = subprocess.Popen(command, env=self.environment, stdout=output, stderr=output)
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError((self.folder / "output.log").read_text())

    def kill(self) -> None:
        assert self.server is not None
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()

    def send(self, method: str, path: str, *, key: str = "sk", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.keys[key]}", **more.pop("headers", {})}
        answer = httpx.request(method, f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=30, **more)
        self.pages.append(answer.content + repr(answer.headers).encode())
        return answer.json()

    def post(self, path: str, *, key: str = "sk", headers: dict[str, str] | None = None, **params: Any) -> Any:
        return self.send("POST", path, key=key, headers=headers or {}, data=dict(form(params)))

    def pay(self, **params: Any) -> Any:
        given = {"amount": 500, "currency": "usd", "confirm": True, "automatic_payment_methods": NEVER}
        return self.post("/v1/payment_intents", **{**given, **params})


@contextmanager
def host_in_a_thread() -> Iterator[Host]:
    """An acquirer's host, in a thread."""
    loop, stack, ready = asyncio.new_event_loop(), AsyncExitStack(), threading.Event()
    found: list[Host] = []

    async def begin() -> None:
        found.append(await stack.enter_async_context(iso_host()))
        ready.set()

    loop.create_task(begin())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    ready.wait(10)
    yield found[0]
    asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def key_of(made: Shop, kind: str) -> str:
    if kind == "pk":
        said = json.loads(made.run("keys", "list", "--live", "--json"))
        return next(str(one["secret"] or one["redacted"]) for one in said if one["type"] == "publishable")
    made.run("keys", "create", "--live", "--type", "secret", "--name", "canary", "--show-secret")
    return next(word for word in made.pages.pop().decode().split() if word.startswith("sk_live_"))


@contextmanager
def card_shop(folder: Path, host: Host) -> Iterator[Shop]:
    """A running shop, whose account takes the numbers of cards."""
    made = Shop(folder, host)
    config = folder / "acquirer.toml"
    config.write_text(
        f'card = "number"\n[link]\nhost = "127.0.0.1"\nport = {host.port}\ntls = false\n'
        '[merchant]\nterminal = "TERM0001"\nmerchant = "MERCHANT0000001"\n[dialect]\ncvc = "63"\n'
        '[dialect.fields.63]\ntype = "ans"\nsize = 50\nvar = 3\n'
    )
    made.run("accounts", "create", "--name", "Shop")
    made.run("live", "processor", "connect", "--provider", "iso8583", "--config", str(config))
    made.run("live", "vault", "on")
    made.keys = {kind: key_of(made, kind) for kind in ("sk", "pk")}
    made.start()
    try:
        yield made
    finally:
        made.kill()
