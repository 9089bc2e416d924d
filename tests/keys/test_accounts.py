"""The view of one account: everything of its own, nothing of others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.keys.conftest import refused
from tollkey.keys import Key, KeyService, Reason


def test_the_view_does_what_the_service_does_without_the_account(service: KeyService) -> None:
    alice = service.account("alice")
    made = alice.create("CI", permissions=["report_read"], metadata={"team": "a"})
    key, text = made
    assert (made.key, made.secret) == (key, text)
    assert (key.account, key.livemode) == ("alice", True)
    assert alice.check(text, "report_read", endpoint="GET /r").key == key
    assert asyncio.run(alice.acheck(text)).key == key
    service.flush()
    usage = alice.usage(key)
    assert usage is not None
    assert alice.usages() == {key.id: usage}
    assert alice.get(key.id) == key
    assert alice.list() == (key,)
    assert list(alice.each()) == [key]
    assert alice.update(key, name="Other").name == "Other"
    assert alice.disable(key).disabled_at is not None
    assert alice.enable(key).disabled_at is None
    rolled = alice.roll(key)
    assert (rolled.old.id, rolled.key.rolled_from) == (key.id, key.id)
    assert alice.check(rolled.secret).key == rolled.key
    assert alice.revoke(rolled.key).revoked_at is not None
    assert [entry.action for entry in alice.audit(key_id=key.id)][-1] == "created"


def test_a_test_key_can_be_revealed_through_its_view(service: KeyService) -> None:
    made = service.account("alice", livemode=False).create()
    assert service.account("alice", livemode=False).reveal(made.key).secret == made.secret


@pytest.mark.parametrize("account", [("bob", True), ("alice", False)])
@pytest.mark.parametrize("verb", ["roll", "reveal", "update", "revoke", "disable", "enable", "usage"])
def test_a_key_of_another_account_or_mode_is_refused(service: KeyService, account: Any, verb: str) -> None:
    made = service.account("alice").create()
    other = service.account(*account)
    with refused("resource_missing"):
        getattr(other, verb)(made.key)
    assert other.get(made.key.id) is None
    assert other.list() == ()
    assert other.check(made.secret).reason is Reason.unknown
    assert isinstance(service.verify(made.secret), Key)
