"""What ends between a request's arrival and its transaction is over: each transaction asks again.

Somebody else's change is committed after the person was identified and before the page's own transaction begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp
import pytest

from tests.dashboard.test_pages import CLOSED, IN_ACCOUNT, POSTS, address, left_behind, named
from tests.support.api import Api
from tests.support.dashboard import PASSWORD, Browser, Shown, Site
from tollkey.dashboard import factors, people, roles, sessions
from tollkey.dashboard.page import Page
from tollkey.dashboard.people import Person
from tollkey.db import Tx
from tollkey.db.edge import Edge

Change = Callable[[Tx], Any]


class Overtaken:
    """An edge on which another's change is committed once some transactions have run. after: how many."""

    def __init__(self, edge: Edge, change: Change, after: int = 0) -> None:
        self._edge, self._change, self.left = edge, change, after

    async def _next(self) -> None:
        self.left -= 1
        if self.left == -1:
            await self._edge.write(self._change)

    async def read(self, *args: Any, **named: Any) -> Any:
        await self._next()
        return await self._edge.read(*args, **named)

    async def write(self, *args: Any, **named: Any) -> Any:
        await self._next()
        return await self._edge.write(*args, **named)


def overtaken(
    site: Site, browser: Browser, method: str, path: str, change: Change, fields: dict[str, str], after: int = 0
) -> Shown:
    """Send a request; commit a change after the person was identified. after: transactions of the page before it."""
    form = [("csrf", browser.csrf), *fields.items()]
    asked = browser.asked(method, path, form if method == "POST" else None)
    edge = site.world.server.edge
    between = Overtaken(edge, change, after)
    site.app.edge = between
    try:
        answer = site.run(site.app.respond(asked))
    finally:
        site.app.edge = edge
    assert between.left < 0, "the change came too late"
    return Shown(answer.status, answer.headers, answer.body)


def _signed_in(site: Site, page: Page) -> tuple[Person, Browser]:
    person = site.person("owner" if page.action == "owner.transfer" else "administrator")
    return person, site.browser().sign_in(person.email)


@pytest.mark.parametrize("page", CLOSED, ids=named)
def test_a_session_that_ends_before_the_transaction_does_nothing(site: Site, page: Page) -> None:
    person, browser = _signed_in(site, page)
    path, before = address(site, page), left_behind(site)
    answer = overtaken(
        site, browser, page.method, path, lambda tx: sessions.end_others(tx, person.id, None), {"sure": "1"}
    )
    assert (answer.status, answer.location.partition("?")[0]) == (303, "/login")
    assert left_behind(site) == before


@pytest.mark.parametrize("page", [page for page in POSTS if page.scope != "open" and page.confirmation], ids=named)
def test_what_asks_first_does_not_tell_a_session_that_has_ended(site: Site, page: Page) -> None:
    person, browser = _signed_in(site, page)
    path = address(site, page)
    answer = overtaken(site, browser, "POST", path, lambda tx: sessions.end_others(tx, person.id, None), {})
    assert answer.status == 303


@pytest.mark.parametrize("page", [page for page in IN_ACCOUNT if page.action != "owner.transfer"], ids=named)
def test_a_person_who_is_removed_before_the_transaction_does_nothing(site: Site, page: Page) -> None:
    person, browser = _signed_in(site, page)
    path = address(site, page)
    answer = overtaken(
        site, browser, page.method, path, lambda tx: people.remove(tx, site.account, person.id), {"sure": "1"}
    )
    assert answer.status == 404


@pytest.mark.parametrize(
    "page", [page for page in IN_ACCOUNT if not roles.allows(roles.VIEW_ONLY, page.action, False)], ids=named
)
def test_a_role_that_is_lowered_before_the_transaction_does_nothing(site: Site, page: Page) -> None:
    heir, (person, browser) = site.person("developer"), _signed_in(site, page)
    path = address(site, page)

    def lower(tx: Tx) -> None:
        if page.action == "owner.transfer":
            people.transfer(tx, site.account, heir.id)
        people.set_role(tx, site.account, person.id, roles.VIEW_ONLY)

    assert overtaken(site, browser, page.method, path, lower, {"sure": "1"}).status == 403


# -- signing in


@pytest.fixture(params=["sqlite_world", "postgres_world"])
def either(request: pytest.FixtureRequest) -> Site:
    """A Dashboard on each database."""
    return Site(Api(request.getfixturevalue(request.param)))


def _new_password(site: Site, person: Person) -> Change:
    """Somebody chooses a new password, which ends every session."""
    new = site.run(site.app.passwords.hash("another horse battery staple 8"))

    def change(tx: Tx) -> None:
        people.set_password(tx, person.id, new)
        sessions.end_others(tx, person.id, None)

    return change


def _app(site: Site, person: Person) -> Change:
    """Somebody sets up an authenticator app."""
    keyring, ids, now = site.core.authority.keyring, site.core.setup.ids, site.now

    def change(tx: Tx) -> None:
        code = pyotp.TOTP(factors.begin_totp(tx, keyring, ids, person.id)).at(now)
        assert factors.finish_totp(tx, keyring, ids, person.id, code, now)

    return change


def _sessions(site: Site, person: Person) -> list[sessions.Session]:
    return site.core.database.read(lambda tx: sessions.of_person(tx, person.id, site.now))


def test_the_old_password_starts_no_session_once_there_is_a_new_one(either: Site) -> None:
    person, browser = either.person("developer"), either.browser()
    browser.get("/login")
    sent = {"email": person.email, "password": PASSWORD}
    answer = overtaken(either, browser, "POST", "/login", _new_password(either, person), sent, after=2)
    assert answer.status == 422
    assert "Incorrect email or password." in answer.text
    assert _sessions(either, person) == []


def test_a_second_factor_that_is_set_up_meanwhile_is_asked_for(either: Site) -> None:
    person, browser = either.person("developer"), either.browser()
    browser.get("/login")
    sent = {"email": person.email, "password": PASSWORD}
    answer = overtaken(either, browser, "POST", "/login", _app(either, person), sent, after=2)
    assert answer.location.startswith("/login/second")
    assert _sessions(either, person) == []


def test_the_password_alone_proves_nothing_once_there_is_an_app(either: Site) -> None:
    person = either.person("developer")
    browser = either.browser().sign_in(person.email)
    sent = {"password": PASSWORD}
    answer = overtaken(either, browser, "POST", "/confirm", _app(either, person), sent, after=2)
    assert answer.status == 422
    assert 'id="code-error"' in answer.text


def test_the_old_password_does_not_undo_the_choice_of_a_new_one(either: Site) -> None:
    person = either.person("developer")
    browser = either.browser().sign_in(person.email)
    new = either.run(either.app.passwords.hash("another horse battery staple 8"))
    sent = {"password": PASSWORD, "new_password": "third horse battery staple 7"}
    answer = overtaken(
        either, browser, "POST", "/profile/password", lambda tx: people.set_password(tx, person.id, new), sent, after=2
    )
    assert answer.status == 422
    stored = either.core.database.read(lambda tx: people.by_id(tx, person.id))
    assert stored is not None
    assert stored.password == new
