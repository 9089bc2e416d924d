from __future__ import annotations

import pytest

from tests.keys.conftest import ALICE, refused
from tollkey.keys import Key, KeyService


@pytest.fixture
def key(keys: KeyService) -> Key:
    """A key that needed less than it may."""
    key, text = keys.create(permissions=["report_write", "user_write"])
    keys.check(text, "report_read")
    keys.flush()
    return key


def test_a_proposal_is_applied_and_taken_back_with_one_call_each(keys: KeyService, key: Key) -> None:
    became = keys.tighten(keys.least_privilege(key), actor=ALICE)
    assert became.permissions == {"report_read"}
    assert keys.undo_tightening(became, actor=ALICE).permissions == {"report_write", "user_write"}
    assert [(entry.action, entry.actor.id) for entry in keys.audit()[:2]] == [("updated", "alice")] * 2


def test_it_can_be_taken_back_once(keys: KeyService, key: Key) -> None:
    with refused("nothing_to_undo"):
        keys.undo_tightening(key)
    keys.tighten(keys.least_privilege(key))
    keys.undo_tightening(key)
    with refused("nothing_to_undo"):
        keys.undo_tightening(key)


def test_a_change_by_hand_is_not_undone(keys: KeyService, key: Key) -> None:
    became = keys.tighten(keys.least_privilege(key))
    keys.update(became, permissions=["user_read"])
    with refused("api_key_changed"):
        keys.undo_tightening(became)


def test_a_proposal_for_permissions_that_changed_meanwhile_is_refused(keys: KeyService, key: Key) -> None:
    proposal = keys.least_privilege(key)
    keys.update(key, permissions=["user_write"])
    with refused("api_key_changed"):
        keys.tighten(proposal)
    changed = keys.get(key.id)
    assert changed is not None
    assert changed.permissions == {"user_write"}


def test_a_key_that_was_not_used_keeps_its_permissions(keys: KeyService) -> None:
    key = keys.create(permissions=["report_write"]).key
    with refused("nothing_observed"):
        keys.tighten(keys.least_privilege(key))


def test_a_secret_key_has_no_permissions_to_take_away(keys: KeyService) -> None:
    key, text = keys.create(kind="secret")
    keys.check(text, "report_read")
    keys.flush()
    with refused("api_key_not_restricted"):
        keys.tighten(keys.least_privilege(key))


def test_a_revoked_key_is_neither_changed_nor_changed_back(keys: KeyService, key: Key) -> None:
    proposal = keys.least_privilege(key)
    keys.revoke(key)
    with refused("api_key_expired"):
        keys.tighten(proposal)
