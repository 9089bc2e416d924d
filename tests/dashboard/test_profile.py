"""Second factors, passwords and sessions of a person."""

from __future__ import annotations

import re

import pyotp
import pytest

from tests.support.dashboard import PASSWORD, Browser, Site
from tollkey.dashboard import factors
from tollkey.dashboard.factors import Passkey
from tollkey.db import Tx
from tollkey.keys.keyring import Keyring


@pytest.fixture
def person(site: Site) -> Browser:
    return site.browser("developer")


def app_of(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Set an authenticator app up, and return it with the recovery codes."""
    browser.post("/profile/totp/begin")
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", browser.get("/profile/totp").text)
    assert secret
    app = pyotp.TOTP(secret[1])
    shown = browser.post("/profile/totp", {"code": app.at(browser.site.now)})
    codes = re.search(r"<pre>(.*?)</pre>", shown.text, re.DOTALL)
    assert codes
    return app, codes[1].split()


def half(site: Site, email: str) -> Browser:
    """A browser in which the password was right and the second factor is missing."""
    browser = site.browser()
    browser.get("/login")
    answer = browser.post("/login", {"email": email, "password": PASSWORD})
    assert answer.location.startswith("/login/second")
    browser.get(answer.location)
    return browser


def email_of(browser: Browser) -> str:
    found = re.search(r"[a-z0-9]{8}@example\.com", browser.get("/profile").text)
    assert found
    return found[0]


def test_removing_a_passkey_ends_the_sessions_that_it_may_have_started(site: Site) -> None:
    person, core = site.person("developer"), site.core
    owner, thief = site.browser().sign_in(person.email), site.browser().sign_in(person.email)
    made = Passkey(core.setup.ids.text(20), person.id, "A lost phone", b"key", 0, site.now, None)
    core.database.write(lambda tx: factors.add_passkey(tx, made))
    assert thief.get("/profile").status == 200
    assert owner.sure(f"/profile/passkeys/{made.id}/remove").status == 303
    assert "Other sessions signed out: 1." in owner.get("/profile").text
    assert thief.get("/profile").location.startswith("/login")


def test_with_an_app_a_password_alone_opens_nothing(site: Site, person: Browser) -> None:
    app, _ = app_of(person)
    site.world.clock[0] += 60
    browser = half(site, email_of(person))
    assert browser.get("/profile").location.startswith("/login/second")
    assert browser.post("/login/second", {"code": "000000"}).status == 422
    assert browser.post("/login/second", {"code": app.at(site.now)}).status == 303
    assert browser.get("/profile").status == 200


def test_a_code_is_good_once(site: Site, person: Browser) -> None:
    app, _ = app_of(person)
    site.world.clock[0] += 60
    email = email_of(person)
    assert half(site, email).post("/login/second", {"code": app.at(site.now)}).status == 303
    assert half(site, email).post("/login/second", {"code": app.at(site.now)}).status == 422


def test_a_recovery_code_is_good_once(site: Site, person: Browser) -> None:
    _, codes = app_of(person)
    email = email_of(person)
    assert len(codes) == 10
    assert half(site, email).post("/login/second", {"code": codes[3]}).status == 303
    assert half(site, email).post("/login/second", {"code": codes[3]}).status == 422
    assert "9 recovery codes left" in person.get("/profile").text


def test_the_secret_of_an_app_is_sealed(site: Site, person: Browser) -> None:
    app, codes = app_of(person)
    rows = site.core.database.read(lambda tx: tx.execute("SELECT * FROM dash_people"))
    text = repr(rows)
    assert app.secret not in text
    assert codes[0] not in text


def test_a_new_password_ends_the_other_sessions(site: Site, person: Browser) -> None:
    email = email_of(person)
    other = site.browser().sign_in(email)
    new = "seven purple lanterns drift 4"
    assert person.post("/profile/password", {"password": "wrong", "new_password": new}).status == 422
    assert person.post("/profile/password", {"password": PASSWORD, "new_password": new}).status == 303
    assert person.get("/profile").status == 200
    assert other.get("/profile").location.startswith("/login")


def test_a_session_can_be_ended_from_another(site: Site, person: Browser) -> None:
    other = site.browser().sign_in(email_of(person))
    found = re.search(r"/profile/sessions/(ses_\w+)/end", person.get("/profile").text)
    assert found
    assert person.post(f"/profile/sessions/{found[1]}/end").status == 303
    assert other.get("/profile").location.startswith("/login")


def test_somebody_else_s_session_cannot_be_ended(site: Site, person: Browser) -> None:
    second = site.browser().sign_in(email_of(person))
    found = re.search(r"/profile/sessions/(ses_\w+)/end", person.get("/profile").text)
    assert found
    assert site.browser("developer").post(f"/profile/sessions/{found[1]}/end").status == 404
    assert second.get("/profile").status == 200


def test_recovery_codes_outlive_a_rotation_of_the_digest_key(site: Site) -> None:
    ring, ids, now, person = Keyring.fresh(), site.core.setup.ids, site.now, site.person("owner").id

    def work(tx: Tx) -> list[bool]:
        code = pyotp.TOTP(factors.begin_totp(tx, ring, ids, person)).at(now)
        codes = factors.finish_totp(tx, ring, ids, person, code, now)
        assert codes
        return [factors.check_code(tx, ring.rotate_digest(), person, codes[0], now) for _ in range(2)]

    assert site.core.database.write(work) == [True, False]
