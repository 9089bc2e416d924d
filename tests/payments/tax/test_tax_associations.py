"""Tax associations: which tax transactions a payment led to."""

from __future__ import annotations

from tests.support.api import Api


def test_an_intent_without_a_calculation_has_no_association(api: Api) -> None:
    intent = api.ok("POST", "/v1/payment_intents", amount=1309, currency="eur")["id"]
    missing = api.get("/v1/tax/associations/find", payment_intent=intent)
    assert (missing.status, missing.error["code"]) == (404, "resource_missing")
    refused = api.post(f"/v1/payment_intents/{intent}", hooks={"inputs": {"tax": {"calculation": "taxcalc_none"}}})
    assert (refused.status, refused.error["param"]) == (400, "hooks[inputs][tax][calculation]")
