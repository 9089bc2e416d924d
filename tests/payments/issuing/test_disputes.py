"""Issuing disputes: money that the account wants back from a merchant."""

from __future__ import annotations

from tests.payments.issuing.steps import balance, issued
from tests.support.api import Api
from tests.support.openapi import assert_valid

HELP = "/v1/test_helpers/issuing"


def test_a_dispute_gives_money_back_and_losing_takes_it_again(api: Api) -> None:
    card = issued(api)
    bought = api.ok("POST", HELP + "/transactions/create_force_capture", card=card["id"], amount=100, currency="usd")
    assert_valid("POST", HELP + "/transactions/create_force_capture", 200, bought)
    evidence = {"reason": "fraudulent", "fraudulent": {"explanation": "losing_evidence"}}
    dispute = api.ok("POST", "/v1/issuing/disputes", transaction=bought["id"], evidence=evidence)
    assert_valid("POST", "/v1/issuing/disputes", 200, dispute)
    sent = api.ok("POST", f"/v1/issuing/disputes/{dispute['id']}/submit")
    assert_valid("POST", "/v1/issuing/disputes/{d}/submit", 200, sent)
    assert balance(api) == 0
    api.advance(10)
    assert (api.get(f"/v1/issuing/disputes/{dispute['id']}")["status"], balance(api)) == ("lost", -100)
