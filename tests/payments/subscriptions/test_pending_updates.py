"""An update that waits for its payment (``payment_behavior=pending_if_incomplete``) comes into force when its invoice
is paid.
"""

from __future__ import annotations

from tests.payments.subscriptions.test_billing_lifecycles import DAY, advance, clocked, current, plan, subscribe
from tests.support.api import NOW, Api


def upcoming(api: Api) -> list[int]:
    """When the periods end that ``invoice.upcoming`` announced, oldest first."""
    events = api.ok("GET", "/v1/events", type="invoice.upcoming", limit=100)["data"]
    return [event["data"]["object"]["period_end"] for event in reversed(events)]


def test_a_paid_update_from_a_month_to_a_year_announces_the_new_year_and_not_the_old_month(api: Api) -> None:
    clock, who = clocked(api)
    month, year = plan(api, 1000), plan(api, 10_000, interval="year")
    subscription = subscribe(api, who, month)
    bad = api.ok("POST", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    item = subscription["items"]["data"][0]["id"]
    api.ok("POST", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bad})
    waits = api.ok(
        "POST",
        f"/v1/subscriptions/{subscription['id']}",
        items=[{"id": item, "price": year}],
        payment_behavior="pending_if_incomplete",
        proration_behavior="always_invoice",
    )
    assert waits["pending_update"] is not None
    good = api.ok("POST", "/v1/payment_methods/pm_card_visa/attach", customer=who)["id"]
    api.ok("POST", f"/v1/customers/{who}", invoice_settings={"default_payment_method": good})
    api.ok("POST", f"/v1/invoices/{waits['latest_invoice']}/pay")
    applied = current(api, subscription["id"])
    assert applied["pending_update"] is None
    end = applied["items"]["data"][0]["current_period_end"]
    assert end > NOW + 360 * DAY
    advance(api, clock, NOW + 40 * DAY)
    assert upcoming(api) == []
    advance(api, clock, end - 6 * DAY)
    assert len(upcoming(api)) == 1


def test_a_pending_update_of_a_canceled_subscription_is_not_applied_when_its_invoice_is_paid(api: Api) -> None:
    _, who = clocked(api)
    subscription = subscribe(api, who, plan(api, 1000))
    bad = api.ok("POST", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    api.ok("POST", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bad})
    waits = api.ok(
        "POST",
        f"/v1/subscriptions/{subscription['id']}",
        items=[{"id": subscription["items"]["data"][0]["id"], "price": plan(api, 5000)}],
        payment_behavior="pending_if_incomplete",
        proration_behavior="always_invoice",
    )
    assert waits["pending_update"] is not None
    api.ok("DELETE", f"/v1/subscriptions/{subscription['id']}")
    good = api.ok("POST", "/v1/payment_methods/pm_card_visa/attach", customer=who)["id"]
    paid = api.ok("POST", f"/v1/invoices/{waits['latest_invoice']}/pay", payment_method=good)
    assert paid["status"] == "paid"
    assert current(api, subscription["id"])["status"] == "canceled"
