from __future__ import annotations

import pytest

from tests.keys.conftest import PERMISSIONS, World
from tollkey.keys import Permission, PermissionCatalogue, UnknownPermission

CATALOGUE = PermissionCatalogue(PERMISSIONS)


def test_write_brings_read_along() -> None:
    assert CATALOGUE.expand(["charge_write"]) == {"charge_write", "charge_read"}


def test_read_does_not_bring_write() -> None:
    assert CATALOGUE.expand(["charge_read"]) == {"charge_read"}


def test_a_permission_without_a_read_level_brings_none() -> None:
    assert CATALOGUE.expand(["api_key_write"]) == {"api_key_write"}


def test_implied_permissions_are_followed_to_the_end() -> None:
    effective = CATALOGUE.expand(["balance_transaction_source_read"])
    assert effective == {"balance_transaction_source_read", "balance_read", "transfer_read", "payout_read"}


def test_permissions_that_imply_each_other_do_not_go_round_forever() -> None:
    assert CATALOGUE.expand(["invoice_read"]) == {"invoice_read", "credit_note_read"}


def test_implied_permissions_are_data() -> None:
    catalogue = PermissionCatalogue([Permission("a", "A"), Permission("b", "B")], implied={"a": ("b_read",)})
    assert catalogue.expand(["a_read"]) == {"a_read", "b_read"}


@pytest.mark.parametrize("spelling", ["top_up_write", "topup_write", "rak_topup_write", "rak_top_up_write"])
def test_the_spellings_in_use_mean_the_declared_name(spelling: str) -> None:
    assert CATALOGUE.check_known([spelling]) == {"top_up_write"}


@pytest.mark.parametrize("name", ["customer", "customer_delete", "balance_write", "nothing_read", "", "rak_"])
def test_a_permission_that_nobody_declares_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnknownPermission) as refused:
        CATALOGUE.check_known(["customer_read", name])
    assert refused.value.name == name
    assert refused.value.param == "permissions"


def test_a_permission_has_a_human_name() -> None:
    assert CATALOGUE.label("rak_customer_write") == "Customers Write"
    assert CATALOGUE.row("customer_write").group == "Core"


def test_the_same_row_declared_by_two_files_must_read_the_same() -> None:
    assert len(PermissionCatalogue([Permission("a", "A"), Permission("a", "A")]).rows) == 1
    with pytest.raises(ValueError, match="declared twice"):
        PermissionCatalogue([Permission("a", "A"), Permission("a", "B")])


def test_a_restricted_key_covers_what_its_permissions_amount_to_and_a_secret_key_everything(world: World) -> None:
    restricted, _ = world.make("restricted", permissions=["customer_write", "invoice_read"])
    assert CATALOGUE.covers(restricted, ["customer_read", "credit_note_read"])
    assert not CATALOGUE.covers(restricted, ["invoice_write"])
    assert CATALOGUE.covers(world.make("secret")[0], CATALOGUE.names)
