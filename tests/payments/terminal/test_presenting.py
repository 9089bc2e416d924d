"""A card that is presented to a simulated reader, with a tip or without."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api

READERS = "/v1/terminal/readers"
DECLINED = {"card_present": {"number": "4000000000000002"}, "type": "card_present"}


def started(api: Api, **config: Any) -> tuple[str, str]:
    """A reader that waits for a card, and its intent."""
    reader = api.ok("POST", READERS, registration_code="simulated-wpe")["id"]
    intent = api.ok(
        "POST", "/v1/payment_intents", amount=1000, currency="usd", allowed_payment_method_types=["card_present"]
    )["id"]
    more = {"process_config": config} if config else {}
    api.ok("POST", f"{READERS}/{reader}/process_payment_intent", payment_intent=intent, **more)
    return reader, intent


def present(api: Api, reader: str, **params: Any) -> Answer:
    return api.post(f"/v1/test_helpers/terminal/readers/{reader}/present_payment_method", **params)


def test_a_tip_is_added_to_what_is_charged(api: Api) -> None:
    reader, intent = started(api)
    assert present(api, reader, amount_tip=150)["action"]["status"] == "succeeded"
    paid = api.ok("GET", f"/v1/payment_intents/{intent}", expand=["latest_charge"])
    assert (paid["amount"], paid["amount_received"], paid["latest_charge"]["amount"]) == (1150, 1150, 1150)
    assert paid["amount_details"]["tip"] == {"amount": 150}


def test_the_tip_of_a_declined_card_is_not_kept(api: Api) -> None:
    reader, intent = started(api)
    assert present(api, reader, amount_tip=150, **DECLINED)["action"]["status"] == "failed"
    left = api.get(f"/v1/payment_intents/{intent}")
    assert (left["amount"], left["amount_details"]["tip"]) == (1000, {})


def test_a_reader_that_skips_tips_takes_none_and_no_tip_is_negative(api: Api) -> None:
    reader, _ = started(api, skip_tipping=True)
    assert present(api, reader, amount_tip=1).error["param"] == "amount_tip"
    assert present(api, reader, amount_tip=-1).error["param"] == "amount_tip"
    assert present(api, reader, amount_tip=0).status == 200


@pytest.mark.parametrize(
    ("param", "params"),
    [
        ("interac_present", {"interac_present": {"number": "4506445006931933"}}),
        ("card", {"card": {"number": "4242424242424242", "exp_month": 1, "exp_year": 2030}}),
        ("type", {"type": "interac_present"}),
    ],
)
def test_a_card_that_the_reader_does_not_read_is_refused_by_name(api: Api, param: str, params: dict[str, Any]) -> None:
    reader, _ = started(api)
    refused = present(api, reader, **params)
    assert (refused.status, refused.error["param"]) == (400, param)


def test_the_method_of_a_presented_card_may_be_shown_again_as_the_reader_was_told(api: Api) -> None:
    reader, intent = started(api, allow_redisplay="always")
    present(api, reader)
    paid = api.ok("GET", f"/v1/payment_intents/{intent}", expand=["payment_method"])
    assert paid["payment_method"]["allow_redisplay"] == "always"
