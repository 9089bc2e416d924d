"""Pending invoice items that are billed at an interval of their own: ``pending_invoice_item_interval``."""

from __future__ import annotations

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, ok, plan, subscribe, totals
from tests.support.api import NOW, Api


def test_pending_items_are_billed_at_an_interval_of_their_own(api: Api) -> None:
    clock, who = clocked(api)
    every = {"interval": "week", "interval_count": 1}
    sub = subscribe(api, who, plan(api), pending_invoice_item_interval=every)
    assert sub["next_pending_invoice_item_invoice"] == NOW + 7 * DAY
    ok(api, "POST", "/v1/invoiceitems", customer=who, subscription=sub["id"], amount=333, currency="usd")
    advance(api, clock, NOW + 7 * DAY + 4000)
    invoice = api.get("/v1/invoices", subscription=sub["id"])["data"][0]
    assert (invoice["total"], invoice["status"], invoice["billing_reason"]) == (
        333,
        "paid",
        "automatic_pending_invoice_item_invoice",
    )
    advance(api, clock, NOW + 15 * DAY)
    assert totals(api, sub["id"]) == [1000, 333]
    assert current(api, sub["id"])["next_pending_invoice_item_invoice"] == NOW + 21 * DAY
