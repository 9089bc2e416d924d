"""Parts of a session that its mode and its state guarantee, or that are only known once the customer has told them."""

from __future__ import annotations

import pytest

from tollkey.payments.checkout import kinds, known
from tollkey.wire import new_object


def test_goods_are_delivered_within_the_us_unless_countries_are_named() -> None:
    session = new_object(kinds.SESSION, id="cs_1", mode="payment")
    assert known.delivery_countries(session) == ["US"]
    session["shipping_address_collection"] = {"allowed_countries": ["DE", "AT"]}
    assert known.delivery_countries(session) == ["DE", "AT"]


def test_the_delivery_address_is_known_once_it_was_told() -> None:
    session = new_object(kinds.SESSION, id="cs_1", mode="payment")
    assert known.delivery_of(session) is None
    session["collected_information"] = {"shipping_details": {"address": {"country": "DE"}, "name": "Jo"}}
    assert known.delivery_of(session) == {"address": {"country": "DE"}, "name": "Jo"}


def test_a_session_that_sells_has_a_total_in_a_currency() -> None:
    session = new_object(kinds.SESSION, id="cs_1", mode="payment", amount_total=0, currency="usd")
    assert (known.amount_of(session), known.currency_of(session)) == (0, "usd")


def test_a_session_without_a_page_has_no_address_to_send_customers_to() -> None:
    session = new_object(kinds.SESSION, id="cs_1", mode="payment")
    with pytest.raises(AssertionError, match="have no page"):
        known.page_of(session)
