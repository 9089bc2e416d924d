"""``stripe trigger`` of the official Stripe CLI, unmodified: every event it lists, and the event each is named for."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest
import stripe

from tests.contract.conftest import OLDER, Running, node_binaries, older_triggers, told_triggers

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


def listed(cli: Cli) -> list[str]:
    """The events that ``stripe trigger --help`` lists."""
    text = cli("trigger", "--help").stdout
    return re.findall(r"^  ([a-z0-9_.]+)$", text.split("Supported events:")[1].split("Usage:")[0], re.MULTILINE)


def failing(cli: Cli, names: Iterable[str], *options: str) -> dict[str, str]:
    """The triggers that do not succeed, and what the CLI said."""

    def problem(name: str) -> str | None:
        done = cli("trigger", name, *options)
        return None if done.returncode == 0 and "succeeded" in done.stdout else (done.stdout + done.stderr)[-400:]

    names = sorted(names)
    with ThreadPoolExecutor(2) as pool:
        return {name: said for name, said in zip(names, pool.map(problem, names), strict=True) if said is not None}


#: Names of fixtures for which no event type exists, and the event each leads to (docs/stripe-cli.md).
FIXTURES = {
    "subscription.payment_failed": "invoice.payment_failed",
    "subscription.payment_succeeded": "invoice.payment_succeeded",
}


def happened(sdk: stripe.StripeClient, name: str) -> bool:
    """Whether the event is there; an ending like ``.eu`` only picks the fixture's country."""
    type = FIXTURES.get(name) or re.sub(r"\.(eu|gb)$", "", name)
    return bool(sdk.v1.events.list({"type": type, "limit": 1}).data)


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_every_event_of_stripe_trigger_succeeds_and_is_there(stripe_cli: Cli, sdk: stripe.StripeClient) -> None:
    names = listed(stripe_cli)
    assert len(names) >= 100
    never = told_triggers("Triggers that do not succeed")
    failed = failing(stripe_cli, names)
    silent = {name for name in names if name not in failed and not happened(sdk, name)}
    assert failed.keys() | silent == older_triggers() | never, (failed, silent)
    failed = failing(stripe_cli, failed.keys() | silent, "--api-version", OLDER)
    assert set(failed) == never, failed
    absent = [name for name in names if name not in failed and not happened(sdk, name)]
    assert absent == []


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_the_cli_reads_and_writes_objects(stripe_cli: Cli, tmp_path: Path) -> None:
    made = stripe_cli("customers", "create", "--email", "jenny@example.com")
    assert (made.returncode, '"email": "jenny@example.com"' in made.stdout) == (0, True)


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_the_cli_asks_which_permissions_an_endpoint_needs(stripe_cli: Cli) -> None:
    answer = stripe_cli("keys", "permissions", "GET /v1/customers")
    assert "customer_read" in answer.stdout


# -- stripe logs tail, stripe events resend


@contextmanager
def running_cli(folder: Path, server: Running, home: Path, *words: str) -> Iterator[Callable[[str], str]]:
    """The CLI in the background; what it gives waits for a line with a text in it."""
    program = folder / "node_modules" / ".bin" / "stripe"
    binary, _ = node_binaries()
    environ = {
        "PATH": f"{Path(binary).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "STRIPE_API_KEY": server.secret_key,
        "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
    }
    process = subprocess.Popen(
        [program, *words, "--api-base", server.url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environ,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    seen: Queue[str] = Queue()
    reader = Thread(target=lambda: [seen.put(line) for line in process.stdout or ()], daemon=True)
    reader.start()

    def wait_for(text: str) -> str:
        said = ""
        while text not in said:
            said += seen.get(timeout=120)
        return said

    try:
        yield wait_for
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=120)
        reader.join(timeout=120)
        process.stdout.close()


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_logs_tail_prints_requests_as_they_come(
    node_folder: Path, server: Running, tmp_path: Path, sdk: stripe.StripeClient
) -> None:
    with running_cli(
        node_folder, server, tmp_path, "logs", "tail", "--filter-http-method", "POST", "--format", "JSON"
    ) as wait_for:
        wait_for("Ready!")
        sdk.v1.customers.list()
        sdk.v1.customers.create({"name": "Jenny"})
        lines = [json.loads(line) for line in wait_for("/v1/customers").splitlines()]
    assert {line["method"] for line in lines} == {"POST"}  # the program's own, and what was still on its way to the log
    told = lines[-1]
    assert (told["method"], told["url"], told["status"], told["error"]) == ("POST", "/v1/customers", 200, {})


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_events_resend_sends_an_event_to_a_listening_cli(
    node_folder: Path, server: Running, tmp_path: Path, sdk: stripe.StripeClient, stripe_cli: Cli
) -> None:
    customer = sdk.v1.customers.create({"name": "Jenny"})
    (event,) = sdk.v1.events.list({"type": "customer.created", "limit": 1}).data
    assert event.data.object["id"] == customer.id
    with running_cli(node_folder, server, tmp_path, "listen", "--all-snapshot") as wait_for:
        wait_for("Ready!")
        done = stripe_cli("events", "resend", event.id)
        assert done.returncode == 0, done.stderr
        wait_for(event.id)


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_the_cli_acts_for_an_account_in_a_context(stripe_cli: Cli, sdk: stripe.StripeClient) -> None:
    account = sdk.v1.accounts.create({"type": "express", "country": "US"}).id
    made = stripe_cli("customers", "create", "--email", "there@example.com", "--stripe-account", account)
    assert made.returncode == 0, made.stderr
    assert [c.email for c in sdk.v1.customers.list(options={"stripe_account": account}).data] == ["there@example.com"]
