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


def test_a_customer_stays_on_the_clock_it_was_made_with(api: Api) -> None:
    clock, who = clocked(api)
    other = api.ok("POST", CLOCKS, frozen_time=NOW)["id"]
    for value in (other, ""):
        refused = api.post(f"/v1/customers/{who}", test_clock=value)
        assert (refused.status, refused.error["code"]) == (400, "parameter_unknown")
    assert api.get(f"/v1/customers/{who}")["test_clock"] == clock


def test_an_empty_clock_goes_two_years_ahead_at_most(api: Api) -> None:
    path = f"{CLOCKS}/{api.ok('POST', CLOCKS, frozen_time=NOW)['id']}/advance"
    refused = api.post(path, frozen_time=NOW + 730 * DAY + 1)
    assert (refused.status, refused.error["param"]) == (400, "frozen_time")
    assert api.post(path, frozen_time=NOW + 730 * DAY).status == 200


def test_a_clock_goes_two_intervals_of_its_shortest_subscription_ahead_at_most(api: Api) -> None:
    clock, who = clocked(api)
    subscribe(api, who, plan(api, interval="year"))
    subscribe(api, who, plan(api, interval="week", interval_count=2))
    path = f"{CLOCKS}/{clock}/advance"
    refused = api.post(path, frozen_time=NOW + 28 * DAY + 1)
    assert (refused.status, refused.error["param"]) == (400, "frozen_time")
    assert api.post(path, frozen_time=NOW + 28 * DAY).status == 200


def test_there_is_no_clock_in_live_mode(api: Api) -> None:
    assert api.post(CLOCKS, key=api.live_sk, frozen_time=NOW).status == 400


def test_an_existing_customer_is_attached_to_a_new_clock(api: Api) -> None:
    who = api.ok("post", "/v1/customers", payment_method="pm_card_visa")["id"]
    clock = api.ok("post", CLOCKS, frozen_time=NOW + DAY, customer=who)["id"]
    assert api.get(f"/v1/customers/{who}")["test_clock"] == clock
    made = subscribe(api, who, plan(api), payment_behavior="default_incomplete")
    assert (made["created"], made["test_clock"]) == (NOW + DAY, clock)
    refused = api.post(CLOCKS, frozen_time=NOW, customer=who)
    assert (refused.status, refused.error["param"]) == (400, "customer")


def test_a_customer_whose_subscription_follows_real_time_gets_no_clock(api: Api) -> None:
    who = api.ok("post", "/v1/customers", source="tok_visa")["id"]
    subscribe(api, who, plan(api))
    refused = api.post(CLOCKS, frozen_time=NOW, customer=who)
    assert (refused.status, refused.error["param"]) == (400, "customer")
    assert api.get(CLOCKS)["data"] == []
