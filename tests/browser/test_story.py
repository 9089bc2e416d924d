"""What a person who has never seen the Dashboard does first, from the one-time link on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PATIENCE, Running
from tests.browser.person import Person


def call(server: Running, key: str, path: str) -> int:
    return httpx.get(f"{server.url}{path}", headers={"Authorization": f"Bearer {key}"}).status_code


def invite(owner: Person, email: str, role: str) -> str:
    owner.open("Team")
    owner.page.get_by_role("link", name="Invite member").click()
    owner.page.get_by_label("Email").fill(email)
    owner.page.get_by_role("radio", name=role).check()
    owner.page.get_by_role("button", name="Create invitation link").click()
    return owner.page.locator("#link").inner_text()


def choose(person: Person, row: Any, action: str) -> None:
    row.locator("summary").click()
    row.get_by_role("link", name=action).click()


def shown_key(person: Person) -> str:
    return person.page.locator("#secret").inner_text()


def expect_request(person: Person, key_row: str, request: str, status: str) -> None:
    person.open("API keys")
    person.row(key_row).first.get_by_role("link").first.click()
    requests = person.page.get_by_role("table", name="Requests of this key")
    for _ in range(PATIENCE // 250):  # requests are written down in the background, twice a second
        if requests.count():
            break
        person.page.wait_for_timeout(250)
        person.page.reload()
    expect(requests).to_contain_text(request)
    expect(requests).to_contain_text(status)


def test_the_story_from_the_first_link_to_a_lost_key(server: Running, chromium: Browser, screenshots: Path) -> None:
    olive = Person(chromium, screenshots)
    page = olive.page

    # Become the owner.
    page.goto(server.owner_link)
    olive.keep("01-first-link")
    olive.join(server.owner_link, "Olive Owner", "olive@example.com")
    olive.open("API keys")
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()
    expect(page.get_by_text("Test mode", exact=True)).to_be_visible()

    # Invite a developer, and somebody who may only look.
    link = invite(olive, "dev@example.com", "Developer")
    olive.keep("02-invite-a-developer")
    dev = Person(chromium, screenshots)
    dev.join(link, "Dev Eloper")
    dev.open("API keys")
    expect(dev.page.get_by_role("heading", name="Standard keys")).to_be_visible()
    looker = Person(chromium, screenshots)
    looker.join(invite(olive, "vera@example.com", "View only"), "Vera Viewer")
    looker.open("API keys")
    expect(looker.page.get_by_text("to add you to the team as a developer")).to_contain_text("Olive Owner")
    looker.keep("03-whom-to-ask")

    # Reveal the live key once, and note where it lives.
    olive.open("API keys")
    page.get_by_role("navigation", name="Mode").get_by_role("link", name="Live").click()
    expect(page.get_by_text("Live mode", exact=True)).to_be_visible()
    page.get_by_role("link", name="Reveal live key").click()
    page.get_by_label("Notes").fill("Vault “Payments”, entry live-secret")
    olive.keep("04-reveal-live-key")
    page.get_by_role("button", name="Reveal live key").click()
    live_key = shown_key(olive)
    assert live_key.startswith("sk_" + "live_")
    page.get_by_role("button", name="Save note").click()
    olive.open("API keys")
    expect(olive.row("Secret key").first).to_contain_text("Vault “Payments”")
    expect(page.get_by_role("link", name="Reveal live key")).to_have_count(0)
    olive.keep("05-live-keys")

    # Make a restricted key from a template.
    page.get_by_role("navigation", name="Mode").get_by_role("link", name="Test").click()
    page.get_by_role("link", name="Use this template").click()
    page.get_by_label("Key name").fill("Dispute monitor")
    page.get_by_label("Search permissions").fill("dispute")
    page.locator("[data-matrix]").scroll_into_view_if_needed()
    olive.keep("06-restricted-key")
    page.get_by_role("button", name="Create key").click()
    restricted_key = shown_key(olive)

    # Roll a key with 24 hours' grace.
    olive.open("API keys")
    row = olive.row("Secret key").first
    row.get_by_role("button", name="Reveal test key").click()
    expect(row.locator("code")).to_contain_text("sk_" + "test_5")
    old_key = row.locator("code").inner_text()
    choose(olive, row, "Roll key")
    page.get_by_role("radio", name="In 24 hours").check()
    olive.keep("07-roll-key")
    page.get_by_role("button", name="Roll API key").click()
    new_key = shown_key(olive)
    olive.open("API keys")
    expect(olive.row("Expires in")).to_have_count(1)
    olive.keep("08-api-keys")

    # A request with each is seen on the key's page.
    assert call(server, old_key, "/v1/customers") == 200
    assert call(server, new_key, "/v1/products") == 200
    assert call(server, restricted_key, "/v1/disputes") == 200
    assert call(server, restricted_key, "/v1/customers") == 403
    expect_request(olive, "Expires in", "/v1/customers", "200")
    olive.keep("09-a-key-and-its-requests")
    expect_request(olive, f"...{new_key[-4:]}", "/v1/products", "200")
    expect_request(olive, "Dispute monitor", "/v1/disputes", "403")
    expect(page.get_by_role("heading", name="Unused permissions")).to_be_visible()
    assert call(server, live_key, "/v1/customers") == 200
    page.get_by_role("navigation", name="Mode").get_by_role("link", name="Live").click()
    expect_request(olive, f"...{live_key[-4:]}", "/v1/customers", "200")

    # Find the answer to a lost key.
    olive.open("API keys")
    olive.row("Secret key").get_by_role("link", name="Lost this key?").click()
    expect(page.get_by_text("A lost live key cannot be revealed again")).to_be_visible()
    olive.keep("10-lost-key")
    assert [*olive.complaints, *dev.complaints] == []


def test_it_fits_a_phone_in_the_dark(server: Running, chromium: Browser, screenshots: Path) -> None:
    person = Person(chromium, screenshots, color_scheme="dark")
    person.join(server.owner_link, "Olive Owner", "olive@example.com")
    person.page.set_viewport_size({"width": 390, "height": 780})
    for path in (
        "/apikeys",
        "/apikeys/create?template=disputes",
        "/settings/team",
        "/settings/team/invite",
        "/settings/audit",
        "/profile",
    ):
        person.page.goto(f"{server.url}/{server.account}/test{path}")
        width = person.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, path
    person.page.goto(f"{server.url}/{server.account}/apikeys")
    person.keep("11-phone-dark")


def test_a_passkey_signs_in_where_a_password_would(server: Running, chromium: Browser, screenshots: Path) -> None:
    person = Person(chromium, screenshots)
    person.join(server.owner_link, "Olive Owner", "olive@example.com")
    devtools = person.context.new_cdp_session(person.page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }})  # fmt: skip
    page = person.page
    page.goto(f"{server.url}/{server.account}/test/profile")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("button", name="Remove")).to_have_count(1)
    person.context.clear_cookies()
    page.goto(f"{server.url}/login")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(lambda url: "/login" not in url)
    expect(page.get_by_text("Olive Owner").first).to_be_visible()
    assert person.complaints == []
