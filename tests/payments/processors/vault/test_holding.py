"""Who holds the numbers of the vault, in the main database."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.vault import Vaulted
from tollkey.db import Ids, Scope, Tx
from tollkey.payments.processors.vault import holding


def test_accounts_are_turned_on_and_off(api: Api) -> None:
    scope = Scope(api.account, True)
    write, read = api.core.database.write, api.core.database.read
    for on in (True, True, False):
        write(lambda tx, on=on: holding.turn(tx, scope, on, 1))
        assert read(lambda tx: holding.is_on(tx, scope)) is on
        assert (api.account in read(holding.accounts)) is on


def test_the_database_has_one_name(api: Api, ids: Ids) -> None:
    def work(tx: Tx) -> tuple[str | None, str | None]:
        return holding.main_id(tx, ids), holding.main_id(tx)

    first, again = api.core.database.write(work)
    assert first == again is not None


def test_an_object_without_a_number_holds_none(api: Api) -> None:
    scope = Scope(api.account, True)

    def work(tx: Tx) -> None:
        call = api.core.call(tx, scope)
        value: Any = {"object": "payment_method", "id": "pm_1"}
        holding.hold(call, value)
        holding.end(call, value)
        assert holding.may_be_used(call, value)

    api.core.database.write(work)


def test_a_number_has_one_holder_and_what_ended_it_does_not_begin_again(vaulted: Vaulted) -> None:
    vaulted.typed()
    (reference,) = vaulted.numbers()

    def work(tx: Tx) -> list[bool]:
        call = vaulted.api.core.call(tx, vaulted.scope)
        value: Any = {"object": "payment_method", "id": "pm_1", "_vault": reference}
        found = [holding.may_be_used(call, value)]
        holding.end(call, dict(value))  # type: ignore[arg-type]
        holding.hold(call, value)
        return [*found, holding.may_be_used(call, value), holding.of(tx, []) == []]

    assert vaulted.api.core.database.write(work) == [True, False, True]
    assert vaulted.holders() == [("payment_method", True)]


@pytest.mark.parametrize("count", [0, 2])
def test_everything_of_an_account_ends_at_once(vaulted: Vaulted, count: int) -> None:
    for _ in range(count):
        vaulted.typed()
    assert vaulted.api.core.database.write(lambda tx: holding.end_all(tx, vaulted.scope)) == count
    vaulted.tidy()
    assert vaulted.numbers() == []
