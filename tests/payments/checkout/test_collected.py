"""What has to be known before a session is paid: steps of its page that a visitor leaves out give nothing away."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.checkout.steps import FIELD, again, fill, line, path_of, session
from tests.payments.tax.steps import register
from tests.support.api import Api
from tests.support.recipes import CARD


def card(api: Api, **more: Any) -> str:
    return str(api.ok("POST", "/v1/payment_methods", key=api.pk, type="card", card=CARD, **more)["id"])


def unpaid(api: Api, made: Any) -> bool:
    found = again(api, made)
    return (found["status"], found["payment_status"]) == ("open", "unpaid") and not api.events("charge.succeeded")


@pytest.mark.parametrize("limits", [{"minimum": 500}, {}])
def test_an_order_is_not_had_for_nothing_by_choosing_no_amount(api: Api, limits: dict[str, int]) -> None:
    custom = {"enabled": True, **limits}
    price = api.ok("POST", "/v1/prices", currency="usd", custom_unit_amount=custom, product_data={"name": "Gift"})["id"]
    made = session(api, line_items=[{"price": price, "quantity": 1}])
    refused = fill(api, path_of(made))
    assert (refused.status, b"Enter an amount from" in refused.body) == (402, True)
    assert b'-error" autofocus' in refused.body, "beside its field"
    for key in (api.pk, api.sk):
        path = f"/v1/payment_pages/{made['id']}/confirm"
        assert api.post(path, key=key, payment_method=card(api)).status == 400
    assert unpaid(api, made)


@pytest.mark.parametrize(
    "typed", [{"country": "", "postal_code": ""}, {"country": "ZZ"}, {"country": "US", "postal_code": ""}]
)
def test_no_tax_is_saved_by_leaving_out_where_one_is(api: Api, typed: dict[str, str]) -> None:
    register(api, "US", state="CA", type="state_sales_tax")
    made = session(api, automatic_tax={"enabled": True})
    refused = fill(api, path_of(made), **typed)
    assert (refused.status, b'-error" role="alert"' in refused.body) == (402, True)
    assert api.post(f"/v1/payment_pages/{made['id']}/confirm", key=api.pk, payment_method=card(api)).status == 400
    assert unpaid(api, made)
    assert again(api, made)["automatic_tax"]["status"] == "requires_location_inputs"
    assert fill(api, path_of(made), postal_code="94111").status == 303
    assert again(api, made)["amount_total"] == 3218


def test_a_payment_method_says_where_its_owner_is_taxed(api: Api) -> None:
    register(api, "US", state="CA", type="state_sales_tax")
    made = session(api, automatic_tax={"enabled": True})
    method = card(api, billing_details={"address": {"country": "US", "postal_code": "94111"}})
    assert api.post(f"/v1/payment_pages/{made['id']}/confirm", key=api.pk, payment_method=method).status == 200
    assert again(api, made)["amount_total"] == 3218


@pytest.mark.parametrize(
    ("asked", "lacking"),
    [
        ({"phone_number_collection": {"enabled": True}}, "a phone number"),
        ({"shipping_address_collection": {"allowed_countries": ["US"]}}, "a delivery address"),
        ({"billing_address_collection": "required"}, "a billing address"),
        ({"name_collection": {"individual": {"enabled": True}}}, "a name"),
        ({"custom_fields": [FIELD]}, "custom fields"),
    ],
)
def test_a_browser_does_not_pay_past_what_the_page_asks_for(api: Api, asked: dict[str, Any], lacking: str) -> None:
    made = session(api, **asked)
    path = f"/v1/payment_pages/{made['id']}/confirm"
    refused = api.post(path, key=api.pk, payment_method=card(api))
    said = f"This Checkout Session collects {lacking}. Send the customer to its page."
    assert refused.refusal == (400, None, None, said)
    assert unpaid(api, made)
    assert api.post(path, payment_method="pm_card_visa").status == 200, "the business's own server knows what it does"


def test_nor_past_the_terms_of_service(api: Api) -> None:
    api.ok("POST", f"/v1/accounts/{api.account}", business_profile={"url": "https://shop.example"})
    made = session(api, consent_collection={"terms_of_service": "required"})
    refused = api.post(f"/v1/payment_pages/{made['id']}/confirm", key=api.pk, payment_method=card(api))
    assert refused.error["message"].startswith("This Checkout Session collects a consent.")


def test_a_browser_pays_what_asks_for_no_more(api: Api) -> None:
    optional = {"custom_fields": [{**FIELD, "optional": True}], "billing_address_collection": "required"}
    made = session(api, **optional, line_items=[line()])
    method = card(api, billing_details={"address": {"line1": "1 Main Street", "country": "US"}})
    assert api.post(f"/v1/payment_pages/{made['id']}/confirm", key=api.pk, payment_method=method).status == 200
