"""The discounts of a Checkout Session are for its customer and what is bought, until it is paid."""

from __future__ import annotations

import pytest

from tests.payments.catalog.steps import LESS, MINIMUM, bought, code, first_time, paid_for
from tests.payments.checkout.steps import again, fill, line, path_of, post, session
from tests.payments.subscriptions.steps import clocked
from tests.support.api import Api


def test_a_session_that_makes_no_customer_takes_no_code_for_new_ones(api: Api) -> None:
    new = first_time(api)
    refused = paid_for(api, new)
    assert (refused.status, refused.error["code"]) == (400, "promotion_code_customer_missing_first_time")
    assert refused.error["param"] == "discounts[0][promotion_code]"
    for more in (
        {"customer_creation": "always"},
        {"invoice_creation": {"enabled": True}},
        {"payment_intent_data": {"setup_future_usage": "off_session"}},
    ):
        assert paid_for(api, new, **more).status == 200, more


@pytest.mark.parametrize("more", [{"customer_creation": "always"}, {"customer": "new"}])
def test_the_payment_that_a_code_is_for_is_no_earlier_one(api: Api, more: dict[str, str]) -> None:
    if "customer" in more:
        more = {"customer": api.ok("post", "/v1/customers", email="a@example.com")["id"]}
    made = paid_for(api, first_time(api), **more)
    assert fill(api, path_of(made), number="4000000000000002").status == 402
    assert fill(api, path_of(made)).status == 303
    done = again(api, made)
    assert (done["status"], done["amount_total"]) == ("complete", 2700)
    assert paid_for(api, first_time(api), customer=done["customer"]).status == 400


def test_a_trial_in_checkout_buys_nothing_at_once(api: Api) -> None:
    """Reported of Checkout; a subscription with a trial that the API makes is compared by what its period costs."""
    _, who = clocked(api)
    least = code(api, **MINIMUM)
    assert bought(api, who, least, trial_period_days=7).status == 200
    monthly = {"line_items": [line(5000, 1, recurring={"interval": "month"})], "mode": "subscription"}
    assert paid_for(api, least, **monthly).status == 200
    refused = paid_for(api, least, **monthly, subscription_data={"trial_period_days": 7})
    assert refused.error["message"] == LESS


def test_a_code_typed_in_checkout_is_for_its_customer_and_what_is_bought(api: Api) -> None:
    for text, restrictions in (
        ("NEW", {"first_time_transaction": True}),
        ("MUCH", {**MINIMUM, "minimum_amount": 9000}),
    ):
        coupon = api.ok("post", "/v1/coupons", percent_off=10)["id"]
        given = {"promotion": {"type": "coupon", "coupon": coupon}, "code": text, "restrictions": restrictions}
        api.ok("post", "/v1/promotion_codes", **given)
        made = session(api, allow_promotion_codes=True)
        page = api.send("POST", f"{path_of(made)}/promotion", key=None, body=f"promotion_code={text}".encode())
        assert b"This code is invalid." in page.body, text
        assert again(api, made)["amount_total"] == 3000


def test_what_ends_while_a_session_is_open_is_refused_when_it_is_paid(api: Api) -> None:
    coupon = api.ok("post", "/v1/coupons", percent_off=10, max_redemptions=1)["id"]
    first, second = (session(api, discounts=[{"coupon": coupon}]) for _ in range(2))
    assert fill(api, path_of(first)).status == 303
    page = fill(api, path_of(second))
    assert (page.status, b"Coupon expired" in page.body) == (402, True)
    assert (again(api, second)["status"], len(api.get("/v1/charges")["data"])) == ("open", 1)


CHALLENGED = "4000002760003184"


def code_of(api: Api, coupon: str) -> str:
    made: str = api.ok("post", "/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon})["id"]
    return made


@pytest.mark.parametrize("of", ["coupon", "promotion_code"])
def test_of_two_sessions_paid_at_the_same_time_one_has_the_last_redemption(api: Api, of: str) -> None:
    coupon = api.ok("post", "/v1/coupons", percent_off=10, max_redemptions=1)["id"]
    named = {"coupon": coupon} if of == "coupon" else {"promotion_code": code_of(api, coupon)}
    first, second = (session(api, discounts=[named]) for _ in range(2))
    challenge = fill(api, path_of(first), number=CHALLENGED)
    assert (challenge.status, again(api, first)["status"]) == (303, "open")
    page = fill(api, path_of(second))
    assert (page.status, again(api, second)["status"]) == (402, "open")
    where = challenge.headers["location"].removeprefix(api.core.setup.base_url)
    post(api, f"{where}/complete")
    assert (again(api, first)["status"], again(api, first)["amount_total"]) == ("complete", 2700)
    assert api.get(f"/v1/coupons/{coupon}")["times_redeemed"] == 1
    assert fill(api, path_of(second)).status == 402


@pytest.mark.parametrize("end", ["refused", "failed", "expired"])
def test_a_redemption_whose_payment_fails_is_given_back(api: Api, end: str) -> None:
    coupon = api.ok("post", "/v1/coupons", percent_off=10, max_redemptions=1)["id"]
    promotion = code_of(api, coupon)
    first = session(api, discounts=[{"promotion_code": promotion}])
    answer = fill(api, path_of(first), number="4000000000000002" if end == "refused" else CHALLENGED)
    if end == "failed":
        post(api, answer.headers["location"].removeprefix(api.core.setup.base_url) + "/fail")
    if end == "expired":
        assert api.get(f"/v1/coupons/{coupon}")["valid"] is False
        api.ok("post", f"/v1/checkout/sessions/{first['id']}/expire")
    after, still = api.get(f"/v1/coupons/{coupon}"), api.get(f"/v1/promotion_codes/{promotion}")
    assert (after["times_redeemed"], after["valid"]) == (0, True)
    assert (still["times_redeemed"], still["active"]) == (0, True)
    assert fill(api, path_of(session(api, discounts=[{"promotion_code": promotion}]))).status == 303


def test_a_code_for_new_customers_is_redeemed_by_one_of_two_sessions_of_a_customer(api: Api) -> None:
    who, new = api.ok("post", "/v1/customers", email="a@example.com")["id"], first_time(api)
    first, second = (paid_for(api, new, customer=who) for _ in range(2))
    assert fill(api, path_of(first)).status == 303
    assert fill(api, path_of(second)).status == 402
    assert (again(api, second)["status"], len(api.get("/v1/charges")["data"])) == ("open", 1)


def test_a_session_that_is_paid_at_the_second_attempt_redeems_once(api: Api) -> None:
    coupon = api.ok("post", "/v1/coupons", percent_off=10, max_redemptions=2)["id"]
    made = session(api, discounts=[{"coupon": coupon}], invoice_creation={"enabled": True})
    for number, status, redeemed in (("4000000000000002", 402, 0), (CHALLENGED, 303, 1), ("4242424242424242", 303, 1)):
        answer = fill(api, path_of(made), number=number)
        assert (answer.status, api.get(f"/v1/coupons/{coupon}")["times_redeemed"]) == (status, redeemed)
        if number == CHALLENGED:
            post(api, answer.headers["location"].removeprefix(api.core.setup.base_url) + "/fail")
            assert api.get(f"/v1/coupons/{coupon}")["times_redeemed"] == 0
    invoice = api.get(f"/v1/invoices/{again(api, made)['invoice']}", expand=["discounts"])
    assert ([one["source"]["coupon"] for one in invoice["discounts"]], invoice["total"]) == ([coupon], 2700)


def test_a_code_with_a_smallest_order_does_not_outlast_the_order_that_it_was_for(api: Api) -> None:
    made = session(
        api,
        allow_promotion_codes=True,
        line_items=[{**line(), "adjustable_quantity": {"enabled": True}}],
        expand=["line_items"],
    )
    quantity = f"quantity[{made['line_items']['data'][0]['id']}]"
    smallest = {"minimum_amount": 4000, "minimum_amount_currency": "usd"}
    text = api.get(f"/v1/promotion_codes/{code(api, **smallest)}")["code"]
    post(api, path_of(made) + "/order", **{quantity: "9"})
    assert post(api, path_of(made) + "/promotion", promotion_code=text).status == 303
    dear = again(api, made)
    assert dear["amount_total"] < dear["amount_subtotal"]
    changed = post(api, path_of(made) + "/order", **{quantity: "1"})
    assert (changed.status, b"This code is invalid." in changed.body) == (402, True)
    cheap = again(api, made)
    assert (cheap["amount_total"], cheap["discounts"]) == (1500, [])
    assert fill(api, path_of(made)).status == 303
    assert again(api, made)["total_details"]["amount_discount"] == 0
