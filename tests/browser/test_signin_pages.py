"""The pages around signing in, and those that refuse or ask: axe finds nothing wrong with them either."""

from __future__ import annotations

from pathlib import Path

import pyotp
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Running, tollkey_says
from tests.browser.person import PASSWORD, Person

EMAIL = "olive@example.com"


def press(person: Person, name: str) -> None:
    """Press a button of the page's form, past what the browser itself would refuse."""
    person.page.evaluate("document.querySelectorAll('form').forEach((one) => { one.noValidate = true; })")
    person.page.get_by_role("button", name=name, exact=True).click()
    person.page.wait_for_load_state()


def test_every_page_around_signing_in_is_whole_for_everybody(
    server: Running, chromium: Browser, tmp_path: Path
) -> None:
    olive = Person(chromium, tmp_path)
    page, base = olive.page, f"{server.url}/{server.account}/test"

    # The first link, as it is and with everything wrong; then as it is when it was used.
    page.goto(server.owner_link)
    olive.look("join")
    page.locator("form button").first.evaluate("(one) => { one.form.noValidate = true; one.click(); }")
    expect(page.locator(".error").first).to_be_visible()
    olive.look("join, refused")
    olive.join(server.owner_link, "Olive Owner", EMAIL)
    page.goto(server.owner_link)
    olive.look("join, used")

    # A question as a page of its own, for browsers without scripts; and the proof of who one is.
    page.goto(f"{base}/profile")
    page.get_by_role("button", name="Set up an app").click()
    secret = page.locator("code").first.inner_text()
    olive.look("totp")
    page.get_by_label("Code from the app").fill(pyotp.TOTP(secret).now())
    press(olive, "Turn on")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    codes = page.locator("pre").inner_text().split()
    olive.look("recovery codes")
    page.goto(f"{base}/profile")
    page.locator("form[data-ask]").first.evaluate("(one) => HTMLFormElement.prototype.submit.call(one)")
    expect(page.locator('input[name="sure"]')).to_have_count(1)
    olive.look("question")
    page.goto(f"{server.url}/confirm?to=/")
    olive.look("confirm")
    press(olive, "Continue")
    olive.look("confirm, refused")

    # Out and in again.
    page.goto(f"{base}/nothing")
    olive.look("nothing here")
    page.goto(f"{server.url}/login")
    olive.context.clear_cookies()
    page.goto(f"{server.url}/login")
    olive.look("login")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill("wrong")
    press(olive, "Sign in")
    olive.look("login, refused")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    press(olive, "Sign in")
    expect(page).to_have_url(f"{server.url}/login/second?to=/")
    olive.look("second")
    page.get_by_label("Code").fill("000000")
    press(olive, "Continue")
    olive.look("second, refused")
    page.get_by_label("Code").fill(codes[0])
    press(olive, "Continue")

    # A new password by a link.
    link = tollkey_says(server, "people", "reset", EMAIL)["reset_link"]
    page.goto(link)
    olive.look("reset")
    press(olive, "Reset password")
    expect(page.locator(".error").first).to_be_visible()
    olive.look("reset, refused")
    page.goto(f"{link}x")
    olive.look("reset, unknown")

    # Somebody who may only look, and is refused; then somebody who belongs to no account any more.
    page.goto(f"{base}/settings/team/invite")
    page.get_by_label("Email").fill("vera@example.com")
    page.get_by_role("radio", name="View only").check()
    page.get_by_role("button", name="Create invitation link").click()
    vera = Person(chromium, tmp_path)
    vera.join(page.locator("#link").inner_text(), "Vera Viewer")
    vera.page.goto(f"{base}/apikeys/create")
    vera.look("refused")
    assert [*olive.wrong, *vera.wrong] == []
    for person in (olive, vera):
        person.context.close()
