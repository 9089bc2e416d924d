"""Two forms of the Dashboard, sent to two nodes at the same moment: one acts, and the other says why it did not."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.dashboard import Browser, Shown, Site, app_of, url
from tests.support.nodes import Nodes
from tollkey.dashboard import people

ROUNDS = 10


@pytest.fixture
def site(nodes: Nodes) -> Site:
    """A merchant whose Dashboard both nodes show."""
    return Site(nodes.api())


def at_once(nodes: Nodes, *asked: tuple[Browser, str, dict[str, str]]) -> list[Shown]:
    """POST each form to a node of its own, at the same time."""

    async def both() -> list[Shown]:
        apps = [app_of(node) for node in (nodes.first, nodes.second)]
        sent = [
            app.respond(browser.asked("POST", path, [("csrf", browser.csrf), *fields.items()]))
            for app, (browser, path, fields) in zip(apps, asked, strict=True)
        ]
        return [Shown(answer.status, answer.headers, answer.body) for answer in await asyncio.gather(*sent)]

    return nodes.first.runner.run(both())


def test_a_browser_that_asks_twice_for_a_passkey_gets_two_answers(nodes: Nodes, site: Site) -> None:
    browser = site.browser()
    browser.get("/login")
    for _ in range(ROUNDS):
        shown = at_once(nodes, *[(browser, "/login/passkey/options", {})] * 2)
        assert [one.status for one in shown] == [200, 200]


def test_ownership_goes_to_one_of_two(nodes: Nodes, site: Site) -> None:
    first, second = site.person("developer"), site.person("developer")
    owner = site.browser("owner")
    forms = [
        (owner, url(site, "/settings/team/owner"), {"person": first.id, "sure": "1"}),
        (owner, f"/{site.account}/settings/team/owner", {"person": second.id, "sure": "1"}),
    ]
    shown = at_once(nodes, *forms)
    roles = {one.person: one.role for one in site.core.database.read(lambda tx: people.members(tx, site.account))}
    assert sorted(roles.values()).count("owner") == 1
    assert all(one.status in (303, 403, 404, 422) for one in shown), [(one.status, one.text) for one in shown]
    assert 303 in [one.status for one in shown]
