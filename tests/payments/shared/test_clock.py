"""What lives on a test clock lives at its time."""

from __future__ import annotations

from tests.support.api import NOW, Api
from tollkey.payments.shared.clock import LIMIT

CLOCKS = "/v1/test_helpers/test_clocks"


def test_a_customer_of_a_clock_is_made_at_the_clock_s_time(api: Api) -> None:
    clock = api.ok("POST", CLOCKS, frozen_time=NOW - 86_400)["id"]
    assert api.ok("POST", "/v1/customers", test_clock=clock)["created"] == NOW - 86_400
    assert api.ok("POST", "/v1/customers")["created"] == NOW


def test_a_clock_has_three_customers_at_most(api: Api) -> None:
    clock = api.ok("POST", CLOCKS, frozen_time=NOW)["id"]
    for _ in range(LIMIT):
        api.ok("POST", "/v1/customers", test_clock=clock)
    refused = api.post("/v1/customers", test_clock=clock)
    assert (refused.status, refused.error["param"]) == (400, "test_clock")
    assert refused.error["message"].startswith("Test clocks are limited to 3 customers.")


def test_a_clock_that_is_not_there_has_no_customers(api: Api) -> None:
    assert api.post("/v1/customers", test_clock="clock_no").error["param"] == "test_clock"


def test_while_a_clock_advances_its_customers_are_locked_and_others_are_not(api: Api) -> None:
    clock = api.ok("POST", CLOCKS, frozen_time=NOW)["id"]
    mine, other = api.ok("POST", "/v1/customers", test_clock=clock)["id"], api.ok("POST", "/v1/customers")["id"]
    api.ok("POST", f"{CLOCKS}/{clock}/advance", frozen_time=NOW + 3600)
    items = {"amount": 100, "currency": "usd"}
    refused = api.post("/v1/invoiceitems", customer=mine, **items)
    assert (refused.status, refused.error["code"]) == (429, "lock_timeout")
    assert api.post("/v1/invoiceitems", customer=other, **items).status == 200
    api.advance(1)
    assert api.post("/v1/invoiceitems", customer=mine, **items).status == 200
