"""PaymentMethods of tokens of a processor."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.api import Api
from tests.support.processor import FEATURES, Network, connected


def test_a_token_becomes_a_card_of_which_nothing_is_known(api: Api) -> None:
    with connected(api) as live:
        made = live.post("/v1/payment_methods", type="card", card={"token": "nt_1"})
        assert made.status == 200
        assert (made["card"]["brand"], made["card"]["last4"], made["card"]["exp_year"]) == ("unknown", "", None)


TRACKS = (
    "4532010000000008D3412101", "4532010000000008=34121010000012345678", ";4532010000000008=34121010000012345678?",
    "%B4532010000000008^DOE/JOHN^3412101?", "4532010000000008==3412", "4532010000000008=",
)  # fmt: skip


@pytest.mark.parametrize(
    "token",
    ["4532010000000008", "4532 0100 0000 0008", "4532.0100.0000.0008", "371449635398431=3412", "4532010000000008=3412"],
)
def test_the_number_of_a_card_is_no_token(api: Api, token: str) -> None:
    with connected(api) as live:
        refused = live.post("/v1/payment_methods", type="card", card={"token": token})
        assert (refused.status, refused.error["param"]) == (400, "card[token]")
        assert "0008" not in refused.error["message"]


@pytest.mark.parametrize("token", TRACKS)
@pytest.mark.parametrize("numbers", [False, True])
def test_the_track_of_a_card_is_no_token_even_where_numbers_are(api: Api, token: str, numbers: bool) -> None:
    with connected(api, Network(replace(FEATURES, raw_numbers=numbers))) as live:
        refused = live.post("/v1/payment_methods", type="card", card={"token": token})
        assert (refused.status, refused.error["param"]) == (400, "card[token]")
        assert "0008" not in refused.error["message"]


@pytest.mark.parametrize("token", ["tok_4532010000000008", "45320100000000080000", "D4532010000000008", "4532-abc"])
def test_a_token_may_have_digits(api: Api, token: str) -> None:
    with connected(api) as live:
        assert live.post("/v1/payment_methods", type="card", card={"token": token}).status == 200


def test_a_network_token_in_the_form_of_a_number_brings_its_brand_and_expiry(api: Api) -> None:
    with connected(api, Network(replace(FEATURES, raw_numbers=True))) as live:
        made = live.post("/v1/payment_methods", type="card", card={"token": "4532010000000008=3412"})
        card = made["card"]
        assert (card["brand"], card["last4"], card["exp_month"], card["exp_year"]) == ("visa", "0008", 12, 2034)
        expired = live.post("/v1/payment_methods", type="card", card={"token": "4532010000000008=2012"})
        assert (expired.status, expired.error["code"]) == (402, "invalid_expiry_year")


@pytest.mark.parametrize("token", ["x" * 256, "a\nb", "ä"])
def test_a_text_that_is_no_token_is_refused(api: Api, token: str) -> None:
    with connected(api) as live:
        refused = live.post("/v1/payment_methods", type="card", card={"token": token})
        assert (refused.status, refused.error["param"]) == (400, "card[token]")


def test_without_a_processor_an_unknown_token_is_unknown(api: Api) -> None:
    refused = api.post("/v1/payment_methods", type="card", card={"token": "nt_1"}, key=api.live_sk)
    assert (refused.status, refused.error["code"]) == (400, "resource_missing")
