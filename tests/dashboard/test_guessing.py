"""Links that let their holder in (an invitation, a new password) cannot be guessed at the network's speed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.dashboard import Browser, Site
from tollkey.dashboard.routing import gather_pages
from tollkey.wire import guesses
from tollkey.wire.guesses import GuessLimiter

MOST = 5
PAGES = sorted({page.path for page in gather_pages() if page.scope == "open" and "{token}" in page.path})


@pytest.fixture
def limited(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A Dashboard that delays answers after five wrong attempts a minute, by no time."""
    monkeypatch.setattr(guesses, "PAUSE", 0)
    services = site.core.setup.services
    before, services.guess_limiter = services.guess_limiter, GuessLimiter(MOST)
    yield site
    services.guess_limiter = before


def test_the_dashboard_and_the_api_share_one_guess_limiter(site: Site) -> None:
    assert site.core.setup.services.guess_limiter is site.world.server.service.policy.guess_limiter
    assert PAGES == ["/join/{token}", "/reset/{token}"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", PAGES)
def test_after_so_many_wrong_links_the_answer_says_no_more_what_was_wrong(
    limited: Site, path: str, method: str
) -> None:
    browser, wrong = Browser(limited), path.replace("{token}", "x" * 43)
    browser.get("/login")
    told = [
        browser.send(method, wrong, [("csrf", browser.csrf)] if method == "POST" else None).status
        for _ in range(MOST + 1)
    ]
    assert told == [404] * MOST + [429]
    assert browser.send("GET", wrong, ip="192.0.2.9").status == 404  # others are not meant
    assert browser.get("/login").status == 200
