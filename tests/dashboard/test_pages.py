"""Every page refuses what it must. Made from the pages' declarations, so that none can be forgotten."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dashboard import samples
from tests.dashboard.samples import OWNED
from tests.support.dashboard import PASSWORD, Browser, Site
from tollkey.dashboard import roles
from tollkey.dashboard.page import Page
from tollkey.dashboard.routing import gather_pages
from tollkey.dashboard.sessions import CONFIRMED_SECONDS

PAGES = gather_pages()
_NAMES = re.compile(r"\{(\w+)\}")


def named(page: Page) -> str:
    return f"{page.method} {page.path}"


IN_ACCOUNT = [page for page in PAGES if page.scope in ("mode", "account")]
CLOSED = [page for page in PAGES if page.scope != "open"]
POSTS = [page for page in PAGES if page.method == "POST"]
OWNING = [page for page in IN_ACCOUNT if any(name in OWNED for name in _NAMES.findall(page.path))]


#: What asks for a recent proof of who one is, written down a second time: all that lets a key or a person do more, or for longer.
RECENT = {
    "/apikeys/create", "/apikeys/{key}/reveal", "/apikeys/{key}/roll", "/apikeys/{key}/edit", "/apikeys/{key}/cancel_expiry",
    "/settings/team/invite", "/settings/team/{person}", "/settings/team/{person}/role", "/settings/team/{person}/remove",
    "/settings/team/owner", "/webhooks/{endpoint}/reveal", "/webhooks/{endpoint}/roll", "/webhooks/{endpoint}/end_old",
    "/profile/passkeys/options", "/profile/passkeys", "/profile/passkeys/{passkey}/remove",
    "/profile/totp", "/profile/totp/begin", "/profile/totp/remove",
}  # fmt: skip


def address(site: Site, page: Page, account: str | None = None, livemode: bool = False, ids_of: tuple[str, bool] | None = None) -> str:
    """The page's address in that account and mode. ids_of: the account and mode whose ids stand in it."""
    account = account or site.account
    owner, mode = ids_of or (account, livemode)
    values = samples.values(site, page.path, owner, mode)
    path = _NAMES.sub(lambda match: values[match[1]], page.path)
    return f"/{account}{'' if livemode else '/test'}{path}" if page.scope in ("mode", "account") else path


def ask(browser: Browser, page: Page, path: str, csrf: str | None = None) -> int:
    return (browser.get(path) if page.method == "GET" else browser.post(path, csrf=csrf)).status


@pytest.mark.parametrize("page", CLOSED, ids=named)
def test_a_stranger_is_led_to_sign_in(site: Site, page: Page) -> None:
    browser = site.browser()
    browser.get("/login")
    path = address(site, page)
    answer = browser.get(path) if page.method == "GET" else browser.post(path)
    assert answer.status == 303
    assert answer.location.startswith("/login?to=")


@pytest.mark.parametrize("page", IN_ACCOUNT, ids=named)
def test_a_role_that_may_not_is_told_whom_to_ask(site: Site, page: Page) -> None:
    site.person("owner", name="Olive Owner")
    for role in roles.ROLES:
        if role.name == roles.OWNER:
            continue
        browser = site.browser(role.name)
        for livemode in (False, True):
            if not roles.allows(role.name, page.action, livemode):
                path = address(site, page, livemode=livemode)
                answer = browser.get(path) if page.method == "GET" else browser.post(path)
                assert answer.status == 403, (role, livemode)
                assert "Olive Owner" in answer.text


def test_pages_that_make_keys_or_people_able_to_do_more_are_written_down() -> None:
    assert {page.path for page in PAGES if page.sudo} == RECENT


@pytest.mark.parametrize("page", [page for page in PAGES if page.path in RECENT], ids=named)
def test_a_session_that_was_left_open_has_to_prove_again_who_it_is(site: Site, page: Page) -> None:
    person = site.person("administrator" if page.action != "owner.transfer" else "owner")
    browser, path = site.browser().sign_in(person.email), address(site, page)
    site.world.clock[0] += CONFIRMED_SECONDS
    answer = browser.get(path) if page.method == "GET" else browser.post(path)
    assert (answer.status, answer.location.partition("?")[0]) == (303, "/confirm")
    back = parse_qs(urlsplit(answer.location).query)["to"][0]
    assert browser.post("/confirm", {"password": PASSWORD, "to": back}).location == back
    assert browser.get(back).status in (200, 303)


@pytest.mark.parametrize("page", POSTS, ids=named)
def test_a_form_without_its_token_changes_nothing(site: Site, page: Page) -> None:
    browser = site.browser("administrator")
    other = site.browser("administrator")
    for wrong in ("", "0" * 64, other.csrf):
        assert ask(browser, page, address(site, page), csrf=wrong) == 403


@pytest.mark.parametrize("page", POSTS, ids=named)
def test_a_form_of_another_site_changes_nothing(site: Site, page: Page) -> None:
    browser = site.browser("administrator")
    path = address(site, page)
    foreign = ({"origin": "https://evil.example"}, {"origin": "null", "sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"})
    for headers in foreign:
        assert browser.post(path, **headers).status == 403


@pytest.mark.parametrize("page", IN_ACCOUNT, ids=named)
def test_another_account_does_not_exist(site: Site, page: Page) -> None:
    theirs = site.api.another().account
    assert ask(site.browser("administrator"), page, address(site, page, theirs)) == 404


@pytest.mark.parametrize("page", OWNING, ids=named)
def test_the_ids_of_another_account_do_not_exist(site: Site, page: Page) -> None:
    theirs = site.api.another().account
    browser = site.browser("administrator")
    assert ask(browser, page, address(site, page, ids_of=(theirs, False))) == 404


@pytest.mark.parametrize("page", [page for page in OWNING if any(OWNED.get(name) for name in _NAMES.findall(page.path))], ids=named)
def test_the_ids_of_the_other_mode_do_not_exist(site: Site, page: Page) -> None:
    browser = site.browser("administrator")
    for livemode in (False, True):
        assert ask(browser, page, address(site, page, livemode=livemode, ids_of=(site.account, not livemode))) == 404


@pytest.mark.parametrize("page", [page for page in PAGES if page.method == "GET" and page.scope != "open"], ids=named)
def test_every_page_opens_in_both_modes_for_a_role_that_may_all(site: Site, page: Page) -> None:
    site.person("owner", name="Olive Owner")
    browser = site.browser("administrator")
    for livemode in (False, True):
        answer = browser.get(address(site, page, livemode=livemode))
        expected = (403,) if page.action == "owner.transfer" else (200, 303, 422)
        assert answer.status in expected, answer.text
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<style|style=|<script(?! (type=\"module\" )?src=)|\son\w+=\"", answer.text)


def test_a_page_of_another_host_gets_no_frame_no_referrer_and_tls_gets_hsts(site: Site) -> None:
    plain, secure = site.browser().get("/login"), site.browser(secure=True).get("/login")
    for answer in (plain, secure):
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert "strict-transport-security" not in plain.headers
    assert secure.headers["strict-transport-security"].startswith("max-age=")
