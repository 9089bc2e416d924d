"""An account with something of everything in it, for the programs that copy accounts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import stripe

from tests.contract.conftest import OLDER, Running, node_binaries, older_triggers, serving
from tests.contract.judges.installing import PROGRAMS, attempt, node_with, python_with, run
from tests.contract.judges.standing_in import StandIn, standing_in
from tollkey.db import Ids

#: What the flows of the SDKs leave out; each makes several kinds of object.
TRIGGERS = (
    "balance.available", "billing_portal.session.created", "charge.dispute.closed", "charge.refund.updated",
    "checkout.session.completed", "credit_note.created", "customer.subscription.trial_will_end",
    "identity.verification_session.created", "invoice.payment_failed", "invoice.paid",
    "issuing_authorization.request", "issuing_transaction.created",
    "payment_intent.payment_failed", "payment_intent.partially_funded", "payment_link.created", "payout.created",
    "plan.created", "quote.accepted", "setup_intent.succeeded",
    "subscription_schedule.created", "tax_rate.created", "topup.created", "transfer.reversed",
)  # fmt: skip


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests counted (``record_property``), for docs/judges.md."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {json.dumps(value)}")


@pytest.fixture(scope="session")
def filled(
    tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[], str], cli: Callable[..., str]
) -> Iterator[Running]:
    """A server on PostgreSQL whose account went through the flows of the Python SDK and some triggers of the CLI."""
    with serving(tmp_path_factory.mktemp("judges") / "filled", new_database()) as server:
        python = python_with("python", "stripe") / "bin" / "python"
        run(python, PROGRAMS / "flows.py", server.url, server.secret_key)
        for event in TRIGGERS:
            cli(server, "trigger", event, *(["--api-version", OLDER] if event in older_triggers() else []))
        _add(stripe.StripeClient(server.secret_key, base_addresses={"api": server.url}))
        yield server


def _add(sdk: stripe.StripeClient) -> None:
    """What neither the flows nor the triggers make: a stolen card, an application fee, a tax id, a feature, a rate."""
    api: Any = sdk.v1
    never = {"enabled": True, "allow_redirects": "never"}
    payment = {"amount": 2000, "currency": "usd", "confirm": True, "automatic_payment_methods": never}
    api.payment_intents.create({**payment, "payment_method": "pm_card_createIssuerFraudRecord"})
    account = next(found for found in api.accounts.list().data if found.charges_enabled)
    shared = {"application_fee_amount": 100, "transfer_data": {"destination": account.id}}
    api.payment_intents.create({**payment, **shared, "payment_method": "pm_card_visa", "capture_method": "automatic"})
    coupon = api.coupons.create({"percent_off": 10, "duration": "once"}).id
    api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon}})
    api.tax_ids.create({"type": "eu_vat", "value": "DE123456789"})
    api.entitlements.features.create({"name": "Reports", "lookup_key": "reports"})
    rate = {"amount": 500, "currency": "usd"}
    api.shipping_rates.create({"display_name": "Ground", "type": "fixed_amount", "fixed_amount": rate})


@pytest.fixture(scope="session")
def new_database(postgres_server: Callable[[str], str]) -> Callable[[], str]:
    """Makes an empty PostgreSQL database; returns its URL."""

    def make() -> str:
        name = f"judge_{Ids().text(12).lower()}"
        with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        return postgres_server(name)

    return make


@pytest.fixture(scope="session")
def cli_attempt(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the newest Stripe CLI against a server, whatever it says."""
    program = node_with("cli", "@stripe/cli") / "node_modules" / ".bin" / "stripe"
    home = tmp_path_factory.mktemp("cli")

    def command(
        server: Running, *words: str, environ: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        settings = {
            "PATH": f"{Path(node_binaries()[0]).parent}:/usr/bin:/bin",
            "HOME": str(home),
            "STRIPE_API_KEY": server.secret_key,
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            **(environ or {}),
        }
        return attempt(program, *words, "--api-base", server.url, environ=settings)

    return command


@pytest.fixture(scope="session")
def cli(cli_attempt: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., str]:
    """Runs a command that has to succeed: ``cli(server, "trigger", "plan.created")`` returns what it said."""

    def command(server: Running, *words: str, environ: dict[str, str] | None = None) -> str:
        done = cli_attempt(server, *words, environ=environ)
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    return command


@pytest.fixture(scope="session")
def stand_in(filled: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A proxy that stands in for Stripe's hosts with the filled account behind it."""
    with standing_in(tmp_path_factory.mktemp("proxy"), filled.url) as proxy:
        yield proxy
