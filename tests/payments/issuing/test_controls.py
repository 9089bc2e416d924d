"""Spending controls: which merchants a card or its holder may pay, and how much."""

from __future__ import annotations

from tests.payments.issuing.steps import fund, issued
from tests.support.api import Api

HELP = "/v1/test_helpers/issuing"


def test_spending_limits_refuse_what_is_above_them(api: Api) -> None:
    card = issued(api)
    fund(api, 100_000)
    over = api.ok("POST", HELP + "/authorizations", card=card["id"], amount=50_001)
    assert over["request_history"][0]["reason"] == "spending_controls"
