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
