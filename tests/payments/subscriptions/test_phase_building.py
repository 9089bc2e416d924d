"""The phases of a subscription schedule, built from parameters or from a subscription as it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.subscriptions.steps import DAY, clocked, customer, metered_plan, plan, subscribe
from tests.support.api import NOW, Api, rule_table

PATH = "/v1/subscription_schedules"


def test_each_phase_begins_where_the_one_before_it_ends(api: Api) -> None:
    _, who = clocked(api)
    items = [{"price": plan(api)}]
    two_weeks = {"interval": "week", "interval_count": 2}
    phases = [{"items": items, "iterations": 2}, {"items": items, "duration": two_weeks}, {"items": items}]
    made = api.under("2025-08-27.basil").ok("POST", PATH, customer=who, start_date="now", phases=phases)
    dates = [(phase["start_date"], phase["end_date"]) for phase in made["phases"]]
    march = NOW + 59 * DAY
    assert dates == [(NOW, march), (march, march + 14 * DAY), (march + 14 * DAY, march + 45 * DAY)]


@pytest.mark.parametrize(
    ("phase", "param"),
    [
        ({"end_date": NOW + DAY}, "phases[0][items]"),
        ({"items": [{"price": "price_none"}]}, "phases[0][items][0][price]"),
        ({"items": "monthly", "end_date": NOW - DAY}, "phases[0][end_date]"),
    ],
)
def test_a_phase_without_items_with_an_unknown_price_or_that_ends_before_it_begins_is_refused(
    api: Api, phase: dict[str, Any], param: str
) -> None:
    _, who = clocked(api)
    if phase.get("items") == "monthly":
        phase = {**phase, "items": [{"price": plan(api)}]}
    refused = api.post(PATH, customer=who, start_date="now", phases=[phase])
    assert (refused.status, refused.error["param"]) == (400, param)


def test_the_phase_of_a_trialing_subscription_has_its_items_and_ends_with_its_trial(api: Api) -> None:
    _, who = clocked(api)
    price = plan(api)
    sub = subscribe(api, who, price, trial_period_days=10)
    (phase,) = api.ok("POST", PATH, from_subscription=sub["id"])["phases"]
    assert (phase["start_date"], phase["end_date"], phase["trial_end"]) == (NOW, NOW + 10 * DAY, NOW + 10 * DAY)
    assert [(item["price"], item["quantity"]) for item in phase["items"]] == [(price, 1)]


def _once(api: Api) -> str:
    product = api.ok("post", "/v1/products", name="Once")["id"]
    return str(api.ok("post", "/v1/prices", product=product, unit_amount=100, currency="usd")["id"])


_MONTH = {"interval": "month", "interval_count": 1}


@pytest.mark.parametrize(
    ("phase", "param"),
    [
        ({"duration": _MONTH, "end_date": NOW + DAY}, "phases[0][duration]"),
        ({"end_date": NOW + DAY, "trial": True, "trial_end": NOW + DAY}, "phases[0][trial]"),
        ({"end_date": NOW + DAY, "trial_end": NOW + 2 * DAY}, "phases[0][trial_end]"),
        ({"end_date": NOW + DAY, "trial_end": NOW - 1}, "phases[0][trial_end]"),
        ({"duration": _MONTH, "trial": True, "billing_cycle_anchor": "phase_start"}, "phases[0][billing_cycle_anchor]"),
        ({"duration": _MONTH, "discounts": [{"coupon": "none"}]}, "phases[0][discounts][0][coupon]"),
        ({"duration": _MONTH, "discounts": [{"promotion_code": "p"}]}, "phases[0][discounts][0][promotion_code]"),
        ({"duration": _MONTH, "automatic_tax": {"enabled": True}, "items": "taxed"}, "phases[0][automatic_tax]"),
        ({"duration": _MONTH, "add_invoice_items": "once" * 21}, "phases[0][add_invoice_items]"),
    ],
)
def test_a_phase_of_parameters_that_do_not_go_together_is_refused(api: Api, phase: dict[str, Any], param: str) -> None:
    _, who = clocked(api)
    added = phase.get("add_invoice_items")
    more = {"add_invoice_items": [{"price": _once(api)}] * (len(added) // 4)} if added else {}
    item: dict[str, Any] = {"price": plan(api)}
    if phase.get("items") == "taxed":
        item["tax_rates"] = [api.ok("post", "/v1/tax_rates", display_name="VAT", percentage=9, inclusive=False)["id"]]
    phases = [{**phase, **more, "items": [item]}]
    refused = api.post(PATH, customer=who, start_date="now", phases=phases)
    assert (refused.status, refused.error["param"]) == (400, param)


def test_an_added_item_does_not_end_before_it_begins(api: Api) -> None:
    _, who = clocked(api)
    period = {
        "start": {"type": "timestamp", "timestamp": NOW + DAY},
        "end": {"type": "timestamp", "timestamp": NOW + DAY - 1},
    }
    phase = {"items": [{"price": plan(api)}], "duration": _MONTH}
    added = {"add_invoice_items": [{"price": _once(api), "period": period}]}
    refused = api.post(PATH, customer=who, start_date="now", phases=[{**phase, **added}])
    assert refused.error["param"] == "phases[0][add_invoice_items][0][period][end]"


def test_a_phase_has_no_quantity_for_a_metered_price(api: Api) -> None:
    _, who = clocked(api)
    phase = {"items": [{"price": metered_plan(api), "quantity": 2}], "duration": _MONTH}
    refused = api.post(PATH, customer=who, start_date="now", phases=[phase])
    assert refused.error["param"] == "phases[0][items][0][quantity]"


@pytest.mark.parametrize("place", ["default_settings", "phases"])
def test_the_payment_method_of_a_schedule_is_one_of_its_customer(api: Api, place: str) -> None:
    _, who = clocked(api)
    other = api.ok("post", "/v1/customers")["id"]
    method = {"default_payment_method": api.ok("post", "/v1/payment_methods/pm_card_visa/attach", customer=other)["id"]}
    phase = {"items": [{"price": plan(api)}], "duration": _MONTH, **(method if place == "phases" else {})}
    more = {"default_settings": method} if place == "default_settings" else {}
    refused = api.post(PATH, customer=who, start_date="now", phases=[phase], **more)
    assert (refused.status, refused.error["code"]) == (400, "resource_missing")
    assert refused.error["param"].endswith("[default_payment_method]")


@pytest.mark.parametrize("mode", ["classic", "flexible"])
def test_the_subscription_of_a_schedule_has_its_billing_mode(api: Api, mode: str) -> None:
    _, who = clocked(api)
    phase = {"items": [{"price": plan(api)}], "duration": _MONTH}
    made = api.ok("post", PATH, customer=who, start_date="now", phases=[phase], billing_mode={"type": mode})
    assert api.get(f"/v1/subscriptions/{made['subscription']}")["billing_mode"]["type"] == mode


@pytest.mark.parametrize(("end", "status"), [(10, 200), (5, 400)])
def test_the_trial_of_a_changed_phase_may_be_named_twice_when_it_ends_with_it(api: Api, end: int, status: int) -> None:
    _, who = clocked(api)
    items = [{"price": plan(api)}]
    made = api.ok("POST", PATH, customer=who, start_date=NOW + DAY, phases=[{"items": items, "duration": _MONTH}])
    span = {"start_date": NOW + DAY, "end_date": NOW + 10 * DAY, "trial": True, "trial_end": NOW + end * DAY}
    answer = api.post(f"{PATH}/{made['id']}", phases=[{"items": items, **span}])
    assert answer.status == status
    if status == 400:
        assert answer.error["param"] == "phases[0][trial_end]"


def test_before_2025_03_31_a_phase_has_one_coupon(api: Api) -> None:
    _, who = clocked(api)
    coupon = api.ok("post", "/v1/coupons", percent_off=50, duration="forever")["id"]
    phase = {"items": [{"price": plan(api)}], "duration": _MONTH, "coupon": coupon}
    unknown = api.post(PATH, customer=who, start_date="now", phases=[phase])
    assert unknown.error["code"] == "parameter_unknown"
    older = api.under("2025-02-24.acacia")
    made = older.ok("POST", PATH, customer=who, start_date="now", phases=[{**phase, "iterations": 1}])
    assert (made["phases"][0]["coupon"], made["phases"][0]["discounts"][0]["coupon"]) == (coupon, coupon)
    assert "coupon" not in api.get(f"{PATH}/{made['id']}")["phases"][0]
    invoice = api.get(f"/v1/subscriptions/{made['subscription']}", expand=["latest_invoice"])["latest_invoice"]
    assert (invoice["subtotal"], invoice["total"]) == (1000, 500)
    wrong = older.post(PATH, customer=who, start_date="now", phases=[{**phase, "coupon": "none"}])
    assert wrong.error["param"] == "phases[0][coupon]"


@rule_table
def test_a_schedule_has_at_most_ten_phases_to_come(api: Api) -> None:
    phase = {"items": [{"price": plan(api)}], "duration": {"interval": "month", "interval_count": 1}}
    who = customer(api)
    assert api.post("/v1/subscription_schedules", customer=who, start_date="now", phases=[phase] * 10).status == 200
    refused = api.post("/v1/subscription_schedules", customer=who, start_date="now", phases=[phase] * 11)
    assert (refused.status, refused.error["param"]) == (400, "phases")


@pytest.mark.parametrize("count", [0, -3])
def test_a_phase_lasts_one_interval_at_least(api: Api, count: int) -> None:
    phase = {"items": [{"price": plan(api)}], "duration": {"interval": "month", "interval_count": count}}
    refused = api.post(PATH, customer=clocked(api)[1], start_date="now", phases=[phase])
    assert (refused.status, refused.error["param"]) == (400, "phases[0][duration][interval_count]")


@pytest.mark.parametrize("which", ["duration", "start"])
def test_a_phase_ends_at_a_time_that_there_is(api: Api, which: str) -> None:
    count = 1_000_000 if which == "duration" else 1
    phase = {"items": [{"price": plan(api)}], "duration": {"interval": "year", "interval_count": count}}
    start = "now" if which == "duration" else 10**12
    refused = api.post(PATH, customer=clocked(api)[1], start_date=start, phases=[phase])
    assert (refused.status, refused.error["message"].startswith("Invalid timestamp: ")) == (400, True)
