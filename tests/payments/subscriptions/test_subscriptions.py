"""Subscriptions: what they bill, when, and how they change."""

from __future__ import annotations

from tests.support.api import NOW, Api

DAY = 86_400


def price(api: Api, amount: int = 1000, currency: str = "usd", **recurring: object) -> str:
    made = api.ok(
        "post",
        "/v1/prices",
        product_data={"name": "Plan"},
        unit_amount=amount,
        currency=currency,
        recurring={"interval": "month", **recurring},
    )
    return str(made["id"])


def customer(api: Api, **params: object) -> str:
    return str(api.ok("post", "/v1/customers", email="a@example.com", **params)["id"])


def test_a_trial_bills_nothing_and_its_invoice_is_paid_at_once(api: Api) -> None:
    sub = api.ok(
        "post",
        "/v1/subscriptions",
        customer=customer(api),
        items=[{"price": price(api)}],
        trial_period_days=14,
        expand=["latest_invoice"],
    )
    assert (sub["status"], sub["trial_end"]) == ("trialing", NOW + 14 * DAY)
    invoice = sub["latest_invoice"]
    assert (invoice["status"], invoice["total"], invoice["attempt_count"], invoice["attempted"]) == ("paid", 0, 0, True)
    assert invoice["lines"]["data"][0]["description"] == "Free trial for 1 × Plan"


def test_an_invoice_to_send_leaves_the_subscription_active(api: Api) -> None:
    sub = api.ok(
        "post",
        "/v1/subscriptions",
        customer=customer(api),
        items=[{"price": price(api), "quantity": 3}],
        collection_method="send_invoice",
        days_until_due=30,
        expand=["latest_invoice"],
    )
    assert (sub["status"], sub["latest_invoice"]["status"], sub["latest_invoice"]["total"]) == ("active", "draft", 3000)
    assert sub["latest_invoice"]["lines"]["data"][0]["description"] == "3 × Plan (at $10.00 / month)"
    api.advance(3600)
    invoice = api.get(f"/v1/invoices/{sub['latest_invoice']['id']}")
    assert (invoice["status"], invoice["due_date"]) == ("open", NOW + 30 * DAY)


def test_a_subscription_without_anything_to_charge_is_refused(api: Api) -> None:
    refused = api.post("/v1/subscriptions", customer=customer(api), items=[{"price": price(api)}])
    assert (refused.status, refused.error["code"]) == (400, "resource_missing")
    assert "no attached payment source" in refused.error["message"]


def test_a_change_in_mid_period_credits_and_debits_to_the_second(api: Api) -> None:
    who = customer(api)
    clock = api.ok("post", "/v1/test_helpers/test_clocks", frozen_time=NOW)["id"]
    who = customer(api, test_clock=clock)
    small, large = price(api, 5000, "eur"), price(api, 10000, "eur")
    sub = api.ok(
        "post",
        "/v1/subscriptions",
        customer=who,
        items=[{"price": small}],
        collection_method="send_invoice",
        days_until_due=5,
    )
    assert sub["created"] == NOW
    item = sub["items"]["data"][0]
    middle = (item["current_period_start"] + item["current_period_end"]) // 2
    advance(api, clock, middle)
    api.ok("post", f"/v1/subscriptions/{sub['id']}", items=[{"id": item["id"], "price": large}])
    pending = api.get("/v1/invoiceitems", customer=who, pending=True)["data"]
    assert sorted(entry["amount"] for entry in pending) == [-2500, 5000]
    assert all(entry["proration"] for entry in pending)
    advance(api, clock, item["current_period_end"] + 10)
    newest = api.get("/v1/invoices", customer=who)["data"][0]
    assert (newest["billing_reason"], newest["total"]) == ("subscription_cycle", 12500)


def advance(api: Api, clock: str, to: int) -> None:
    answer = api.ok("post", f"/v1/test_helpers/test_clocks/{clock}/advance", frozen_time=to)
    assert answer["status"] == "advancing"
    api.advance(1)
    assert api.get(f"/v1/test_helpers/test_clocks/{clock}")["status"] == "ready"


def test_a_first_payment_without_the_customer_is_refused_and_then_asks_for_them(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", email="a@example.com")["id"]
    method = api.ok("post", "/v1/payment_methods/pm_card_authenticationRequired/attach", customer=customer)["id"]
    api.ok("post", f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method})
    product = api.ok("post", "/v1/products", name="Plan")["id"]
    price = api.ok(
        "post", "/v1/prices", product=product, currency="usd", unit_amount=2500, recurring={"interval": "month"}
    )["id"]
    made = api.ok(
        "post",
        "/v1/subscriptions",
        customer=customer,
        items=[{"price": price}],
        off_session=True,
        expand=["latest_invoice.payments"],
    )
    invoice = made["latest_invoice"]
    intent = api.ok(
        "get",
        f"/v1/payment_intents/{invoice['payments']['data'][0]['payment']['payment_intent']}",
        expand=["latest_charge"],
    )
    assert (made["status"], invoice["attempt_count"], intent["status"]) == ("incomplete", 1, "requires_action")
    assert (intent["last_payment_error"], intent["setup_future_usage"]) == (None, "off_session")
    assert intent["latest_charge"]["failure_code"] == "authentication_required"
