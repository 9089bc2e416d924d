"""Commands of the newest Stripe CLI. What `stripe trigger` does is in ``tests/contract/test_stripe_cli.py``."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Callable

import pytest

from tests.contract.conftest import Running
from tests.contract.judges.standing_in import StandIn

#: Lists of resources that are not built (docs/resources.md): the CLI is told that there is no such URL.
NOT_BUILT = {
    "billing feedback_options", "financial_connections accounts", "financial_connections transactions",
    "forwarding requests", "issuing personalization_designs", "issuing physical_bundles", "issuing tokens",
    "payment_records", "scheduled_query_runs", "treasury credit_reversals", "treasury debit_reversals",
    "treasury financial_accounts", "treasury inbound_transfers", "treasury outbound_payments",
    "treasury outbound_transfers", "treasury received_credits", "treasury received_debits",
    "treasury transaction_entrys", "treasury transactions", "v2 commerce product_catalog_imports",
}  # fmt: skip
#: Groups of commands that are not about the API, or about its preview.
OTHERS = ("docs", "login", "preview", "plugin", "projects", "reporting", "samples")


def outcome(done: subprocess.CompletedProcess[str]) -> str:
    """What a list command came to: ``list``, ``wants more`` (an id, a parameter), ``not built``, or what it said."""
    said = done.stdout + done.stderr
    if re.search(r'"object": "list"|"next_page_url"', said):
        return "list"
    if "requires exactly" in said or '"code": "parameter_missing"' in said:
        return "wants more"
    return "not built" if "Unrecognized request URL" in said else said[:300]


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_every_list_command_is_answered(
    server: Running,
    cli: Callable[..., str],
    cli_attempt: Callable[..., subprocess.CompletedProcess[str]],
    record_property: Callable[[str, object], None],
) -> None:
    paths = re.findall(r"^stripe (.+) list$", cli(server, "--map=paths"), re.MULTILINE)
    lists = [path for path in paths if path.split()[0] not in OTHERS]
    assert len(lists) > 100
    outcomes = {path: outcome(cli_attempt(server, *path.split(), "list")) for path in lists}
    record_property("list commands of the Stripe CLI", dict(Counter(outcomes.values())))
    assert {path: what for path, what in outcomes.items() if what not in ("list", "wants more", "not built")} == {}
    assert {path for path, what in outcomes.items() if what == "not built"} == NOT_BUILT
    assert sum(what == "list" for what in outcomes.values()) > 60


@pytest.mark.parametrize("event", ["no_meter_found", "error_report_triggered"])
def test_meter_events_reach_the_host_that_the_cli_has_built_in(
    filled: Running, stand_in: StandIn, cli: Callable[..., str], event: str
) -> None:
    type = f"v1.billing.meter.{event}"
    assert "succeeded" in cli(filled, "trigger", type, environ=stand_in.environ())
    assert '"object": "event"' in cli(filled, "events", "list", "--type", type)
