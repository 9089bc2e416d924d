"""The page about what a processor has not told, and what its settlements do not agree with."""

from __future__ import annotations

import re

from tests.support.api import Api
from tests.support.dashboard import Site
from tests.support.processor import connected
from tests.upstream.conftest import There
from tollkey.db import Scope
from tollkey.payments.processors.network import Notice
from tollkey.upstream import store


def test_without_a_processor_the_page_says_how_to_get_one(api: Api) -> None:
    site = Site(api)
    page = site.browser("developer").get(f"/{site.account}/reconciliation")
    assert page.status == 200
    assert "tollkey live processor connect" in page.text


def test_open_operations_differences_and_what_is_not_settled_are_listed(api: Api) -> None:
    site = Site(api)
    with connected(api) as live:
        settled, late = live.pay(1_000), live.pay(700)
        live.network.script = ["unanswered"]
        waiting = live.pay(300)
        reference = live.attempts(settled["id"])[0].reference
        live.network.told.append(Notice("1", "settled", reference, api.now, 900, "usd"))
        api.world.runner.run(api.world.server.sender.read_notices())
        browser = site.browser("developer")
        page = browser.get(f"/{site.account}/reconciliation")
        assert page.status == 200
        for shown in (waiting["id"], "unknown outcome", "900 was settled where 1000 was expected", reference):
            assert shown in page.text
        assert late["id"] not in page.text
        api.world.clock[0] += 8 * 86_400
        assert late["id"] in site.browser("developer").get(f"/{site.account}/reconciliation").text


def test_an_account_whose_live_payments_go_through_a_processor_is_not_connected_to_an_upstream_account(
    api: Api, there: There
) -> None:
    site = Site(api)
    there.body, there.status = b'{"id": "acct_there", "object": "account"}', 200
    browser = site.browser("developer")
    browser.get(f"/{site.account}/upstream")
    with connected(api):
        key = "_".join(("sk", "live", "upstream0123456789abcdef"))
        answer = browser.post(f"/{site.account}/upstream/connect", {"url": there.url, "key": key})
        assert (answer.status, "go through a processor" in answer.text) == (422, True)
    scope = Scope(api.account, True)
    assert api.core.database.read(lambda tx: store.find(tx, site.keyring, scope)) is None


def test_what_a_person_captures_in_the_dashboard_is_sent_after_the_page_was_answered(api: Api) -> None:
    site = Site(api)
    with connected(api) as live:
        held = live.pay(900, capture_method="manual")
        browser = site.browser("administrator")
        page = browser.get(f"/{site.account}/objects/payment_intent/{held['id']}").text
        button = re.search(r'href="([^"]+)">Capture</a>', page)
        assert button is not None
        browser.get(button[1])
        done = browser.post(button[1], {})
        assert done.status == 303, done.text
        live.recover(1)
        assert live.get(f"/v1/payment_intents/{held['id']}")["status"] == "succeeded"
        assert live.money() == [900]
