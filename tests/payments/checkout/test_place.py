"""Where the customer of a session is: that decides its automatic tax."""

from __future__ import annotations

import re

from tests.payments.checkout.steps import again, fill, line, page, path_of, post, session
from tests.payments.tax.steps import BERLIN, register
from tests.support.api import Api


def test_tax_is_shown_once_the_address_is_known_and_stands_on_the_invoice(api: Api) -> None:
    register(api, "US", state="CA", type="state_sales_tax")
    made = session(api, automatic_tax={"enabled": True}, invoice_creation={"enabled": True})
    assert (made["automatic_tax"]["status"], made["amount_total"]) == ("requires_location_inputs", 3000)
    first = page(api, made)
    assert 'name="number"' not in first
    assert "on the next page" in first
    assert (
        'id="postal_code-error"'
        in post(api, path_of(made) + "/address", email="a@b.example", country="US").body.decode()
    )
    assert post(api, path_of(made) + "/address", email="a@b.example", country="US", postal_code="94111").status == 303
    second = page(api, made)
    assert re.search(r"<dt>[^<]*7\.25%</dt><dd>\$2\.18</dd>", second)
    assert 'value="94111"' in second
    assert fill(api, path_of(made), shown_total="3218").status == 303
    paid = again(api, made)
    assert (paid["amount_total"], paid["total_details"]["amount_tax"], paid["automatic_tax"]["status"]) == (
        3218,
        218,
        "complete",
    )
    assert api.get(f"/v1/payment_intents/{paid['payment_intent']}")["amount_received"] == 3218
    invoice = api.ok("GET", f"/v1/invoices/{paid['invoice']}")
    assert (invoice["total"], invoice["total_taxes"][0]["amount"]) == (3218, 218)


def test_a_subscription_and_delivery_are_taxed_too(api: Api) -> None:
    register(api, "DE", type="standard")
    rate = {"display_name": "Post", "fixed_amount": {"amount": 1190, "currency": "eur"}, "type": "fixed_amount"}
    goods = session(
        api,
        line_items=[line(currency="eur")],
        automatic_tax={"enabled": True},
        shipping_options=[{"shipping_rate_data": rate}],
        shipping_address_collection={"allowed_countries": ["DE", "AT"]},
    )
    typed = {f"ship_{name}": value for name, value in BERLIN.items()}
    assert (
        post(
            api, path_of(goods) + "/address", email="a@b.example", ship_name="Jo", **{**typed, "ship_country": "FR"}
        ).status
        == 402
    )
    assert post(api, path_of(goods) + "/address", email="a@b.example", ship_name="Jo", **typed).status == 303
    there = again(api, goods)
    assert (there["amount_total"], there["total_details"]["amount_tax"]) == (4190, 479 + 190)
    assert there["shipping_cost"]["amount_tax"] == 190
    who = api.ok("POST", "/v1/customers", email="a@b.example")["id"]
    refused = api.post("/v1/checkout/sessions", mode="subscription", success_url="https://a.example", customer=who,
                       line_items=[line(recurring={"interval": "month"})], automatic_tax={"enabled": True})  # fmt: skip
    assert refused.error["code"] == "customer_tax_location_invalid"
    update = {"address": "auto"}
    made = session(
        api, "subscription", customer=who, automatic_tax={"enabled": True}, customer_update=update, currency="usd"
    )
    post(api, path_of(made) + "/address", country="DE", postal_code="10115")
    assert fill(api, path_of(made), country="DE", postal_code="10115").status == 303
    invoice = api.get(f"/v1/invoices/{again(api, made)['invoice']}")
    assert (invoice["total"], again(api, made)["amount_total"]) == (3570, 3570)
    assert api.get(f"/v1/customers/{who}")["address"]["country"] == "DE"


def test_a_known_customer_who_types_a_tax_id_gets_its_name(api: Api) -> None:
    who = api.ok("POST", "/v1/customers")["id"]
    asked = {"mode": "payment", "success_url": "https://a.example", "line_items": [line()], "customer": who}
    asked["tax_id_collection"] = {"enabled": True}
    for update in ({}, {"address": "auto"}, {"name": "never"}):
        refused = api.post("/v1/checkout/sessions", **asked, customer_update=update)
        assert (refused.status, refused.error["param"]) == (400, "customer_update")
        assert refused.error["message"].startswith("Tax ID collection requires updating business name on the customer.")
    assert api.post("/v1/checkout/sessions", **asked, customer_update={"name": "auto"}).status == 200
    del asked["customer"]
    assert api.post("/v1/checkout/sessions", **asked).status == 200


def test_a_known_customer_whose_delivery_is_taxed_gets_its_address(api: Api) -> None:
    who = api.ok("POST", "/v1/customers", address={"country": "DE"})["id"]
    asked = {"mode": "payment", "success_url": "https://a.example", "line_items": [line()], "customer": who}
    asked["shipping_address_collection"] = {"allowed_countries": ["DE"]}
    assert api.post("/v1/checkout/sessions", **asked).status == 200
    asked["automatic_tax"] = {"enabled": True}
    for update in ({}, {"address": "auto"}):
        refused = api.post("/v1/checkout/sessions", **asked, customer_update=update)
        assert (refused.status, refused.error["code"]) == (400, "parameter_missing")
        assert refused.error["param"] == "customer_update[shipping]"
    assert api.post("/v1/checkout/sessions", **asked, customer_update={"shipping": "auto"}).status == 200
