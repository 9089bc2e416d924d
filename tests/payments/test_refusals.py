"""Common mistakes, and the sentence that each is told."""

from __future__ import annotations

import pytest

from tests.payments.steps import monthly, told
from tests.support.api import Api
from tests.support.connected import connected


def test_words_that_are_not_among_the_known_ones_are_refused(api: Api) -> None:
    assert told(api, "/v1/products", name="x", type="x") == ("type", "Invalid type: must be one of good or service")
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    subscription = api.ok("POST", "/v1/subscriptions", customer=customer, items=[{"price": monthly(api)}])["id"]
    words = "Invalid proration_behavior: must be one of always_invoice, create_prorations, or none"
    assert told(api, f"/v1/subscriptions/{subscription}", proration_behavior="x") == ("proration_behavior", words)
    account = connected(api)["id"]
    words = "Invalid reason: must be one of fraud, other, or terms_of_service"
    assert told(api, f"/v1/accounts/{account}/reject", reason="x") == ("reason", words)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v1/promotion_codes/promo_no", "No such promotion code: 'promo_no'"),
        ("/v1/payment_links/plink_no", "No such payment_link: 'plink_no'"),
        ("/v1/tax_rates/txr_no", "No such tax rate: 'txr_no'"),
    ],
)
def test_what_is_not_there_is_named_as_the_real_api_names_it(api: Api, path: str, message: str) -> None:
    answer = api.get(path)
    assert (answer.status, answer.error["code"], answer.error["message"]) == (404, "resource_missing", message)


def test_a_capability_that_no_account_can_have_is_not_found(api: Api) -> None:
    account = connected(api)["id"]
    answer = api.get(f"/v1/accounts/{account}/capabilities/flying")
    assert (answer.status, answer.error["message"]) == (404, "No such capability: 'flying'")
    assert api.get(f"/v1/accounts/{account}/capabilities/sepa_debit_payments")["status"] == "unrequested"
