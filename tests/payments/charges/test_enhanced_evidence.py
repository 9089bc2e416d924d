"""Evidence that Visa has rules for says what it lacks, and when it qualifies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tollkey.payments.charges.enhanced_evidence import eligibility

IP, DEVICE = {"customer_purchase_ip": "8.8.8.8"}, {"customer_device_id": "d" * 15}
ADDRESS = {"shipping_address": {"city": "Bonn", "line1": "Am Markt 1", "postal_code": "53111"}}


def _disputed(api: Api, token: str) -> str:
    api.ok("POST", "/v1/charges", amount=500, currency="usd", source=token)
    api.advance(1)
    return f"/v1/disputes/{api.get('/v1/disputes')['data'][0]['id']}"


def _given(identifiers: dict[str, Any], prior: dict[str, Any] | None = None) -> dict[str, Any]:
    """Compelling evidence that is complete if the identifiers are. prior: those of the earlier payments."""
    told = {"product_description": "Tea", **identifiers}
    before = {"product_description": "Tea", **(identifiers if prior is None else prior)}
    return {
        "visa_compelling_evidence_3": {
            "disputed_transaction": {**told, "merchandise_or_services": "merchandise"},
            "prior_undisputed_transactions": [{"charge": "ch_1", **before}, {"charge": "ch_2", **before}],
        }
    }


def test_compelling_evidence_qualifies_when_nothing_is_missing(api: Api) -> None:
    path = _disputed(api, "tok_createCe3EligibleDispute")
    new = api.get(path)["evidence_details"]["enhanced_eligibility"]["visa_compelling_evidence_3"]
    assert (new["status"], len(new["required_actions"])) == ("requires_action", 4)
    given = _given(IP | DEVICE)
    earlier = given["visa_compelling_evidence_3"]["prior_undisputed_transactions"]
    refused = api.post(path, evidence={"enhanced_evidence": given}, submit=False)
    where = "visa_compelling_evidence_3][prior_undisputed_transactions][0][charge]"
    assert refused.error["param"] == f"evidence[enhanced_evidence][{where}"
    for one in earlier:
        one["charge"] = api.ok("POST", "/v1/charges", amount=500, currency="usd", source="tok_visa")["id"]
    answered = api.ok("POST", path, evidence={"enhanced_evidence": given}, submit=False)
    found = answered["evidence_details"]["enhanced_eligibility"]["visa_compelling_evidence_3"]
    assert found == {"required_actions": [], "status": "qualified"}


@pytest.mark.parametrize(
    ("identifiers", "prior", "enough"),
    [
        (IP | DEVICE, None, True),
        (IP | ADDRESS, None, True),
        (DEVICE | {"customer_account_id": "jo"}, None, True),
        (IP, None, False),
        ({**DEVICE, "customer_device_fingerprint": "f" * 20}, None, False),
        ({**ADDRESS, "customer_email_address": "jo@example.com"}, None, False),
        (IP | DEVICE, IP, False),
    ],
)
def test_customers_are_identified_by_a_main_element_and_another_one(
    identifiers: dict[str, Any], prior: dict[str, Any] | None, enough: bool
) -> None:
    found = eligibility(["visa_compelling_evidence_3"], _given(identifiers, prior))["visa_compelling_evidence_3"]
    assert found["required_actions"] == ([] if enough else ["missing_customer_identifiers"])


def test_the_fee_of_a_compliance_dispute_stays_acknowledged_until_the_evidence_is_taken_back(api: Api) -> None:
    path = _disputed(api, "tok_createComplianceDispute")
    eligible = api.get(path)["evidence_details"]["enhanced_eligibility"]
    assert eligible == {"visa_compliance": {"status": "requires_fee_acknowledgement"}}
    agreed = {"enhanced_evidence": {"visa_compliance": {"fee_acknowledged": True}}}
    for evidence in (agreed, {"customer_name": "Jo"}):
        answered = api.ok("POST", path, evidence=evidence, submit=False)
        assert answered["evidence_details"]["enhanced_eligibility"] == {
            "visa_compliance": {"status": "fee_acknowledged"}
        }
