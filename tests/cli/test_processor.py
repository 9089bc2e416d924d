"""The processor of an account, from a shell."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.shell import audited, run
from tests.support.socket_processor import Books, installed
from tollkey.core import open_core
from tollkey.db import Scope
from tollkey.payments.processors import attempts
from tollkey.platform.merchants import first_merchant
from tollkey.settings import Settings


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A processor on a socket of this machine."""
    loop, ready, found = asyncio.new_event_loop(), threading.Event(), []

    async def serve() -> None:
        server = await asyncio.start_server(Books(tmp_path / "books", 0.0, 1).serve, "127.0.0.1", 0)
        found.append(server.sockets[0].getsockname()[1])
        ready.set()
        async with server:
            await server.serve_forever()

    task = loop.create_task(serve())

    def work() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait(10)
    yield found[0]
    loop.call_soon_threadsafe(task.cancel)
    thread.join()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one account, where the provider ``socket`` is installed."""
    monkeypatch.syspath_prepend(str(installed(tmp_path / "installed")))
    made = run(tmp_path / "data", "accounts", "create", "--name", "Shop")
    assert made.exit_code == 0, made.output
    return tmp_path / "data"


def config(tmp_path: Path, port: int) -> str:
    file = tmp_path / "processor.toml"
    file.write_text(f'host = "127.0.0.1"\nport = {port}\n')
    return str(file)


def test_an_account_is_connected_tested_and_disconnected(shop: Path, port: int, tmp_path: Path) -> None:
    made = run(shop, "live", "processor", "connect", "--provider", "socket", "--config", config(tmp_path, port))
    assert made.exit_code == 0, made.output
    assert "uses A scripted processor on a socket in live mode" in made.output
    tried = run(shop, "live", "processor", "test")
    assert (tried.exit_code, tried.output.strip()) == (0, "it answers")
    told = json.loads(run(shop, "live", "processor", "status", "--json").output)
    assert [one["provider"] for one in told["processors"]] == ["socket"]
    assert "socket" in told["providers"]
    assert run(shop, "doctor").exit_code == 0
    again = run(shop, "live", "processor", "connect", "--provider", "socket", "--config", config(tmp_path, port))
    assert again.exit_code == 0, again.output
    gone = run(shop, "live", "processor", "disconnect")
    assert gone.exit_code == 0, gone.output
    assert run(shop, "live", "processor", "disconnect").exit_code == 1
    assert audited(shop) == [
        ("processor_connected", "socket"), ("processor_configured", "socket"), ("processor_disconnected", "socket"),
    ]  # fmt: skip


def test_a_configuration_is_tried_first(shop: Path, tmp_path: Path) -> None:
    refused = run(shop, "live", "processor", "connect", "--provider", "socket", "--config", config(tmp_path, 1))
    assert (refused.exit_code, "not connected" in refused.output) == (1, True)
    empty = tmp_path / "empty.toml"
    empty.write_text("")
    refused = run(shop, "live", "processor", "connect", "--provider", "socket", "--config", str(empty))
    assert (refused.exit_code, "host is missing" in refused.output) == (1, True)


@pytest.mark.parametrize(
    ("provider", "file", "said"),
    [("nobody", "a.toml", "there is no provider"), ("socket", "none.toml", "cannot be"), ("socket", "b.toml", "TOML")],
)
def test_what_is_wrong_with_the_options_is_told(
    shop: Path, tmp_path: Path, provider: str, file: str, said: str
) -> None:
    (tmp_path / "a.toml").write_text("")
    (tmp_path / "b.toml").write_text("= nothing")
    path = str(tmp_path / file)
    refused = run(shop, "live", "processor", "connect", "--provider", provider, "--config", path)
    assert (refused.exit_code, said in refused.output) == (2, True), refused.output


def test_nothing_is_resolved_that_waits_for_nobody(shop: Path) -> None:
    refused = run(shop, "live", "processor", "resolve", "ABC", "--as", "approved")
    assert (refused.exit_code, "no attempt waits" in refused.output) == (1, True)
    assert run(shop, "live", "processor", "attempts").output.strip() == "Nothing"


def test_what_a_person_decided_is_in_the_audit_log(shop: Path) -> None:
    question = attempts.Question("authorize", "pi_1", 500, "usd", {"capture": True})
    core = open_core(Settings(data=str(shop)))
    account = core.database.read(first_merchant)
    assert account is not None
    scope = Scope(account.id, True)
    core.database.write(lambda tx: attempts.add(tx, scope, "R1", question, "socket", int(core.now())))
    core.database.write(lambda tx: tx.execute("UPDATE processor_attempts SET state = 'manual'"))
    core.close()
    for outcome, code in (("approved", 0), ("declined", 1)):
        assert run(shop, "live", "processor", "resolve", "R1", "--as", outcome).exit_code == code
    assert audited(shop) == [("processor_attempt_approved", "R1")]


def test_the_number_of_a_bank_account_is_kept_and_not_shown(shop: Path, tmp_path: Path) -> None:
    file = tmp_path / "bank.toml"
    file.write_text('name = "Shop"\niban = "DE89370400440532013000"\n')
    kept = run(shop, "live", "processor", "bank-account", "ba_1", "--details", str(file))
    assert (kept.exit_code, kept.output.strip()) == (0, "Kept of ba_1: iban, name.")
    file.write_text("name = 1")
    assert run(shop, "live", "processor", "bank-account", "ba_1", "--details", str(file)).exit_code == 2
    assert audited(shop) == [("payout_bank_account_kept", "ba_1")]
