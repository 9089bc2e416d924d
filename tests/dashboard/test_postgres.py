"""The Dashboard's own statements on PostgreSQL: one walk through all of them."""

from __future__ import annotations

import re

from tests.support.dashboard import PASSWORD, Site
from tollkey.dashboard import people
from tollkey.dashboard.page import Page
from tollkey.dashboard.routing import gather_pages


def test_a_walk_through_keys_team_profile_and_audit_log(postgres_site: Site) -> None:
    site = postgres_site
    owner = site.person("owner", name="Olive Owner")
    browser = site.browser()
    browser.get("/login")
    assert browser.post("/login", {"email": owner.email, "password": "wrong wrong wrong"}).status == 422
    browser.sign_in(owner.email)
    base = f"/{site.account}/test"
    made = browser.post(
        f"{base}/apikeys/create", {"kind": "restricted", "name": "Monitor", "p:dispute": "read", "p:charge": "read"}
    )
    text = re.search(r'<code id="secret">(.*?)</code>', made.text)
    assert text
    assert site.api.get("/v1/disputes", key=text[1]).status == 200
    site.world.write_uses()
    key = re.search(r"/apikeys/(mk_\w+)/edit", made.text)
    assert key
    assert "Unused permissions" in browser.get(f"{base}/apikeys/{key[1]}").text
    assert browser.sure(f"{base}/apikeys/{key[1]}/tighten").status == 303
    invited = browser.post(f"{base}/settings/team/invite", {"email": "pg@example.com", "role": "developer"})
    link = re.search(r"/join/\w+", invited.text)
    assert link
    joining = site.browser()
    joining.get(link[0])
    assert joining.post(link[0], {"name": "Pat", "password": PASSWORD}).status == 303
    member = next(m for m in site.core.database.read(lambda tx: people.members(tx, site.account)) if m.name == "Pat")
    assert browser.sure(f"{base}/settings/team/owner", {"person": member.person}).status == 303
    assert browser.post(f"{base}/profile/totp/begin").status == 303
    assert "QR code" in browser.get(f"{base}/profile/totp").text
    assert browser.post(f"{base}/login/passkey/options", accept="application/json").status == 200
    assert browser.post(f"{base}/profile/end_others").status == 303


def test_every_page_without_a_name_opens(postgres_site: Site) -> None:
    browser = postgres_site.browser("administrator")

    def address(page: Page) -> str:
        return f"/{postgres_site.account}/test{page.path}"

    plain = [
        page
        for page in gather_pages()
        if page.method == "GET" and "{" not in page.path and page.action != "owner.transfer"
    ]
    assert {
        address(page): browser.get(address(page)).status for page in plain if browser.get(address(page)).status >= 500
    } == {}
