"""Issued cards."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.payments.issuing.steps import HELP, fund, issued
from tests.support.api import Answer, Api
from tollkey.db import Tx


def test_number_and_cvc_are_there_when_expanded_only(api: Api) -> None:
    card = issued(api)
    assert "number" not in card
    full = api.ok("GET", f"/v1/issuing/cards/{card['id']}", expand=["number", "cvc"])
    assert full["number"].endswith(card["last4"])
    assert len(full["cvc"]) == 3


def test_a_canceled_card_stays_canceled_and_spends_nothing(api: Api) -> None:
    fund(api)
    path = f"/v1/issuing/cards/{issued(api)['id']}"
    assert api.ok("POST", path, status="inactive")["status"] == "inactive"
    assert api.ok("POST", path, status="canceled")["status"] == "canceled"
    assert api.post(path, status="active").status == 400
    asked = api.ok("POST", HELP + "/authorizations", card=path.rpartition("/")[2], amount=100)
    assert asked["approved"] is False


def test_an_issued_card_says_its_last_digits_and_when_it_expires(api: Api) -> None:
    card = issued(api)
    assert (len(card["last4"]), card["exp_year"] > 2026, "number" in card) == (4, True, False)


def physical(api: Api, **shipping: Any) -> Answer:
    address = {"line1": "1 Main St", "city": "Colma", "country": "US", "postal_code": "94111"}
    given = {"currency": "usd", "type": "physical", "cardholder": issued(api)["cardholder"]["id"]}
    return api.post("/v1/issuing/cards", shipping={"name": "Jo Li", "address": address, **shipping}, **given)


def test_a_card_is_canceled_with_the_last_payment_that_its_rules_allow(api: Api) -> None:
    fund(api)
    given = {"currency": "usd", "type": "virtual", "status": "active", "cardholder": issued(api)["cardholder"]["id"]}
    never = api.post("/v1/issuing/cards", lifecycle_controls={"cancel_after": {"payment_count": 0}}, **given)
    assert never.error["param"] == "lifecycle_controls[cancel_after][payment_count]"
    card = api.ok("POST", "/v1/issuing/cards", lifecycle_controls={"cancel_after": {"payment_count": 2}}, **given)
    assert card["lifecycle_controls"] == {"cancel_after": {"payment_count": 2}}
    asked = {"card": card["id"], "currency": "usd"}
    for amount, status in ((0, "active"), (5000, "active"), (10, "active"), (10, "canceled")):
        api.ok("POST", HELP + "/authorizations", amount=amount, **asked)
        assert api.get(f"/v1/issuing/cards/{card['id']}")["status"] == status
    assert api.ok("POST", HELP + "/authorizations", amount=1, **asked)["approved"] is False


def test_a_capture_without_authorization_counts_as_a_payment(api: Api) -> None:
    fund(api)
    given = {"currency": "usd", "type": "virtual", "status": "active", "cardholder": issued(api)["cardholder"]["id"]}
    rules = {"cancel_after": {"payment_count": 1}}
    card = api.ok("POST", "/v1/issuing/cards", lifecycle_controls=rules, **given)["id"]
    api.ok("POST", HELP + "/transactions/create_force_capture", card=card, amount=5, currency="usd")
    assert api.get(f"/v1/issuing/cards/{card}")["status"] == "canceled"


def test_a_shipment_shows_customs_signature_and_the_checked_address(api: Api) -> None:
    made = physical(
        api,
        service="express",
        customs={"eori_number": "GB1"},
        address_validation={"mode": "validation_and_normalization"},
    )["shipping"]
    assert (made["customs"], made["require_signature"]) == ({"eori_number": "GB1"}, True)
    assert made["address_validation"]["normalized_address"] == made["address"]
    plain = physical(api, address_validation={"mode": "disabled"})["shipping"]
    assert (plain["require_signature"], plain["address_validation"]["normalized_address"]) == (False, None)
    assert physical(api, require_signature=True).error["param"] == "shipping[require_signature]"


def test_the_shipment_of_a_physical_card_can_be_changed(api: Api) -> None:
    new = {"name": "Li Jo", "address": {"line1": "2", "city": "Rome", "country": "IT", "postal_code": "00118"}}
    path = f"/v1/issuing/cards/{physical(api)['id']}"
    assert api.ok("POST", path, shipping=new)["shipping"]["name"] == "Li Jo"
    api.ok("POST", path, status="canceled", cancellation_reason="lost")
    assert api.post(path, shipping=new).error["param"] == "shipping"
    assert api.post(f"/v1/issuing/cards/{issued(api)['id']}", shipping=new).error["param"] == "shipping"


def test_only_a_canceled_card_has_a_cancellation_reason(api: Api) -> None:
    path = f"/v1/issuing/cards/{issued(api)['id']}"
    assert api.post(path, cancellation_reason="lost").error["param"] == "cancellation_reason"
    assert api.ok("POST", path, status="canceled", cancellation_reason="lost")["cancellation_reason"] == "lost"


@pytest.mark.parametrize(
    ("param", "value"),
    [("pin", {"encrypted_number": "x"}), ("personalization_design", "ipd_1"), ("financial_account", "fa_1")],
)
def test_what_cards_of_this_server_cannot_have_is_refused_by_name(api: Api, param: str, value: object) -> None:
    given = {"currency": "usd", "type": "virtual", "cardholder": issued(api)["cardholder"]["id"]}
    refused = api.post("/v1/issuing/cards", **{**given, param: value})
    assert (refused.status, refused.error["param"]) == (400, param)
    assert "not" in refused.error["message"]


#: The requests that cancel a card, one after another, and the reason that it keeps.
CANCELED = {
    "twice": ([{"cancellation_reason": "lost"}, {}], "lost"),
    "for another reason": ([{"cancellation_reason": "lost"}, {"cancellation_reason": "stolen"}], "stolen"),
    "without a reason": ([{}, {}], None),
}  # fmt: skip


@pytest.mark.parametrize("case", CANCELED)
def test_a_card_that_is_canceled_again_keeps_its_reason(api: Api, case: str) -> None:
    requests, reason = CANCELED[case]
    path = f"/v1/issuing/cards/{issued(api)['id']}"
    for more in requests:
        card = api.ok("POST", path, status="canceled", **more)
    assert card["cancellation_reason"] == reason


def test_a_card_of_an_earlier_version_has_no_rules_about_its_end(api: Api) -> None:
    fund(api)
    card = issued(api)["id"]
    table = api.core.setup.tables.of["issuing.card"].table

    def make_older(tx: Tx) -> None:
        [[content]] = tx.execute(f"SELECT body FROM {table} WHERE id = ?", (card,))
        older = {name: value for name, value in json.loads(content).items() if name != "lifecycle_controls"}
        tx.execute(f"UPDATE {table} SET body = ? WHERE id = ?", (json.dumps(older).encode(), card))

    api.core.database.write(make_older)
    assert api.ok("POST", HELP + "/authorizations", card=card, amount=100)["approved"] is True
    assert api.get(f"/v1/issuing/cards/{card}")["lifecycle_controls"] is None
