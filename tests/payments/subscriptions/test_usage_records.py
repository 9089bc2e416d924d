"""Usage records count what was used of a metered item within the current period."""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import clocked, plan, subscribe
from tests.support.api import NOW, Api


def item_of(api: Api, **recurring: object) -> str:
    _, who = clocked(api)
    found: str = subscribe(api, who, plan(api, 5, **recurring))["items"]["data"][0]["id"]
    return found


def test_records_of_one_moment_add_up_unless_one_sets_the_sum(api: Api) -> None:
    api = api.under("2025-02-24.acacia")
    path = f"/v1/subscription_items/{item_of(api, usage_type='metered')}"
    quantities = [
        api.ok("POST", f"{path}/usage_records", quantity=quantity, timestamp=NOW, **more)["quantity"]
        for quantity, more in ((5, {}), (3, {"action": "increment"}), (4, {"action": "set"}))
    ]
    assert quantities == [5, 8, 4]
    api.ok("POST", f"{path}/usage_records", quantity=2, timestamp=NOW + 60)
    assert api.get(f"{path}/usage_record_summaries")["data"][0]["total_usage"] == 6


def test_a_moment_before_the_period_is_refused_and_its_first_second_is_not(api: Api) -> None:
    api = api.under("2025-02-24.acacia")
    path = f"/v1/subscription_items/{item_of(api, usage_type='metered')}/usage_records"
    assert api.post(path, quantity=1, timestamp=NOW - 1).error["param"] == "timestamp"
    assert api.post(path, quantity=1, timestamp=NOW).status == 200


def test_a_licensed_item_has_no_usage(api: Api) -> None:
    api = api.under("2025-02-24.acacia")
    item = item_of(api)
    refused = api.post(f"/v1/subscription_items/{item}/usage_records", quantity=1)
    message = f"Usage records can only be created for metered plans. {item} is a licensed plan."
    assert (refused.status, refused.error["message"]) == (400, message)


@pytest.mark.parametrize(("name", "value"), [("timestamp", "soon"), ("timestamp", "#fff"), ("action", "double")])
def test_what_is_no_moment_and_no_action_is_refused(api: Api, name: str, value: str) -> None:
    api = api.under("2025-02-24.acacia")
    path = f"/v1/subscription_items/{item_of(api, usage_type='metered')}/usage_records"
    refused = api.post(path, quantity=1, **{name: value})
    assert (refused.status, refused.error["param"]) == (400, name)
    assert api.post(path, quantity=1, timestamp="now").status == 200
