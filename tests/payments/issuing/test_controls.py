"""Spending controls: which merchants a card or its holder may pay, and how much."""

from __future__ import annotations

import pytest

from tests.payments.issuing.steps import fund, issued
from tests.support.api import Api

HELP = "/v1/test_helpers/issuing"


def test_spending_limits_refuse_what_is_above_them(api: Api) -> None:
    card = issued(api)
    fund(api, 100_000)
    over = api.ok("POST", HELP + "/authorizations", card=card["id"], amount=50_001)
    assert over["request_history"][0]["reason"] == "spending_controls"


@pytest.mark.parametrize(("currency", "amount", "approved"), [("jpy", 60_000, True), ("eur", 50_000, False)])
def test_a_purchase_in_another_currency_counts_with_its_value_in_the_currency_of_the_limit(
    api: Api, currency: str, amount: int, approved: bool
) -> None:
    card = issued(api)
    api.ok("POST", HELP + "/fund_balance", amount=100_000, currency=currency)
    bought = api.ok("POST", HELP + "/authorizations", card=card["id"], amount=amount, currency=currency.upper())
    assert (bought["approved"], bought["currency"]) == (approved, currency)
    reason = bought["request_history"][0]["reason"]
    assert reason == ("webhook_timeout" if approved else "spending_controls")


def test_what_was_spent_in_two_currencies_adds_up_in_the_currency_of_the_limit(api: Api) -> None:
    card = issued(api)
    for currency in ("eur", "usd"):
        api.ok("POST", HELP + "/fund_balance", amount=100_000, currency=currency)
    approved = [
        api.ok("POST", HELP + "/authorizations", card=card["id"], amount=amount, currency=currency)["approved"]
        for amount, currency in ((8_600, "eur"), (40_001, "usd"), (40_000, "usd"))
    ]
    assert approved == [True, False, True]


def test_a_card_that_pays_only_where_it_is_present_pays_nothing_online(api: Api) -> None:
    fund(api, 1000)
    card = issued(api)["id"]
    rules = {"allowed_card_presences": ["present"]}
    assert api.ok("POST", f"/v1/issuing/cards/{card}", spending_controls=rules)["spending_controls"][
        "allowed_card_presences"
    ] == ["present"]
    reasons = [
        api.ok("POST", HELP + "/authorizations", card=card, amount=100, authorization_method=method)["approved"]
        for method in ("online", "chip")
    ]
    assert reasons == [False, True]


def test_changed_controls_are_checked_and_complete_like_new_ones(api: Api) -> None:
    path = f"/v1/issuing/cards/{issued(api)['id']}"
    both = {"allowed_categories": ["taxicabs_limousines"], "blocked_categories": ["bakeries"]}
    assert api.post(path, spending_controls=both).error["param"] == "spending_controls[blocked_categories]"
    one = {"spending_limits": [{"amount": 1, "interval": "daily"}]}
    assert api.ok("POST", path, spending_controls=one)["spending_controls"]["spending_limits"] == [
        {"amount": 1, "categories": [], "interval": "daily"}
    ]
    blocked = api.ok("POST", path, spending_controls={"blocked_categories": ["bakeries"]})["spending_controls"]
    assert (blocked["blocked_categories"], len(blocked["spending_limits"])) == (["bakeries"], 1)
