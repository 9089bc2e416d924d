"""Shipping rates, exchange rates, Radar value lists, tax."""

from __future__ import annotations

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid


def test_a_shipping_rate_is_made_and_archived(api: Api) -> None:
    rate = api.ok(
        "POST",
        "/v1/shipping_rates",
        display_name="Post",
        fixed_amount={"amount": 500, "currency": "usd"},
        metadata={"a": "1"},
    )
    assert_valid("POST", "/v1/shipping_rates", 200, rate)
    api.ok("POST", f"/v1/shipping_rates/{rate['id']}", active=False)
    assert api.ok("GET", "/v1/shipping_rates", active=True)["data"] == []
    assert api.ok("GET", "/v1/shipping_rates", currency="usd")["data"][0]["id"] == rate["id"]


def test_exchange_rates_are_listed_and_retrieved(api: Api) -> None:
    assert_valid("GET", "/v1/exchange_rates", 200, api.ok("GET", "/v1/exchange_rates"))
    rate = api.ok("GET", "/v1/exchange_rates/usd")
    assert_valid("GET", "/v1/exchange_rates/{rate_id}", 200, rate)
    assert rate["rates"]["usd"] == 1.0


def test_a_value_list_holds_values_of_its_type_once(api: Api) -> None:
    made = api.ok("POST", "/v1/radar/value_lists", alias="bad_mail", name="Bad mail", item_type="email")
    assert_valid("POST", "/v1/radar/value_lists", 200, made)
    item = api.ok("POST", "/v1/radar/value_list_items", value_list=made["id"], value="A@b.example")
    assert_valid("POST", "/v1/radar/value_list_items", 200, item)
    assert api.post("/v1/radar/value_list_items", value_list=made["id"], value="a@b.example").status == 400
    assert api.post("/v1/radar/value_list_items", value_list=made["id"], value="no").error["param"] == "value"
    found = api.ok("GET", "/v1/radar/value_lists", contains="a@b.example")
    assert_valid("GET", "/v1/radar/value_lists", 200, found)
    assert [one["id"] for one in found["data"]] == [made["id"]]
    assert len(found["data"][0]["list_items"]["data"]) == 1
    api.ok("DELETE", f"/v1/radar/value_lists/{made['id']}")
    assert api.get(f"/v1/radar/value_list_items/{item['id']}").status == 404


def calculate(api: Api, **more: object) -> Answer:
    details = {"address": {"country": "DE", "postal_code": "10115"}, "address_source": "billing"}
    return api.ok("POST", "/v1/tax/calculations", currency="eur", customer_details=details,
                  line_items=[{"amount": 1000, "reference": "one"}], expand=["line_items"], **more)  # fmt: skip


def test_tax_is_zero_until_the_account_is_registered(api: Api) -> None:
    before = calculate(api)
    assert_valid("POST", "/v1/tax/calculations", 200, before)
    assert (before["amount_total"], before["tax_breakdown"][0]["taxability_reason"]) == (1000, "not_collecting")
    registration = api.ok(
        "POST", "/v1/tax/registrations", country="DE", active_from="now", country_options={"de": {"type": "oss_union"}}
    )
    assert_valid("POST", "/v1/tax/registrations", 200, registration)
    after = calculate(api, shipping_cost={"amount": 119, "tax_behavior": "inclusive"})
    assert_valid("POST", "/v1/tax/calculations", 200, after)
    assert (after["tax_amount_exclusive"], after["tax_amount_inclusive"], after["amount_total"]) == (190, 19, 1309)


def test_a_tax_transaction_is_reversed_once(api: Api) -> None:
    calculation = calculate(api)
    made = api.ok(
        "POST",
        "/v1/tax/transactions/create_from_calculation",
        calculation=calculation["id"],
        reference="order 1",
        expand=["line_items"],
    )
    assert_valid("POST", "/v1/tax/transactions/create_from_calculation", 200, made)
    back = {"mode": "full", "original_transaction": made["id"], "expand": ["line_items"]}
    reversal = api.ok("POST", "/v1/tax/transactions/create_reversal", reference="back 1", **back)
    assert_valid("POST", "/v1/tax/transactions/create_reversal", 200, reversal)
    assert reversal["line_items"]["data"][0]["amount"] == -1000
    assert api.post("/v1/tax/transactions/create_reversal", reference="back 2", **back).status == 400


def test_tax_settings_become_active_when_complete(api: Api) -> None:
    assert_valid("GET", "/v1/tax/settings", 200, api.ok("GET", "/v1/tax/settings"))
    settings = api.ok(
        "POST", "/v1/tax/settings", defaults={"tax_code": "txcd_10000000"}, head_office={"address": {"country": "DE"}}
    )
    assert_valid("POST", "/v1/tax/settings", 200, settings)
    assert settings["status"] == "active"


def test_the_data_of_a_price_needs_its_product(api: Api) -> None:
    items = [{"price_data": {"currency": "usd", "unit_amount": 500}, "quantity": 1}]
    error = api.post("/v1/payment_links", line_items=items).error
    assert (error["code"], error["param"]) == ("parameter_missing", "line_items[0][price_data][product]")


def test_the_oldest_versions_see_a_tokens_card_without_a_customer(api: Api) -> None:
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030}
    assert api.post("/v1/tokens", headers={"Stripe-Version": "2014-12-08"}, card=card)["card"]["customer"] is None
    assert "customer" not in api.post("/v1/tokens", card=card)["card"]


def test_what_arrives_in_a_receiver_is_a_transaction_of_the_source(api: Api) -> None:
    source = api.ok(
        "POST", "/v1/sources", type="ach_credit_transfer", currency="usd", owner={"email": "amount_4242@example.com"}
    )["id"]
    api.advance(5)
    path = f"/v1/sources/{source}/source_transactions"
    listed = api.ok("GET", path)
    assert_valid("GET", "/v1/sources/{source}/source_transactions", 200, listed)
    (arrived,) = listed["data"]
    assert (arrived["amount"], arrived["source"], arrived["status"]) == (4242, source, "succeeded")
    assert [event["type"] for event in api.events()][-2:] == ["source.transaction.created", "source.chargeable"]
