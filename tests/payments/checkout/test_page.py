"""The hosted page of a session: what is bought, how to pay, and what went wrong, next to the field that it is
about.
"""

from __future__ import annotations

from tests.payments.checkout.steps import again, page, path_of, post, session
from tests.support.api import Api


def test_a_promotion_code_is_taken_away_again_and_has_its_conditions(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=50, duration="once")["id"]
    promotion = {"type": "coupon", "coupon": coupon}
    api.ok("POST", "/v1/promotion_codes", promotion=promotion, code="HALF")
    api.ok("POST", "/v1/promotion_codes", promotion=promotion, code="MUCH",
           restrictions={"minimum_amount": 9000, "minimum_amount_currency": "usd"})  # fmt: skip
    made = session(api, allow_promotion_codes=True)
    assert b"This code is invalid." in post(api, path_of(made) + "/promotion", promotion_code="MUCH").body
    post(api, path_of(made) + "/promotion", promotion_code="half")
    assert "HALF is applied" in page(api, made)
    post(api, path_of(made) + "/promotion")
    assert again(api, made)["amount_total"] == 3000
