"""What older API versions saw of invoices and their lines."""

from __future__ import annotations

from tests.payments.invoices.steps import customer
from tests.support.api import Api


def test_what_an_older_version_names_it_expands_too(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    price = {
        "currency": "usd",
        "unit_amount": 500,
        "recurring": {"interval": "month"},
        "product_data": {"name": "Gold"},
    }
    price_id = api.ok("POST", "/v1/prices", **price)["id"]
    invoice = api.ok("POST", "/v1/subscriptions", customer=customer, items=[{"price": price_id}])["latest_invoice"]
    paths = [
        "lines.data.price.product",
        "lines.data.plan.product",
        "payment_intent",
        "charge.balance_transaction",
        "subscription",
    ]
    shown = api.get(f"/v1/invoices/{invoice}", headers={"Stripe-Version": "2022-08-01"}, expand=paths)
    (line,) = shown["lines"]["data"]
    assert (line["price"]["product"]["name"], line["plan"]["product"]["name"]) == ("Gold", "Gold")
    assert shown["payment_intent"]["charges"]["data"][0]["id"] == shown["charge"]["id"]
    assert shown["charge"]["refunds"]["data"] == []
    assert shown["charge"]["balance_transaction"]["amount"] == 500
    assert shown["subscription"]["current_period_end"] > shown["subscription"]["current_period_start"]
    for name in ("lines.data.price", "payment_intent"):
        answer = api.get(f"/v1/invoices/{invoice}", expand=[f"{name}.product"])
        assert answer.error["message"] == f"This property cannot be expanded ({name})."


def test_older_names_of_how_an_invoice_is_collected_and_taxed(api: Api) -> None:
    older = {"Stripe-Version": "2018-11-08"}
    who = customer(api)
    api.ok("POST", "/v1/invoiceitems", customer=who, amount=500, currency="usd")
    invoice = api.post("/v1/invoices", headers=older, customer=who, billing="send_invoice", days_until_due=5)
    assert (invoice.status, invoice["billing"], invoice["tax_percent"], invoice["application_fee"]) == (
        200,
        "send_invoice",
        None,
        None,
    )


def test_plans_within_items_and_lines_are_looked_into_under_an_older_version(api: Api) -> None:
    """An item without a plan is passed over, as programs expand ``data.plan.tiers`` of every item."""
    older = {"Stripe-Version": "2022-11-15"}
    who = customer(api)
    tiers = [{"up_to": "inf", "unit_amount": 10}]
    product = api.ok("POST", "/v1/products", name="Gold")["id"]
    price = api.ok(
        "POST", "/v1/prices", currency="usd", product=product, recurring={"interval": "month"}, tiers=tiers,
        tiers_mode="graduated", billing_scheme="tiered",
    )["id"]  # fmt: skip
    api.ok("POST", "/v1/invoiceitems", customer=who, amount=500, currency="usd")
    path = {"expand": ["data.plan.tiers"]}
    (item,) = api.ok("GET", "/v1/invoiceitems", headers=older, **path)["data"]
    assert item["plan"] is None
    invoice = api.ok("POST", "/v1/subscriptions", customer=who, items=[{"price": price}])["latest_invoice"]
    lines = api.ok("GET", f"/v1/invoices/{invoice}/lines", headers=older, **path)["data"]
    plans = [line["plan"] and line["plan"]["tiers"][0]["unit_amount"] for line in lines]
    assert sorted(plans, key=str) == [10, None]
    for list_path, name in (("/v1/invoiceitems", "plan"), (f"/v1/invoices/{invoice}/lines", "plan")):
        answer = api.get(list_path, **path)
        assert answer.error["message"] == f"This property cannot be expanded (data.{name})."


OLDEST = {"Stripe-Version": "2018-10-31"}


def test_an_older_percentage_of_tax_is_a_default_tax_rate(api: Api) -> None:
    who = customer(api)
    api.ok("POST", "/v1/invoiceitems", customer=who, amount=1000, currency="usd")
    made = api.post("/v1/invoices", headers=OLDEST, customer=who, tax_percent=7.5)
    assert (made["tax_percent"], made["tax"], made["total"]) == (7.5, 75, 1075)
    path = f"/v1/invoices/{made['id']}"
    assert api.post(path, headers=OLDEST, tax_percent=10)["total"] == 1100
    assert api.post(path, headers=OLDEST, tax_percent="")["total"] == 1000
    for wrong in ({"tax_percent": 101}, {"tax_percent": 5, "default_tax_rates": ["txr_1"]}):
        refused = api.post(path, headers=OLDEST, **wrong)
        assert (refused.status, refused.error["param"]) == (400, "tax_percent")
