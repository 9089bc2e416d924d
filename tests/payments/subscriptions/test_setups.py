"""The SetupIntent of a subscription that has nothing to pay yet."""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import DAY, clocked, current, ok, plan, subscribe
from tests.support.api import NOW, Answer, Api

SAVE = {"save_default_payment_method": "on_subscription"}
TRIAL = {"trial_end": NOW + 5 * DAY}


def _challenged(api: Api) -> str:
    """A customer whose card asks for 3-D Secure."""
    _, who = clocked(api, None)
    card = api.ok("post", "/v1/payment_methods/pm_card_threeDSecure2Required/attach", customer=who)["id"]
    api.ok("post", f"/v1/customers/{who}", invoice_settings={"default_payment_method": card})
    return who


def _pending(api: Api, sub: Answer) -> Answer:
    return api.get(f"/v1/setup_intents/{sub['pending_setup_intent']}")


@pytest.mark.parametrize(
    "params", [{"payment_settings": SAVE}, {"payment_behavior": "default_incomplete"}], ids=["saves", "collects"]
)
def test_a_trial_without_a_card_has_a_pending_setup_intent(api: Api, params: dict[str, object]) -> None:
    _, who = clocked(api, None)
    sub = subscribe(api, who, plan(api), **TRIAL, **params)
    assert sub["status"] == "trialing"
    pending = _pending(api, sub)
    assert (pending["status"], pending["customer"], pending["usage"]) == (
        "requires_payment_method",
        who,
        "off_session",
    )
    assert pending["client_secret"].startswith(f"{pending['id']}_secret_")


@pytest.mark.parametrize(
    ("card", "params"),
    [
        (None, {}),
        ("pm_card_visa", {"payment_settings": SAVE}),
        (None, {"payment_settings": SAVE, "collection_method": "send_invoice", "days_until_due": 3}),
    ],
    ids=["nobody collects it", "a card is there", "it is sent"],
)
def test_other_trials_have_none(api: Api, card: str | None, params: dict[str, object]) -> None:
    _, who = clocked(api, card)
    assert subscribe(api, who, plan(api), **TRIAL, **params)["pending_setup_intent"] is None


def test_a_subscription_that_is_paid_has_none(api: Api) -> None:
    _, who = clocked(api)
    assert subscribe(api, who, plan(api), payment_settings=SAVE)["pending_setup_intent"] is None


def test_a_free_subscription_has_one(api: Api) -> None:
    _, who = clocked(api, None)
    assert subscribe(api, who, plan(api, 0), payment_settings=SAVE)["pending_setup_intent"] is not None


@pytest.mark.parametrize("saves", [True, False])
def test_it_is_not_pending_once_it_has_succeeded(api: Api, saves: bool) -> None:
    _, who = clocked(api, None)
    wanted = {"payment_settings": SAVE} if saves else {"payment_behavior": "default_incomplete"}
    sub = subscribe(api, who, plan(api), **TRIAL, **wanted)
    done = api.ok("post", f"/v1/setup_intents/{sub['pending_setup_intent']}/confirm", payment_method="pm_card_visa")
    after = current(api, sub["id"])
    assert after["pending_setup_intent"] is None
    assert after["default_payment_method"] == (done["payment_method"] if saves else None)


def test_a_card_that_asks_for_authentication_is_authenticated_in_the_trial(api: Api) -> None:
    sub = subscribe(api, _challenged(api), plan(api), **TRIAL)
    pending = _pending(api, sub)
    assert (pending["status"], pending["next_action"]["type"]) == ("requires_action", "use_stripe_sdk")


def test_error_if_incomplete_makes_no_subscription_that_needs_authentication(api: Api) -> None:
    who = _challenged(api)
    wanted = {"customer": who, "items": [{"price": plan(api)}], "payment_behavior": "error_if_incomplete"}
    refused = api.post("/v1/subscriptions", **wanted)
    assert (refused.status, refused.error["type"], refused.error["code"]) == (
        402,
        "card_error",
        "subscription_payment_intent_requires_action",
    )
    assert refused.error["message"].startswith("Payment for this subscription requires additional user action")
    assert api.get("/v1/subscriptions", customer=who, status="all")["data"] == []
    assert api.get("/v1/invoices", customer=who)["data"] == []


def test_error_if_incomplete_changes_nothing_that_needs_authentication(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    card = api.ok("post", "/v1/payment_methods/pm_card_threeDSecure2Required/attach", customer=who)["id"]
    api.ok("post", f"/v1/subscriptions/{sub['id']}", default_payment_method=card)
    items = [{"id": sub["items"]["data"][0]["id"], "quantity": 3}]
    refused = api.post(
        f"/v1/subscriptions/{sub['id']}",
        items=items,
        payment_behavior="error_if_incomplete",
        proration_behavior="always_invoice",
    )
    assert (refused.status, refused.error["code"]) == (402, "subscription_payment_intent_requires_action")
    after = ok(api, "GET", f"/v1/subscriptions/{sub['id']}", "/v1/subscriptions/{subscription_exposed_id}")
    assert (after["items"]["data"][0]["quantity"], after["status"]) == (1, "active")
