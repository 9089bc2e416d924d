"""Live mode without a provider: nothing is charged."""

from __future__ import annotations

from tests.support.api import Api


def test_live_charges_are_refused_without_a_provider(api: Api) -> None:
    refused = api.post("/v1/charges", key=api.live_sk, amount=500, currency="usd", source="tok_visa")
    assert (refused.status, refused.error["code"]) == (402, "testmode_charges_only")
    assert refused.error["message"] == "Your account cannot currently make live charges."
