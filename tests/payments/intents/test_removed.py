"""Source types, as payment method types were called, are taken by the versions that had them."""

from __future__ import annotations

from tests.support.api import Api


def test_source_types_are_payment_method_types(api: Api) -> None:
    old = api.under("2018-11-08")
    made = old.ok("POST", "/v1/payment_intents", amount=2000, currency="eur", allowed_source_types=["ideal"])
    assert api.get(f"/v1/payment_intents/{made['id']}")["payment_method_types"] == ["ideal"]


def test_since_2019_02_11_source_types_are_unknown(api: Api) -> None:
    body = {"amount": 2000, "currency": "usd", "allowed_source_types": ["card"]}
    refused = api.under("2019-02-11").post("/v1/payment_intents", **body)
    assert (refused.error["code"], refused.error["param"]) == ("parameter_unknown", "allowed_source_types")
    both = api.under("2018-11-08").post("/v1/payment_intents", **body, payment_method_types=["card"])
    assert both.error["message"] == (
        "You may only specify one of these parameters: allowed_source_types, payment_method_types."
    )
