"""What is good once, used twice at the same moment: in two transactions on PostgreSQL, neither of which sees the
other's.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyotp
import pytest

from tests.support.api import Api
from tests.support.dashboard import Browser, Site
from tollkey.dashboard import factors, passkey_flow, people, throttle
from tollkey.dashboard.page import Context, FormErrors
from tollkey.dashboard.people import PeopleRefused
from tollkey.db import Database, Scope, Tx
from tollkey.keys import KeyRefused
from tollkey.keys.actors import SYSTEM


def both(database: Database, work: Callable[[Tx], Any]) -> list[Any]:
    """What comes of doing the same twice: the second begins before the first has committed, and ends after.

    A refusal comes back.
    """
    done = threading.Event()
    began = threading.Event()

    def first(tx: Tx) -> Any:
        result = work(tx)
        began.set()
        deadline = time.monotonic() + 10
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        while not done.is_set() and not tx.execute(waiting) and time.monotonic() < deadline:
            done.wait(0.005)  # until the second waits for what this one wrote, or needs nothing of it
        return result

    def second() -> Any:
        began.wait(10)
        try:
            return database.write(work)
        except (PeopleRefused, FormErrors, KeyRefused) as refusal:
            return refusal
        finally:
            done.set()

    with ThreadPoolExecutor(1) as other:
        later = other.submit(second)
        return [database.write(first), later.result()]


def app_of(site: Site, person: str) -> tuple[pyotp.TOTP, list[str]]:
    """Set up an authenticator app, a minute ago."""
    keyring, ids, then = site.core.authority.keyring, site.core.setup.ids, site.now - 60

    def work(tx: Tx) -> tuple[pyotp.TOTP, list[str]]:
        app = pyotp.TOTP(factors.begin_totp(tx, keyring, ids, person))
        codes = factors.finish_totp(tx, keyring, ids, person, app.at(then), then)
        assert codes is not None
        return app, codes

    return site.core.database.write(work)


@pytest.fixture
def site(postgres_site: Site) -> Site:
    return postgres_site


def test_a_recovery_code(site: Site) -> None:
    person, database = site.person("owner").id, site.core.database
    _, codes = app_of(site, person)
    assert both(
        database, lambda tx: factors.check_code(tx, site.core.authority.keyring, person, codes[0], site.now)
    ) == [True, False]
    assert database.read(lambda tx: factors.recovery_left(tx, person)) == 9


def test_two_recovery_codes_of_one_person_are_both_used_up(site: Site) -> None:
    person, database = site.person("owner").id, site.core.database
    _, codes = app_of(site, person)
    each = iter(codes)
    assert both(
        database, lambda tx: factors.check_code(tx, site.core.authority.keyring, person, next(each), site.now)
    ) == [True, True]
    assert database.read(lambda tx: factors.recovery_left(tx, person)) == 8


def test_a_code_of_the_app(site: Site) -> None:
    person, database = site.person("owner").id, site.core.database
    app, _ = app_of(site, person)
    code = app.at(site.now)
    assert both(database, lambda tx: factors.check_code(tx, site.core.authority.keyring, person, code, site.now)) == [
        True,
        False,
    ]


def test_the_first_code_of_a_new_app(site: Site) -> None:
    person, core = site.person("owner").id, site.core
    secret = core.database.write(lambda tx: factors.begin_totp(tx, core.authority.keyring, core.setup.ids, person))
    code = pyotp.TOTP(secret).at(site.now)
    shown, none = both(
        core.database,
        lambda tx: factors.finish_totp(tx, core.authority.keyring, core.setup.ids, person, code, site.now),
    )
    assert none is None
    assert core.database.write(lambda tx: factors.check_code(tx, core.authority.keyring, person, shown[0], site.now))


def test_an_invitation(site: Site) -> None:
    keyring, ids, database = site.core.authority.keyring, site.core.setup.ids, site.core.database
    persons, inviter = [site.person(None).id, site.person(None).id], site.person("administrator").id
    invitation, token = database.write(
        lambda tx: people.invite(
            tx,
            keyring,
            ids,
            account=site.account,
            role="administrator",
            email="new@example.com",
            by=inviter,
            now=site.now,
        )
    )
    each = iter(persons)

    def work(tx: Tx) -> str:
        found = people.invitation_of(tx, keyring, token, site.now)
        assert found == invitation
        people.accept(tx, found, next(each), site.now)
        return "joined"

    first, second = both(database, work)
    assert first == "joined"
    assert isinstance(second, PeopleRefused)
    assert len(database.read(lambda tx: people.members(tx, site.account))) == 2


def test_the_link_that_makes_the_owner(site: Site) -> None:
    keyring, ids, database = site.core.authority.keyring, site.core.setup.ids, site.core.database
    each = iter([site.person(None).id, site.person(None).id])
    made = database.write(lambda tx: people.owner_token(tx, keyring, ids, site.account, site.now))
    assert made is not None
    token = made[1]

    def work(tx: Tx) -> str:
        found = people.invitation_of(tx, keyring, token, site.now)
        assert found is not None
        people.accept(tx, found, next(each), site.now)
        return "owner"

    first, second = both(database, work)
    assert (first, type(second)) == ("owner", PeopleRefused)


def test_a_link_for_a_new_password(site: Site) -> None:
    keyring, ids, database = site.core.authority.keyring, site.core.setup.ids, site.core.database
    email = site.person("owner").email
    made = database.write(lambda tx: people.reset_token(tx, keyring, ids, email, site.now))
    assert made is not None
    token = made[1]

    def work(tx: Tx) -> str:
        found = people.invitation_of(tx, keyring, token, site.now)
        assert found is not None
        people.consume(tx, found)
        return "used"

    first, second = both(database, work)
    assert (first, type(second)) == ("used", PeopleRefused)


def test_two_links_for_one_address_are_one_use(site: Site) -> None:
    keyring, ids, database = site.core.authority.keyring, site.core.setup.ids, site.core.database
    about: dict[str, Any] = {
        "account": site.account,
        "role": "support",
        "email": "twice@example.com",
        "by": site.person("administrator").id,
        "now": site.now,
    }
    made = both(
        database, lambda tx: people.invite(tx, keyring, ids, **about)
    )  # made at the same moment: neither ends the other
    person = site.person(None).id
    database.write(lambda tx: people.accept(tx, made[0][0], person, site.now))
    assert database.read(lambda tx: people.invitation_of(tx, keyring, made[1][1], site.now)) is None


def test_the_challenge_of_a_passkey(site: Site) -> None:
    core = site.core
    ctx = Context(
        core.setup,
        site.world.server.edge,
        core.authority,
        site.app.passwords,
        site.now,
        "POST",
        "/",
        "",
        None,
        "",
        "",
        "http://localhost",
    )
    ctx.visitor = core.setup.ids.text(43)
    challenge = core.database.write(lambda tx: passkey_flow._challenge(ctx, tx))
    first, second = both(core.database, lambda tx: passkey_flow._take_challenge(ctx, tx))
    assert (first, type(second)) == (challenge, FormErrors)


def test_the_reveal_of_a_live_key(site: Site) -> None:
    core, scope = site.core, Scope(site.account, True)
    key = core.database.write(lambda tx: core.authority.create(tx, scope, "secret", actor=SYSTEM, now=site.now))[0]
    _, rolled, _ = core.database.write(
        lambda tx: core.authority.roll(tx, scope, key.id, 3600, actor=SYSTEM, now=site.now)
    )
    first, second = both(
        core.database, lambda tx: core.authority.reveal(tx, scope, rolled.id, actor=SYSTEM, now=site.now)
    )
    assert first[0].id == rolled.id
    assert isinstance(second, KeyRefused)


def test_the_owner_is_not_removed_at_the_moment_of_becoming_it(site: Site) -> None:
    database = site.core.database
    owner, heir = site.person("owner").id, site.person("developer").id
    each = iter((lambda tx: people.transfer(tx, site.account, heir), lambda tx: people.remove(tx, site.account, heir)))
    _, second = both(database, lambda tx: next(each)(tx))
    assert isinstance(second, PeopleRefused)
    found = database.read(lambda tx: people.owner(tx, site.account))
    assert found is not None
    assert found.person == heir != owner


def test_the_heir_is_not_made_owner_at_the_moment_of_being_removed(site: Site) -> None:
    database = site.core.database
    owner, heir = site.person("owner").id, site.person("developer").id
    each = iter((lambda tx: people.remove(tx, site.account, heir), lambda tx: people.transfer(tx, site.account, heir)))
    _, second = both(database, lambda tx: next(each)(tx))
    assert isinstance(second, PeopleRefused)
    found = database.read(lambda tx: people.owner(tx, site.account))
    assert found is not None
    assert found.person == owner


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_attempts_sent_at_the_same_moment_are_counted_one_by_one(request: pytest.FixtureRequest, kind: str) -> None:
    site: Site = Site(Api(request.getfixturevalue(f"{kind}_world")))
    email = site.person("developer").email
    browsers = [Browser(site) for _ in range(throttle.MOST_BY_PERSON + 4)]
    for browser in browsers:
        browser.get("/login")

    async def all_at_once() -> list[bool]:
        wrong = [("email", email), ("password", "wrong wrong wrong")]
        sent = [browser.asked("POST", "/login", [("csrf", browser.csrf), *wrong]) for browser in browsers]
        answers = await asyncio.gather(*(site.app.respond(asked) for asked in sent))
        return [b"Too many attempts" in answer.body for answer in answers]

    assert sum(site.world.runner.run(all_at_once())) == 4


def test_a_right_password_takes_back_its_own_attempt_only(site: Site) -> None:
    database, subject = site.core.database, site.person("developer").email

    def work(tx: Tx) -> list[int]:
        for _ in range(3):
            throttle.attempt(tx, subject, "192.0.2.44", site.now)
        throttle.uncount(tx, subject, "192.0.2.44", site.now)
        return [len(tx.execute("SELECT at FROM dash_failures WHERE subject = ?", (one,)))
                for one in (f"person:{subject}", "ip:192.0.2.44")]  # fmt: skip

    assert database.write(work) == [2, 2]
