"""Payments of the API through an ISO 8583 host on a real socket: what the host holds is what the objects say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.payments.processors.iso8583.steps import NOW, configuration
from tests.support.api import Api
from tests.support.iso_host import Host, iso_host
from tests.support.processor import Live, Network, connected
from tollkey.payments.processors import backends
from tollkey.payments.processors.iso8583.processor import PROVIDER, open_processor

CARD = "4532010000000008=3412"


@pytest.fixture
def host(api: Api) -> Iterator[Host]:
    held = iso_host()
    yield api.world.runner.run(held.__aenter__())
    api.world.runner.run(held.__aexit__(None, None, None))


@pytest.fixture
def live(api: Api, host: Host) -> Iterator[Live]:
    """The live mode of a merchant at that host."""
    config = configuration(host.port, card="number")
    with connected(api, Network()) as found:
        links, core = api.world.server.sender.links, api.core
        links.find = lambda: {"iso8583": PROVIDER}
        api.world.runner.run(links.close())

        async def features() -> object:
            return open_processor(config, lambda: NOW).features

        able = api.world.runner.run(features())
        core.database.write(lambda tx: backends.disconnect(tx, found.scope))
        core.database.write(
            lambda tx: backends.connect(tx, core.authority.keyring, found.scope, "iso8583", config, able, api.now)
        )
        yield found


def pay(live: Live, amount: int = 500, **more: object) -> dict[str, object]:
    paid: dict[str, object] = live.pay(amount, payment_method=live.method(CARD), **more)
    return paid


def test_a_payment_is_held_captured_and_refunded_at_the_host(live: Live, host: Host) -> None:
    held = pay(live, 900, capture_method="manual")
    assert (held["status"], list(host.held.values())) == ("requires_capture", [900])
    taken = live.post(f"/v1/payment_intents/{held['id']}/capture", amount_to_capture=300)
    assert (taken["status"], list(host.captured.values())) == ("succeeded", [300])
    back = live.post("/v1/refunds", payment_intent=held["id"], amount=100)
    assert (back["status"], list(host.refunded.values())) == ("succeeded", [100])


def test_a_decline_of_the_host_is_one_of_the_api(live: Live, host: Host) -> None:
    host.answers["000000000500"] = "51"
    refused = live.pay(500, payment_method=live.method(CARD))
    assert (refused.status, refused.error.get("decline_code")) == (402, "insufficient_funds"), refused


@pytest.mark.parametrize("fault", ["lose_request", "lose_answer", "cut_after", "cut_within"])
def test_a_payment_of_unknown_outcome_is_undone_at_the_host_and_fails(live: Live, host: Host, fault: str) -> None:
    host.faults.append(fault)  # type: ignore[arg-type]
    waiting = pay(live, 500, capture_method="manual")
    assert waiting["status"] == "processing"
    for _ in range(6):
        live.recover(20, times=2)
    after = live.get(f"/v1/payment_intents/{waiting['id']}")
    assert after["status"] == "requires_payment_method"
    assert live.attempts(str(waiting["id"]))[0].state == "reversed"
    assert host.held == {}
