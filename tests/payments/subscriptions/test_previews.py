"""Previews: the next invoice of a customer or subscription, or what a change would bill. Nothing is stored."""

from __future__ import annotations

from tests.payments.checkout.steps import price
from tests.payments.subscriptions.steps import clocked, ok, plan, schedule, subscribe
from tests.payments.tax.steps import FRISCO, register
from tests.support.api import NOW, Api
from tests.support.connected import connected

OLD = {"Stripe-Version": "2020-08-27"}


def test_a_preview_knows_the_phase_that_comes_next_and_phases_that_are_only_asked_about(api: Api) -> None:
    _, who = clocked(api)
    cheap, dear = plan(api), plan(api, 2000)
    made = schedule(api, who, {"items": [{"price": cheap}]}, {"items": [{"price": dear}]}, end_behavior="cancel")
    assert ok(api, "POST", "/v1/invoices/create_preview", subscription=made["subscription"])["total"] == 2000
    assert ok(api, "POST", "/v1/invoices/create_preview", schedule=made["id"])["total"] == 2000
    phases = [{"items": [{"price": dear, "quantity": 3}], "start_date": "now", "duration": {"interval": "month"}}]
    assert (
        ok(api, "POST", "/v1/invoices/create_preview", customer=who, schedule_details={"phases": phases})["total"]
        == 6000
    )


def test_a_preview_taxes_an_address_that_is_only_asked_about(api: Api) -> None:
    register(api, "US", state="CA", type="state_sales_tax")
    items = [{"price": plan(api)}]
    asked = {
        "customer_details": {"address": FRISCO},
        "automatic_tax": {"enabled": True},
        "subscription_details": {"items": items},
    }
    seen = ok(api, "POST", "/v1/invoices/create_preview", **asked)
    assert (seen["total"], seen["automatic_tax"]["status"]) == (1073, "complete")
    assert api.get("/v1/tax_rates")["data"] == []


def test_looking_at_a_price_that_is_made_for_it_stores_nothing(api: Api) -> None:
    _, who = clocked(api)
    product = ok(api, "POST", "/v1/products", name="Plan")["id"]
    items = [
        {"price_data": {"currency": "usd", "product": product, "unit_amount": 400, "recurring": {"interval": "month"}}}
    ]
    asked = {"customer": who, "subscription_details": {"items": items}}
    assert api.ok("post", "/v1/invoices/create_preview", **asked)["total"] == 400
    old = api.get(
        "/v1/invoices/upcoming", customer=who, subscription_items=items, headers={"Stripe-Version": "2020-08-27"}
    )
    assert (old.status, old.get("total")) == (200, 400)
    assert (api.get("/v1/prices")["data"], api.events("price.created")) == ([], [])


def test_a_preview_of_what_recurs_leaves_prorations_and_single_items_out(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    ok(api, "POST", "/v1/invoiceitems", customer=who, subscription=sub["id"], amount=333, currency="usd")
    change = {"items": [{"id": sub["items"]["data"][0]["id"], "price": plan(api, 2000)}]}
    asked = {"subscription": sub["id"], "subscription_details": change}
    assert ok(api, "POST", "/v1/invoices/create_preview", **asked)["total"] == 3333
    assert ok(api, "POST", "/v1/invoices/create_preview", preview_mode="recurring", **asked)["total"] == 2000


def test_a_preview_tells_what_a_change_would_bill_and_stores_nothing(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    item = sub["items"]["data"][0]["id"]
    before = len(api.get("/v1/invoices")["data"])
    seen = ok(
        api,
        "POST",
        "/v1/invoices/create_preview",
        subscription=sub["id"],
        subscription_details={"items": [{"id": item, "quantity": 2}]},
    )
    assert seen["total"] == 2000 + 1000
    old = api.get("/v1/invoices/upcoming", customer=who, headers={"Stripe-Version": "2020-08-27"})
    assert (old["total"], old["subscription"]) == (1000, sub["id"])
    assert len(api.get("/v1/invoices")["data"]) == before


def test_a_preview_refuses_an_item_in_another_currency_instead_of_relabelling_its_amount(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    shirt = {"product_data": {"name": "T-shirt"}, "unit_amount": 1500}
    euro = ok(api, "POST", "/v1/prices", currency="eur", **shirt)
    euros = {
        "price": {"price": euro["id"]},
        "price_data": {"price_data": {"currency": "eur", "unit_amount": 1500, "product": euro["product"]}},
        "amount": {"amount": 1500, "currency": "eur"},
    }
    for name, item in euros.items():
        refused = api.post("/v1/invoices/create_preview", subscription=sub, invoice_items=[item])
        assert (refused.status, refused.error["param"]) == (400, "invoice_items[0]"), name
        assert refused.error["message"] == "The currency of the invoice item (eur) must match the invoice's (usd)."
    both = price(api, currency_options={"eur": {"unit_amount": 1400}})
    seen = api.ok("POST", "/v1/invoices/create_preview", subscription=sub, invoice_items=[{"price": both}])
    assert (seen["currency"], seen["total"]) == ("usd", 2500)


def test_the_items_of_a_preview_say_its_currency_when_its_customer_has_none(api: Api) -> None:
    who = ok(api, "POST", "/v1/customers")["id"]
    items = [{"amount": 1500, "currency": "eur"}]
    seen = api.ok("POST", "/v1/invoices/create_preview", customer=who, invoice_items=items)
    assert (seen["currency"], seen["total"]) == ("eur", 1500)


def test_a_preview_counts_the_customers_balance_in_its_own_currency_only(api: Api) -> None:
    who = ok(api, "POST", "/v1/customers")["id"]
    api.ok("POST", f"/v1/customers/{who}/balance_transactions", amount=-500, currency="eur")
    dues = {}
    for currency in ("eur", "usd"):
        items = [{"amount": 1500, "currency": currency}]
        path = "/v1/invoices/create_preview"
        seen = api.ok("POST", path, customer=who, currency=currency, invoice_items=items)
        dues[currency] = (seen["starting_balance"], seen["amount_due"], seen["ending_balance"])
    assert dues == {"eur": (-500, 1000, 0), "usd": (0, 1500, 0)}


def test_a_preview_moves_the_anchor_in_the_form_of_the_version(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    for asked, anchor in ((api, {"type": "now"}), (api.under("2025-02-24.acacia"), "now")):
        details = {"billing_cycle_anchor": anchor, "proration_behavior": "none"}
        seen = ok(asked, "POST", "/v1/invoices/create_preview", subscription=sub, subscription_details=details)
        assert [line["period"]["start"] for line in seen["lines"]["data"]] == [NOW]


def test_a_preview_shows_on_whose_behalf_and_for_which_tax_ids_it_is(api: Api) -> None:
    account = connected(api)["id"]
    items = [{"price": plan(api)}]
    seen = api.ok(
        "POST", "/v1/invoices/create_preview", subscription_details={"items": items}, on_behalf_of=account,
        issuer={"type": "account", "account": account},
        customer_details={"tax_ids": [{"type": "eu_vat", "value": "DE123456789"}]},
    )  # fmt: skip
    assert (seen["on_behalf_of"], seen["issuer"]["account"]) == (account, account)
    assert seen["customer_tax_ids"] == [{"type": "eu_vat", "value": "DE123456789"}]


def test_a_preview_of_a_subscription_that_will_have_ended_has_no_invoice(api: Api) -> None:
    _, who = clocked(api)
    made = subscribe(api, who, plan(api))
    end = made["items"]["data"][0]["current_period_end"]
    path = "/v1/invoices/create_preview"
    for at, status in ((end, 404), ("min_period_end", 404), (end + 1, 200)):
        assert api.post(path, subscription=made["id"], subscription_details={"cancel_at": at}).status == status


PREVIEW = "/v1/invoices/create_preview"


def test_a_preview_asks_about_another_end_of_a_schedule(api: Api) -> None:
    _, who = clocked(api)
    made = schedule(api, who, {"items": [{"price": plan(api)}]}, end_behavior="cancel")
    assert api.post(PREVIEW, schedule=made["id"]).status == 404
    assert api.ok("POST", PREVIEW, schedule=made["id"], schedule_details={"end_behavior": "release"})["total"] == 1000
    going_on = schedule(api, clocked(api)[1], {"items": [{"price": plan(api)}]}, end_behavior="release")["id"]
    assert api.post(PREVIEW, schedule=going_on, schedule_details={"end_behavior": "cancel"}).status == 404


def test_a_preview_asks_about_another_billing_mode(api: Api) -> None:
    _, who = clocked(api)
    made = subscribe(api, who, plan(api), billing_mode={"type": "flexible"})
    yearly = {"items": [{"id": made["items"]["data"][0]["id"], "price": plan(api, 9000, interval="year")}]}
    totals = [
        api.ok("POST", PREVIEW, subscription=made["id"], subscription_details={**yearly, "billing_mode": mode})["total"]
        for mode in ({"type": "flexible"}, {"type": "classic"})
    ]
    assert totals == [17000, 8000]  # in the classic mode another interval begins a period now
    wrong = {"type": "classic", "flexible": {"proration_discounts": "itemized"}}
    for name in ("subscription_details", "schedule_details"):
        refused = api.post(PREVIEW, customer=who, **{name: {"billing_mode": wrong}})
        assert (refused.status, refused.error["param"]) == (400, f"{name}[billing_mode][flexible]")


def test_a_preview_refuses_what_it_could_not_show(api: Api) -> None:
    _, who = clocked(api)
    items = [{"price": plan(api)}]
    later = api.post(PREVIEW, customer=who, subscription_details={"items": items, "start_date": NOW + 86_400})
    assert (later.status, later.error["param"]) == (400, "subscription_details[start_date]")
    nowhere = api.post(
        PREVIEW, customer_details={"tax": {"ip_address": "1.2.3.4"}}, subscription_details={"items": items}
    )
    assert (nowhere.status, nowhere.error["param"]) == (400, "customer_details[tax]")


def test_a_preview_of_a_subscription_is_for_its_customer(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    assert api.post(PREVIEW, customer=who, subscription=sub).status == 200
    refused = api.post(PREVIEW, customer=clocked(api)[1], subscription=sub)
    assert (refused.status, refused.error["param"]) == (400, "subscription")


def test_a_preview_in_no_currency_is_refused(api: Api) -> None:
    who = ok(api, "POST", "/v1/customers")["id"]
    for currency in ("0", "zzz", "us", "١٢٣"):
        refused = api.post("/v1/invoices/create_preview", customer=who, currency=currency)
        assert (refused.status, refused.error["param"]) == (400, "currency"), currency
