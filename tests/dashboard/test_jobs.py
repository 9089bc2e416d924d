"""Failed jobs, as developers see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.connected import connected
from tests.support.dashboard import Browser, Site, url
from tollkey.dashboard import activity
from tollkey.db import Scope
from tollkey.server import run_due
from tollkey.wire.jobs import Schedule, due_jobs, failing_jobs, run_job

KIND = "test.fragile"


class Fragile:
    """A kind of job that raises until it is mended."""

    def __init__(self, site: Site) -> None:
        self.site, self.mended, self.done = site, False, 0

    def __call__(self, call: Any, id: str) -> None:
        if not self.mended:
            raise RuntimeError("<b>no luck</b> with " + self.site.api.sk)
        self.done += 1

    def fail(self, id: str, account: str = "", clock: str = "") -> None:
        """Schedule it, and let the server try it once."""
        scope, now, core = Scope(account or self.site.account, False), self.site.now, self.site.core

        def work(tx: Any) -> None:
            schedule = Schedule(tx, scope)
            schedule.add(now, KIND, id, clock or None)
            found = [schedule.next(clock, now)] if clock else due_jobs(tx, now, 1_000)
            for item in found:
                if item is not None and item.kind == KIND and item.id == id:
                    run_job(core.call(tx, scope, now), item)

        core.database.write(work)

    def left(self) -> list[str]:
        found = self.site.core.database.read(lambda tx: failing_jobs(tx, Scope(self.site.account, False)))
        return [one.job.id for one in found]


@pytest.fixture
def fragile(site: Site) -> Iterator[Fragile]:
    made, catalogue = Fragile(site), site.core.setup.tables.catalogue
    catalogue.by_job[KIND] = replace(catalogue.by_object["refund"], on_due={KIND: made}, due_live={})
    yield made
    del catalogue.by_job[KIND]


@pytest.fixture
def browser(site: Site) -> Browser:
    return site.browser("developer")


def press(browser: Browser, site: Site, what: str, id: str, account: str = "") -> Any:
    browser.get(url(site, "/jobs"))
    return browser.post(
        url(site, f"/jobs/{what}"), {"kind": KIND, "id": id, "account": account or site.account, "sure": "1"}
    )


def test_the_list_says_what_about_which_object_and_why_without_secrets(
    site: Site, fragile: Fragile, browser: Browser
) -> None:
    customer = site.api.ok("POST", "/v1/customers")["id"]
    fragile.fail(customer)
    answer = browser.get(url(site, "/jobs"))
    for said in (KIND, customer, f"/objects/customer/{customer}", "retrying", "RuntimeError"):
        assert said in answer.text
    assert site.api.sk not in answer.text
    assert b"<b>no luck" not in answer.body


def test_nothing_is_listed_where_nothing_failed(site: Site, browser: Browser) -> None:
    assert "No failed jobs" in browser.get(url(site, "/jobs")).text


def test_jobs_of_other_accounts_are_neither_listed_nor_touched(site: Site, fragile: Fragile, browser: Browser) -> None:
    other = site.api.another()
    fragile.fail("obj_7", other.account)
    assert "obj_7" not in browser.get(url(site, "/jobs")).text
    assert press(browser, site, "discard", "obj_7", other.account).status == 404
    assert site.core.database.read(lambda tx: failing_jobs(tx, Scope(other.account, False)))


def test_jobs_of_a_connected_account_are_its_platforms_to_see_and_to_run(
    site: Site, fragile: Fragile, browser: Browser
) -> None:
    account = connected(site.api)["id"]
    fragile.fail("obj_7", account)
    assert account in browser.get(url(site, "/jobs")).text
    fragile.mended = True
    assert press(browser, site, "run", "obj_7", account).status == 303
    assert fragile.done == 1


def test_it_is_run_again_once(site: Site, fragile: Fragile, browser: Browser) -> None:
    fragile.fail("obj_7")
    assert press(browser, site, "run", "obj_7").status == 303
    assert fragile.left() == ["obj_7"]
    fragile.mended = True
    for _ in range(2):
        assert press(browser, site, "run", "obj_7").status == 303
    assert (fragile.left(), fragile.done) == ([], 1)


def test_what_is_discarded_is_gone_and_noted(site: Site, fragile: Fragile, browser: Browser) -> None:
    fragile.fail("obj_7")
    assert press(browser, site, "discard", "obj_7").status == 303
    assert (fragile.left(), fragile.done) == ([], 0)
    lines = site.core.database.read(lambda tx: activity.entries(tx, site.account))
    assert [(line.action, line.about, line.details["kind"]) for line in lines][:1] == [("job_discarded", "obj_7", KIND)]


def test_a_job_on_a_test_clock_is_run_at_the_clocks_time_and_not_while_it_advances(
    site: Site, fragile: Fragile, browser: Browser
) -> None:
    api, times = site.api, []
    clock = api.ok("POST", "/v1/test_helpers/test_clocks", frozen_time=api.now)["id"]
    fragile.fail("obj_7", clock=clock)

    def note(call: Any, id: str) -> None:
        times.append(call.now)

    catalogue = site.core.setup.tables.catalogue
    catalogue.by_job[KIND] = replace(catalogue.by_job[KIND], on_due={KIND: note})
    api.ok("POST", f"/v1/test_helpers/test_clocks/{clock}/advance", frozen_time=api.now + 30)
    assert press(browser, site, "run", "obj_7").status == 422
    api.world.clock[0] += 10
    while api.world.runner.run(run_due(site.core, api.world.server.edge)):
        pass
    assert press(browser, site, "run", "obj_7").status == 303
    assert times == [api.now - 10 + 30]


@pytest.mark.parametrize("role", ["analyst", "support", "view_only"])
def test_who_does_not_develop_sees_none_of_it(site: Site, fragile: Fragile, role: str) -> None:
    fragile.fail("obj_7")
    browser = site.browser(role)
    assert browser.get(url(site, "/jobs")).status == 403
    assert browser.post(url(site, "/jobs/discard"), {"kind": KIND, "id": "obj_7"}).status == 403
    assert fragile.left() == ["obj_7"]


def test_a_job_is_discarded_only_by_who_says_so_twice(site: Site, fragile: Fragile, browser: Browser) -> None:
    customer = site.api.ok("POST", "/v1/customers")["id"]
    fragile.fail(customer)
    browser.get(url(site, "/jobs"))
    named = {"kind": KIND, "id": customer, "account": site.account}
    asked = browser.post(url(site, "/jobs/discard"), named)
    assert f"The job {KIND} for {customer} will never run." in asked.text
    assert fragile.left() == [customer]
    assert browser.sure(url(site, "/jobs/discard"), named).status == 303
    assert fragile.left() == []
