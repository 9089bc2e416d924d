"""Every page refuses what it must. Made from the pages' declarations, so that none can be forgotten."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from tests.dashboard import samples
from tests.dashboard.samples import OWNED
from tests.support.dashboard import PASSWORD, Browser, Site
from tests.upstream.conftest import connect
from tollkey.dashboard import acting, factors, roles
from tollkey.dashboard.factors import Passkey
from tollkey.dashboard.page import Page
from tollkey.dashboard.routing import gather_pages
from tollkey.dashboard.sessions import CONFIRMED_SECONDS
from tollkey.db import Scope, Tx
from tollkey.keys.actors import SYSTEM

PAGES = gather_pages()
_NAMES = re.compile(r"\{(\w+)\}")


def named(page: Page) -> str:
    return f"{page.method} {page.path}"


IN_ACCOUNT = [page for page in PAGES if page.scope in ("mode", "account")]
CLOSED = [page for page in PAGES if page.scope != "open"]
POSTS = [page for page in PAGES if page.method == "POST"]
OWNING = [page for page in IN_ACCOUNT if any(name in OWNED for name in _NAMES.findall(page.path))]


#: POSTs that may be sent from a session that was left open, written down a second time. All others ask for a recent
#: proof of who one is.
ANY_TIME = {
    "/login", "/login/second", "/login/passkey", "/login/passkey/options", "/confirm", "/join/{token}",
    "/reset/{token}",  # are the proof
    "/logout", "/profile/sessions/{session}/end", "/profile/end_others",
    "/settings/team/invitations/{invitation}/withdraw",  # shut out
    "/jobs/run", "/profile/name", "/accounts/new", "/clocks", "/webhooks/{endpoint}/switch",
    "/events/{event}/resend/{delivery}",
    *(f"/objects/{{object}}/{{id}}/{group.replace('.', '-')}/{{number}}" for group in acting.GROUPS),
}  # fmt: skip

#: POSTs that neither ask first nor have a page of their own that does, and why they need not.
NOT_ASKED = {
    "/logout": "one signs in again",
    "/jobs/run": "it was to be done anyhow",
    "/login/passkey": "the browser itself asks",
    "/login/passkey/options": "nothing changes",
    "/profile/passkeys": "the browser itself asks",
    "/profile/passkeys/options": "nothing changes",
    "/profile/name": "it can be written back",
    "/profile/sessions/{session}/end": "one signs in again",
    "/profile/end_others": "one signs in again",
    "/profile/totp/begin": "nothing counts before a first code was entered",
    "/apikeys/{key}/cancel_expiry": "it can be ended again",
    "/apikeys/{key}/loosen": "they can be removed again",
    "/webhooks/{endpoint}/switch": "it can be switched back",
    "/webhooks/{endpoint}/reveal": "nothing changes",
    "/events/{event}/resend/{delivery}": "the same is sent again",
    "/upstream/test": "nothing changes",
    "/settings/team/{person}/role": "the page of the member asks, and the role can be changed back",
}


def address(
    site: Site, page: Page, account: str | None = None, livemode: bool = False, ids_of: tuple[str, bool] | None = None
) -> str:
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


@pytest.mark.parametrize("page", POSTS, ids=named)
def test_every_form_says_whether_it_asks_for_a_recent_proof_and_why(page: Page) -> None:
    assert page.recent_sign_in.required == (page.path not in ANY_TIME)
    assert len(page.recent_sign_in.reason.split()) >= 3


def test_a_form_that_does_not_say_so_is_no_page() -> None:
    with pytest.raises(ValueError, match="POST /new does not declare"):
        Page("/new", lambda ctx, params: None, method="POST")


@pytest.mark.parametrize("page", [page for page in POSTS if page.recent_sign_in], ids=named)
def test_the_page_of_a_form_asks_for_the_proof_before_anything_is_typed(page: Page) -> None:
    own = [one for one in PAGES if one.method == "GET" and one.path == page.path]
    assert all(one.recent_sign_in for one in own)


@pytest.mark.parametrize("page", POSTS, ids=named)
def test_what_cannot_be_taken_back_is_asked_about_first(page: Page) -> None:
    own_page = any(one.method == "GET" and one.path == page.path for one in PAGES)
    assert (page.confirmation is not None) + (page.path in NOT_ASKED) == (
        0 if own_page and page.confirmation is None else 1
    )


def left_behind(site: Site) -> int:
    """All that is stored, but for who is signed in and which key was used when."""

    def work(tx: Tx) -> int:
        found = [row[0] for row in tx.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        kept = [name for name in found if name not in ("dash_sessions", "dash_failures", "key_usage")]
        return hash(repr([(name, tx.execute(f'SELECT * FROM "{name}"')) for name in kept]))

    return site.core.database.read(work)


@pytest.mark.parametrize(
    "page", [page for page in POSTS if page.confirmation and page.path != "/jobs/discard"], ids=named
)  # test_jobs has that
def test_without_scripts_a_page_asks_and_nothing_happens_before_it_is_answered(site: Site, page: Page) -> None:
    owner = site.person("owner")
    browser, path, sent = site.browser().sign_in(owner.email), asked_about(site, page, owner.id), {}
    if page.path == "/settings/team/owner":
        sent = {"person": site.person("developer", name="Dev Eloper").id}
    before = left_behind(site)
    answer = browser.post(path, sent)
    assert answer.status == 200
    assert left_behind(site) == before
    form = re.search(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', answer.text.partition("<main")[2], re.S)
    assert form
    assert form[1] == path
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[2]))
    assert fields == {**sent, "csrf": browser.csrf, "sure": "1"}
    cancel = re.search(r'<a class="button second" href="([^"]+)">Cancel</a>', form[2])
    assert cancel
    assert browser.get(cancel[1]).status in (200, 303)
    said = browser.post(path, sent, accept="application/json")
    assert set(orjson.loads(said.body)) == {"ask", "label"}
    assert left_behind(site) == before
    assert browser.post(path, fields).status in (200, 303)
    assert left_behind(site) != before


def asked_about(site: Site, page: Page, me: str) -> str:
    """The address of a form that asks, about something of which it can be done."""
    if page.path == "/apikeys/{key}/hide":  # the successor of a live key, which nobody has looked at
        live, authority = Scope(site.account, True), site.core.authority

        def work(tx: Tx) -> str:
            old = authority.list(tx, live, kind="secret")[0]
            return authority.roll(tx, live, old.id, 3600, actor=SYSTEM, now=site.now)[1].id

        return f"/{site.account}/apikeys/{site.core.database.write(work)}/hide"
    if page.path == "/profile/passkeys/{passkey}/remove":
        made = Passkey(site.core.setup.ids.text(20), me, "Somebody's phone", b"key", 0, site.now, None)
        site.core.database.write(lambda tx: factors.add_passkey(tx, made))
        return f"/profile/passkeys/{made.id}/remove"
    if page.path == "/upstream/disconnect":
        connect(site.api, "http://127.0.0.1:9")  # where nobody answers
    if page.path == "/apikeys/{key}/enable":
        scope, authority = Scope(site.account, False), site.core.authority

        def pause(tx: Tx) -> str:
            key = authority.list(tx, scope, kind="secret")[0]
            return authority.disable(tx, scope, key.id, actor=SYSTEM, now=site.now).id

        return f"/{site.account}/test/apikeys/{site.core.database.write(pause)}/enable"
    if page.path == "/apikeys/{key}/tighten":
        text = site.api.restricted("customer_read", "dispute_read")
        assert site.api.get("/v1/customers", key=text).status == 200
        site.world.write_uses()
        used = site.core.database.read(
            lambda tx: site.core.authority.list(tx, Scope(site.account, False), kind="restricted")
        )
        return f"/{site.account}/test/apikeys/{used[0].id}/tighten"
    return address(site, page)


@pytest.mark.parametrize("page", [page for page in PAGES if page.recent_sign_in], ids=named)
def test_a_session_that_was_left_open_has_to_prove_again_who_it_is(site: Site, page: Page) -> None:
    person = site.person("administrator" if page.action != "owner.transfer" else "owner")
    browser, path = site.browser().sign_in(person.email), address(site, page)
    site.world.clock[0] += CONFIRMED_SECONDS
    answer = browser.get(path) if page.method == "GET" else browser.post(path)
    assert (answer.status, answer.location.partition("?")[0]) == (303, "/confirm")
    back = parse_qs(urlsplit(answer.location).query)["to"][0]
    assert browser.post("/confirm", {"password": PASSWORD, "to": back}).location == back
    assert browser.get(back).status in (200, 303)
    kept = browser.post(path, accept="application/json") if page.method == "POST" else None
    assert kept is None or kept.status != 403


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
    foreign = (
        {"origin": "https://evil.example"},
        {"origin": "null", "sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    )
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


@pytest.mark.parametrize(
    "page", [page for page in OWNING if any(OWNED.get(name) for name in _NAMES.findall(page.path))], ids=named
)
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
