"""What may be done with a subscription, a schedule and a quote in each of its states, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.payments.subscriptions.steps import DAY, advance, clocked, ok, plan, subscribe
from tests.support.api import NOW, Answer, Api, rule_table

Act = Callable[[Api, Answer], Answer]


def _post(kind: str, path: str = "", **params: object) -> Act:
    return lambda api, value: api.post(f"/v1/{kind}/{value['id']}{path}", **params)


def _check(answer: Answer, allowed: bool, refusal: str) -> None:
    assert (answer.status == 200) == allowed, answer
    if not allowed:
        assert answer.status in (400, 404)
        assert refusal in answer.error["message"]


# -- schedules

SCHEDULES = ("not_started", "active", "completed", "canceled", "released")


def _schedule(api: Api, state: str) -> Answer:
    clock, who = clocked(api)
    begins = NOW + 5 * DAY if state == "not_started" else "now"
    phase = {"items": [{"price": plan(api)}], "duration": {"interval": "month"}}
    made = ok(api, "POST", "/v1/subscription_schedules", customer=who, start_date=begins, phases=[phase])
    path = f"/v1/subscription_schedules/{made['id']}"
    if state == "completed":
        advance(api, clock, NOW + 40 * DAY)
    elif state in ("canceled", "released"):
        api.ok("post", f"{path}/{'cancel' if state == 'canceled' else 'release'}")
    found = api.get(path)
    assert found["status"] == state
    return found


_ALIVE = ("not_started", "active")
OF_SCHEDULES: dict[str, tuple[Act, tuple[str, ...]]] = {
    "change its end": (_post("subscription_schedules", end_behavior="cancel"), _ALIVE),
    "change its metadata": (_post("subscription_schedules", metadata={"a": "b"}), SCHEDULES),
    "cancel it": (_post("subscription_schedules", "/cancel"), _ALIVE),
    "release it": (_post("subscription_schedules", "/release"), _ALIVE),
}


@rule_table
@pytest.mark.parametrize("state", SCHEDULES)
@pytest.mark.parametrize("what", OF_SCHEDULES)
def test_each_step_is_for_schedules_in_its_states(api: Api, what: str, state: str) -> None:
    act, allowed = OF_SCHEDULES[what]
    _check(act(api, _schedule(api, state)), state in allowed, f"`{state}` status")


# -- quotes

QUOTES = ("draft", "open", "accepted", "canceled")


def _quote(api: Api, state: str) -> Answer:
    _, who = clocked(api)
    made = ok(api, "POST", "/v1/quotes", customer=who, line_items=[{"price": plan(api)}])
    steps = {"open": ["finalize"], "accepted": ["finalize", "accept"], "canceled": ["cancel"]}.get(state, [])
    for step in steps:
        made = api.ok("post", f"/v1/quotes/{made['id']}/{step}")
    assert made["status"] == state
    return made


def _quoted(quote: Answer) -> str:
    return f"/v1/quotes/{quote['id']}"


def _relined(api: Api, quote: Answer) -> Answer:
    return api.post(_quoted(quote), line_items=[{"price": plan(api)}, {"price": plan(api, 500)}])


OF_QUOTES: dict[str, tuple[Act, tuple[str, ...]]] = {
    "change it": (_post("quotes", description="Other"), ("draft",)),
    "change its metadata": (_post("quotes", metadata={"a": "b"}), QUOTES),
    "finalize it": (_post("quotes", "/finalize"), ("draft",)),
    "accept it": (_post("quotes", "/accept"), ("open",)),
    "cancel it": (_post("quotes", "/cancel"), ("draft", "open")),
    "add a line": (lambda api, quote: _relined(api, quote), ("draft",)),
    "change its customer": (lambda api, quote: api.post(_quoted(quote), customer=quote["customer"]), ("draft",)),
    "change when it expires": (_post("quotes", expires_at=NOW + 60 * DAY), ("draft",)),
    "retrieve it": (lambda api, quote: api.get(_quoted(quote)), QUOTES),
    "list its lines": (lambda api, quote: api.get(f"{_quoted(quote)}/line_items"), QUOTES),
    "list what is due at once": (lambda api, quote: api.get(f"{_quoted(quote)}/computed_upfront_line_items"), QUOTES),
    "copy it": (lambda api, quote: api.post("/v1/quotes", from_quote={"quote": quote["id"]}), QUOTES),
}


@rule_table
@pytest.mark.parametrize("state", QUOTES)
@pytest.mark.parametrize("what", OF_QUOTES)
def test_each_step_is_for_quotes_in_its_states(api: Api, what: str, state: str) -> None:
    act, allowed = OF_QUOTES[what]
    _check(act(api, _quote(api, state)), state in allowed, f"because it is {state}")


# -- subscriptions

SUBSCRIPTIONS = (
    "trialing",
    "active",
    "past_due",
    "paused",
    "incomplete",
    "incomplete_expired",
    "canceled",
)


def _subscription(api: Api, state: str) -> Answer:
    clock, who = clocked(api, None if state in ("paused", "incomplete", "incomplete_expired") else "pm_card_visa")
    params: dict[str, object] = {}
    if state in ("trialing", "paused"):
        params = {
            "trial_end": NOW + 5 * DAY,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        }
    elif state.startswith("incomplete"):
        params = {"payment_behavior": "default_incomplete"}
    made = subscribe(api, who, plan(api), **params)
    path = f"/v1/subscriptions/{made['id']}"
    if state == "past_due":
        bad = api.ok("post", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
        api.ok("post", path, default_payment_method=bad)
        items = [{"id": made["items"]["data"][0]["id"], "quantity": 2}]
        api.ok("post", path, items=items, proration_behavior="always_invoice")
    elif state == "paused":
        advance(api, clock, NOW + 6 * DAY)
    elif state == "incomplete_expired":
        advance(api, clock, NOW + DAY)
    elif state == "canceled":
        api.delete(path)
    found = api.get(path)
    assert found["status"] == state
    return found


def _change_items(api: Api, sub: Answer) -> Answer:
    items = [{"id": sub["items"]["data"][0]["id"], "quantity": 3}]
    return api.post(f"/v1/subscriptions/{sub['id']}", items=items, proration_behavior="none")


_ENDED = ("incomplete_expired", "canceled")
_LIVE = tuple(state for state in SUBSCRIPTIONS if state not in _ENDED)
OF_SUBSCRIPTIONS: dict[str, tuple[Act, tuple[str, ...], str]] = {
    "change its items": (_change_items, tuple(state for state in _LIVE if state != "incomplete"), "subscription"),
    "change its metadata": (_post("subscriptions", metadata={"a": "b"}), SUBSCRIPTIONS, ""),
    "change its description": (_post("subscriptions", description="Other"), _LIVE, "canceled subscription"),
    "cancel it at the end": (_post("subscriptions", cancel_at_period_end=True), _LIVE, "canceled subscription"),
    "cancel it": (lambda api, sub: api.delete(f"/v1/subscriptions/{sub['id']}"), _LIVE, "No such subscription"),
    "resume it": (
        _post("subscriptions", "/resume"),
        ("paused",),
        "subscription",
    ),
    "schedule it": (
        lambda api, sub: api.post("/v1/subscription_schedules", from_subscription=sub["id"]),
        _LIVE,
        "subscription that is canceled",
    ),
}


@rule_table
@pytest.mark.parametrize("state", SUBSCRIPTIONS)
@pytest.mark.parametrize("what", OF_SUBSCRIPTIONS)
def test_each_step_is_for_subscriptions_in_its_states(api: Api, what: str, state: str) -> None:
    act, allowed, refusal = OF_SUBSCRIPTIONS[what]
    sub = _subscription(api, state)
    if what == "resume it" and state == "paused":
        card = api.ok("post", "/v1/payment_methods/pm_card_visa/attach", customer=sub["customer"])["id"]
        api.ok("post", f"/v1/customers/{sub['customer']}", invoice_settings={"default_payment_method": card})
    _check(act(api, sub), state in allowed, refusal)


# -- subscription items


def _item(sub: Answer) -> str:
    return f"/v1/subscription_items/{sub['items']['data'][0]['id']}"


def _delete_item(api: Api, sub: Answer) -> Answer:
    """Delete the second item, added where that is allowed."""
    second = api.post("/v1/subscription_items", subscription=sub["id"], price=plan(api), proration_behavior="none")
    return api.delete(f"/v1/subscription_items/{second['id']}" if second.status == 200 else _item(sub))


_CHANGEABLE = tuple(state for state in _LIVE if state != "incomplete")
OF_ITEMS: dict[str, tuple[Act, tuple[str, ...]]] = {
    "add an item": (
        lambda api, sub: api.post("/v1/subscription_items", subscription=sub["id"], price=plan(api)),
        _CHANGEABLE,
    ),
    "change its quantity": (lambda api, sub: api.post(_item(sub), quantity=3), _CHANGEABLE),
    "change its price": (lambda api, sub: api.post(_item(sub), price=plan(api, 700)), _CHANGEABLE),
    "change its metadata": (lambda api, sub: api.post(_item(sub), metadata={"a": "b"}), _CHANGEABLE),
    "delete an item": (_delete_item, _CHANGEABLE),
    "retrieve it": (lambda api, sub: api.get(_item(sub)), SUBSCRIPTIONS),
    "list the items": (lambda api, sub: api.get("/v1/subscription_items", subscription=sub["id"]), SUBSCRIPTIONS),
}


@rule_table
@pytest.mark.parametrize("state", SUBSCRIPTIONS)
@pytest.mark.parametrize("what", OF_ITEMS)
def test_each_step_is_for_items_of_subscriptions_in_their_states(api: Api, what: str, state: str) -> None:
    act, allowed = OF_ITEMS[what]
    ended = "No such subscription: " if what == "add an item" else "A canceled subscription can only update"
    refusal = "`incomplete` status" if state == "incomplete" else ended
    _check(act(api, _subscription(api, state)), state in allowed, refusal)
