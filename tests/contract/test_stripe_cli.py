"""``stripe trigger`` of the official Stripe CLI, unmodified: every event it lists, and the event each is named for."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import stripe

from tests.contract.conftest import ROOT

Cli = Callable[..., "subprocess.CompletedProcess[str]"]

DOCS = ROOT / "docs" / "stripe-cli.md"


def known_failures() -> set[str]:
    """The events that docs/stripe-cli.md says do not work, with reasons; a row there that works after all is a failure too."""
    return set(re.findall(r"^\| `([a-z0-9_.]+)` \|", DOCS.read_text(), re.MULTILINE)) if DOCS.exists() else set()


def listed(cli: Cli) -> list[str]:
    """The events that ``stripe trigger --help`` lists."""
    text = cli("trigger", "--help").stdout
    return re.findall(r"^  ([a-z0-9_.]+)$", text.split("Supported events:")[1].split("Usage:")[0], re.MULTILINE)


def trigger(cli: Cli, name: str) -> tuple[str, str | None]:
    done = cli("trigger", name)
    return name, None if done.returncode == 0 and "succeeded" in done.stdout else (done.stdout + done.stderr)[-400:]


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
    with ThreadPoolExecutor(2) as pool:
        failed = {name: problem for name, problem in pool.map(partial(trigger, stripe_cli), names) if problem is not None}
    assert set(failed) == known_failures(), failed
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
