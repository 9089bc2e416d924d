"""Features of subscriptions two by two: what is billed under a test clock is what ``paper.py`` works out."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from tests.simulation import paper
from tests.simulation.paper import FEATURES, Paper, Refused
from tests.support.api import Answer, Api, World

#: Pairs that say twice when the subscription ends, or who says it.
CONTRADICTIONS = {frozenset(pair) for pair in (("until", "leaving"), ("phase", "until"), ("phase", "leaving"))}
PAIRS = [
    pair
    for pair in [(), *((one,) for one in FEATURES), *combinations(FEATURES, 2)]
    if frozenset(pair) not in CONTRADICTIONS
]


class Subscribed:
    """A subscription with these features on the server, driven by a test clock."""

    def __init__(self, api: Api, has: tuple[str, ...]) -> None:
        self.api, self.has = api, has
        api.advance(paper.START - api.now)
        self.clock = api.ok("post", "/v1/test_helpers/test_clocks", frozen_time=paper.START)["id"]
        card = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
        who = api.ok("post", "/v1/customers", email="a@example.com", test_clock=self.clock, **card)
        self.customer, self.card = who["id"], who["invoice_settings"]["default_payment_method"]
        self.product = api.ok("post", "/v1/products", name="Plan")["id"]

    def price(self, amount: int, **recurring: object) -> str:
        recurring = {"interval": "month", **recurring}
        made = self.api.ok(
            "post", "/v1/prices", product=self.product, unit_amount=amount, currency="usd", recurring=recurring
        )
        return str(made["id"])

    def params(self) -> dict[str, Any]:
        """The parameters of the creation."""
        api, has = self.api, self.has
        items = [{"price": self.price(paper.MONTHLY)}]
        if "metered" in has:
            sums = {"formula": "sum"}
            meter = api.ok("post", "/v1/billing/meters", display_name="A", event_name="a", default_aggregation=sums)
            items.append({"price": self.price(paper.UNIT, usage_type="metered", meter=meter["id"])})
        if "quarter" in has:
            items.append({"price": self.price(paper.QUARTERLY, interval_count=3)})
        made: dict[str, Any] = {"customer": self.customer, "items": items}
        if "coupon" in has:
            coupon = api.ok("post", "/v1/coupons", percent_off=paper.PERCENT_OFF, duration="forever")
            made["discounts"] = [{"coupon": coupon["id"]}]
        if "tax" in has:
            rate = api.ok("post", "/v1/tax_rates", display_name="Tax", inclusive=False, percentage=paper.TAX_PERCENT)
            made["default_tax_rates"] = [rate["id"]]
        simple: dict[str, dict[str, Any]] = {
            "trial": {"trial_end": paper.TRIAL_END},
            "anchor": {"billing_cycle_anchor": paper.ANCHOR},
            "backdate": {"backdate_start_date": paper.BACKDATED},
            "none": {"proration_behavior": "none"},
            "send": {"collection_method": "send_invoice", "days_until_due": paper.DAYS_UNTIL_DUE},
            "until": {"cancel_at": paper.CANCEL_AT},
            "classic": {"billing_mode": {"type": "classic"}},
        }
        for name in has:
            made |= simple.get(name, {})
        return made

    def create(self) -> Answer:
        """Create it, and what belongs to it from the first day."""
        api, has = self.api, self.has
        sub = api.post("/v1/subscriptions", **self.params())
        if sub.status != 200:
            raise Refused(sub.error["message"])
        self.id, self.items = sub["id"], sub["items"]["data"]
        if "metered" in has:
            use = {"stripe_customer_id": self.customer, "value": paper.USED}
            api.ok("post", "/v1/billing/meter_events", event_name="a", payload=use)
        if "pause" in has:
            self.update(pause_collection={"behavior": "void"})
        if "leaving" in has:
            self.update(cancel_at_period_end=True)
        if "phase" in has:
            self.schedule()
        return sub

    def first(self) -> Answer:
        return next(one for one in self.items if one["price"]["unit_amount"] == paper.MONTHLY)

    def schedule(self) -> None:
        api = self.api
        made = api.ok("post", "/v1/subscription_schedules", from_subscription=self.id)
        now = made["phases"][0]
        keep = ("price", "quantity")
        old = [{name: item[name] for name in keep if name in item} for item in now["items"]]
        dear = {"price": self.price(paper.DEAREST), "quantity": 1}
        new = [dear if item["price"] == self.first()["price"]["id"] else item for item in old]
        trial = {"trial_end": now["trial_end"]} if now["trial_end"] else {}
        phases = [
            {"items": old, "start_date": now["start_date"], "end_date": now["end_date"], **trial},
            {"items": new, "duration": {"interval": "year", "interval_count": 1}},
        ]
        if "coupon" in self.has:
            discount = api.get(f"/v1/subscriptions/{self.id}")["discounts"][0]
            phases = [{**phase, "discounts": [{"discount": discount}]} for phase in phases]
        if "tax" in self.has:
            rates = [rate["id"] for rate in api.get(f"/v1/subscriptions/{self.id}")["default_tax_rates"]]
            phases = [{**phase, "default_tax_rates": rates} for phase in phases]
        api.ok("post", f"/v1/subscription_schedules/{made['id']}", phases=phases, end_behavior="release")

    def update(self, **params: object) -> Answer:
        return self.api.ok("post", f"/v1/subscriptions/{self.id}", **params)

    def advance(self, to: int) -> None:
        self.api.ok("post", f"/v1/test_helpers/test_clocks/{self.clock}/advance", frozen_time=to)
        self.api.advance(1)

    def run(self) -> Subscribed:
        """Make the changes at their times, until the end."""
        self.create()
        if "quantity" in self.has:
            self.advance(paper.QUANTITY_AT)
            self.update(items=[{"id": self.first()["id"], "quantity": 2}])
        if "price" in self.has:
            self.advance(paper.PRICE_AT)
            dearer = [{"id": self.first()["id"], "price": self.price(paper.DEARER)}]
            self.update(items=dearer, proration_behavior="always_invoice")
        if "pending" in self.has:
            self.advance(paper.PENDING_AT)
            self.in_vain()
        if "reset" in self.has:
            self.advance(paper.RESET_AT)
            if self.api.get(f"/v1/subscriptions/{self.id}")["status"] != "canceled":
                self.update(billing_cycle_anchor={"type": "now"})
        self.advance(paper.moment(2026, 2, 25))
        self.advance(paper.END)
        return self

    def in_vain(self) -> None:
        """A change with a card that fails; the card comes back after the change is given up."""
        bad = self.api.ok("post", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=self.customer)
        self.update(default_payment_method=bad["id"])
        items = [{"id": self.first()["id"], "quantity": 3}]
        self.update(items=items, proration_behavior="always_invoice", payment_behavior="pending_if_incomplete")
        self.advance(paper.PENDING_AT + paper.PENDING_SECONDS + 60)
        self.update(default_payment_method=self.card)

    def invoices(self) -> list[tuple[Any, ...]]:
        """Every invoice as (created, reason, status, total, lines), oldest first."""
        data = self.api.get("/v1/invoices", subscription=self.id, limit=100)["data"]
        return [
            (
                one["created"],
                one["billing_reason"],
                one["status"],
                one["total"],
                sorted(
                    (line["period"]["start"], line["period"]["end"], line["amount"]) for line in one["lines"]["data"]
                ),
            )
            for one in reversed(data)
        ]


def on_paper(seen: Paper) -> list[tuple[Any, ...]]:
    """The invoices that should be there, in the same form."""
    return [
        (
            one.created,
            one.reason,
            one.status,
            one.total,
            sorted((line.start, line.end, line.amount) for line in one.lines),
        )
        for one in seen.invoices
    ]


@pytest.mark.parametrize("has", PAIRS, ids=lambda has: "+".join(has) or "plain")
def test_a_subscription_bills_what_was_worked_out_on_paper(has: tuple[str, ...], sqlite_world: World) -> None:
    api = Api(sqlite_world)
    try:
        expected = Paper(*has).run()
    except Refused:
        with pytest.raises(Refused):
            Subscribed(api, has).create()
        return
    made = Subscribed(api, has).run()
    assert made.invoices() == on_paper(expected)
    sub = api.get(f"/v1/subscriptions/{made.id}")
    assert sub["status"] == ("past_due" if expected.overdue else expected.status)
    assert sub["billing_cycle_anchor"] == expected.anchor
    if expected.status != "canceled":
        periods = sorted((one["current_period_start"], one["current_period_end"]) for one in sub["items"]["data"])
        assert periods == sorted((item.start, item.end) for item in expected.items)
