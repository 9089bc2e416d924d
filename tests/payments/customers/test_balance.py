"""The customer's balance: credit that invoices use up, and debt that they collect. Negative is credit."""

from __future__ import annotations

from tests.support.api import Api


def test_a_balance_given_at_creation_is_a_transaction(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", balance=-500)
    assert customer["balance"] == -500
    path = f"/v1/customers/{customer['id']}"
    assert api.ok("post", path, balance=100)["balance"] == 100
    listed = api.ok("get", path + "/balance_transactions")["data"]
    assert [(entry["amount"], entry["type"]) for entry in listed] == [(600, "adjustment"), (-500, "initial")]
