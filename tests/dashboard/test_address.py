"""Which address stands in links and in passkeys, whatever Host a request names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.support.dashboard import Browser, Shown, Site, app_of, url
from tollkey.dashboard.address import Address, origin_of


@pytest.fixture
def site(site: Site) -> Iterator[Site]:
    """A Dashboard whose address may be changed."""
    app = app_of(site.world)
    kept = app.address
    yield site
    app.address = kept


@pytest.fixture
def unnamed(site: Site) -> Site:
    """A Dashboard that was not told its public address."""
    site.app.address = Address("", "192.0.2.7", "http://192.0.2.7:8420")
    return site


def rp_id(browser: Browser, host: str) -> str:
    return str(json.loads(browser.post("/login/passkey/options", accept="application/json", host=host).body)["rpId"])


def invited(browser: Browser, site: Site, host: str) -> Shown:
    return browser.post(url(site, "/settings/team/invite"), {"email": "new@example.com", "role": "support"}, host=host)


def test_the_configured_address_stands_in_links_whatever_the_host(site: Site) -> None:
    answer = invited(site.browser("administrator"), site, "evil.example")
    assert re.search(r">http://dashboard.test/join/", answer.text)
    assert "evil.example" not in answer.text


def test_passkeys_belong_to_the_configured_address_whatever_the_host(site: Site) -> None:
    browser = site.browser("administrator")
    assert rp_id(browser, "evil.example") == "dashboard.test"
    made = json.loads(browser.post("/profile/passkeys/options", accept="application/json", host="evil.example").body)
    assert made["rp"]["id"] == "dashboard.test"


@pytest.mark.parametrize(
    "host", ["localhost:9000", "tollkey.localhost", "127.0.0.1:8420", "[::1]:8420", "192.0.2.7:8420", "192.0.2.7"]
)
def test_without_one_the_host_counts_when_it_is_this_machine(unnamed: Site, host: str) -> None:
    assert f">http://{host}/join/" in invited(unnamed.browser("administrator"), unnamed, host).text


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "localhost:80@evil.example", "192.0.2.8", "", "localhost/x"]
)
def test_without_one_no_other_host_stands_in_a_link_and_the_form_says_what_to_set(unnamed: Site, host: str) -> None:
    browser = unnamed.browser("administrator")
    answer = invited(browser, unnamed, host)
    assert answer.status == 422
    assert "TOLLKEY_BASE_URL" in answer.text
    assert 'value="new@example.com"' in answer.text
    assert "new@example.com" not in browser.get(url(unnamed, "/settings/team")).text


def test_without_one_a_passkey_for_another_host_is_refused_and_says_what_to_set(unnamed: Site) -> None:
    browser = unnamed.browser("administrator")
    for path in ("/login/passkey/options", "/login/passkey", "/profile/passkeys/options", "/profile/passkeys"):
        answer = browser.post(path, {"credential": "{}"}, accept="application/json", host="evil.example")
        assert answer.status == 422
        if path.endswith("options"):
            assert "TOLLKEY_BASE_URL" in json.loads(answer.body)["message"]
    assert rp_id(browser, "localhost:9000") == "localhost"


def test_pages_still_open_under_another_host_and_do_not_repeat_it(unnamed: Site) -> None:
    answer = unnamed.browser("administrator").get(url(unnamed, "/docs/quickstart"), host="evil.example")
    assert answer.status == 200
    assert "evil.example" not in answer.text
    assert "http://192.0.2.7:8420/v1/" in answer.text


def test_a_server_that_listens_everywhere_knows_the_address_that_was_reached() -> None:
    address = Address("", "0.0.0.0")
    assert address.public("198.51.100.9:8420", False, "::ffff:198.51.100.9") == "http://198.51.100.9:8420"
    assert address.public("198.51.100.9:8420", True, "198.51.100.9") == "https://198.51.100.9:8420"
    assert address.public("198.51.100.9:8420", False, "198.51.100.8") is None
    assert address.public("pay.example.com", False, "198.51.100.9") is None


def test_forms_of_the_configured_address_are_ours_behind_a_proxy_that_renames_the_host(site: Site) -> None:
    site.app.address = Address("https://pay.example.com/", "127.0.0.1")
    browser = site.browser("administrator")
    path = url(site, "/settings/team/invite")
    sent = {"email": "b@example.com", "role": "support"}
    assert (
        ">https://pay.example.com/join/"
        in browser.post(path, sent, host="backend:8420", origin="https://pay.example.com").text
    )
    assert browser.post(path, sent, host="backend:8420", origin="https://pay.example.com.evil.example").status == 403
    assert browser.post(path, sent, host="backend:8420", origin="http://pay.example.com").status == 403


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Pay.Example.com:443/tollkey/", "https://pay.example.com"), ("http://x:8420", "http://x:8420"),
        ("http://[::1]:80/", "http://[::1]"), ("https://x:bad", ""),
    ],
)  # fmt: skip
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin
