"""Steps that several tests of issuing share."""

from __future__ import annotations

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

HELP = "/v1/test_helpers/issuing"


def issued(api: Api, status: str = "active") -> Answer:
    terms = {"user_terms_acceptance": {"date": 1470266163, "ip": "91.121.146.224"}}
    person = {"first_name": "Jo", "last_name": "Li", "card_issuing": terms}
    billing = {
        "address": {
            "line1": "1 Main St",
            "city": "San Francisco",
            "state": "CA",
            "postal_code": "94111",
            "country": "US",
        }
    }
    holder = api.ok(
        "POST", "/v1/issuing/cardholders", name="Jo Li", type="individual", individual=person, billing=billing
    )
    assert_valid("POST", "/v1/issuing/cardholders", 200, holder)
    card = api.ok("POST", "/v1/issuing/cards", currency="usd", type="virtual", cardholder=holder["id"], status=status)
    assert_valid("POST", "/v1/issuing/cards", 200, card)
    return card


def balance(api: Api) -> int:
    return int(api.get("/v1/balance")["issuing"]["available"][0]["amount"])


def fund(api: Api, amount: int = 1000) -> None:
    api.ok("POST", HELP + "/fund_balance", amount=amount, currency="usd")
