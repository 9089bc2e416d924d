"""The fields of a session's page: how to pay, and what else is asked for; what is wrong stands next to its field."""

from __future__ import annotations

from tests.payments.checkout.steps import again, page, path_of, post, session
from tests.support.api import Api


def test_a_trial_costs_nothing_today_and_may_need_no_card(api: Api) -> None:
    made = session(
        api, "subscription", subscription_data={"trial_period_days": 7}, payment_method_collection="if_required"
    )
    assert (made["amount_total"], made["amount_subtotal"]) == (0, 0)
    assert 'name="number"' not in page(api, made)
    assert post(api, path_of(made), email="a@b.example").status == 303
    paid = again(api, made)
    assert (paid["payment_status"], api.get(f"/v1/subscriptions/{paid['subscription']}")["status"]) == (
        "no_payment_required",
        "trialing",
    )
