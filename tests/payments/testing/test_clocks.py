"""Test clocks: a time of their own for up to three customers and everything that is theirs. Test mode only."""

from __future__ import annotations

from tests.payments.subscriptions.steps import DAY, clocked, plan, subscribe
from tests.support.api import NOW, Api


def test_a_clock_that_advances_lets_nothing_of_it_be_changed(api: Api) -> None:
    clock, who = clocked(api)
    price = plan(api)
    api.ok("post", f"/v1/test_helpers/test_clocks/{clock}/advance", frozen_time=NOW + DAY)
    refused = api.post("/v1/subscriptions", customer=who, items=[{"price": price}])
    assert refused.status == 429
    assert refused.error["message"].startswith("Test clock advancement underway")
    api.advance(1)
    subscribe(api, who, price)


CLOCKS = "/v1/test_helpers/test_clocks"


def test_a_clock_goes_forward_only(api: Api) -> None:
    path = f"{CLOCKS}/{api.ok('POST', CLOCKS, frozen_time=NOW)['id']}"
    assert api.post(f"{path}/advance", frozen_time=NOW).status == 400
    assert api.ok("POST", f"{path}/advance", frozen_time=NOW + 1)["status"] == "advancing"
    api.advance(1)
    ready = api.get(path)
    assert (ready["status"], ready["frozen_time"]) == ("ready", NOW + 1)


def test_what_lives_on_a_deleted_clock_is_deleted_too(api: Api) -> None:
    clock, who = clocked(api)
    api.ok("DELETE", f"{CLOCKS}/{clock}")
    assert api.get(f"{CLOCKS}/{clock}").status == 404
    assert api.get(f"/v1/customers/{who}").status == 404


def test_there_is_no_clock_in_live_mode(api: Api) -> None:
    assert api.post(CLOCKS, key=api.live_sk, frozen_time=NOW).status == 400
