"""The Dashboard's edge: what an address may put into an answer."""

from __future__ import annotations

import pytest

from tests.support.dashboard import Site
from tests.support.dashboard import TestedApp as TheApp
from tollkey.dashboard import ForPayments, people
from tollkey.dashboard.address import Address
from tollkey.dashboard.passwords import Passwords
from tollkey.dashboard.routing import PageRequest
from tollkey.db import StorageError


def test_an_address_cannot_put_a_header_of_its_own_into_a_redirect(site: Site) -> None:
    browser = site.browser("owner")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    asked = PageRequest(
        "GET", "/apikeys/x\r\nSet-Cookie: a=b", "", {"host": "dashboard.test", "cookie": cookie}, "192.0.2.1", False, ""
    )
    answer = site.world.runner.run(site.app.respond(asked))
    assert dict(answer.headers)["Location"] == f"/{site.account}/apikeys/x%0D%0ASet-Cookie%3A%20a%3Db"


def test_pages_that_name_no_icon_find_one(site: Site) -> None:
    answer = site.browser().get("/favicon.ico")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")


@pytest.mark.parametrize("error", [RuntimeError("broken"), StorageError("away")])
def test_the_log_names_the_page_and_never_the_token_in_its_address(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(people, "invitation_of", broken)
    token = "Tok" + "en123"
    assert site.browser().get(f"/join/{token}%0aforged").status in (500, 503)
    assert "/join/{token}" in caplog.text
    assert token not in caplog.text


def test_more_fields_than_any_form_has_are_refused_without_a_line_in_the_log(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    browser = site.browser()
    browser.get("/login")
    assert browser.send("POST", "/login", [(f"f{n}", "") for n in range(4_001)]).status == 400
    assert browser.get("/login?" + "a&" * 5_000).status == 400
    assert caplog.records == []


def test_nul_is_text_like_any_other_on_both_databases(site: Site, postgres_site: Site) -> None:
    for one in (site, postgres_site):
        browser = one.browser()
        browser.get("/login")
        answer = browser.post("/login", {"email": "a\0@example.com", "password": "\0"})
        assert (answer.status, "Incorrect email or password." in answer.text) == (422, True)
        signed_in = one.browser("developer")
        assert signed_in.get(f"/{one.account}/test/objects/customer?query=%00").status == 200


def test_nothing_is_answered_over_plain_http_where_https_is_required(site: Site) -> None:
    core = site.core
    address = Address("https://pay.example.com", "127.0.0.1")
    site.app = TheApp(
        ForPayments(core.setup),
        site.world.server.edge,
        core.authority,
        core.now,
        Passwords(1, 8),
        address=address,
        require_https=True,
    )
    plain, secure = site.browser(), site.browser(secure=True)
    led = plain.get("/reset/abc?x=1")
    assert (led.status, led.location, "set-cookie" in led.headers) == (
        308,
        "https://pay.example.com/reset/abc?x=1",
        False,
    )
    assert plain.post("/login", {"email": "a@example.com", "password": "x"}).status == 403
    assert secure.get("/login").status == 200
    site.app.address = Address("", "127.0.0.1")
    assert plain.get("/login").status == 403
