"""The newest official SDK of each language, without a version named, runs the same flows with the same outcome."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.conftest import Running, node_binaries
from tests.contract.judges.installing import (
    PROGRAMS,
    attempt,
    go_program,
    java_with,
    lines_of_json,
    needed,
    node_with,
    run,
)
from tests.contract.judges.installing import python_with as python_of
from tollkey.wire.versions import newer_notice

#: What an SDK prints of a server that does not know its API version.
NEWER = "is newer than this server is built for"
OUTCOMES: dict[str, object] = {
    "customer": ["Jenny", True],
    "payment": ["succeeded", 2000],
    "three_d_secure": ["requires_action", "succeeded"],
    "declined": [402, "card_declined", "generic_decline"],
    "refund": ["succeeded", 500],
    "subscription": ["active", [["paid", "subscription_cycle"], ["paid", "subscription_create"]]],
    "invoice": ["draft", "open", "paid", 1500],
    "checkout": ["open", 1400, True, "expired"],
    "connect": [3000, 1000],
    "webhook": ["customer.created", True, "refused"],
    "pagination": True,
    "idempotency": [True, 400],
    "errors": [
        [404, "resource_missing"],
        [400, "parameter_invalid_integer"],
        [400, "parameter_unknown"],
        [401, None],
    ],
    "files": ["dispute_evidence", True, "file_link"],
    "search": True,
    "v2": ["v2.billing.meter_event", "v2.billing.meter_event_session"],
    "destination": ["enabled", True, True, "disabled", True],
}


#: What the quick starts of Stripe's documentation come to.
QUICK_STARTS: dict[str, object] = {
    "payments": ["requires_payment_method", "succeeded", True, 71],
    "saved_card": ["succeeded", 1, "succeeded"],
    "checkout": ["unpaid", "complete", "paid", 4000, [2], True],
    "subscription": ["incomplete", "active", True, 4000, 2500, True, "canceled"],
    "checkout_of_a_subscription": ["complete", "trialing", 0],
    "connect": [False, True, True, True, "insufficient_capabilities_for_transfer"],
    "accounts_v2": ["v2.core.account", ["merchant"], "restricted", True, True],
    "meters": ["active", [50], 200],
    "thin_events": ["v1.billing.meter.no_meter_found", 1, "v1.invoice.paid", True, "v1.invoice.paid"],
}


def python(program: str = "flows") -> list[object]:
    return [python_of("python", "stripe") / "bin" / "python", PROGRAMS / f"{program}.py"]


def node(program: str = "flows") -> list[object]:
    folder = node_with("node", "stripe")
    script = folder / f"{program}.mjs"  # Node looks for packages beside the script
    script.write_text((PROGRAMS / f"{program}.mjs").read_text())
    return [node_binaries()[0], script]


def go() -> list[object]:
    return [go_program("go", "flows.go", "github.com/stripe/stripe-go", range(85, 200))]


def java() -> list[object]:
    libraries: Path = java_with("java", "com.stripe", "stripe-java")
    return [needed("java"), "-cp", f"{libraries}/*", PROGRAMS / "Flows.java"]


@pytest.mark.parametrize("language", [python, node, go, java], ids=lambda language: language.__name__)
@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_the_newest_sdk_runs_every_flow(
    language: Callable[[], list[object]], server: Running, record_property: Callable[[str, object], None]
) -> None:
    done = attempt(*language(), server.url, server.secret_key)
    assert done.returncode == 0, done.stderr[-4000:]
    assert NEWER not in done.stdout + done.stderr
    outcomes = lines_of_json(done.stdout)
    record_property(f"flows of the SDK for {language.__name__}", len(outcomes))
    assert {name: came for name, came in outcomes.items() if came != OUTCOMES[name]} == {}
    assert list(outcomes) == list(OUTCOMES)


@pytest.mark.parametrize("language", [python, node], ids=lambda language: language.__name__)
@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_the_newest_sdk_runs_every_quick_start(language: Callable[[str], list[object]], server: Running) -> None:
    done = attempt(*language("quick"), server.url, server.secret_key, server.publishable_key)
    assert NEWER not in done.stdout + done.stderr
    assert (done.returncode, lines_of_json(done.stdout)) == (0, QUICK_STARTS), done.stderr[-4000:]


def test_a_version_that_is_newer_than_the_server_would_be_told() -> None:
    assert NEWER in newer_notice("2099-01-01.later")


#: Lists of resources that are not built (docs/resources.md).
NOT_BUILT = {
    "financialConnections.accounts", "forwarding.requests", "issuing.personalizationDesigns",
    "issuing.physicalBundles", "paymentRecords", "sigma.scheduledQueryRuns", "treasury.financialAccounts",
}  # fmt: skip


def test_java_reads_every_list_and_every_event_into_typed_objects(
    filled: Running, record_property: Callable[[str, object], None]
) -> None:
    """Objects of another type than the SDK's classes say are errors there."""
    *command, _ = java()
    counts = lines_of_json(run(*command, PROGRAMS / "Lists.java", filled.url, filled.secret_key))
    read = [came for came in counts.values() if isinstance(came, int)]
    record_property("lists that Java reads, and objects in them", [len(read), sum(read)])
    failed = {name: came for name, came in counts.items() if not isinstance(came, int)}
    assert {name: came for name, came in failed.items() if "Unrecognized request URL" not in str(came)} == {}
    assert set(failed) == NOT_BUILT
    assert len(counts) - len(failed) > 50
