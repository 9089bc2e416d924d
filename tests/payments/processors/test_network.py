"""What a processor on a network says of itself, and what its requests show."""

from __future__ import annotations

import pytest

from tollkey.payments.processors.network import Authorize, Capture, Features, Method

EVERY = Features(frozenset({"authorize", "capture"}))


def test_a_processor_takes_the_operations_and_methods_that_it_names() -> None:
    assert EVERY.takes("authorize", "usd", "card")
    assert EVERY.takes("capture", "usd")
    assert not EVERY.takes("refund", "usd")
    assert not EVERY.takes("authorize", "usd", "sepa_debit")


@pytest.mark.parametrize(("currencies", "taken"), [(set(), True), ({"eur"}, False), ({"eur", "usd"}, True)])
def test_a_processor_without_currencies_takes_them_all(currencies: set[str], taken: bool) -> None:
    assert Features(frozenset({"authorize"}), currencies=frozenset(currencies)).takes("authorize", "usd") is taken


def test_a_request_does_not_show_the_token_it_charges() -> None:
    sent = Authorize("R1", 1, 1_700_000_000, 500, "usd", "pi_1", Method("card", "tok_secret"), True)
    later = Capture("R2", 2, 1_700_000_100, 500, "usd", "pi_1", sent, {"rrn": "1"}, repeats=2)
    assert "tok_secret" not in repr(later)
    assert (sent.operation, later.operation, later.repeats, later.last) == ("authorize", "capture", 2, True)
