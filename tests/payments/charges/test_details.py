"""A charge says what the network decided, and what the customer reads on the statement."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api


def charged(api: Api, source: str = "tok_visa", **params: Any) -> Answer:
    answer = api.post("/v1/charges", amount=1000, currency="usd", source=source, **params)
    id = answer["id"] if answer.status == 200 else answer.error["charge"]
    return api.get(f"/v1/charges/{id}")


@pytest.mark.parametrize(
    ("source", "network", "type", "reason"),
    [
        ("tok_visa", "approved_by_network", "authorized", None),
        ("tok_riskLevelElevated", "approved_by_network", "manual_review", "elevated_risk_level"),
        ("tok_chargeDeclined", "declined_by_network", "issuer_declined", "generic_decline"),
        ("tok_chargeDeclinedInsufficientFunds", "declined_by_network", "issuer_declined", "insufficient_funds"),
        ("tok_radarBlock", "not_sent_to_network", "blocked", "highest_risk_level"),
    ],
)
def test_the_outcome_says_who_decided_and_why(
    api: Api, source: str, network: str, type: str, reason: str | None
) -> None:
    outcome = charged(api, source)["outcome"]
    assert (outcome["network_status"], outcome["type"], outcome["reason"]) == (network, type, reason)


def test_a_card_that_is_only_held_says_until_when(api: Api) -> None:
    held = charged(api, capture=False)["payment_method_details"]["card"]
    assert held["capture_before"] == api.now + 7 * 86_400
    assert "capture_before" not in charged(api)["payment_method_details"]["card"]


def test_the_statement_has_22_capital_letters_and_a_suffix_stands_behind_ten_of_the_account_s(api: Api) -> None:
    full = charged(api, statement_descriptor="Hats of Jenny Rosen 22")
    assert full["calculated_statement_descriptor"] == "HATS OF JENNY ROSEN 22"
    suffixed = charged(api, statement_descriptor_suffix="order 6735")["calculated_statement_descriptor"]
    assert suffixed.endswith("* ORDER 6735")
    assert len(suffixed) <= 22
