"""Tax rates, and those that older versions made of a percentage."""

from __future__ import annotations

import pytest

from tests.support.api import Api

OLD = {"Stripe-Version": "2020-03-02"}


@pytest.mark.parametrize("percent", ["-0.5", "100.5"])
def test_an_older_percentage_of_tax_is_from_0_to_100(api: Api, percent: str) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    refused = api.post(
        "/v1/invoices", customer=customer, tax_percent=percent, pending_invoice_items_behavior="exclude", headers=OLD
    )
    assert (refused.status, refused.error["param"]) == (400, "tax_percent")
