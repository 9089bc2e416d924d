"""Disputes: a customer's bank takes a payment back, and the merchant may answer with evidence."""

from __future__ import annotations

from tests.payments.steps import told
from tests.support.api import Api


def test_evidence_that_is_a_file_must_be_there(api: Api) -> None:
    charge = api.ok("POST", "/v1/charges", amount=500, currency="usd", source="tok_createDispute")["id"]
    dispute = api.get("/v1/disputes", charge=charge)["data"][0]["id"]
    path = f"/v1/disputes/{dispute}"
    assert told(api, path, evidence={"receipt": "file_no"}) == ("evidence[receipt]", "No such file upload: 'file_no'")
