"""Phases that could not begin one after another are refused when they are planned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.payments.subscriptions.steps import DAY, clocked, ok, plan, schedule, subscribe
from tests.support.api import NOW, Api

PATH = "/v1/subscription_schedules"
MONTH = {"interval": "month", "interval_count": 1}


def phase(*prices: str, **more: Any) -> dict[str, Any]:
    return {"items": [{"price": price} for price in prices], "duration": MONTH, **more}


def twice(api: Api) -> dict[str, Any]:
    price = plan(api)
    return phase(price, price)


def once(api: Api, currency: str) -> str:
    product = ok(api, "POST", "/v1/products", name="Once")["id"]
    return str(ok(api, "POST", "/v1/prices", product=product, unit_amount=100, currency=currency)["id"])


@pytest.mark.parametrize(
    ("second", "param", "words"),
    [
        (lambda api: phase(plan(api, 500, "eur")), "[items][0][price]", "doesn't match the expected currency: `usd`"),
        (lambda api: phase(plan(api), plan(api, 5, "eur")), "[items][1][price]", "only supports `eur`"),
        (lambda api: phase(plan(api), currency="eur"), "[currency]", "must have the same currency"),
        (
            lambda api: phase(plan(api), add_invoice_items=[{"price": once(api, "eur")}]),
            "[add_invoice_items][0][price]",
            "only supports `eur`",
        ),
        (twice, "[items][1][price]", "multiple Subscription Items with the same Price"),
        (lambda api: phase(plan(api), plan(api, interval="week")), "[items]", "must be a multiple"),
        (
            lambda api: {**phase(), "items": [{"price": plan(api, 99_999_999), "quantity": 2}]},
            "[items][0][quantity]",
            "must be no more than $999,999.99 USD",
        ),
    ],
)
def test_a_later_phase_whose_items_no_subscription_could_have_is_refused_at_once(
    api: Api, second: Callable[[Api], dict[str, Any]], param: str, words: str
) -> None:
    phases = [phase(plan(api)), second(api)]
    refused = api.post(PATH, customer=clocked(api)[1], start_date="now", phases=phases)
    assert (refused.status, refused.error["param"]) == (400, f"phases[1]{param}")
    assert words in refused.error["message"]
    assert api.get("/v1/subscriptions")["data"] == []


def test_in_the_classic_mode_a_phase_has_one_interval(api: Api) -> None:
    phases = [phase(plan(api)), phase(plan(api), plan(api, interval="year"))]
    sent = {"customer": clocked(api)[1], "start_date": "now", "phases": phases}
    refused = api.post(PATH, **sent, billing_mode={"type": "classic"})
    assert (refused.status, refused.error["param"]) == (400, "phases[1][items]")
    assert api.post(PATH, **sent).status == 200


def test_changed_phases_keep_the_currency_of_the_subscription(api: Api) -> None:
    made = schedule(api, clocked(api)[1], phase(plan(api)))
    begun = {"start_date": made["phases"][0]["start_date"], "end_date": made["phases"][0]["end_date"]}
    both = {"currency": "eur", "unit_amount": 1000, "recurring": {"interval": "month"}}
    options = {"usd": {"unit_amount": 1100}}
    product = ok(api, "POST", "/v1/products", name="Both")["id"]
    price = ok(api, "POST", "/v1/prices", product=product, currency_options=options, **both)["id"]
    changed = api.ok("POST", f"{PATH}/{made['id']}", phases=[{"items": [{"price": price}], **begun}])
    assert changed["phases"][0]["currency"] == "usd"
    refused = api.post(f"{PATH}/{made['id']}", phases=[{"items": [{"price": plan(api, 5, "eur")}], **begun}])
    assert refused.error["param"] == "phases[0][items][0][price]"


def test_a_schedule_that_waits_may_be_planned_anew_in_another_currency(api: Api) -> None:
    made = ok(api, "POST", PATH, customer=clocked(api)[1], start_date=NOW + DAY, phases=[phase(plan(api))])
    planned = [phase(plan(api, 500, "eur"), start_date=NOW + DAY)]
    changed = api.ok("POST", f"{PATH}/{made['id']}", phases=planned)
    assert changed["phases"][0]["currency"] == "eur"


def test_a_customer_with_a_subscription_has_no_schedule_in_another_currency(api: Api) -> None:
    who = clocked(api)[1]
    subscribe(api, who, plan(api))
    refused = api.post(PATH, customer=who, start_date=NOW + DAY, phases=[phase(plan(api, 500, "eur"))])
    assert (refused.status, refused.error["param"]) == (400, "currency")


def test_a_customer_whose_schedule_waits_has_no_subscription_in_another_currency(api: Api) -> None:
    who = clocked(api)[1]
    ok(api, "POST", PATH, customer=who, start_date=NOW + DAY, phases=[phase(plan(api, 500, "eur"))])
    refused = api.post("/v1/subscriptions", customer=who, items=[{"price": plan(api)}])
    assert (refused.status, refused.error["param"]) == (400, "currency")
    assert refused.error["message"].endswith("with currency eur")
