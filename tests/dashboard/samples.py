"""A real value for each name in the path of a page, in a given account and mode. A page with a new name needs an entry here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.dashboard import Site
from tollkey.dashboard import people, sessions
from tollkey.db import Scope
from tollkey.keys import SYSTEM

Maker = Callable[[Site, str, bool], str]


def _key(site: Site, account: str, livemode: bool) -> str:
    made = site.core.database.write(
        lambda tx: site.core.authority.create(
            tx, Scope(account, livemode), "restricted", actor=SYSTEM, now=site.now, permissions=["dispute_read"]
        )
    )
    return made[0].id


def _person(site: Site, account: str, livemode: bool) -> str:
    return site.person("support", account).id


def _invitation(site: Site, account: str, livemode: bool) -> str:
    email = f"{site.core.setup.ids.text(8).lower()}@example.com"

    def work(tx: Any) -> str:
        keyring, ids = site.core.authority.keyring, site.core.setup.ids
        return people.invite(tx, keyring, ids, account=account, role="support", email=email, by="usr_x", now=site.now)[0].id

    return site.core.database.write(work)


def _session(site: Site, account: str, livemode: bool) -> str:
    other = site.person(None)

    def work(tx: Any) -> str:
        keyring, ids = site.core.authority.keyring, site.core.setup.ids
        sessions.start(tx, keyring, ids, person=other.id, stage="full", now=site.now, ip=None, agent="")
        return sessions.of_person(tx, other.id, site.now)[0].id

    return site.core.database.write(work)


def _nothing(site: Site, account: str, livemode: bool) -> str:
    return "nothing"


SAMPLES: dict[str, Maker] = {
    "key": _key,
    "person": _person,
    "invitation": _invitation,
    "session": _session,
    "passkey": _nothing,
    "token": _nothing,
}

#: Names whose values belong to an account, and (True) to one of its modes.
OWNED: dict[str, bool] = {"key": True, "person": False, "invitation": False}
