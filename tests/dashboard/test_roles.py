"""The matrix of roles, cell by cell, written down a second time: test mode, then live mode where it differs."""

from __future__ import annotations

import pytest

from tollkey.dashboard import roles

LETTERS = dict(zip("OADNSV", (role.name for role in roles.ROLES), strict=True))
EXPECTED = {
    "keys.see": "OAD", "keys.reveal": "OAD", "keys.create": "OAD", "keys.edit": "OAD", "keys.roll": "OAD",
    "keys.hide": "OAD",
    "keys.delete": "OAD", "logs.see": "OADNS OADN", "webhooks.see": "OAD", "webhooks.change": "OAD",
    "settings.api": "OAD",
    "clocks.change": "OAD", "jobs.see": "OAD", "jobs.change": "OAD",
    "upstream.see": "OAD", "upstream.change": "OAD", "objects.see": "OADNSV",
    "objects.export": "OADNS OADN",
    "objects.change": "OADNS OADS",
    "refunds.make": "OADNS OANS", "disputes.answer": "OADNS OANS", "team.see": "OADNSV", "team.change": "OA",
    "owner.transfer": "O",
    "business.see": "OADNSV", "business.change": "OA", "audit.see": "OAD", "usage.see": "OADN",
    "plan.see": "OADN", "plan.change": "OA",
}  # fmt: skip


def test_every_action_is_written_down() -> None:
    assert set(EXPECTED) == set(roles.ACTIONS)


@pytest.mark.parametrize("action", EXPECTED)
def test_each_cell_of_the_matrix(action: str) -> None:
    test, _, live = EXPECTED[action].partition(" ")
    for letter, role in LETTERS.items():
        assert roles.allows(role, action, False) == (letter in test), (role, "test")
        assert roles.allows(role, action, True) == (letter in (live or test)), (role, "live")


def test_nobody_gives_the_ownership_as_a_role() -> None:
    assert not any(roles.may_assign(role.name, roles.OWNER) for role in roles.ROLES)


def test_only_owner_and_administrator_give_roles() -> None:
    assert [role.name for role in roles.ROLES if roles.may_assign(role.name, "view_only")] == ["owner", "administrator"]
