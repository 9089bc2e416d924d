"""Becoming the owner, signing in and out, sessions, throttling, passwords."""

from __future__ import annotations

import pyotp
import pytest

from tests.support.dashboard import PASSWORD, Browser, Site
from tollkey.dashboard import factors, owner_link, passkey_flow, people, reset_link
from tollkey.dashboard.factors import Passkey
from tollkey.dashboard.sessions import CONFIRMED_SECONDS, IDLE_SECONDS
from tollkey.dashboard.throttle import MOST_BY_IP, MOST_BY_PERSON, WINDOW_SECONDS, attempt
from tollkey.db import Tx
from tollkey.keys.attempts import refused_attempts


def invitation(site: Site, role: str = "developer", email: str = "") -> tuple[str, str]:
    email = email or f"{site.core.setup.ids.text(8).lower()}@example.com"
    inviter = site.person("administrator").id
    made, token = site.core.database.write(
        lambda tx: people.invite(
            tx,
            site.core.authority.keyring,
            site.core.setup.ids,
            account=site.account,
            role=role,
            email=email,
            by=inviter,
            now=site.now,
        )
    )
    return made.email, f"/join/{token}"


def test_the_first_link_makes_the_owner_and_works_once(site: Site) -> None:
    core = site.core
    core.database.write(lambda tx: tx.execute("DELETE FROM dash_memberships WHERE role = 'owner'"))
    link = core.database.write(
        lambda tx: owner_link(tx, core.authority.keyring, core.setup.ids, "http://t", site.account, site.now)
    )
    assert link is not None
    path = link.url.removeprefix("http://t")
    browser = site.browser()
    assert "Become the owner" in browser.get(path).text
    email = f"{core.setup.ids.text(8).lower()}@example.com"
    answer = browser.post(path, {"name": "Olive Owner", "email": email, "password": PASSWORD})
    assert answer.status == 303
    owner = core.database.read(lambda tx: people.owner(tx, site.account))
    assert owner is not None
    assert owner.name == "Olive Owner"
    assert site.browser().get(path).status == 404
    assert (
        core.database.write(
            lambda tx: owner_link(tx, core.authority.keyring, core.setup.ids, "", site.account, site.now)
        )
        is None
    )


def test_a_weak_password_is_refused_beside_its_field(site: Site) -> None:
    _, path = invitation(site)
    browser = site.browser()
    browser.get(path)
    for weak, word in (
        ("short", "at least 10"),
        ("qwertyuiop", "leaked passwords"),
        ("aaaaaaaaaaaaa", "easy to guess"),
    ):
        answer = browser.post(path, {"name": "Ada", "password": weak})
        assert answer.status == 422
        assert word in answer.text
        assert 'id="password-error"' in answer.text
        assert weak not in answer.text


def test_an_invited_person_joins_with_the_role_of_the_invitation(site: Site) -> None:
    email, path = invitation(site, "analyst")
    browser = site.browser()
    browser.get(path)
    assert browser.post(path, {"name": "Ann", "password": PASSWORD}).status == 303
    member = next(m for m in site.core.database.read(lambda tx: people.members(tx, site.account)) if m.email == email)
    assert member.role == "analyst"


def test_an_old_invitation_is_refused(site: Site) -> None:
    _, path = invitation(site)
    site.world.clock[0] += people.INVITATION_SECONDS
    assert site.browser().get(path).status == 404


def test_an_invitation_for_somebody_else_is_refused(site: Site) -> None:
    _, path = invitation(site)
    other = site.browser("developer", account=site.api.another().account)
    assert other.post(path).status == 422


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(site: Site) -> None:
    person = site.person("developer")
    answers = []
    for email in (person.email, "nobody@example.com"):
        browser = site.browser()
        browser.get("/login")
        answers.append(browser.post("/login", {"email": email, "password": "wrong wrong wrong"}))
    assert [answer.status for answer in answers] == [422, 422]
    assert all("Incorrect email or password." in answer.text for answer in answers)


def test_too_many_attempts_have_to_wait_and_are_told_how_long(site: Site) -> None:
    person = site.person("developer")
    browser = site.browser()
    browser.get("/login")
    for _ in range(MOST_BY_PERSON):
        browser.post("/login", {"email": person.email, "password": "wrong wrong wrong"})
    answer = browser.post("/login", {"email": person.email.upper(), "password": PASSWORD})
    assert answer.status == 422
    assert "Wait 15 minutes" in answer.text
    site.world.clock[0] += WINDOW_SECONDS
    assert browser.post("/login", {"email": person.email, "password": PASSWORD}).status == 303


def test_a_clock_that_is_set_back_locks_nobody_out(site: Site) -> None:
    person, browser = site.person("developer"), site.browser()
    site.world.clock[0] += 86_400
    browser.get("/login")
    for _ in range(MOST_BY_PERSON):
        browser.post("/login", {"email": person.email, "password": "wrong wrong wrong"})
    site.world.clock[0] -= 86_400
    assert browser.post("/login", {"email": person.email, "password": PASSWORD}).status == 303


def test_signing_in_makes_a_new_session_token(site: Site) -> None:
    browser = Browser(site)
    browser.cookies["tollkey_session"] = "planted"
    browser.get("/login")
    browser.sign_in(site.person("developer").email)
    assert browser.cookies["tollkey_session"] != "planted"


def test_the_session_cookie_is_kept_from_scripts_other_sites_and_plain_http(site: Site) -> None:
    browser = site.browser(secure=True)
    browser.get("/login")
    answer = browser.post("/login", {"email": site.person("developer").email, "password": PASSWORD})
    cookie = next(value for name, value in answer.all_headers if name == "Set-Cookie" and "session" in value)
    assert cookie.startswith("__Host-tollkey_session=")
    for part in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/"):
        assert part in cookie.split("; ")


def test_the_token_of_a_session_is_not_stored(site: Site) -> None:
    browser = site.browser("developer")
    token = browser.cookies["tollkey_session"]
    rows = site.core.database.read(lambda tx: tx.execute("SELECT * FROM dash_sessions"))
    assert rows
    assert not any(token in str(value) or token.encode() == value for row in rows for value in row)


def test_signing_out_ends_the_session_on_the_server(site: Site) -> None:
    browser = site.browser("developer")
    kept = dict(browser.cookies)
    browser.post("/logout")
    browser.cookies = kept
    assert browser.get("/confirm").location.startswith("/login")


def test_an_idle_session_ends(site: Site) -> None:
    browser = site.browser("developer")
    site.world.clock[0] += IDLE_SECONDS
    assert browser.get("/confirm").location.startswith("/login")


def test_after_signing_in_one_is_led_to_pages_of_this_server_only(site: Site) -> None:
    person = site.person("developer")
    for to, led in (
        ("/profile", "/profile"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
    ):
        browser = site.browser()
        browser.get("/login")
        assert browser.post("/login", {"email": person.email, "password": PASSWORD, "to": to}).location == led


def test_a_confirmation_lasts_a_quarter_of_an_hour(site: Site) -> None:
    browser = site.browser("developer")
    path = f"/{site.account}/test/apikeys/create"
    assert browser.get(path).status == 200
    site.world.clock[0] += CONFIRMED_SECONDS
    assert browser.get(path).location.startswith("/confirm?to=")
    assert browser.post("/confirm", {"password": "wrong wrong", "to": path}).status == 422
    assert browser.post("/confirm", {"password": PASSWORD, "to": path}).location == path
    assert browser.get(path).status == 200


def test_a_clock_that_is_set_back_makes_no_confirmation_last_longer(site: Site) -> None:
    browser = site.browser("developer")
    site.world.clock[0] -= CONFIRMED_SECONDS
    assert browser.get(f"/{site.account}/test/apikeys/create").location.startswith("/confirm?to=")


def test_a_reset_link_changes_the_password_once_and_ends_every_session(site: Site) -> None:
    person, core = site.person("developer"), site.core
    signed_in = site.browser().sign_in(person.email)
    link = core.database.write(
        lambda tx: reset_link(tx, core.authority.keyring, core.setup.ids, "", person.email, site.now)
    )
    assert link is not None
    browser, new = site.browser(), "seven purple lanterns drift 4"
    browser.get(link.url)
    assert browser.post(link.url, {"password": "short"}).status == 422
    assert browser.post(link.url, {"password": new}).location == "/login"
    assert browser.get(link.url).status == 404
    assert signed_in.get("/confirm").location.startswith("/login")
    site.browser().sign_in(person.email, new)


def test_a_reset_link_is_no_invitation_and_an_invitation_no_reset_link(site: Site) -> None:
    person, core = site.person("developer"), site.core
    link = core.database.write(
        lambda tx: reset_link(tx, core.authority.keyring, core.setup.ids, "", person.email, site.now)
    )
    assert link is not None
    assert site.browser().get(link.url.replace("/reset/", "/join/")).status == 404
    _, invited = invitation(site)
    assert site.browser().get(invited.replace("/join/", "/reset/")).status == 404


def test_nobody_unknown_gets_a_reset_link(site: Site) -> None:
    core = site.core
    assert (
        core.database.write(
            lambda tx: reset_link(tx, core.authority.keyring, core.setup.ids, "", "no@example.com", site.now)
        )
        is None
    )


def test_whoever_has_a_network_of_ipv6_addresses_has_no_more_attempts_than_others(site: Site) -> None:
    def work(tx: Tx) -> int:
        for number in range(MOST_BY_IP):
            assert not attempt(tx, f"somebody{number}", f"2001:db8:0:7::{number:x}", site.now)
        assert attempt(tx, "another", "2001:db8:0:7:ffff::1", site.now)
        assert not attempt(tx, "another", "2001:db8:0:8::1", site.now)
        return attempt(tx, "another", "::ffff:198.51.100.77", site.now)

    assert site.core.database.write(work) == 0


def test_a_link_for_a_new_password_names_the_passkeys_that_stay(site: Site) -> None:
    person, core = site.person("developer"), site.core
    made = Passkey(core.setup.ids.text(20), person.id, "Somebody's phone", b"key", 0, site.now, None)
    core.database.write(lambda tx: factors.add_passkey(tx, made))
    for ends, named in ((False, True), (True, False)):
        link = core.database.write(
            lambda tx, ends=ends: reset_link(
                tx, core.authority.keyring, core.setup.ids, "", person.email, site.now, factors=ends
            )
        )
        assert link is not None
        assert ("Somebody's phone" in site.browser().get(link.url).text) == named


def test_challenges_that_strangers_ask_for_have_a_bound(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passkey_flow, "_MOST_CHALLENGES", 3)
    site.core.database.write(lambda tx: tx.execute("DELETE FROM dash_challenges"))
    asked = []
    for _ in range(4):
        browser = site.browser()
        browser.get("/login")
        asked.append(browser.post("/login/passkey/options", accept="application/json").status)
    assert asked == [200, 200, 200, 422]
    signed_in = site.browser("developer")
    assert signed_in.post("/profile/passkeys/options", accept="application/json").status == 200
    site.world.clock[0] += 300
    assert browser.post("/login/passkey/options", accept="application/json").status == 200


def failures(site: Site, ip: str) -> dict[tuple[str, str], int]:
    """What was counted of failed sign-ins from an address: reason and person, how often."""
    core = site.core
    core.database.write(core.attempts.flush)
    found = core.database.read(lambda tx: refused_attempts(tx, 10_000))
    return {(one.reason, one.subject): one.attempts for one in found if (one.what, one.address) == ("sign_in", ip)}


def test_failed_sign_ins_are_counted_by_address_and_reason_and_hold_nothing_that_was_typed(site: Site) -> None:
    person, ip = site.person("developer"), "203.0.113.77"
    site.core.database.write(site.core.attempts.flush)
    browser = site.browser()
    browser.get("/login")
    for email in [person.email] * (MOST_BY_PERSON + 1) + ["my-own-password"]:
        form = [("csrf", browser.csrf), ("email", email), ("password", "wrong wrong wrong")]
        assert browser.send("POST", "/login", form, ip=ip).status == 422
    browser.send("POST", "/login/passkey", [("csrf", browser.csrf), ("credential", "{}")], ip=ip)
    assert failures(site, ip) == {
        ("wrong_password", person.id): MOST_BY_PERSON, ("wrong_password", ""): 1, ("too_many_attempts", ""): 1,
        ("wrong_passkey", ""): 1,
    }  # fmt: skip
    assert "my-own-password" not in repr(site.core.database.read(lambda tx: refused_attempts(tx, 10_000)))


def with_app(site: Site) -> tuple[Browser, str]:
    """Somebody with an authenticator app, signed in, and its secret."""
    person, core = site.person("developer"), site.core
    secret = core.database.write(lambda tx: factors.begin_totp(tx, core.authority.keyring, core.setup.ids, person.id))
    code = pyotp.TOTP(secret).at(site.now)
    assert core.database.write(
        lambda tx: factors.finish_totp(tx, core.authority.keyring, core.setup.ids, person.id, code, site.now)
    )
    site.world.clock[0] += 60
    browser = site.browser()
    browser.get("/login")
    assert browser.post("/login", {"email": person.email, "password": PASSWORD}).location.startswith("/login/second")
    browser.get("/login/second")
    assert browser.post("/login/second", {"code": pyotp.TOTP(secret).at(site.now)}).status == 303
    browser.get("/profile")
    return browser, secret


def test_proving_again_who_one_is_asks_for_the_app_too(site: Site) -> None:
    browser, secret = with_app(site)
    path = f"/{site.account}/test/apikeys/create"
    site.world.clock[0] += CONFIRMED_SECONDS
    assert 'id="code"' in browser.get("/confirm").text
    code = pyotp.TOTP(secret).at(site.now)
    for missing in (
        {"password": PASSWORD},
        {"password": PASSWORD, "code": "000000"},
        {"code": code},
        {"password": "wrong", "code": code},
    ):
        assert browser.post("/confirm", {**missing, "to": path}).status == 422
        assert browser.get(path).location.startswith("/confirm")
    assert browser.post("/confirm", {"password": PASSWORD, "code": code, "to": path}).location == path
    assert browser.get(path).status == 200
    site.world.clock[0] += CONFIRMED_SECONDS
    assert browser.post("/confirm", {"password": PASSWORD, "code": code, "to": path}).status == 422


def test_who_signs_in_with_a_passkey_proves_again_with_a_passkey(site: Site) -> None:
    person, core = site.person("developer"), site.core
    browser, path = site.browser().sign_in(person.email), f"/{site.account}/test/apikeys/create"
    made = Passkey(core.setup.ids.text(20), person.id, "Somebody's phone", b"key", 0, site.now, None)
    core.database.write(lambda tx: factors.add_passkey(tx, made))
    site.world.clock[0] += CONFIRMED_SECONDS
    page = browser.get("/confirm").text
    assert 'name="password"' not in page
    assert "data-passkey-sign-in" in page
    refused = browser.post("/confirm", {"password": PASSWORD, "to": path})
    assert refused.status == 422
    assert "Use your passkey" in refused.text
    assert browser.get(path).location.startswith("/confirm")


def test_codes_are_not_guessed_by_proving_again(site: Site) -> None:
    browser, secret = with_app(site)
    site.world.clock[0] += CONFIRMED_SECONDS
    browser.get("/confirm")
    for _ in range(MOST_BY_PERSON):
        assert browser.post("/confirm", {"password": PASSWORD, "code": "000000"}).status == 422
    answer = browser.post("/confirm", {"password": PASSWORD, "code": pyotp.TOTP(secret).at(site.now)})
    assert answer.status == 422
    assert "Wait 15 minutes" in answer.text
