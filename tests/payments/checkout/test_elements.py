"""Sessions on a shop's own page: what its customer changes there, and within which limits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.checkout.steps import BACK, RESIDENCE, again, changed, line, own, sent
from tests.payments.tax.steps import register
from tests.support.api import Api


@pytest.mark.parametrize("step", ["", "/init", "/confirm"])
def test_a_browser_needs_the_client_secret(api: Api, step: str) -> None:
    made = own(api)
    for secret in ({}, {"client_secret": f"{made['id']}_secret_wrong"}):
        more = {"payment_method": "pm_card_visa"} if step == "/confirm" else {}
        answer = api.post(f"/v1/payment_pages/{made['id']}{step}", key=api.pk, **secret, **more)
        assert (answer.status, answer.error["param"]) == (400, "client_secret")


def test_another_page_is_not_changed_by_its_customer(api: Api) -> None:
    made = api.ok(
        "POST", "/v1/checkout/sessions", mode="payment", ui_mode="embedded_page", return_url=BACK, line_items=[line()]
    )
    assert sent(api, made, email="jo@shop.example").error["message"].startswith("Only a Checkout Session whose")


def test_details_are_kept_and_make_it_payable(api: Api) -> None:
    made = own(api, phone_number_collection={"enabled": True})
    assert sent(api, made, "/init")["checkout"]["canConfirm"] is False
    assert changed(api, made, email="jo@shop.example")["canConfirm"] is False
    shown = changed(api, made, phone="+14155550100", billing_address={"name": "Jo Li", "address": RESIDENCE})
    assert (shown["email"], shown["phoneNumber"], shown["canConfirm"]) == ("jo@shop.example", "+14155550100", True)
    assert shown["billingAddress"]["address"]["city"] == "San Francisco"
    details = again(api, made)["customer_details"]
    assert (details["email"], details["name"]) == ("jo@shop.example", "Jo Li")


@pytest.mark.parametrize(
    ("params", "param", "code"),
    [
        ({"email": "nobody"}, "email", "email_invalid"),
        ({"shipping_rate": "shr_none"}, "shipping_rate", None),
        ({"shipping_address": {"name": "Jo", "address": RESIDENCE}}, "shipping_address", None),
        ({"tax_id": {"type": "eu_vat", "value": "DE123456789"}}, "tax_id", None),
        ({"promotion_code": "NONE"}, None, None),
        (
            {"updated_line_item_quantity": {"line_item_id": "li_none", "quantity": 2}},
            "updated_line_item_quantity[line_item_id]",
            None,
        ),
    ],
)
def test_what_a_session_does_not_allow_is_refused(
    api: Api, params: dict[str, Any], param: str | None, code: str | None
) -> None:
    error = sent(api, own(api), **params).error
    assert (error.get("param"), error.get("code")) == (param, code)


def test_an_email_that_the_server_gave_stays(api: Api) -> None:
    made = own(api, customer_email="jo@shop.example")
    assert sent(api, made, email="other@shop.example").error["param"] == "email"
    assert sent(api, made, "/init")["checkout"]["email"] == "jo@shop.example"


def test_a_quantity_changes_within_its_limits(api: Api) -> None:
    made = own(api, line_items=[{**line(), "adjustable_quantity": {"enabled": True, "maximum": 3}}])
    item = sent(api, made, "/init")["checkout"]["lineItems"][0]["id"]
    shown = changed(api, made, updated_line_item_quantity={"line_item_id": item, "quantity": 3})
    assert (shown["lineItems"][0]["quantity"], shown["total"]["total"]["minorUnitsAmount"]) == (3, 4500)
    assert sent(api, made, updated_line_item_quantity={"line_item_id": item, "quantity": 4}).status == 400
    assert again(api, made)["amount_total"] == 4500


def test_a_quantity_that_is_not_adjustable_stays(api: Api) -> None:
    made = own(api)
    item = sent(api, made, "/init")["checkout"]["lineItems"][0]["id"]
    answer = sent(api, made, updated_line_item_quantity={"line_item_id": item, "quantity": 1})
    assert (answer.status, again(api, made)["amount_total"]) == (400, 3000)


def test_a_promotion_code_is_applied_and_removed(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=10)["id"]
    api.ok("POST", "/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon}, code="TEN")
    made = own(api, allow_promotion_codes=True)
    assert sent(api, made, promotion_code="NINE").error["message"] == "This code is invalid."
    shown = changed(api, made, promotion_code="TEN")
    assert shown["total"]["discount"] == {"minorUnitsAmount": 300, "amount": "$3.00"}
    assert (shown["discountAmounts"][0]["promotionCode"], shown["discountAmounts"][0]["percentOff"]) == ("TEN", 10)
    assert changed(api, made, promotion_code="")["discountAmounts"] is None
    assert again(api, made)["amount_total"] == 3000


def test_delivery_is_chosen_and_costs(api: Api) -> None:
    rates = [
        api.ok("POST", "/v1/shipping_rates", display_name=name, type="fixed_amount",
               fixed_amount={"amount": amount, "currency": "usd"})["id"]
        for name, amount in (("Slow", 500), ("Fast", 900))
    ]  # fmt: skip
    made = own(
        api, shipping_options=[{"shipping_rate": id} for id in rates],
        shipping_address_collection={"allowed_countries": ["US"]},
    )  # fmt: skip
    assert changed(api, made, email="jo@shop.example")["canConfirm"] is False
    shown = changed(api, made, shipping_rate=rates[1], shipping_address={"name": "Jo", "address": RESIDENCE})
    assert (shown["shipping"]["shippingOption"]["displayName"], shown["canConfirm"]) == ("Fast", True)
    assert shown["total"]["total"]["minorUnitsAmount"] == 3900
    refused = sent(api, made, shipping_address={"name": "Jo", "address": {**RESIDENCE, "country": "DE"}})
    assert (refused.status, again(api, made)["amount_total"]) == (400, 3900)


def test_only_the_server_changes_shipping_details_if_it_says_so(api: Api) -> None:
    made = own(
        api, permissions={"update_shipping_details": "server_only"},
        shipping_address_collection={"allowed_countries": ["US"]},
    )  # fmt: skip
    assert sent(api, made, shipping_address={"name": "Jo", "address": RESIDENCE}).error["param"] == "shipping_address"


def test_an_address_decides_on_tax(api: Api) -> None:
    register(api, "US", state="CA", type="state_sales_tax")
    made = own(api, automatic_tax={"enabled": True})
    assert sent(api, made, "/init")["checkout"]["tax"] == {"status": "requires_billing_address"}
    shown = changed(api, made, billing_address={"name": "Jo", "address": RESIDENCE})
    assert shown["tax"] == {"status": "ready"}
    assert shown["total"]["taxExclusive"]["minorUnitsAmount"] == 218
    assert shown["taxAmounts"][0]["inclusive"] is False


def test_a_tax_id_is_kept_when_it_is_collected(api: Api) -> None:
    made = own(api, tax_id_collection={"enabled": True})
    wrong = sent(api, made, tax_id={"type": "eu_vat", "value": "DE12"})
    assert wrong.error["code"] == "tax_id_invalid"
    shown = changed(api, made, tax_id={"type": "eu_vat", "value": "DE123456789"}, business_name="Tea GmbH")
    assert shown["taxIdInfo"] == {"taxId": {"type": "eu_vat", "value": "DE123456789"}, "businessName": "Tea GmbH"}


def test_a_session_that_is_over_is_not_changed(api: Api) -> None:
    made = own(api)
    api.ok("POST", f"/v1/checkout/sessions/{made['id']}/expire")
    assert sent(api, made, email="jo@shop.example").error["code"] == "checkout_session_not_open"
