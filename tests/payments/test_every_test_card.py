"""Every test number of cards in the documentation, through the API, in every way that a card can be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.api import Answer, Api

DECLINED = "Your card was declined."
VELOCITY = "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."
PROCESSING = "An error occurred while processing your card. Try again in a little bit."
ZIP = (
    "Your card could not be authorized using the postal code provided. Please update the postal code,"
    " or contact your card issuer for"
    " further details."
)
TEST_MODE = (
    "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards,"
    " visit:"
    " https://stripe.com/docs/testing."
)
LIVE_MODE = "Your card was declined. Your request was in live mode, but used a known test card."
REAL_NUMBER = "4539578763621486"  # valid, and not a test card
Row = tuple[str, str, str | None, str | None, str, str | None, str | None, str | None]
#: number, code, decline_code, param, message, advice_code, network_decline_code, network_advice_code
DECLINES: tuple[Row, ...] = (
    ("4000000000000002", "card_declined", "generic_decline", None, DECLINED, "try_again_later", "01", None),
    ("4000000000009995", "card_declined", "insufficient_funds", None, "Your card has insufficient funds.",
    "try_again_later", "51", "02"),
    ("4000000000009987", "card_declined", "lost_card", None, DECLINED, "do_not_try_again", "41", "01"),
    ("4000000000009979", "card_declined", "stolen_card", None, DECLINED, "do_not_try_again", "43", "01"),
    ("4000000000000069", "expired_card", "expired_card", "exp_month", "Your card has expired.", "confirm_card_data",
    "54", "03"),
    (
        "4000000000000127", "incorrect_cvc", "incorrect_cvc", "cvc", "Your card's security code is incorrect.",
        "confirm_card_data",
        "N7", "03",
    ),
    ("4000000000000119", "processing_error", "processing_error", None, PROCESSING, "try_again_later", "06", None),
    ("4000000000006975", "card_declined", "card_velocity_exceeded", None, VELOCITY, "try_again_later", "61", "02"),
    ("4100000000000019", "card_declined", "fraudulent", None, DECLINED, None, None, None),
)  # fmt: skip
FIELDS = ("code", "decline_code", "param", "message", "advice_code", "network_decline_code", "network_advice_code")


def card(number: str, **more: Any) -> dict[str, Any]:
    return {"number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123", **more}


def token(api: Api, number: str) -> str:
    return str(api.ok("post", "/v1/tokens", card=card(number, address_zip="94107", address_line1="1 Main St"))["id"])


def method(api: Api, number: str) -> str:
    where = {"address": {"line1": "1 Main St", "postal_code": "94107"}}
    return str(api.ok("post", "/v1/payment_methods", type="card", card=card(number), billing_details=where)["id"])


def customer(api: Api) -> str:
    return str(api.ok("post", "/v1/customers")["id"])


def by_charge(api: Api, number: str) -> Answer:
    return api.post("/v1/charges", amount=1000, currency="usd", source=token(api, number))


def by_intent(api: Api, number: str, **more: Any) -> Answer:
    given = {"amount": 1000, "currency": "usd", "confirm": True, "allowed_payment_method_types": ["card"], **more}
    return api.post("/v1/payment_intents", payment_method=method(api, number), **given)


def by_setup(api: Api, number: str) -> Answer:
    return api.post(
        "/v1/setup_intents", payment_method=method(api, number), confirm=True, allowed_payment_method_types=["card"]
    )


def by_attaching(api: Api, number: str) -> Answer:
    return api.post(f"/v1/payment_methods/{method(api, number)}/attach", customer=customer(api))


def by_source(api: Api, number: str) -> Answer:
    return api.post("/v1/customers", source=token(api, number))


def by_further_source(api: Api, number: str) -> Answer:
    return api.post(f"/v1/customers/{customer(api)}/sources", source=token(api, number))


def by_new_customers_method(api: Api, number: str) -> Answer:
    return api.post("/v1/customers", payment_method=method(api, number))


Way = Callable[[Api, str], Answer]
PAYING: dict[Way, tuple[str, ...]] = {
    by_charge: ("charge",),
    by_intent: ("charge", "payment_intent", "payment_method"),
    by_setup: ("payment_method", "setup_intent"),
}
SAVING: tuple[Way, ...] = (by_attaching, by_source, by_further_source, by_new_customers_method)


@pytest.mark.parametrize("row", DECLINES, ids=lambda row: row[0])
def test_a_declining_card_is_refused_in_every_way_of_paying(api: Api, row: Row) -> None:
    number, *expected = row
    for way, names in PAYING.items():
        answer = way(api, number)
        assert answer.status == 402, way
        assert [answer.error.get(field) for field in FIELDS] == expected, way
        assert {"charge", "payment_intent", "payment_method", "setup_intent"} & set(answer.error) == set(names), way
        assert None not in answer.error.values(), "absent fields are left out"


@pytest.mark.parametrize("row", DECLINES, ids=lambda row: row[0])
def test_a_declining_card_cannot_be_saved_and_a_plain_refusal_has_an_empty_param(api: Api, row: Row) -> None:
    number, code, decline_code, param, message = row[:5]
    for way in SAVING:
        answer = way(api, number)
        assert answer.status == 402, way
        assert [answer.error.get(field) for field in FIELDS[:4]] == [code, decline_code, param or "", message], way
        assert "charge" not in answer.error


def test_a_refused_intent_tells_the_same_in_its_last_error(api: Api) -> None:
    error = by_intent(api, "4000000000009995").error
    intent = api.get(f"/v1/payment_intents/{error['payment_intent']['id']}")
    assert intent["status"] == "requires_payment_method"
    told = intent["last_payment_error"]
    assert {name: told.get(name) for name in FIELDS} == {name: error.get(name) for name in FIELDS}
    assert told["payment_method"]["id"] == error["payment_method"]["id"]


def test_one_card_is_saved_and_declines_afterwards(api: Api) -> None:
    for way in SAVING:
        assert way(api, "4000000000000341").status == 200, way
    assert by_charge(api, "4000000000000341").error["decline_code"] == "generic_decline"


def test_a_wrong_security_code_is_only_noticed_when_one_was_given(api: Api) -> None:
    unsaid = {name: value for name, value in card("4000000000000127").items() if name != "cvc"}
    made = api.ok("post", "/v1/tokens", card=unsaid)
    assert api.post("/v1/charges", amount=1000, currency="usd", source=made["id"])["status"] == "succeeded"


def test_a_failed_postal_code_is_refused_when_one_was_given(api: Api) -> None:
    error = by_intent(api, "4000000000000036").error
    assert [error.get(field) for field in FIELDS[:4]] == ["incorrect_zip", "incorrect_zip", "address_zip", ZIP]
    bare = api.ok("post", "/v1/payment_methods", type="card", card=card("4000000000000036"))["id"]
    paid = api.post(
        "/v1/payment_intents",
        amount=1000,
        currency="usd",
        confirm=True,
        payment_method=bare,
        allowed_payment_method_types=["card"],
    )
    assert paid["status"] == "succeeded"


@pytest.mark.parametrize(
    ("number", "level", "checks"),
    [
        ("4000000000004954", "highest", ("pass", "pass", "pass")),
        ("4000000000009235", "elevated", ("pass", "pass", "pass")),
        ("4000000000000028", "normal", ("fail", "pass", "pass")),
        ("4000000000000010", "normal", ("fail", "fail", "pass")),
        ("4000000000000044", "normal", ("unavailable", "unavailable", "pass")),
        ("4000058400307872", "elevated", ("pass", "pass", "fail")),
        ("4000058400306072", "elevated", ("pass", "fail", "pass")),
    ],
)
def test_a_radar_card_is_paid_with_its_risk_and_its_checks(
    api: Api, number: str, level: str, checks: tuple[str, ...]
) -> None:
    charge = by_charge(api, number)
    told = charge["payment_method_details"]["card"]["checks"]
    assert (charge["status"], charge["outcome"]["risk_level"]) == ("succeeded", level)
    assert (told["address_line1_check"], told["address_postal_code_check"], told["cvc_check"]) == checks


@pytest.mark.parametrize(
    ("number", "on_session", "off_session"),
    [
        ("4000002500003155", "requires_action", "authentication_required"),
        ("4000002760003184", "requires_action", "authentication_required"),
        ("4000003800000446", "requires_action", "succeeded"),
        ("4000008260003178", "requires_action", "authentication_required"),
        ("4000000000003220", "requires_action", "succeeded"),
        ("4000008400001629", "requires_action", "succeeded"),
        ("4000008400001280", "card_declined", "succeeded"),
        ("4000000000003055", "succeeded", "succeeded"),
        ("4000000000003097", "succeeded", "succeeded"),
        ("4242424242424242", "succeeded", "succeeded"),
        ("378282246310005", "succeeded", "succeeded"),
        ("4000003560000263", "succeeded", "india_recurring_payment_mandate_canceled"),
    ],
)
def test_3d_secure_is_asked_for_as_the_table_says(api: Api, number: str, on_session: str, off_session: str) -> None:
    def outcome(answer: Answer) -> str:
        return str(answer["status"] if answer.status == 200 else answer.error["code"])

    code = {"cvc": "1234"} if number.startswith("3") else {}
    made = api.ok("post", "/v1/payment_methods", type="card", card=card(number, **code))["id"]
    given = {"amount": 1000, "currency": "usd", "confirm": True, "allowed_payment_method_types": ["card"]}
    assert outcome(api.post("/v1/payment_intents", payment_method=made, **given)) == on_session
    other = api.ok("post", "/v1/payment_methods", type="card", card=card(number, **code))["id"]
    assert (
        outcome(
            api.post("/v1/payment_intents", payment_method=other, off_session=True, customer=customer(api), **given)
        )
        == off_session
    )


@pytest.mark.parametrize(
    ("data", "code", "param", "message"),
    [
        (card("4242424242424241"), "incorrect_number", "number", "Your card number is incorrect."),
        (
            card("4242424242424242", exp_month=13),
            "invalid_expiry_month",
            "exp_month",
            "Your card's expiration month is invalid.",
        ),
        (
            card("4242424242424242", exp_year=95),
            "invalid_expiry_year",
            "exp_year",
            "Your card's expiration year is invalid.",
        ),
        (
            card("4242424242424242", exp_year=2020),
            "invalid_expiry_year",
            "exp_year",
            "Your card's expiration year is invalid.",
        ),
        (card("4242424242424242", cvc="99"), "invalid_cvc", "cvc", "Your card's security code is invalid."),
        (card(REAL_NUMBER), "card_declined", "", TEST_MODE),
    ],
    ids=["luhn", "month", "year", "past", "cvc", "real"],
)
def test_wrong_card_data_is_refused_wherever_it_is_typed(
    api: Api, data: dict[str, Any], code: str, param: str, message: str
) -> None:
    for answer in (
        api.post("/v1/tokens", card=data),
        api.post("/v1/payment_methods", type="card", card=data),
        api.post("/v1/charges", amount=1000, currency="usd", source={"object": "card", **data}),
    ):
        assert (answer.status, answer.error["type"], answer.error["code"]) == (402, "card_error", code)
        assert (answer.error["param"], answer.error["message"]) == (param, message)
        assert answer.error.get("decline_code") == ("test_mode_live_card" if code == "card_declined" else None)


def test_a_test_card_is_declined_in_live_mode(api: Api) -> None:
    error = api.post("/v1/tokens", key=api.live_sk, card=card("4242424242424242")).error
    assert (error["code"], error["decline_code"], error["param"], error["message"]) == (
        "card_declined", "live_mode_test_card", "", LIVE_MODE,
    )  # fmt: skip


COUNTRIES = {
    "US": "4242424242424242", "AR": "4000000320000021", "BR": "4000000760000002", "CA": "4000001240000000",
    "CL": "4000001520000001",
    "CO": "4000001700000003", "CR": "4000001880000005", "EC": "4000002180000000", "MX": "4000004840008001",
    "PA": "4000005910000000",
    "PY": "4000006000000066", "PE": "4000006040000068", "UY": "4000008580000003", "AE": "4000007840000001",
    "AT": "4000000400000008",
    "BE": "4000000560000004", "BG": "4000001000000000", "BY": "4000001120000005", "HR": "4000001910000009",
    "CY": "4000001960000008",
    "CZ": "4000002030000002", "DK": "4000002080000001", "EE": "4000002330000009", "FI": "4000002460000001",
    "FR": "4000002500000003",
    "DE": "4000002760000016", "GI": "4000002920000005", "GR": "4000003000000030", "HU": "4000003480000005",
    "IE": "4000003720000005",
    "IT": "4000003800000008", "LV": "4000004280000005", "LI": "4000004380000004", "LT": "4000004400000000",
    "LU": "4000004420000006",
    "MT": "4000004700000007", "NL": "4000005280000002", "NO": "4000005780000007", "PL": "4000006160000005",
    "PT": "4000006200000007",
    "RO": "4000006420000001", "SA": "4000006820000007", "SI": "4000007050000006", "SK": "4000007030000001",
    "ES": "4000007240000007",
    "SE": "4000007520000008", "CH": "4000007560000009", "GB": "4000008260000000", "AU": "4000000360000006",
    "CN": "4000001560000002",
    "HK": "4000003440000004", "IN": "4000003560000008", "JP": "4000003920000003", "MY": "4000004580000002",
    "NZ": "4000005540000008",
    "SG": "4000007020000003", "TW": "4000001580000008", "TH": "4000007640000003",
}  # fmt: skip


def test_every_countrys_card_tells_its_country_by_number_and_by_name(api: Api) -> None:
    for country, number in COUNTRIES.items():
        made = api.ok("post", "/v1/payment_methods", type="card", card=card(number))["card"]
        assert (made["country"], made["last4"], made["brand"]) == (country, number[-4:], "visa")
        name = {"TH": "th_credit"}.get(country, country.lower())
        named = api.ok("get", f"/v1/payment_methods/pm_card_{name}")["card"]
        assert (named["country"], named["last4"]) == (country, number[-4:])


@pytest.mark.parametrize(
    ("name", "brand", "funding", "last4"),
    [
        ("visa", "visa", "credit", "4242"),
        ("visa_debit", "visa", "debit", "5556"),
        ("mastercard", "mastercard", "credit", "4444"),
        ("mastercard_debit", "mastercard", "debit", "8210"),
        ("mastercard_prepaid", "mastercard", "prepaid", "5100"),
        ("amex", "amex", "credit", "8431"),
        ("discover", "discover", "credit", "9424"),
        ("diners", "diners", "credit", "0004"),
        ("jcb", "jcb", "credit", "0505"),
        ("unionpay", "unionpay", "credit", "0005"),
    ],
)
def test_a_brands_name_pays_as_method_and_as_token(api: Api, name: str, brand: str, funding: str, last4: str) -> None:
    made = api.ok("get", f"/v1/payment_methods/pm_card_{name}")["card"]
    assert (made["brand"], made["funding"], made["last4"]) == (brand, funding, last4)
    charge = api.ok("post", "/v1/charges", amount=1000, currency="usd", source=f"tok_{name}")
    assert (charge["status"], charge["payment_method_details"]["card"]["last4"]) == ("succeeded", last4)


@pytest.mark.parametrize(
    ("number", "code"), [("4000000000000101", "incorrect_cvc"), ("4000000000000036", "incorrect_zip")]
)
def test_a_card_whose_check_fails_is_not_saved(api: Api, number: str, code: str) -> None:
    for way in SAVING:
        answer = way(api, number)
        assert (answer.status, answer.error["code"], answer.error["decline_code"]) == (402, code, code), way


@pytest.mark.parametrize("number", ["4111111111111111", "4012888888881881"])
def test_older_test_numbers_pay(api: Api, number: str) -> None:
    assert by_charge(api, number)["status"] == "succeeded"


@pytest.mark.parametrize("number", ["4000000000001208", "4000000000003725"])
def test_a_captcha_card_asks_a_browser_and_not_the_server(api: Api, number: str) -> None:
    made = api.ok("post", "/v1/payment_methods", type="card", card=card(number))["id"]
    given = {"amount": 1000, "currency": "usd", "allowed_payment_method_types": ["card"]}
    assert api.ok("post", "/v1/payment_intents", **given, payment_method=made, confirm=True)["status"] == "succeeded"
    intent = api.ok("post", "/v1/payment_intents", **given)
    made = api.ok("post", "/v1/payment_methods", type="card", card=card(number))["id"]
    path = f"/v1/payment_intents/{intent['id']}/confirm"
    asked = api.post(path, key=api.pk, client_secret=intent["client_secret"], payment_method=made)
    assert (asked["status"], asked["next_action"]["type"]) == ("requires_action", "use_stripe_sdk")
