"""A whole run with the card vault, in processes of their own: the number of a card is in the vault, sealed, and nowhere
else, in no spelling.
"""

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
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.judges.proxies import free_port
from tests.support.api import form
from tests.support.canary import found_in, searched
from tests.support.iso_host import Host, iso_host
from tests.support.vault import CANARY
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealing import unseal
from tollkey.payments.processors.vault.store import _context

CODE = "7391"[:3]
CARD = {"number": CANARY, "exp_month": 12, "exp_year": 2034, "cvc": CODE}
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


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
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


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, host: Host) -> Iterator[Shop]:
    """A shop after a day's work: every way to send a card, right and wrong, and the end of its process."""
    made = Shop(tmp_path_factory.mktemp("canary"), host)
    config = made.folder / "acquirer.toml"
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
        work(made)
        made.pages.append(httpx.get(f"http://127.0.0.1:{made.metrics}/metrics").content)
        made.pages += [Path(f"/proc/{made.server.pid}/{name}").read_bytes() for name in ("cmdline", "environ")]  # type: ignore[union-attr]
        made.run("backup", str(made.folder / "backup"), "--with-keyring")
        time.sleep(1.5)  # request logs are written twice a second
        yield made
    finally:
        made.kill()


def key_of(made: Shop, kind: str) -> str:
    if kind == "pk":
        said = json.loads(made.run("keys", "list", "--live", "--json"))
        return next(str(one["secret"] or one["redacted"]) for one in said if one["type"] == "publishable")
    made.run("keys", "create", "--live", "--type", "secret", "--name", "canary", "--show-secret")
    return next(word for word in made.pages.pop().decode().split() if word.startswith("sk_live_"))


def work(made: Shop) -> None:
    """Send a card in every way."""
    spaced = "4532 0100 0000 0016"
    method = made.post("/v1/payment_methods", type="card", card=CARD, headers={"Idempotency-Key": "once"})
    assert method.get("id"), method
    assert made.pay(payment_method=method["id"])["status"] == "succeeded"
    customer = made.post("/v1/customers", source={"object": "card", **CARD, "number": spaced})
    assert made.pay(payment_method=customer["default_source"], customer=customer["id"])["status"] == "succeeded"
    token = made.post("/v1/tokens", key="pk", card=CARD)
    made.post("/v1/payment_methods", type="card", card={"token": token["id"]})
    held = made.pay(payment_method_data={"type": "card", "card": CARD}, capture_method="manual")
    made.post(f"/v1/payment_intents/{held['id']}/capture")
    made.post("/v1/refunds", payment_intent=held["id"])
    made.host.answers["000000000777"] = "51"
    made.pay(amount=777, payment_method_data={"type": "card", "card": CARD})
    # what is refused, and what is written where it does not belong
    made.post("/v1/payment_methods", type="card", card={**CARD, "exp_year": 2020})
    made.post("/v1/payment_methods", type="card", card={**CARD, "wrong": "1"})
    made.post("/v1/payment_methods", type="card", card={**CARD, "token": CANARY})
    made.post("/v1/payment_methods", type="card", card={"token": f"{CANARY}=3412"})
    made.post("/v1/payment_methods", key="pk", type="card", card=CARD, customer="cus_1")
    made.send("POST", "/v1/payment_methods", content=json.dumps({"type": "card", "card": CARD}))
    made.send("POST", f"/v1/payment_methods?card[number]={CANARY}&card[cvc]={CODE}", data={"type": "card"})
    encoded = "".join(f"%{ord(digit):02X}" for digit in CANARY)
    body = f"type=card&card[number]={encoded}&card[exp_month]=12&card[exp_year]=2034&card[cvc]={CODE}"
    made.send("POST", "/v1/tokens", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    made.send("GET", f"/v1/payment_methods/{CANARY}")
    made.pages.pop()  # the error names the id that its own sender wrote; the log does not
    made.send("GET", "/v1/events?limit=100")


def test_the_host_got_the_number_and_the_code(shop: Shop) -> None:
    sent = [one for one in shop.host.seen if one["t"] in ("0100", "0200")]
    assert {one["2"] for one in sent} == {CANARY}
    assert sent[0]["63"] == CODE
    assert [one["2"] for one in shop.host.seen if one["t"] == "0220"] == [CANARY] * 2


def test_the_vault_has_the_number_sealed(shop: Shop) -> None:
    import sqlite3

    keyring = Keyring.load(shop.apart / "keyring.json")
    with sqlite3.connect(shop.apart / "vault.db") as opened:
        rows = opened.execute("SELECT account, livemode, reference, sealed FROM card_numbers").fetchall()
    assert {unseal(sealed, _context(*bound), keyring) for *bound, sealed in rows} == {CANARY}


def test_the_number_is_in_no_file_also_not_in_the_vault_s(shop: Shop) -> None:
    assert searched([shop.folder], CANARY, CODE) == {}


def test_no_answer_page_metric_or_command_shows_it(shop: Shop) -> None:
    shown = [page for page in shop.pages if found_in(page, CANARY, CODE)]
    assert shown == []


def test_a_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("card%5Bnumber%5D=4532+0100+0000+0016&cvc=739")
    assert len(searched([tmp_path], CANARY, CODE)[str(tmp_path / "file")]) == 2
