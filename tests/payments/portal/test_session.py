"""What every page of the customer portal needs: whose it is, what it allows, and where it leads when a flow is
done.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.portal.steps import Portal, look, opened
from tests.payments.subscriptions.steps import plan
from tests.support.api import Api


def test_somebody_else_s_subscription_is_not_shown(api: Api) -> None:
    path, _ = opened(api)
    _, theirs = opened(api)
    assert look(api, f"{path}/cancel?subscription={theirs}").status == 400


def test_a_flow_confirms_one_update_and_leads_to_the_shop(api: Api) -> None:
    portal = Portal(api)
    confirm = {"subscription": portal.sub["id"], "items": [{"id": portal.item, "price": portal.dear, "quantity": 1}]}
    after = {"type": "redirect", "redirect": {"return_url": "https://shop.example/thanks"}}
    path = portal.open(
        flow_data={
            "type": "subscription_update_confirm",
            "subscription_update_confirm": confirm,
            "after_completion": after,
        }
    )
    assert "$20.00 per month" in portal.look(path)
    review = portal.send(path + "/review")
    assert "<dt>Due today</dt><dd>$5.00</dd>" in review.body.decode()
    assert "form-action 'self' https://shop.example" in review.headers["content-security-policy"]
    assert portal.send(path + "/update").headers["location"] == "https://shop.example/thanks"
    assert portal.now()["items"]["data"][0]["price"]["id"] == portal.dear
    assert "Manage your billing" in portal.look(path)  # the task is done
    assert portal.send(path + "/update").status == 400


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        ({"type": "subscription_update", "subscription_update": {"subscription": "sub_no"}},
        "No such subscription: 'sub_no'"),
        ({"type": "subscription_update"}, "Missing required param: flow_data[subscription_update]."),
        ({"type": "payment_method_update", "after_completion": {"type": "redirect"}},
         "Missing required param: flow_data[after_completion][redirect]."),
    ],
)  # fmt: skip
def test_a_flow_that_cannot_be_is_refused(api: Api, flow: dict[str, Any], message: str) -> None:
    portal = Portal(api)
    refused = api.post(
        "/v1/billing_portal/sessions", customer=portal.who, configuration=portal.configuration, flow_data=flow
    )
    assert (refused.status, refused.error["message"]) == (400, message)


def test_a_flow_needs_its_feature_and_a_price_that_is_offered(api: Api) -> None:
    portal = Portal(api)
    confirm = {"subscription": portal.sub["id"], "items": [{"id": portal.item, "price": plan(api, 7)}]}
    flow = {"type": "subscription_update_confirm", "subscription_update_confirm": confirm}
    refused = api.post(
        "/v1/billing_portal/sessions", customer=portal.who, configuration=portal.configuration, flow_data=flow
    )
    assert refused.error["param"] == "flow_data[subscription_update_confirm][items][0][price]"
    refused = api.post("/v1/billing_portal/sessions", customer=portal.who, flow_data=flow)
    assert "feature in your portal configuration is disabled" in refused.error["message"]


def test_a_flow_takes_nothing_of_another_type(api: Api) -> None:
    portal = Portal(api)
    flow = {"type": "payment_method_update", "subscription_cancel": {"subscription": "sub_1"}}
    refused = api.post(
        "/v1/billing_portal/sessions", customer=portal.who, configuration=portal.configuration, flow_data=flow
    )
    assert (refused.status, refused.error["param"]) == (400, "flow_data[subscription_cancel]")
