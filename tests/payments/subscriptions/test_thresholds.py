"""Much usage is invoiced before its period is over."""

from __future__ import annotations

from typing import Any

from tests.payments.subscriptions.steps import advance, calls_meter, clocked, current, metered, ok, plan, use
from tests.support.api import Answer, Api


def invoices(api: Api, sub: Answer) -> list[dict[str, Any]]:
    """The invoices of its periods and thresholds, oldest first."""
    every = api.get("/v1/invoices", subscription=sub["id"])["data"]
    return [one for one in reversed(every) if one["billing_reason"] != "subscription_create"]


def test_an_amount_is_invoiced_when_it_is_reached_and_only_the_rest_at_the_end(api: Api) -> None:
    clock, who, sub = metered(api, billing_thresholds={"amount_gte": 500})
    use(api, who, 99)
    assert invoices(api, sub) == []
    use(api, who, 11)
    (early,) = invoices(api, sub)
    assert (early["billing_reason"], early["total"], early["status"]) == ("subscription_threshold", 550, "draft")
    assert early["threshold_reason"] == {"amount_gte": 500, "item_reasons": []}
    use(api, who, 20)
    end = sub["items"]["data"][0]["current_period_end"]
    advance(api, clock, end + 2 * 3_600)
    paid = ok(api, "GET", f"/v1/invoices/{early['id']}", "/v1/invoices/{invoice}")
    assert (paid["status"], [one["total"] for one in invoices(api, sub)]) == ("paid", [550, 100])


def test_units_of_an_item_are_a_threshold_of_their_own(api: Api) -> None:
    _, who, sub = metered(api, {"billing_thresholds": {"usage_gte": 10}})
    use(api, who, 10)
    (early,) = invoices(api, sub)
    reasons = [{"line_item_ids": [early["lines"]["data"][0]["id"]], "usage_gte": 10}]
    assert early["threshold_reason"] == {"amount_gte": None, "item_reasons": reasons}


def test_a_threshold_may_begin_a_new_period(api: Api) -> None:
    meter = calls_meter(api)
    who = api.ok(
        "post",
        "/v1/customers",
        payment_method="pm_card_visa",
        invoice_settings={"default_payment_method": "pm_card_visa"},
    )["id"]
    items = [{"price": plan(api, 5, usage_type="metered", meter=meter)}]
    thresholds = {"amount_gte": 500, "reset_billing_cycle_anchor": True}
    sub = ok(api, "POST", "/v1/subscriptions", customer=who, items=items, billing_thresholds=thresholds)
    api.advance(5 * 86_400)
    use(api, who, 200)
    (early,) = invoices(api, sub)
    now = current(api, sub["id"])
    assert (early["total"], now["billing_cycle_anchor"]) == (1_000, api.now)
    assert now["items"]["data"][0]["current_period_start"] == api.now
    use(api, who, 10)
    api.advance(now["items"]["data"][0]["current_period_end"] + 60 - api.now)
    assert [one["total"] for one in invoices(api, sub)] == [1_000, 50]


def test_tiers_go_on_after_the_invoice_of_a_threshold_and_both_are_taxed(api: Api) -> None:
    clock, who = clocked(api)
    meter = calls_meter(api)
    tiers = [{"up_to": 100, "unit_amount": 10, "flat_amount": 200}, {"up_to": "inf", "unit_amount": 5}]
    product = ok(api, "POST", "/v1/products", name="Calls")["id"]
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter}
    price = ok(api, "POST", "/v1/prices", product=product, currency="usd", recurring=recurring, billing_scheme="tiered",
               tiers_mode="graduated", tiers=tiers)["id"]  # fmt: skip
    rate = ok(api, "POST", "/v1/tax_rates", display_name="Tax", percentage=10, inclusive=False)["id"]
    thresholds = {"amount_gte": 1000}
    sub = ok(
        api,
        "POST",
        "/v1/subscriptions",
        customer=who,
        items=[{"price": price}],
        billing_thresholds=thresholds,
        default_tax_rates=[rate],
    )
    use(api, who, 80)
    (early,) = invoices(api, sub)
    assert (early["subtotal"], early["total"]) == (1000, 1100)
    use(api, who, 40)
    advance(api, clock, sub["items"]["data"][0]["current_period_end"] + 2 * 3_600)
    last = invoices(api, sub)[-1]
    texts = [(line["description"], line["amount"]) for line in last["lines"]["data"]]
    assert texts == [("20 × Calls (Tier 1 at $0.10 / month)", 200), ("20 × Calls (Tier 2 at $0.05 / month)", 100)]
    assert (last["total"], last["status"]) == (330, "paid")
