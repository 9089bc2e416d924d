"""The billing cycle anchor of a session: in its first period, with no trial, and not with what cannot be prorated."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.checkout.steps import DONE, MONTHLY, URL, line
from tests.support.api import NOW, Api

DAY = 86_400
NEXT = NOW + 31 * DAY
ANCHOR = {"billing_cycle_anchor": NOW + 10 * DAY}


def start(api: Api, data: dict[str, Any], **more: Any) -> Any:
    lines = {"line_items": [line(**MONTHLY)]}
    return api.post(URL, mode="subscription", success_url=DONE, subscription_data=data, **{**lines, **more})


@pytest.mark.parametrize(("anchor", "status"), [(NOW, 400), (NOW + 1, 200), (NEXT, 200), (NEXT + 1, 400)])
def test_an_anchor_is_in_the_future_and_not_after_the_first_renewal(api: Api, anchor: int, status: int) -> None:
    answer = start(api, {"billing_cycle_anchor": anchor})
    assert answer.status == status
    if status == 400:
        assert answer.error["param"] == "subscription_data[billing_cycle_anchor]"


@pytest.mark.parametrize("trial", [{"trial_period_days": 3}, {"trial_end": NOW + 5 * DAY}])
def test_an_anchor_goes_with_no_trial(api: Api, trial: dict[str, int]) -> None:
    refused = start(api, {**ANCHOR, **trial})
    assert (refused.status, refused.error["param"]) == (400, "subscription_data[billing_cycle_anchor]")


@pytest.mark.parametrize(("behavior", "status"), [("none", 400), ("create_prorations", 200)])
def test_nothing_is_bought_once_while_the_time_until_the_anchor_is_free(api: Api, behavior: str, status: int) -> None:
    both = [line(**MONTHLY), line()]
    answer = start(api, {**ANCHOR, "proration_behavior": behavior}, line_items=both)
    assert answer.status == status
    if status == 400:
        assert answer.error["param"] == "line_items"


@pytest.mark.parametrize(
    ("off", "behavior", "status"),
    [
        ({"amount_off": 100, "currency": "usd"}, "create_prorations", 400),
        ({"amount_off": 100, "currency": "usd"}, "none", 200),
        ({"percent_off": 10}, "create_prorations", 200),
    ],
)
def test_no_amount_is_taken_off_a_prorated_period(api: Api, off: dict[str, Any], behavior: str, status: int) -> None:
    coupon = api.ok("post", "/v1/coupons", duration="once", **off)["id"]
    data = {**ANCHOR, "proration_behavior": behavior}
    answer = start(api, data, discounts=[{"coupon": coupon}])
    assert answer.status == status
    if status == 400:
        assert answer.error["param"] == "discounts[0]"
