"""What each request says in the fields of its message."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.payments.processors.iso8583.steps import (
    CARD,
    NOW,
    TOKEN,
    authorize,
    capture,
    configuration,
    refund,
    reverse,
    void,
)
from tollkey.payments.processors.iso8583.config import read
from tollkey.payments.processors.iso8583.messages import Refused, message_of, reversal_of
from tollkey.payments.processors.network import Declined, Method, Verify

CONFIG = read(configuration())
NUMBERS = read(configuration(card="number"))
NUMBER = Method("card", "4242424242424242", exp_month=9, exp_year=2029)


def test_an_authorization_says_who_pays_what_to_whom() -> None:
    assert message_of(CONFIG, authorize(7, 1234, "eur")) == {
        "t": "0100", "3": "000000", "4": "000000001234", "7": "0101000007", "11": "000007", "12": "000007",
        "13": "0101", "14": "2909", "18": "5999", "22": "010", "25": "59", "32": "123456", "37": "AUTH00000007",
        "41": "TERM0001", "42": "MERCHANT0000001", "48": TOKEN, "49": "978",
    }  # fmt: skip


def test_a_card_number_stands_in_its_own_field_where_the_host_needs_it() -> None:
    found = message_of(NUMBERS, authorize(method=NUMBER))
    assert (found["2"], found["14"], "48" in found) == ("4242424242424242", "2909", False)


def test_a_security_code_goes_where_the_dialect_says_and_nowhere_else() -> None:
    card = replace(NUMBER, cvc="737")
    assert "737" not in message_of(NUMBERS, authorize(method=card)).values()
    field = {"cvc": "63", "fields": {"63": {"type": "ans", "size": 50, "var": 3}}}
    config = read(configuration(card="number", dialect=field))
    sent = [message_of(config, authorize(method=card, capture=taken)).get("63") for taken in (False, True)]
    assert sent == ["737", "737"]
    assert "63" not in message_of(config, authorize(method=NUMBER))
    assert "63" not in message_of(config, capture(authorize(method=card)))


def test_a_number_may_bring_its_expiry() -> None:
    found = message_of(NUMBERS, authorize(method=Method("card", "4242 4242 4242 4242=3012")))
    assert (found["2"], found["14"]) == ("4242424242424242", "3012")


def test_an_authorization_with_capture_is_a_purchase() -> None:
    assert message_of(CONFIG, authorize(capture=True))["t"] == "0200"


def test_a_customer_who_is_not_present_is_said_to_be_absent() -> None:
    assert message_of(CONFIG, authorize(off_session=True))["25"] == "08"


def test_what_follows_names_the_authorization() -> None:
    original = authorize(7)
    named = "0100000007010100000700000123456" + "0" * 11
    for request, kind, processing in (
        (capture(original), "0220", "000000"), (void(original), "0400", "000000"), (refund(original), "0220", "200000"),
    ):  # fmt: skip
        found = message_of(CONFIG, request)
        assert (found["t"], found["3"], found["90"], found["38"]) == (kind, processing, named, "000001")
        assert found["37"] == request.reference
    undone = reversal_of(CONFIG, reverse(original))
    assert (undone["t"], undone["90"], undone["37"], undone["39"]) == ("0420", named, original.reference, "68")
    assert undone["4"] == message_of(CONFIG, original)["4"]


def test_a_purchase_is_named_by_its_own_type() -> None:
    assert reversal_of(CONFIG, reverse(authorize(capture=True)))["90"].startswith("0200")


def test_a_repeat_is_marked_and_has_the_same_trace_and_time() -> None:
    original = authorize()
    for first, again in (
        (capture(original), capture(original, repeats=1)),
        (void(original), void(original, repeats=3)),
    ):
        one, two = message_of(CONFIG, first), message_of(CONFIG, again)
        assert two.pop("t") == f"{one.pop('t')[:3]}1"
        assert two == one
    assert reversal_of(CONFIG, reverse(original, repeats=1))["t"] == "0421"


@pytest.mark.parametrize(
    ("amount", "currency", "units", "number"),
    [(500, "jpy", "000000000500", "392"), (500, "isk", "000000000005", "352"), (1000, "kwd", "000000001000", "414")],
)
def test_amounts_have_the_decimals_of_their_currency(amount: int, currency: str, units: str, number: str) -> None:
    found = message_of(CONFIG, authorize(1, amount, currency))
    assert (found["4"], found["49"]) == (units, number)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (authorize(1, 550, "isk"), "invalid_amount"),
        (authorize(1, 10**12), "invalid_amount"),
        (authorize(1, 100, "xau"), "currency_not_supported"),
        (authorize(method=Method("card", "é")), "incorrect_number"),
    ],
)
def test_what_the_network_cannot_say_is_declined_before_it_is_sent(request_: object, code: str) -> None:
    with pytest.raises(Refused) as caught:
        message_of(CONFIG, request_)  # type: ignore[arg-type]
    assert caught.value.outcome.code == code


@pytest.mark.parametrize(
    "number", ["4242424242424241", "4242", "tok_1", "4242424242424242=1", "4242424242424242=x", "42424242424242424242"]
)
def test_what_is_no_card_number_is_declined(number: str) -> None:
    with pytest.raises(Refused) as caught:
        message_of(NUMBERS, authorize(method=replace(CARD, token=number)))
    assert caught.value.outcome == Declined("incorrect_number", "confirm_card_data")


def test_what_follows_goes_without_a_card_that_was_not_kept() -> None:
    original = authorize(method=replace(CARD, token=""))
    assert "48" not in message_of(CONFIG, capture(original))


def test_a_verification_is_an_authorization_of_nothing() -> None:
    asked = Verify("VERI00000001", 1, NOW, 0, "usd", "seti_1", CARD, False)
    message = message_of(CONFIG, asked)
    assert (message["t"], message["4"], message["25"], message["3"]) == ("0100", "0" * 12, "51", "000000")
    assert message_of(CONFIG, replace(asked, repeats=1))["t"] == "0101"
