"""Issued cards."""

from __future__ import annotations

from tests.payments.issuing.steps import issued
from tests.support.api import Api


def test_number_and_cvc_are_there_when_expanded_only(api: Api) -> None:
    card = issued(api)
    assert "number" not in card
    full = api.ok("GET", f"/v1/issuing/cards/{card['id']}", expand=["number", "cvc"])
    assert full["number"].endswith(card["last4"])
    assert len(full["cvc"]) == 3
