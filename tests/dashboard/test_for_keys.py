"""The Dashboard of a library's keys: the same pages about keys and people, none of payments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dashboard import PASSWORD, Browser
from tests.support.keys_dashboard import NOW, KeysSite, keys_site
from tollkey.dashboard import owner_link, roles
from tollkey.dashboard.for_keys import TEAM, accounts_from
from tollkey.dashboard.page import Page
from tollkey.dashboard.routing import gather_pages
from tollkey.dashboard.sessions import CONFIRMED_SECONDS
from tollkey.db import Scope
from tollkey.keys import Key, Made, audit
from tollkey.keys.actors import SYSTEM
from tollkey.keys.authority import Authority
from tollkey.keys.config import Config, load

PAGES = gather_pages("keys")
IN_ACCOUNT = [page for page in PAGES if page.scope in ("mode", "account")]
MAIN = "/acct_main"


def named(page: Page) -> str:
    return f"{page.method} {page.path}"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[KeysSite]:
    with keys_site(database_url, tmp_path / "keyring") as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeysSite]:
    """For tests that only add to it: opening it compiles templates."""
    folder = tmp_path_factory.mktemp("shared")
    with keys_site(str(folder / "keys.db"), folder / "keyring") as opened:
        yield opened


@pytest.fixture(scope="module")
def olive(shared_site: KeysSite) -> Browser:
    """The browser of the owner of ``shared_site``."""
    return shared_site.browser("owner", "Olive Owner")


@pytest.fixture
def sqlite_site(tmp_path: Path) -> Iterator[KeysSite]:
    with keys_site(str(tmp_path / "keys.db"), tmp_path / "keyring") as opened:
        yield opened


def made_key(site: KeysSite, account: str = "main") -> Key:
    return site.keys.create("CI", permissions=["report_read"], account=account).key


def test_the_first_link_makes_an_owner_who_creates_rolls_and_deletes_a_key(site: KeysSite) -> None:
    link = site.keys.database.write(
        lambda tx: owner_link(tx, site.keyring, site.product.ids, "http://dashboard.test", TEAM, site.now)
    )
    assert link is not None
    browser, path = site.browser(), link.url.removeprefix("http://dashboard.test")
    assert "Become the owner" in browser.get(path).text
    joined = browser.post(path, {"name": "Olive", "email": "olive@example.com", "password": PASSWORD})
    assert (joined.status, joined.location) == (303, "/")
    assert browser.get("/").location == f"{MAIN}/accounts"
    assert "Projects" in browser.get(f"{MAIN}/apikeys/create").text
    form = {"kind": "restricted", "name": "CI", "matrix": "1", "p:report": "read", "p:project": "42:write"}
    text = shown(browser.post(f"{MAIN}/apikeys/create", form).text)
    key = site.keys.verify(text)
    assert isinstance(key, Key)
    assert (key.account, key.livemode, key.permissions) == ("main", True, {"report_read", "project:42:write"})
    assert "CI" in browser.get(f"{MAIN}/apikeys").text
    rolled = browser.post(f"{MAIN}/apikeys/{key.id}/roll", {"expires_in": "now"})
    assert isinstance(site.keys.verify(shown(rolled.text)), Key)
    assert not site.keys.verify(text)
    successor = site.keys.list(active=True)[0]
    assert browser.post(f"{MAIN}/apikeys/{successor.id}/delete").status == 303
    assert site.keys.list(active=True) == ()
    log = browser.get(f"{MAIN}/settings/audit").text
    for said in ("Key created", "Key made by rolling", "Key revoked", "Member joined", "Olive"):
        assert said in log


def shown(text: str) -> str:
    found = re.search(r'<code id="secret">([^<]+)</code>', text)
    assert found, text
    return found[1]


def made_service_key(site: KeysSite) -> Made:
    """A key with which a service calls the key server."""
    of = site.keys.authority
    services, scope = Authority(of.keyring, of.catalogue, brand=of.brand, for_services=True), Scope("tollkey", True)
    return Made(*site.keys.database.write(lambda tx: services.create(tx, scope, "secret", actor=SYSTEM, now=NOW)))


def test_accounts_are_listed_in_pages_without_those_of_service_keys(site: KeysSite) -> None:
    names = sorted([*(f"cus_{number:03}" for number in range(60)), "a b/c?", "Zoë"])
    made_service_key(site)
    for name in names:
        made_key(site, name)
    listed = site.keys.database.read(lambda tx: accounts_from(tx, "", 100))
    assert sorted(listed) == names
    browser = site.browser("developer")
    first = browser.get(f"{MAIN}/accounts").text
    older = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert older
    second = browser.get(older[1]).text
    assert {name for name in names if f'"row">{name}<' in first + second} == set(names)
    assert "tollkey</th>" not in first + second
    assert browser.get("/acct_tollkey/apikeys").status == 404


@pytest.mark.parametrize("name", ["a b/c?", "Zoë", "~7e", "..", "acct_1", "x" * 200])
def test_every_name_of_an_account_can_stand_in_a_url(shared_site: KeysSite, name: str) -> None:
    made_key(shared_site, name)
    browser = shared_site.browser("developer")
    opened = browser.send("GET", f"{MAIN}/accounts/open?name={name.replace('ë', '%C3%AB').replace('?', '%3F')}")
    assert opened.status == 303
    assert shared_site.product.account_in(opened.location.split("/")[1]) == name
    assert "CI" in browser.get(opened.location).text


def test_an_account_that_cannot_be_opened_does_not_keep_people_from_the_others(sqlite_site: KeysSite) -> None:
    made_key(sqlite_site, "old")
    rename = "UPDATE api_keys SET account = ?"  # as another program could have named it
    sqlite_site.keys.database.write(lambda tx: tx.execute(rename, ("x" * 201,)))
    browser = sqlite_site.browser("developer")
    assert browser.get("/").location == f"{MAIN}/accounts"
    made_key(sqlite_site, "alice")
    assert browser.get("/accounts").location == "/acct_alice/accounts"
    assert browser.get("/acct_alice/accounts").status == 200


def test_a_segment_that_is_no_name_is_no_account(olive: Browser) -> None:
    for segment in ("acct_", "acct_~zz", "acct_~41", "acct_~00", "acct_~ff", f"acct_{'x' * 201}"):
        assert olive.get(f"/{segment}/apikeys").status == 404
    assert olive.get(f"{MAIN}/accounts/open?name=").status == 422


def test_a_key_is_found_by_its_id_or_text_and_its_text_is_not_shown_again(site: KeysSite) -> None:
    made = site.keys.create("CI", permissions=["report_read"], account="a b", livemode=False)
    service_key = made_service_key(site)
    browser = site.browser("developer")
    browser.get(f"{MAIN}/accounts")
    for typed in (made.key.id, made.secret, f" {made.secret} "):
        answer = browser.post(f"{MAIN}/accounts/find", {"key": typed})
        assert (answer.status, answer.location) == (303, f"/acct_a~20b/test/apikeys/{made.key.id}")
    for typed in ("", "mk_none", service_key.secret, service_key.key.id, made.secret + "x", "é" * 300):
        answer = browser.post(f"{MAIN}/accounts/find", {"key": typed})
        assert (answer.status, "There is no such key." in answer.text) == (422, True)
        assert not typed or typed not in answer.text
    assert site.browser("analyst").post(f"{MAIN}/accounts/find", {"key": made.key.id}).status == 403


def path_of(site: KeysSite, page: Page) -> str:
    values = {"key": made_key(site).id, "person": site.person("developer").id}
    path = re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], "nothing"), page.path)
    return f"{MAIN}{path}" if page in IN_ACCOUNT else path


@pytest.mark.parametrize("page", [page for page in PAGES if page.method == "GET"], ids=named)
def test_every_page_opens_and_links_only_to_pages_that_exist(shared_site: KeysSite, olive: Browser, page: Page) -> None:
    answer = olive.get(path_of(shared_site, page))
    expected = {"/settings/audit/export": 422, "/accounts/open": 422, "/login/second": 404}.get(page.path, 200)
    assert answer.status in (expected, 303, 404 if "{" in page.path else expected), answer.text
    main = shared_site.app.routes
    for link in set(re.findall(r'(?:href|action)="(/[^"?#]*)', answer.text)) - {"/login"}:
        if not link.startswith("/static/"):
            path = re.sub(r"^/acct_[^/]+|/test(?=/)", "", link)
            path = re.sub(r"^/test(?=/)", "", path)
            assert main.find("GET", path)[0] or main.find("POST", path)[0], link
    assert not re.search(r"payment|dispute|charge|Stripe|real money", answer.text)


def test_a_role_that_may_not_is_told_whom_to_ask(shared_site: KeysSite, olive: Browser) -> None:
    browsers = {role.name: shared_site.browser(role.name) for role in shared_site.product.roles if role.name != "owner"}
    for page in IN_ACCOUNT:
        path = path_of(shared_site, page)
        for role, browser in browsers.items():
            if not roles.allows(role, page.action, True):
                answer = browser.get(path) if page.method == "GET" else browser.post(path)
                assert (answer.status, "Olive Owner" in answer.text) == (403, True), (page.path, role)


def test_whoever_is_no_member_sees_nothing(shared_site: KeysSite) -> None:
    stranger, nobody = shared_site.browser().sign_in(shared_site.person(None).email), shared_site.browser()
    for page in IN_ACCOUNT:
        path = path_of(shared_site, page)
        assert (stranger.get(path) if page.method == "GET" else stranger.post(path)).status == 404
        if page.method == "GET":
            assert nobody.get(path).location.startswith("/login")
    assert "not a member" in stranger.get("/").text


def test_the_table_of_roles_has_the_actions_of_its_pages_and_no_others(shared_site: KeysSite) -> None:
    shown = {action.name for action in roles.ACTIONS.values() if shared_site.product.shows(action)}
    assert shown == {page.action for page in IN_ACCOUNT}


def test_its_pages_know_nothing_of_the_payments_api() -> None:
    for page in PAGES:
        module = inspect.getmodule(page.handler)
        assert module is not None
        text = inspect.getsource(module)
        assert "tollkey.payments" not in text
        assert "tollkey.platform" not in text


def test_usage_is_counted_by_day_key_and_route(sqlite_site: KeysSite) -> None:
    made = sqlite_site.keys.create("CI", permissions=["report_read"])
    for _ in range(3):
        assert sqlite_site.keys.check(made.secret, "report_read", route="GET /reports")
    sqlite_site.keys.flush()
    analyst, developer = sqlite_site.browser("analyst"), sqlite_site.browser("developer")
    page = analyst.get(f"{MAIN}/usage").text
    assert "CI" not in page
    assert made.key.id in page
    assert f"CI ({made.key.redacted})" in developer.get(f"{MAIN}/usage").text
    assert "3" in analyst.get(f"{MAIN}/usage/export").text.splitlines()[1]
    assert analyst.get(f"{MAIN}/test/usage").text.count("No requests in the last 30 days") == 1


def test_what_the_dashboard_does_not_know_of_a_key_is_kept(sqlite_site: KeysSite, tmp_path: Path) -> None:
    key = sqlite_site.keys.create("CI", permissions=["report_read"]).key
    owner = sqlite_site.person("owner")
    with keys_site(str(tmp_path / "keys.db"), tmp_path / "keyring", Config(name="acme")) as bare:
        browser = bare.browser().sign_in(owner.email)
        assert "--config tollkey.toml" in browser.get(f"{MAIN}/apikeys/create").text
        path = f"{MAIN}/apikeys/{key.id}/edit"
        assert "report_read" in browser.get(path).text
        assert browser.post(path, {"name": "Renamed", "matrix": "1"}).status == 303
        found = bare.keys.list()[0]
        assert (found.name, found.permissions) == ("Renamed", {"report_read"})


CONFIG = """[service]
name = "acme"
default_plan = "free"
[permissions.report]
label = "Reports"
[plans.free]
rate = "10/s"
[plans.paid]
rate = "100/s"
"""


def test_the_plan_of_an_account_is_changed_by_administrators_and_logged(tmp_path: Path) -> None:
    (tmp_path / "tollkey.toml").write_text(CONFIG)
    with keys_site(str(tmp_path / "keys.db"), tmp_path / "keyring", load(tmp_path / "tollkey.toml")) as site:
        developer, owner = site.browser("developer"), site.browser("owner", "Olive Owner")
        assert "10 a second" in developer.get(f"{MAIN}/plan").text
        assert developer.post(f"{MAIN}/plan", {"plan": "paid"}).status == 403
        assert owner.post(f"{MAIN}/plan", {"plan": "paid"}, csrf="0" * 64).status == 403
        assert owner.post(f"{MAIN}/plan", {"plan": "gold"}).status == 422
        assert owner.post(f"{MAIN}/plan", {"plan": "paid"}).status == 303
        assert (site.keys.plan_of("main"), site.keys.plan_of("main", livemode=False)) == ("paid", "free")
        log = owner.get(f"{MAIN}/settings/audit").text
        assert log.count("Plan changed") == 1
        for said in ("was: default", "became: paid", 'data-label="By">Olive Owner'):
            assert said in log
        site.now += CONFIRMED_SECONDS
        assert owner.post(f"{MAIN}/plan", {"plan": "free"}).location.startswith("/confirm")


def test_a_key_can_be_for_a_number_of_requests_and_be_due_for_rotation(sqlite_site: KeysSite) -> None:
    browser = sqlite_site.browser("developer")
    form = {"kind": "secret", "name": "Once", "max_uses": "2", "rotate_every": "30"}
    text = shown(browser.post(f"{MAIN}/apikeys/create", form).text)
    key = sqlite_site.keys.list()[0]
    assert (key.max_uses, key.rotate_every) == (2, 30 * 86400)
    assert [bool(sqlite_site.keys.verify(text)) for _ in range(3)] == [True, True, False]
    assert "0 of 2" in browser.get(f"{MAIN}/apikeys/{key.id}").text
    for name, typed in (("max_uses", "many"), ("max_uses", "0"), ("rotate_every", "-1")):
        refused = browser.post(f"{MAIN}/apikeys/create", {**form, name: typed})
        assert (refused.status, f'id="{name}-error"' in refused.text) == (422, True)


def test_refused_keys_and_failed_sign_ins_are_listed(sqlite_site: KeysSite) -> None:
    assert not sqlite_site.keys.verify("sk_live_wrong", ip="192.0.2.9")
    person = sqlite_site.person("developer")
    browser = sqlite_site.browser()
    browser.get("/login")
    assert browser.post("/login", {"email": person.email, "password": "wrong"}).status == 422
    sqlite_site.keys.flush()
    page = browser.sign_in(person.email).get(f"{MAIN}/refusals").text
    assert "192.0.2.9" in page
    assert "Wrong password" in page


def test_a_seat_in_the_team_is_for_all_accounts_at_once(sqlite_site: KeysSite) -> None:
    made_key(sqlite_site, "alice")
    owner = sqlite_site.browser("owner")
    invited = owner.post("/acct_alice/settings/team/invite", {"email": "dev@example.com", "role": "developer"})
    link = re.search(r"http://dashboard.test(/join/\w+)", invited.text)
    assert link
    dev = sqlite_site.browser()
    assert "Join acme" in dev.get(link[1]).text
    assert dev.post(link[1], {"name": "Dev", "password": PASSWORD}).status == 303
    assert dev.get("/acct_alice/apikeys").status == dev.get("/acct_bob/apikeys").status == 200
    member = re.search(r"/acct_alice/settings/team/usr_\w+", owner.get("/acct_alice/settings/team").text)
    assert member
    assert "loses access to all accounts" in owner.get(member[0]).text
    assert "will lose access to all accounts" in owner.post(f"{member[0]}/remove").text
    for role in ("support", "view_only", "owner"):
        refused = owner.post("/acct_alice/settings/team/invite", {"email": "x@example.com", "role": role})
        assert refused.status == 422
    assert sqlite_site.now == NOW


def test_a_change_of_a_plan_stands_in_the_audit_log_without_a_link_to_a_key(site: KeysSite) -> None:
    keyring, scope = site.keys.authority.keyring, Scope("main", True)
    site.keys.database.write(lambda tx: audit.record_plan(tx, keyring, scope, SYSTEM, NOW, None, "pro"))
    page = site.browser("owner").get(f"{MAIN}/settings/audit").text
    assert "Plan changed" in page
    assert '/apikeys/"' not in page
