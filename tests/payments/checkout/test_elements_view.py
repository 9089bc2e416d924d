"""What a shop's own page is told of its session."""

from __future__ import annotations

import pytest

from tests.payments.checkout.steps import MONTHLY, changed, line, method, own, sent
from tests.support.api import Api


def test_amounts_are_written_in_the_language_of_the_page(api: Api) -> None:
    made = own(api)
    shown = sent(api, made, "/init", browser_locale="de-DE")["checkout"]
    assert (shown["currency"], shown["minorUnitsAmountDivisor"]) == ("usd", 100)
    assert shown["total"]["total"] == {"minorUnitsAmount": 3000, "amount": "30,00\xa0$"}
    (item,) = shown["lineItems"]
    assert (item["name"], item["quantity"], item["unitAmount"]["minorUnitsAmount"]) == ("T-shirt <b>", 2, 1500)
    assert (item["recurring"], item["adjustableQuantity"], item["taxExclusive"]["minorUnitsAmount"]) == (None, None, 0)


@pytest.mark.parametrize(("currency", "divisor", "amount"), [("jpy", 1, "¥3,000"), ("kwd", 1000, "KWD3.000")])
def test_a_currency_has_its_own_digits(api: Api, currency: str, divisor: int, amount: str) -> None:
    shown = sent(api, own(api, line_items=[line(currency=currency)]), "/init")["checkout"]
    assert (shown["minorUnitsAmountDivisor"], shown["total"]["total"]["amount"]) == (divisor, amount)


def test_a_subscription_tells_what_comes_next(api: Api) -> None:
    once = api.ok("POST", "/v1/coupons", amount_off=500, currency="usd")["id"]
    made = own(
        api, "subscription", line_items=[line(**MONTHLY), line(amount=700, quantity=1)],
        subscription_data={"trial_period_days": 7}, discounts=[{"coupon": once}],
    )  # fmt: skip
    shown = sent(api, made, "/init")["checkout"]
    assert shown["total"]["total"]["minorUnitsAmount"] == 200
    told = shown["recurring"]
    assert (told["interval"], told["intervalCount"], told["isProrated"]) == ("month", 1, False)
    assert told["trial"]["trialPeriodDays"] == 7
    assert told["dueNext"]["total"]["minorUnitsAmount"] == 3000
    assert told["dueNext"]["discount"]["minorUnitsAmount"] == 0


def test_a_discount_that_goes_on_is_in_the_next_amount(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=50, duration="repeating", duration_in_months=3, name="Half")[
        "id"
    ]
    made = own(api, "subscription", line_items=[line(**MONTHLY)], discounts=[{"coupon": coupon}])
    shown = sent(api, made, "/init")["checkout"]
    (told,) = shown["discountAmounts"]
    assert (told["displayName"], told["promotionCode"]) == ("Half", None)
    assert told["recurring"] == {"type": "repeating", "durationInMonths": 3}
    assert shown["recurring"]["dueNext"]["total"]["minorUnitsAmount"] == 1500


def test_saved_cards_of_the_customer_are_listed(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", email="jo@shop.example")["id"]
    kept = method(api)
    api.ok("POST", f"/v1/payment_methods/{kept}/attach", customer=customer)
    api.ok("POST", f"/v1/payment_methods/{kept}", allow_redisplay="always")
    made = own(api, customer=customer, saved_payment_method_options={"payment_method_save": "enabled"})
    (card,) = sent(api, made, "/init")["checkout"]["savedPaymentMethods"]
    assert (card["id"], card["card"]["last4"], card["card"]["expYear"]) == (kept, "4242", 2034)
    assert sent(api, made, "/confirm", payment_method=kept).status == 200


def test_a_session_that_saves_a_card_has_no_lines(api: Api) -> None:
    shown = sent(api, own(api, "setup", line_items=[], currency="eur"), "/init")["checkout"]
    assert (shown["lineItems"], shown["currency"], shown["total"]["total"]["minorUnitsAmount"]) == ([], "eur", 0)


def test_fractions_of_a_minor_unit_are_told(api: Api) -> None:
    data = {"currency": "usd", "unit_amount_decimal": "1500.5", "product_data": {"name": "Wire"}}
    shown = sent(api, own(api, line_items=[{"price_data": data, "quantity": 2}]), "/init")["checkout"]
    assert shown["lineItems"][0]["unitAmountDecimal"] == {"minorUnitsAmount": 1500.5, "amount": "$15.005"}
    assert changed(api, own(api), email="")["email"] is None
