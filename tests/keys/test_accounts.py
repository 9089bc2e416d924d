"""The view of one account: everything of its own, nothing of others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.keys.conftest import refused
from tollkey.dashboard import ForKeys
from tollkey.dashboard.for_keys import accounts_from
from tollkey.db import Ids
from tollkey.keys import Key, KeyService, Reason
from tollkey.keys.changing import NewKey
from tollkey.keys.portal import Portal


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


@pytest.mark.parametrize("name", ["", "  ", "a" * 201, "two\nlines", "half a \ud800 pair", "bell\x07"])
def test_an_account_that_no_page_could_show_gets_no_key_no_plan_and_no_session(service: KeyService, name: str) -> None:
    portal = Portal(service, base_url="https://keys.example/portal")
    with refused("account_invalid"):
        service.create(account=name)
    with refused("account_invalid"):
        service.create_many([NewKey(account=name)])
    with refused("account_invalid"):
        service.set_plan(name, None)
    with refused("account_invalid"):
        portal.create_session(account=name, may=["roll"])


@pytest.mark.parametrize("name", ["a" * 200, "ein Kunde / ünïcode", "tab-free", "~7e"])
def test_every_account_that_has_keys_has_a_link_that_leads_to_it(service: KeyService, name: str) -> None:
    service.create(account=name)
    dashboard = ForKeys(service, Ids(), "")
    (listed,) = service.database.read(lambda tx: accounts_from(tx, "", 10))
    assert dashboard.account_in(dashboard.segment(listed)) == name
