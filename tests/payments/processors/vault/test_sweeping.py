"""What deletes a number from the vault, and what keeps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.vault import CANARY, Vaulted, card, turn
from tollkey.db import Scope, Tx
from tollkey.payments.processors import asking, attempts, backends
from tollkey.payments.processors.vault import store

DAY = 86_400
LOOSE = 8 * DAY


def method(held: Vaulted) -> str:
    found: str = held.typed()["id"]
    return found


def token(held: Vaulted) -> str:
    found: str = held.post("/v1/tokens", card=card())["id"]
    return found


def saved(held: Vaulted) -> tuple[str, str]:
    customer: str = held.post("/v1/customers")["id"]
    one = method(held)
    held.post(f"/v1/payment_methods/{one}/attach", customer=customer)
    return customer, one


def detached(held: Vaulted) -> None:
    _, one = saved(held)
    held.post(f"/v1/payment_methods/{one}/detach")


def customer_deleted(held: Vaulted) -> None:
    customer, _ = saved(held)
    held.api.delete(f"/v1/customers/{customer}", **held.key)


def source_deleted(held: Vaulted) -> None:
    customer = held.post("/v1/customers", source=token(held))
    held.api.delete(f"/v1/customers/{customer['id']}/sources/{customer['default_source']}", **held.key)


def source_replaced(held: Vaulted) -> None:
    customer = held.post("/v1/customers", source=token(held))
    held.post(f"/v1/customers/{customer['id']}", source="", **{})
    held.api.delete(f"/v1/customers/{customer['id']}", **held.key)


@pytest.mark.parametrize("end", [detached, customer_deleted, source_deleted, source_replaced])
def test_what_ends_a_card_deletes_its_number_at_once(vaulted: Vaulted, end: Callable[[Vaulted], None]) -> None:
    end(vaulted)
    vaulted.tidy()
    assert (vaulted.numbers(), vaulted.holders()) == ([], [])


def test_a_token_that_is_used_passes_its_number_on(vaulted: Vaulted) -> None:
    vaulted.post("/v1/payment_methods", type="card", card={"token": token(vaulted)})
    assert (len(vaulted.numbers()), vaulted.holders()) == (1, [("payment_method", False)])


def test_a_token_that_is_not_used_for_a_day_loses_its_number(vaulted: Vaulted) -> None:
    made = token(vaulted)
    vaulted.sweep(DAY + 1)
    assert vaulted.numbers() == []
    refused = vaulted.post("/v1/payment_methods", type="card", card={"token": made})
    assert (refused.status, refused.error["code"]) == (400, "token_already_used")


def test_a_saved_card_keeps_its_number(vaulted: Vaulted) -> None:
    customer, one = saved(vaulted)
    vaulted.sweep(400 * DAY)
    assert len(vaulted.numbers()) == 1
    vaulted.post(f"/v1/payment_methods/{one}", card={"exp_year": 2040})
    assert vaulted.pay(payment_method=one, customer=customer)["status"] == "succeeded"


def test_a_card_of_no_customer_keeps_its_number_while_a_hold_may_be_captured(vaulted: Vaulted) -> None:
    one = method(vaulted)
    vaulted.api.world.clock[0] += 5 * DAY
    held = vaulted.pay(payment_method=one, capture_method="manual")
    vaulted.sweep(LOOSE - 10)
    assert len(vaulted.numbers()) == 1
    vaulted.sweep(DAY + 1)
    assert (held["status"], vaulted.numbers()) == ("requires_capture", [])


def test_what_is_asked_of_the_processor_holds_the_number_of_a_card_that_is_not_stored(vaulted: Vaulted) -> None:
    kept = vaulted.api.world.runner.run(vaulted.vault.keep({"card": card()}, vaulted.scope))[CANARY]

    def ask(tx: Tx) -> None:
        call = vaulted.api.core.call(tx, vaulted.scope)
        backend = backends.of(tx, vaulted.scope)
        assert backend is not None
        asked = {"method": "card_1", "type": "card", "capture": True, "vault": kept.reference}
        asking.ask(call, backend, attempts.Question("authorize", "ch_1", 500, "usd", asked), "card")

    vaulted.api.core.database.write(ask)
    vaulted.api.world.runner.run(vaulted.vault.release({CANARY: kept}))
    assert (vaulted.numbers(), vaulted.holders()) == ([kept.reference], [("attempt", False)])
    (one,) = vaulted.attempts("ch_1")
    found = vaulted.api.world.runner.run(vaulted.vault.card_for(one, vaulted.network.features))
    assert found is not None
    assert found.number == CANARY
    vaulted.sweep(LOOSE + 1)
    assert vaulted.numbers() == []


@pytest.mark.parametrize("given", ["token", "card"])
def test_a_charge_that_is_held_keeps_its_number_until_it_is_captured(vaulted: Vaulted, given: str) -> None:
    source = token(vaulted) if given == "token" else {"object": "card", **card()}
    held = vaulted.post("/v1/charges", amount=500, currency="usd", source=source, capture="false")
    assert (held.status, vaulted.holders()) == (200, [("attempt", False)])
    vaulted.sweep(6 * DAY)
    taken = vaulted.post(f"/v1/charges/{held['id']}/capture")
    sent: Any = vaulted.network.requests[-1]
    assert (taken["captured"], sent.operation, sent.original.method.token) == (True, "capture", CANARY)


def test_a_number_that_nothing_refers_to_is_deleted_after_a_day(vaulted: Vaulted) -> None:
    """As when the process ends between the two commits."""
    method(vaulted)
    kept = vaulted.api.world.runner.run(vaulted.vault.keep({"card": card()}, vaulted.scope))
    assert kept[CANARY].reference in vaulted.numbers()
    vaulted.sweep(DAY - 10)
    assert len(vaulted.numbers()) == 2
    vaulted.sweep(11)
    assert len(vaulted.numbers()) == 1
    assert kept[CANARY].reference not in vaulted.numbers()


def test_the_numbers_of_a_deleted_account_are_deleted(vaulted: Vaulted) -> None:
    wanted = {"card_payments": {"requested": True}, "transfers": {"requested": True}}
    account = vaulted.post("/v1/accounts", type="custom", country="US", capabilities=wanted)["id"]
    core, scope = vaulted.api.core, Scope(account, True)
    features = vaulted.network.features
    core.database.write(
        lambda tx: backends.connect(tx, core.authority.keyring, scope, "scripted", {}, features, vaulted.api.now)
    )
    turn(core.database, scope, True)
    customer = vaulted.post("/v1/customers", source={"object": "card", **card()}, headers={"Stripe-Account": account})

    def numbers() -> int:
        return vaulted.store().database.read(store.counts).get(account, 0)

    vaulted.sweep(DAY + 1)
    assert (customer.status, numbers()) == (200, 1)
    vaulted.api.delete(f"/v1/accounts/{account}", **vaulted.key)
    vaulted.sweep(DAY + 1)
    assert numbers() == 0


def test_a_holder_whose_object_is_gone_ends(vaulted: Vaulted) -> None:
    one = method(vaulted)
    table = vaulted.api.core.setup.tables.of["payment_method"].table
    vaulted.api.core.database.write(lambda tx: tx.execute(f"DELETE FROM {table} WHERE id = ?", (one,)))
    vaulted.sweep(DAY + 1)
    assert (vaulted.numbers(), vaulted.holders()) == ([], [])
