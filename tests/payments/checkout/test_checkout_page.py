"""What a session asks for on its page, what it adds up to there, and the invoice that it makes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.payments.checkout.test_checkout_sessions import BROWSER, again, fill, line, path_of, session
from tests.payments.tax.test_automatic_tax import BERLIN, register
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid


def post(api: Api, path: str, **typed: Any) -> Answer:
    return api.send("POST", path, key=None, body=urlencode(typed).encode(), headers=BROWSER)


def page(api: Api, made: Answer) -> str:
    return api.send("GET", path_of(made), key=None).body.decode()


# -- invoices


def test_a_payment_makes_a_paid_invoice_when_it_is_asked_to(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=10, duration="once")["id"]
    data = {"description": "Thanks", "metadata": {"order": "7"}, "custom_fields": [{"name": "PO", "value": "12"}]}
    made = session(api, invoice_creation={"enabled": True, "invoice_data": data}, discounts=[{"coupon": coupon}])
    assert fill(api, path_of(made)).status == 303
    paid = again(api, made)
    invoice = api.ok("GET", f"/v1/invoices/{paid['invoice']}", expand=["payments"])
    assert_valid("GET", "/v1/invoices/{invoice}", 200, invoice)
    assert (invoice["status"], invoice["total"], invoice["amount_paid"], invoice["amount_remaining"]) == (
        "paid",
        2700,
        2700,
        0,
    )
    assert (invoice["description"], invoice["metadata"], invoice["customer"]) == (
        "Thanks",
        {"order": "7"},
        paid["customer"],
    )
    assert invoice["payments"]["data"][0]["payment"]["payment_intent"] == paid["payment_intent"]
    types = [event["type"] for event in api.events()]
    wanted = [
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "checkout.session.completed",
    ]
    assert [one for one in types if one in wanted] == wanted
    assert api.events("checkout.session.completed")[0]["data"]["object"]["invoice"] == invoice["id"]
    assert types.count("payment_intent.created") == 1


def test_a_bank_debit_gets_its_invoice_when_the_money_has_come(api: Api) -> None:
    made = session(
        api, payment_method_types=["sepa_debit"], line_items=[line(currency="eur")], invoice_creation={"enabled": True}
    )
    assert (
        post(
            api, path_of(made), method="sepa_debit", email="a@b.example", name="Jo", iban="DE89370400440532013000"
        ).status
        == 303
    )
    assert again(api, made)["invoice"] is None
    api.advance(600)
    assert api.get(f"/v1/invoices/{again(api, made)['invoice']}")["status"] == "paid"


# -- tax


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
    assert "<dt>Tax</dt><dd>$2.18</dd>" in second
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


def test_a_total_that_changed_is_shown_before_it_is_charged(api: Api) -> None:
    register(api, "US", state="CA", type="state_sales_tax")
    made = session(api, automatic_tax={"enabled": True})
    post(api, path_of(made) + "/address", email="a@b.example", country="US", postal_code="10001")
    changed = fill(api, path_of(made), shown_total="3000")  # the card lives in California
    assert changed.status == 402
    assert "The total has changed" in changed.body.decode()
    assert again(api, made)["amount_total"] == 3218
    assert api.events("payment_intent.created") == []


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


# -- what else is asked for

FIELDS = [
    {
        "key": "engraving",
        "label": {"type": "custom", "custom": "Engraving"},
        "type": "text",
        "text": {"maximum_length": 5},
    },
    {"key": "floor", "label": {"type": "custom", "custom": "Floor"}, "type": "numeric", "optional": True},
    {
        "key": "size",
        "label": {"type": "custom", "custom": "Size"},
        "type": "dropdown",
        "dropdown": {"options": [{"label": "Small", "value": "s"}, {"label": "Large", "value": "l"}]},
    },
]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"custom[engraving]": "too long"}, "custom[engraving]"),
        ({"custom[floor]": "two"}, "custom[floor]"),
        ({"custom[size]": "xl"}, "custom[size]"),
        ({"custom[engraving]": ""}, "custom[engraving]"),
        ({"phone": ""}, "phone"),
        ({"terms": ""}, "terms"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field_and_the_rest_stays(api: Api, typed: dict[str, str], field: str) -> None:
    consent = {"terms_of_service": "required", "promotions": "auto"}
    made = session(api, custom_fields=FIELDS, phone_number_collection={"enabled": True}, consent_collection=consent)
    good = {"custom[engraving]": "Jo", "custom[floor]": "2", "custom[size]": "l", "phone": "+15550100", "terms": "1"}
    refused = fill(api, path_of(made), **{**good, **typed}).body.decode()
    assert f'id="{field}-error"' in refused
    assert 'value="l" selected' in refused or field == "custom[size]"
    assert fill(api, path_of(made), **good, promotions="1").status == 303
    paid = again(api, made)
    assert [one[one["type"]]["value"] for one in paid["custom_fields"]] == ["Jo", "2", "l"]
    assert paid["customer_details"]["phone"] == "+15550100"
    assert paid["consent"] == {"promotions": "opt_in", "terms_of_service": "accepted"}


def test_a_quantity_that_may_be_changed_is_changed_on_the_page(api: Api) -> None:
    made = session(
        api,
        line_items=[{**line(), "adjustable_quantity": {"enabled": True, "minimum": 1, "maximum": 5}}],
        expand=["line_items"],
    )
    name = f"quantity[{made['line_items']['data'][0]['id']}]"
    post(api, path_of(made) + "/order", **{name: "9"})
    assert again(api, made)["amount_total"] == 3000
    assert post(api, path_of(made) + "/order", **{name: "3"}).status == 303
    assert again(api, made)["amount_total"] == 4500


def test_a_promotion_code_is_taken_away_again_and_has_its_conditions(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=50, duration="once")["id"]
    promotion = {"type": "coupon", "coupon": coupon}
    api.ok("POST", "/v1/promotion_codes", promotion=promotion, code="HALF")
    api.ok("POST", "/v1/promotion_codes", promotion=promotion, code="MUCH",
           restrictions={"minimum_amount": 9000, "minimum_amount_currency": "usd"})  # fmt: skip
    made = session(api, allow_promotion_codes=True)
    assert b"This code is invalid." in post(api, path_of(made) + "/promotion", promotion_code="MUCH").body
    post(api, path_of(made) + "/promotion", promotion_code="half")
    assert "HALF is applied" in page(api, made)
    post(api, path_of(made) + "/promotion")
    assert again(api, made)["amount_total"] == 3000


def test_a_business_gives_its_tax_id_and_whole_address(api: Api) -> None:
    made = session(
        api, tax_id_collection={"enabled": True}, billing_address_collection="required", customer_creation="always"
    )
    typed = {
        "country": "DE",
        "line1": "Chausseestr. 1",
        "city": "Berlin",
        "postal_code": "10115",
        "business_name": "Li GmbH",
    }
    assert 'id="tax_id-error"' in fill(api, path_of(made), **typed, tax_id="?").body.decode()
    assert 'id="line1-error"' in fill(api, path_of(made), **{**typed, "line1": ""}).body.decode()
    assert fill(api, path_of(made), **typed, tax_id="DE123456789").status == 303
    paid = again(api, made)
    assert paid["customer_details"]["tax_ids"] == [{"type": "eu_vat", "value": "DE123456789"}]
    customer = api.ok("GET", f"/v1/customers/{paid['customer']}", expand=["tax_ids"])
    assert (customer["tax_ids"]["data"][0]["value"], customer["address"]["line1"]) == ("DE123456789", "Chausseestr. 1")
    assert customer["name"] == "Li GmbH"


def test_a_trial_costs_nothing_today_and_may_need_no_card(api: Api) -> None:
    made = session(
        api, "subscription", subscription_data={"trial_period_days": 7}, payment_method_collection="if_required"
    )
    assert (made["amount_total"], made["amount_subtotal"]) == (0, 0)
    assert 'name="number"' not in page(api, made)
    assert post(api, path_of(made), email="a@b.example").status == 303
    paid = again(api, made)
    assert (paid["payment_status"], api.get(f"/v1/subscriptions/{paid['subscription']}")["status"]) == (
        "no_payment_required",
        "trialing",
    )
