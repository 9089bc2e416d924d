"""Every page of the Dashboard: axe finds nothing wrong, each script runs once, and each question is one dialog in the
middle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pyotp
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import violations
from tests.browser.conftest import PATIENCE, Running
from tests.browser.crawl import crawl
from tests.browser.person import Person
from tests.browser.shop import Shop
from tollkey.cli.common import opened
from tollkey.dashboard.routing import Routes, gather_pages, parse_path
from tollkey.db import Scope, Tx
from tollkey.upstream import spending, store
from tollkey.upstream.spending import Approval
from tollkey.upstream.store import Hosts, Passed

ROUTES = Routes(gather_pages())
#: What no link leads to, or what is no page to look at; visited below, or downloads and addresses that lead on.
ELSEWHERE = {
    "/", "/dashboard", "/workbench/logs", "/b/{account}", "/objects/{object}/export", "/settings/audit/export",
    "/apikeys/{key}/usage.csv",
    "/login", "/login/second", "/confirm", "/join/{token}", "/reset/{token}", "/profile/totp",
}  # fmt: skip
_SCRIPTS = (
    "() => performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname).filter((path) => "
    "path.endsWith('.js'))"
)
_MIDDLE = """() => { const one = document.querySelector('dialog[open]').getBoundingClientRect();
    return [one.left + one.width / 2 - innerWidth / 2, one.top + one.height / 2 - innerHeight / 2]; }"""


def kind_of(address: str) -> str:
    """The declared path of a page; keys in live mode are looked at as well, since they can be hidden there."""
    place = parse_path(urlsplit(address).path)
    page, _ = ROUTES.find("GET", place.path)
    if page is None or page.path in ELSEWHERE or page.path == "/logout":
        return ""
    return page.path + (
        " live" if place.livemode and place.path.startswith(("/apikeys", "/upstream")) and page.scope == "mode" else ""
    )


@pytest.fixture(scope="module")
def olive(shared_server: Running, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """The owner of an account in which everything can be done that asks first."""
    owner = Person(chromium, tmp_path_factory.mktemp("screenshots"))
    owner.join(shared_server.owner_link, "Olive Owner", "olive@example.com")
    with Shop(shared_server) as shop:
        fill(shop, owner, shared_server, chromium)
        owner.shown = [f"test/{one}" for one in shop.shown]
    yield owner
    owner.context.close()


def fill(shop: Shop, owner: Person, server: Running, chromium: Browser) -> None:
    """Payments, events and requests; a key that ends, one that is paused, one that may do more than it needs; an
    endpoint with two secrets; a team.
    """
    customer = shop.post("/v1/customers", name="Jenny Rosen", email="jenny@example.com", metadata={"plan": "gold"})[
        "id"
    ]
    paying: dict[str, Any] = {"amount": 2000, "currency": "usd", "confirm": True, "return_url": "https://shop.example"}
    paid = shop.post(
        "/v1/payment_intents", customer=customer, payment_method="pm_card_visa", description="Two teas", **paying
    )["id"]
    shop.post("/v1/refunds", payment_intent=paid, amount=100)
    disputed = shop.post("/v1/payment_intents", payment_method="pm_card_createDispute", **paying)["id"]
    clock = shop.post("/v1/test_helpers/test_clocks", frozen_time=1_800_000_000, name="Next year")["id"]
    held = shop.post("/v1/payment_intents", payment_method="pm_card_visa", capture_method="manual", **paying)["id"]
    dispute = shop.get("/v1/disputes", payment_intent=disputed)["data"][0]["id"]
    shop.shown += [
        f"objects/payment_intent/{paid}",
        f"objects/payment_intent/{held}",
        f"objects/dispute/{dispute}",
        f"objects/test_helpers.test_clock/{clock}",
        f"objects/customer/{customer}",
    ]
    endpoint = shop.post("/v1/webhook_endpoints", url="https://shop.example/hook", enabled_events=["*"])["id"]
    restricted = shop.post(
        "/v1/api_keys", type="restricted", name="Monitor", permissions=["customer_read", "dispute_read"]
    )
    assert (
        httpx.get(f"{server.url}/v1/customers", headers={"Authorization": f"Bearer {restricted['secret']}"}).status_code
        == 200
    )
    shop.shown.append(f"apikeys/{restricted['id']}")
    ending = shop.post("/v1/api_keys", type="secret", name="Checkout")["id"]
    shop.post(f"/v1/api_keys/{ending}/roll", expires_in="in_7_days")
    paused = shop.post("/v1/api_keys", type="secret", name="Warehouse")["id"]
    shop.post(f"/v1/api_keys/{paused}/disable")
    shop.shown.append(f"apikeys/{paused}")
    base, page = f"{server.url}/{server.account}/test", owner.page
    page.goto(f"{base}/webhooks/{endpoint}")
    page.get_by_role("button", name="Roll secret, keep the old one active").click()
    for email, role in (("dev@example.com", "Developer"), ("late@example.com", "Support")):
        page.goto(f"{base}/settings/team/invite")
        page.get_by_label("Email").fill(email)
        page.get_by_role("radio", name=role).check()
        page.get_by_role("button", name="Create invitation link").click()
        if role == "Developer":
            dev = Person(chromium, Path())
            dev.join(page.locator("#link").inner_text(), "Dev Eloper")
            dev.context.close()
    pass_on(server)
    add_factors(owner, base)
    page.goto(f"{base}/apikeys/{restricted['id']}")
    for _ in range(PATIENCE // 250):  # requests are written down in the background, twice a second
        if page.get_by_role("button", name="Remove unused permissions").count():
            break
        page.wait_for_timeout(250)
        page.reload()


def pass_on(server: Running) -> None:
    """An upstream account in live mode, whose key was refused last; calls, and one that waits for a person."""
    scope, there, key = Scope(server.account, True), "http://127.0.0.1:9", "_".join(("sk", "live", "there012345cdef"))
    calls = (
        Passed("req_lost", "mk_1", "POST", "/v1/payment_intents", 5000, "usd", "unknown", None, None, 1_800_000_100),
        Passed("req_sent", "mk_1", "POST", "/v1/refunds", 700, "jpy", "sent", None, None, 1_800_000_000),
    )
    above = Approval(
        "apr_1", "mk_1", "once", b"mark", "POST", "/v1/refunds", "refund", 9000, "usd", "cap_amount", "pending",
        1_800_000_000,
    )  # fmt: skip

    def work(tx: Tx) -> None:
        hosts = Hosts(there, there, there)
        store.connect(tx, core.authority.keyring, scope, hosts, "acct_there", key, "sk_live_...cdef", 1_800_000_000)
        store.note_use(tx, scope, 1_800_000_200, taken=False)
        store.add_calls(tx, [(scope, call) for call in calls])
        spending.ask(tx, scope, above)

    with opened(server.data, None) as core:
        core.database.write(work)


def add_factors(owner: Person, base: str) -> None:
    """A passkey and an authenticator app."""
    devtools = owner.context.new_cdp_session(owner.page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }})  # fmt: skip
    owner.page.goto(f"{base}/profile")
    owner.page.get_by_role("button", name="Add a passkey").click()
    owner.page.get_by_role("button", name="Remove").wait_for()
    owner.page.get_by_role("button", name="Set up an app").click()
    secret = owner.page.locator("code").first.inner_text()
    owner.look("totp")
    owner.page.get_by_label("Code from the app").fill(pyotp.TOTP(secret).now())
    owner.page.get_by_role("button", name="Turn on").click()
    owner.page.get_by_role("heading", name="Recovery codes").wait_for()
    owner.look("recovery codes")


def ask(olive: Person, kind: str) -> Iterator[str]:
    """Press every button of the page that asks first, look at its dialog, and leave it with Escape.

    Gives the forms' declared paths.
    """
    page = olive.page
    for number in range(page.locator("form[data-ask]").count()):
        form = page.locator("form[data-ask]").nth(number)
        form.evaluate("(one) => { const menu = one.closest('details'); if (menu) menu.open = true; }")
        opener = form.locator("button")
        opener.click()
        dialog = page.locator("dialog")
        expect(dialog).to_have_count(1)
        expect(dialog).to_be_visible()
        assert page.evaluate("document.activeElement.textContent") == "Cancel", kind
        assert [abs(round(off)) <= 1 for off in page.evaluate(_MIDDLE)] == [True, True], (kind, page.evaluate(_MIDDLE))
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(opener).to_be_focused()
        found = ROUTES.find("POST", parse_path(urlsplit(form.evaluate("(one) => one.action")).path)[2])[0]
        assert found is not None
        assert found.confirmation is not None, found.path
        yield found.path


def test_every_page_is_whole_for_everybody_and_asks_once(shared_server: Running, olive: Person) -> None:
    base = f"{shared_server.url}/{shared_server.account}"
    paths = (
        "test/home",
        "apikeys",
        "upstream",
        "test/profile",
        "test/settings/team/owner",
        "test/apikeys/create",
        *olive.shown,
    )
    starts = [f"{base}/{path}" for path in paths]
    starts.append(f"{shared_server.url}/docs/search?q=refund")
    wrong, seen, asked = list(olive.wrong), set(), set()
    for kind, _ in crawl(olive.page, starts, kind_of, always=frozenset(starts)):
        seen.add(kind)
        twice = [path for path, count in Counter(olive.page.evaluate(_SCRIPTS)).items() if count > 1]
        assert twice == [], kind
        wrong += [f"{kind}: {one}" for one in violations(olive.page)]
        asked.update(ask(olive, kind))
    assert wrong == []
    declared = {page.path for page in ROUTES.pages if page.method == "GET"} - ELSEWHERE
    assert declared - seen == set()
    unseen = {"/jobs/discard"}  # only where a job has failed: tests/dashboard/test_jobs.py
    assert asked == {page.path for page in ROUTES.pages if page.confirmation} - unseen
    assert olive.complaints == []


def test_the_keyboard_comes_first_to_a_way_past_the_menus(shared_server: Running, olive: Person) -> None:
    olive.page.goto(f"{shared_server.url}/{shared_server.account}/test/apikeys")
    olive.page.keyboard.press("Tab")
    expect(olive.page.get_by_role("link", name="Skip to content")).to_be_focused()
