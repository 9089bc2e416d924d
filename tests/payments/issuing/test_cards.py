"""Issued cards."""

from __future__ import annotations

from tests.payments.issuing.steps import HELP, fund, issued
from tests.support.api import Api


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
