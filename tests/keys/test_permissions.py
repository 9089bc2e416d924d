from __future__ import annotations

from dataclasses import replace

import pytest

from tests.keys.conftest import PERMISSIONS, World, refused
from tollkey.keys import Permission
from tollkey.keys.errors import UnknownPermission
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.rules import check_grant

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


# -- permissions with a parameter: names known only at run time

PROJECTS = PermissionCatalogue(
    [
        Permission("project", "Projects", parameter=True),
        Permission("file", "Files", parameter=True),
        Permission("report", "Reports"),
    ],
    implied={"project": ("file:*:read", "report_read"), "report": ("file:*:read",)},
)


def test_a_permission_with_a_parameter_is_named_at_run_time() -> None:
    assert PROJECTS.check_known(["project:42:write", "rak_project:*:read"]) == {"project:42:write", "project:*:read"}
    assert PROJECTS.label("project:42:write") == "Projects 42 Write"
    assert PROJECTS.label("project:*:read") == "All Projects Read"
    assert PROJECTS.row("project:42:write").name == "project"


@pytest.mark.parametrize(
    "name",
    [
        "project_write", "project:42", "project:42:delete", "project::read", "project:4 2:read", "project:42:43:read",
        "report:42:read", "nobody:42:read", "project:" + "x" * 201 + ":read", "project:4*:read",
    ],
)  # fmt: skip
def test_a_malformed_grant_with_a_parameter_is_refused(name: str) -> None:
    with pytest.raises(UnknownPermission):
        PROJECTS.canonical(name)


def test_what_a_grant_with_a_parameter_implies_is_for_the_same_parameter() -> None:
    assert PROJECTS.expand(["project:42:write"]) == {
        "project:42:write", "project:42:read", "file:42:read", "report_read", "file:*:read",
    }  # fmt: skip
    assert PROJECTS.expand(["file:7:write"]) == {"file:7:write", "file:7:read"}


def test_a_grant_for_every_parameter_covers_each_of_them(world: World) -> None:
    catalogue = PermissionCatalogue([Permission("project", "Projects", parameter=True)])
    key, _ = world.make("restricted", permissions=["charge_read"])
    everything = replace(key, effective=catalogue.expand(["project:*:write"]))
    one = replace(key, effective=catalogue.expand(["project:42:write"]))
    assert everything.allows("project:42:read")
    assert everything.allows("project:42:write")
    assert one.allows("project:42:read")
    assert not one.allows("project:43:read")
    assert not one.allows("project:*:read")
    assert catalogue.covers(everything, ["project:42:write"])
    assert not catalogue.covers(one, ["project:*:read"])
    check_grant(everything, one)
    with refused("api_key_grant_exceeded"):
        check_grant(one, everything)


def test_a_declared_name_has_no_colon() -> None:
    with pytest.raises(ValueError, match="colon"):
        PermissionCatalogue([Permission("a:b", "A")])


def test_a_restricted_key_covers_what_its_permissions_amount_to_and_a_secret_key_everything(world: World) -> None:
    restricted, _ = world.make("restricted", permissions=["customer_write", "invoice_read"])
    assert CATALOGUE.covers(restricted, ["customer_read", "credit_note_read"])
    assert not CATALOGUE.covers(restricted, ["invoice_write"])
    assert CATALOGUE.covers(world.make("secret")[0], CATALOGUE.names)
