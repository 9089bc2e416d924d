"""A customer's own keys, in a real browser: on the hosted page, and by the web component in a page of the host's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.browser.axe import violations
from tests.browser.conftest import PATIENCE
from tests.support.serving import Serving
from tollkey.keys import KeyService, Permission
from tollkey.keys.portal import Portal

#: A page of the host's, with the strictest policy that lets the component in.
HOST_PAGE = """<!doctype html><html lang="en"><title>Acme settings</title>
<meta name="viewport" content="width=device-width">
<script type="module" src="{portal}/static/tollkey-keys.js"></script><script type="module" src="/app.js"></script>
<main><h1>Settings</h1><tollkey-keys base="{portal}"></tollkey-keys></main></html>"""
APP_JS = 'document.querySelector("tollkey-keys").token = await (await fetch("/token")).text();'


@dataclass
class Running:
    """A server with the portal and, under another name and so another origin, the host's page."""

    keys: KeyService
    portal: Portal
    host: str

    def link(self, *may: str) -> str:
        session = self.portal.create_session(
            account="alice", permissions=["report_read", "report_write"], return_url=f"{self.host}/",
            may=may or ("create", "roll", "revoke"),
        )  # fmt: skip
        assert session.url is not None
        return session.url


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    app = Starlette()
    server = Serving(app)
    try:
        url, host = f"http://localhost:{server.port}/portal", f"http://127.0.0.1:{server.port}"
        with KeyService.open(str(tmp_path / "keys.db"), [Permission("report", "Reports")]) as keys:
            portal = Portal(keys, base_url=url, origins=[host])
            app.router.routes += [*portal.routes(), *_host(portal, url)]
            yield Running(keys, portal, host)
    finally:
        server.stop()


def _host(portal: Portal, url: str) -> list[Route]:
    policy = {
        "content-security-policy": f"default-src 'none'; script-src 'self' {url}/static/; connect-src 'self' {url}/"
    }

    def page(request: Request) -> Response:
        return HTMLResponse(HOST_PAGE.format(portal=url), headers=policy)

    def token(request: Request) -> Response:
        return Response(portal.create_session(account="alice", permissions=["report_read"], ui_mode="component").token)

    def script(request: Request) -> Response:
        return Response(APP_JS, media_type="text/javascript")

    return [Route("/", page), Route("/token", token), Route("/app.js", script)]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    yield opened
    context.close()
    assert problems == []


def test_a_customer_makes_rolls_and_revokes_a_key_on_the_hosted_page(
    running: Running, page: Page, screenshots: Path
) -> None:
    page.goto(running.link())
    expect(page.get_by_text("There are no API keys yet.")).to_be_visible()
    assert page.url.endswith("/portal")  # the link's token is not in the address any more
    assert violations(page) == []

    page.get_by_role("button", name="Create key").click()
    page.get_by_role("dialog").get_by_role("button", name="Create key").click()
    expect(page.get_by_text("Give the key a name")).to_be_visible()
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    assert violations(page) == []
    page.get_by_label("Name").fill("Nightly export")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Choose at least one permission.")).to_be_visible()
    page.get_by_label("Reports Read").check()
    page.get_by_role("dialog").get_by_role("button", name="Create key").click()

    expect(page.get_by_role("heading", name="Save your new key")).to_be_visible()
    assert violations(page) == []
    secret = page.locator("tollkey-keys code.secret").inner_text()
    assert running.keys.check(secret, "report_read")
    page.get_by_role("button", name="Copy key").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.get_by_role("button", name="Done").click()
    assert secret not in page.locator("tollkey-keys").evaluate("element => element.shadowRoot.innerHTML")

    expect(page.get_by_text("Nightly export")).to_be_visible()
    page.screenshot(path=screenshots / "keys-portal.png")
    page.get_by_role("button", name="Roll Nightly export").click()
    page.get_by_label("The old key").select_option("24h")
    page.get_by_role("button", name="Roll key").click()
    expect(page.get_by_role("heading", name="Save your new key")).to_be_visible()
    page.keyboard.press("Escape")
    assert running.keys.verify(secret)

    page.get_by_role("button", name="Revoke Nightly export").last.click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_role("listitem")).to_have_count(1)
    assert not running.keys.verify(secret)


def test_the_component_does_the_same_in_a_page_of_another_origin(running: Running, page: Page) -> None:
    page.goto(f"{running.host}/")
    page.get_by_role("button", name="Create key").click()
    page.get_by_label("Name").fill("From the settings")
    page.get_by_label("Reports Read").check()
    page.get_by_role("dialog").get_by_role("button", name="Create key").click()
    secret = page.locator("tollkey-keys code.secret").inner_text()
    assert running.keys.check(secret, "report_read")
    page.get_by_role("button", name="Done").click()
    assert violations(page) == []


def test_an_ended_session_says_so_and_can_be_tried_again(running: Running, page: Page) -> None:
    page.goto(running.link("roll"))
    expect(page.get_by_text("There are no API keys yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Create key")).to_have_count(0)
    running.keys.database.write(lambda tx: tx.execute("DELETE FROM portal_sessions"))
    page.goto(page.url)
    expect(page.get_by_text("This link has been used or has expired.")).to_be_visible()
    assert violations(page) == []
