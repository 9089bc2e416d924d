"""What a processor is asked, and what is refused before it is stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.api import Api
from tests.support.processor import FEATURES, Network, connected


@pytest.mark.parametrize(
    ("features", "given"),
    [
        (replace(FEATURES, currencies=frozenset({"eur"})), {}),
        (replace(FEATURES, methods=frozenset({"sepa_debit"})), {}),
    ],
)
def test_a_currency_or_method_that_it_does_not_take_is_refused(
    api: Api, features: object, given: dict[str, object]
) -> None:
    with connected(api, Network(features)) as live:  # type: ignore[arg-type]
        refused = live.pay(**given)
        assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")
        assert "does not authorize payments by card in usd" in refused.error["message"]
        assert live.network.heard == []


def test_a_part_is_refused_where_only_the_whole_is_taken(api: Api) -> None:
    with connected(api, Network(replace(FEATURES, partial_capture=False, partial_refund=False))) as live:
        held = live.pay(900, capture_method="manual")
        refused = live.post(f"/v1/payment_intents/{held['id']}/capture", amount_to_capture=300)
        assert (refused.status, refused.error["param"]) == (400, "amount_to_capture")
        assert live.post(f"/v1/payment_intents/{held['id']}/capture")["status"] == "succeeded"
        refused = live.post("/v1/refunds", payment_intent=held["id"], amount=300)
        assert (refused.status, refused.error["param"]) == (400, "amount")


def test_money_for_other_accounts_and_other_currencies_needs_providers_of_their_own(api: Api) -> None:
    with connected(api) as live:
        refused = live.pay(currency="eur")
        assert (refused.status, "exchange rates" in refused.error["message"]) == (400, True)
        assert live.network.heard == []
