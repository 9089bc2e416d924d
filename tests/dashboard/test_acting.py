"""What is typed into a form of the Dashboard is checked as the API checks it, and every stored object has its page."""

from __future__ import annotations

import re

import pytest

from tests.support.dashboard import Site, url
from tests.support.recipes import CannotMake, Maker
from tollkey.dashboard.acting import ELSEWHERE, to_epoch, to_minor_units
from tollkey.dashboard.page import FormErrors
from tollkey.dashboard.view import iso, time_tag, utc

NO_AMOUNTS = (
    "sNaN", "NaN", "Infinity", "-Infinity", "9e999999", "1e999999999", "1e-999999", "9" * 5_000, "", "1.234", "12,50",
    "1,25,0", "1.250,00", "1_250", "\uff11\uff12", "-5", "+5", ".",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_AMOUNTS, ids=lambda text: text[:12])
def test_what_is_no_amount_is_refused_beside_its_field(text: str) -> None:
    with pytest.raises(FormErrors) as refused:
        to_minor_units(text, "usd", "amount")
    assert set(refused.value.errors) == {"amount"}


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.5", "usd", "1250"), ("1,250", "usd", "125000"), ("1 250.50", "usd", "125050"), ("7", "eur", "700"),
        ("1,250,000", "jpy", "1250000"), ("1.250", "bhd", "1250"),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_it_is_written(text: str, currency: str, minor: str) -> None:
    assert to_minor_units(text, currency, "amount") == minor


def test_thousands_are_not_taken_apart_in_a_currency_with_three_decimals() -> None:
    with pytest.raises(FormErrors):
        to_minor_units("1,250", "bhd", "amount")


def test_a_time_with_an_offset_is_that_moment() -> None:
    assert to_epoch("2026-03-01T12:00+02:00", "at") == to_epoch("2026-03-01T10:00", "at")


@pytest.mark.parametrize("seconds", [-(10**18), -(10**11), 253_402_300_800, 1_767_225_600_000, 10**18])
def test_a_number_that_is_no_time_is_shown_as_it_is(seconds: int) -> None:
    assert utc(seconds) == iso(seconds) == str(seconds)
    assert str(seconds) in time_tag(seconds)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("frozen_time", "9" * 5_000),
        ("frozen_time", "9" * 30),
        ("frozen_time", "0001-01-01T00:00"),
        ("frozen_time", "soon"),
        ("name", "x" * 301),
    ],
    ids=lambda text: text[:12],
)
def test_a_test_clock_is_what_the_api_takes(site: Site, field: str, text: str) -> None:
    browser = site.browser("developer")
    answer = browser.post(url(site, "/clocks"), {"frozen_time": "2026-03-01T12:00", "name": "Clock", field: text})
    assert answer.status == 422
    assert site.api.get("/v1/test_helpers/test_clocks")["data"] == []


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("url", "javascript:alert(1)"),
        ("url", "http://[::1"),
        ("url", "https://example.com/" + "x" * 5_000),
        ("description", "x" * 5_001),
    ],
    ids=lambda text: text[:12],
)
def test_a_webhook_endpoint_is_what_the_api_takes(site: Site, field: str, text: str) -> None:
    browser, good = site.browser("developer"), {"url": "https://example.com/hook", "all_events": "yes"}
    assert browser.post(url(site, "/webhooks/new"), {**good, field: text}).status == 422
    made = browser.post(url(site, "/webhooks/new"), good).location
    assert browser.post(f"{made}/edit", {**good, field: text}).status == 422
    kept = site.api.get("/v1/webhook_endpoints")["data"]
    assert [(one["url"], one["description"]) for one in kept] == [("https://example.com/hook", None)]


@pytest.mark.parametrize(
    ("field", "text"),
    [("url", "http://["), ("url", "https://example.com/" + "x" * 5_000), ("support_phone", "1" * 5_001)],
)
def test_business_details_are_what_the_api_takes(site: Site, field: str, text: str) -> None:
    sent = {"name": "Rocket Rides", "url": "https://rocket.example", field: text}
    assert site.browser("administrator").post(url(site, "/settings/business/edit"), sent).status == 422


def test_every_object_that_can_be_made_has_its_page_its_list_and_its_export(site: Site) -> None:
    maker, browser, made = Maker(site.api), site.browser("developer"), 0
    for resource in site.core.catalogue.resources:
        if not resource.title or not resource.stored or resource.object in ELSEWHERE:
            continue
        try:
            maker.make(resource.object)
        except (CannotMake, KeyError):
            continue
        listed = browser.get(url(site, f"/objects/{resource.object}"))
        pages = set(re.findall(rf'href="([^"?]*/objects/{re.escape(resource.object)}/[^"/?]+)"', listed.text))
        asked = [*pages, url(site, f"/objects/{resource.object}/export")]
        assert {path: browser.get(path).status for path in asked} == dict.fromkeys(asked, 200), resource.object
        made += bool(pages)
    assert made > 60
