"""A request leaves nothing behind that only the garbage collector could free: its runs hold up all other requests."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from tests.support.api import Answer, Api

REQUESTS: dict[str, Callable[[Api], Answer]] = {
    "a charge": lambda api: api.post("/v1/charges", amount=100, currency="usd", source="tok_visa"),
    "a declined charge": lambda api: api.post("/v1/charges", amount=100, currency="usd", source="tok_chargeDeclined"),
    "unknown parameters": lambda api: api.post("/v1/customers", foo="1", bar="2"),
    "an unknown customer": lambda api: api.get("/v1/customers/cus_nobody"),
    "a list": lambda api: api.get("/v1/customers", limit=3),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_leaves_no_circle_of_objects(api: Api, name: str) -> None:
    ask = REQUESTS[name]
    ask(api)  # what is loaded at the first use is no garbage of the request
    gc.disable()
    gc.freeze()  # so that only what comes now is looked at, in no time
    try:
        gc.set_debug(gc.DEBUG_SAVEALL)
        ask(api)
        gc.collect()
        left = [type(one).__name__ for one in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
        gc.enable()
    assert left == []
