"""What is not there, and the sentence that says so."""

from __future__ import annotations

import pytest

from tests.support.api import Api


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


@pytest.mark.parametrize(
    ("path", "code", "param", "message"),
    [
        ("invoiceitems/ii_none", "resource_missing", "id", "No such Invoice Item: 'ii_none'(livemode=false)"),
        ("subscription_items/si_none", None, None, "Invalid subscription_item id: si_none"),
        (
            "subscription_items/si_AbCdEfGhIjKlMn",
            "resource_missing",
            "item",
            "No such subscription_item: 'si_AbCdEfGhIjKlMn'",
        ),
    ],
)
def test_items_that_are_not_there_have_words_of_their_own(
    api: Api, path: str, code: str | None, param: str | None, message: str
) -> None:
    assert api.get(f"/v1/{path}").refusal == (404, code, param, message)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("invoices", "draft, open, void, paid, or uncollectible"),
        (
            "subscriptions",
            "active, past_due, unpaid, canceled, incomplete, incomplete_expired, trialing, paused, all, or ended",
        ),
    ],
)
def test_a_status_to_list_is_one_of_those_that_exist(api: Api, path: str, words: str) -> None:
    message = f"Invalid status: must be one of {words}"
    assert api.get(f"/v1/{path}", status="none").refusal == (400, None, "status", message)
