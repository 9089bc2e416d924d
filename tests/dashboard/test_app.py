"""The Dashboard's edge: what an address may put into an answer."""

from __future__ import annotations

from tests.support.dashboard import Site
from tollkey.dashboard.app import Asked


def test_an_address_cannot_put_a_header_of_its_own_into_a_redirect(site: Site) -> None:
    browser = site.browser("owner")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    asked = Asked("GET", "/apikeys/x\r\nSet-Cookie: a=b", "", {"host": "dashboard.test", "cookie": cookie}, "192.0.2.1", False, "")
    answer = site.world.runner.run(site.app.answer(asked))
    assert dict(answer.headers)["Location"] == f"/{site.account}/apikeys/x%0D%0ASet-Cookie%3A%20a%3Db"


def test_pages_that_name_no_icon_find_one(site: Site) -> None:
    answer = site.browser().get("/favicon.ico")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
