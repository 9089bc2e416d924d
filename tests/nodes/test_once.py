"""Two nodes look for timed work at the same moment: each piece is done by exactly one of them."""

from __future__ import annotations

from collections import Counter

from tests.support.api import Api
from tests.support.nodes import Nodes

DAY = 86_400


def types(api: Api) -> Counter[str]:
    """How many events of each type the merchant has."""
    found: Counter[str] = Counter()
    after: dict[str, str] = {}
    while True:
        page = api.get("/v1/events", limit=100, **after)
        found.update(event["type"] for event in page["data"])
        if not page["has_more"]:
            return found
        after = {"starting_after": page["data"][-1]["id"]}


def test_a_pending_refund_settles_once(nodes: Nodes) -> None:
    api = nodes.api()
    for _ in range(20):
        charge = api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_pendingRefund")
        api.ok("POST", "/v1/refunds", charge=charge["id"])
    nodes.pass_time(10)
    refunds = api.get("/v1/refunds", limit=100)["data"]
    assert Counter(refund["status"] for refund in refunds) == {"succeeded": 20}


def test_a_trial_that_ends_is_invoiced_once(nodes: Nodes) -> None:
    api = nodes.api()
    price = api.ok(
        "POST",
        "/v1/prices",
        currency="usd",
        unit_amount=900,
        recurring={"interval": "month"},
        product_data={"name": "Plan"},
    )
    for _ in range(8):
        customer = api.ok("POST", "/v1/customers", source="tok_visa")
        items = [{"price": price["id"]}]
        api.ok("POST", "/v1/subscriptions", customer=customer["id"], items=items, trial_end=api.now + 3 * DAY)
    nodes.pass_time(3 * DAY + 1)
    renewals = [i for i in api.get("/v1/invoices", limit=100)["data"] if i["billing_reason"] == "subscription_cycle"]
    assert len(renewals) == 8
