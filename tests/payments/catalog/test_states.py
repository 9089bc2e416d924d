"""Where coupons and promotion codes may be redeemed in each of their states, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.payments.catalog.steps import EARLIER
from tests.payments.checkout.steps import DONE
from tests.payments.subscriptions.steps import DAY, clocked, plan, subscribe
from tests.support.api import NOW, Answer, Api, rule_table

Entry = dict[str, str]
#: Redeems an entry of ``discounts`` for a customer.
Place = Callable[[Api, str, Entry], Answer]
#: The last API version that gives discounts to customers.
GIVES_CUSTOMERS = "2025-02-24.acacia"


def _subscription(api: Api, who: str, entry: Entry) -> Answer:
    return api.post("/v1/subscriptions", customer=who, items=[{"price": plan(api)}], discounts=[entry])


def _of_customer(api: Api, who: str, kind: str) -> Answer:
    """A subscription of that customer, or its only item."""
    made = subscribe(api, who, plan(api))
    found: Answer = made if kind == "subscriptions" else made["items"]["data"][0]
    return found


def _change(kind: str) -> Place:
    return lambda api, who, entry: api.post(f"/v1/{kind}/{_of_customer(api, who, kind)['id']}", discounts=[entry])


def _new_item(api: Api, who: str, entry: Entry) -> Answer:
    items = [{"price": plan(api), "discounts": [entry]}]
    return api.post("/v1/subscriptions", customer=who, items=items)


def _added_item(api: Api, who: str, entry: Entry) -> Answer:
    added = [{"price_data": _data(api), "discounts": [entry]}]
    return api.post("/v1/subscriptions", customer=who, items=[{"price": plan(api)}], add_invoice_items=added)


def _data(api: Api, **more: Any) -> dict[str, Any]:
    product = api.ok("post", "/v1/products", name="Hat")["id"]
    return {"currency": "usd", "unit_amount": 1000, "product": product, **more}


def _schedule(start: object, later: bool = False) -> Place:
    """A schedule with the discount in its first phase, or in the one after it."""

    def place(api: Api, who: str, entry: Entry) -> Answer:
        phase = {"items": [{"price": plan(api)}], "duration": {"interval": "month"}}
        phases = [phase, {**phase, "discounts": [entry]}] if later else [{**phase, "discounts": [entry]}]
        return api.post("/v1/subscription_schedules", customer=who, start_date=start, phases=phases)

    return place


def _checkout(mode: str) -> Place:
    def place(api: Api, who: str, entry: Entry) -> Answer:
        data = _data(api, **({"recurring": {"interval": "month"}} if mode == "subscription" else {}))
        lines = [{"price_data": data, "quantity": 1}]
        given = {"mode": mode, "success_url": DONE, "line_items": lines, "discounts": [entry]}
        return api.post("/v1/checkout/sessions", customer=who, **given)

    return place


def _draft(api: Api, who: str) -> str:
    invoice: str = api.ok("post", "/v1/invoices", customer=who)["id"]
    api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, amount=1000, currency="usd")
    return invoice


def _invoice(api: Api, who: str, entry: Entry) -> Answer:
    return api.post("/v1/invoices", customer=who, discounts=[entry])


def _change_invoice(api: Api, who: str, entry: Entry) -> Answer:
    return api.post(f"/v1/invoices/{_draft(api, who)}", discounts=[entry])


def _lines(path: str) -> Place:
    def place(api: Api, who: str, entry: Entry) -> Answer:
        invoice = _draft(api, who)
        line: dict[str, Any] = {"discounts": [entry]}
        if path == "add_lines":
            line["amount"] = 500
        else:
            line["id"] = api.get(f"/v1/invoices/{invoice}")["lines"]["data"][0]["id"]
        return api.post(f"/v1/invoices/{invoice}/{path}", lines=[line])

    return place


def _invoice_item(api: Api, who: str, entry: Entry) -> Answer:
    return api.post("/v1/invoiceitems", customer=who, amount=1000, currency="usd", discounts=[entry])


def _change_invoice_item(api: Api, who: str, entry: Entry) -> Answer:
    item = api.ok("post", "/v1/invoiceitems", customer=who, amount=1000, currency="usd")["id"]
    return api.post(f"/v1/invoiceitems/{item}", discounts=[entry])


def _quote(api: Api, who: str, entry: Entry) -> Answer:
    return api.post("/v1/quotes", customer=who, line_items=[{"price": plan(api)}], discounts=[entry])


def _preview(api: Api, who: str, entry: Entry) -> Answer:
    details = {"items": [{"price": plan(api)}]}
    return api.post("/v1/invoices/create_preview", customer=who, subscription_details=details, discounts=[entry])


def _customer(api: Api, who: str, entry: Entry) -> Answer:
    return api.under(GIVES_CUSTOMERS).post(f"/v1/customers/{who}", **entry)


def _new_customer(api: Api, who: str, entry: Entry) -> Answer:
    return api.under(GIVES_CUSTOMERS).post("/v1/customers", **entry)


PLACES: dict[str, Place] = {
    "a new subscription": _subscription,
    "a subscription": _change("subscriptions"),
    "a new subscription's item": _new_item,
    "a subscription item": _change("subscription_items"),
    "an added invoice item": _added_item,
    "a schedule's phase": _schedule("now"),
    "a schedule's first phase in the future": _schedule(NOW + 5 * DAY),
    "a schedule's later phase": _schedule("now", later=True),
    "a payment in Checkout": _checkout("payment"),
    "a subscription in Checkout": _checkout("subscription"),
    "a new invoice": _invoice,
    "an invoice": _change_invoice,
    "a new line of an invoice": _lines("add_lines"),
    "a line of an invoice": _lines("update_lines"),
    "a new invoice item": _invoice_item,
    "an invoice item": _change_invoice_item,
    "a quote": _quote,
    "a preview": _preview,
    "a customer": _customer,
    "a new customer": _new_customer,
}


# -- coupons


def _coupon(api: Api, state: str) -> str:
    limits: dict[str, dict[str, Any]] = {"redeemed out": {"max_redemptions": 1}, "past": {"redeem_by": api.now + 60}}
    coupon: str = api.ok("post", "/v1/coupons", percent_off=10, duration="once", **limits.get(state, {}))["id"]
    if state == "redeemed out":
        api.under(GIVES_CUSTOMERS).ok("post", "/v1/customers", coupon=coupon)
    elif state == "past":
        api.advance(61)
    elif state == "deleted":
        api.ok("delete", f"/v1/coupons/{coupon}")
    return coupon


@rule_table
@pytest.mark.parametrize("state", ["valid", "redeemed out", "past", "deleted"])
@pytest.mark.parametrize("place", PLACES)
def test_a_coupon_is_redeemed_while_it_is_valid(api: Api, place: str, state: str) -> None:
    coupon, (_, who) = _coupon(api, state), clocked(api)
    answer = PLACES[place](api, who, {"coupon": coupon})
    assert answer.status == (200 if state == "valid" else 400), answer
    if state == "deleted":
        assert (answer.error["code"], answer.error["message"]) == ("resource_missing", f"No such coupon: '{coupon}'")
    elif state != "valid":
        assert (answer.error["code"], answer.error["message"]) == ("coupon_expired", f"Coupon expired: {coupon}")
    if state != "valid":
        assert answer.error["param"].endswith("coupon]" if "customer" not in place else "coupon")


def test_a_coupon_counts_each_time_that_it_is_redeemed_and_not_when_it_is_only_named(api: Api) -> None:
    coupon = api.ok("post", "/v1/coupons", percent_off=10, duration="once")["id"]
    counts = {}
    for name, place in PLACES.items():
        before = api.get(f"/v1/coupons/{coupon}")["times_redeemed"]
        _, who = clocked(api)
        assert place(api, who, {"coupon": coupon}).status == 200
        counts[name] = api.get(f"/v1/coupons/{coupon}")["times_redeemed"] - before
    named = ("a quote", "a preview", "a schedule's later phase", "a schedule's first phase in the future")
    later = ("a payment in Checkout", "a subscription in Checkout")
    assert counts == {name: 0 if name in (*named, *later) else 1 for name in PLACES}


# -- promotion codes

ACTIVE = "This promotion code is not active: SAVE"
OTHER = "This promotion code cannot be redeemed by this customer."
#: State -> the refusal of a code in it, None when it is redeemed.
CODES: dict[str, str | None] = {
    "active": None,
    "inactive": ACTIVE,
    "expired": ACTIVE,
    "redeemed out": ACTIVE,
    "its coupon deleted": ACTIVE,
    "its coupon redeemed out": ACTIVE,
    "its coupon past": ACTIVE,
    "of this customer": None,
    "of another customer": OTHER,
    "for new customers": EARLIER,
}
#: What a code is only named in, and checked for its customer when it is redeemed.
NAMED = ("a preview",)


def _code(api: Api, who: str, state: str) -> str:
    kept: dict[str, Any] = {"percent_off": 10, "duration": "once"}
    given: dict[str, Any] = {"code": "SAVE"}
    if state == "its coupon redeemed out":
        kept["max_redemptions"] = 1
    elif state == "its coupon past":
        kept["redeem_by"] = api.now + 60
    elif state == "expired":
        given["expires_at"] = api.now + 60
    elif state == "redeemed out":
        given["max_redemptions"] = 1
    elif state == "inactive":
        given["active"] = False
    elif state == "for new customers":
        given["restrictions"] = {"first_time_transaction": True}
        api.ok("post", "/v1/payment_intents", amount=500, currency="usd", customer=who)
    elif state.startswith("of "):
        given["customer"] = who if state == "of this customer" else api.ok("post", "/v1/customers")["id"]
    coupon = api.ok("post", "/v1/coupons", **kept)["id"]
    code: str = api.ok("post", "/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon}, **given)["id"]
    if state == "its coupon deleted":
        api.ok("delete", f"/v1/coupons/{coupon}")
    elif state == "its coupon redeemed out":
        api.under(GIVES_CUSTOMERS).ok("post", "/v1/customers", coupon=coupon)
    elif state == "redeemed out":
        api.under(GIVES_CUSTOMERS).ok("post", "/v1/customers", promotion_code=code)
    elif state in ("expired", "its coupon past"):
        api.advance(61)
    return code


@rule_table
@pytest.mark.parametrize("state", CODES)
@pytest.mark.parametrize("place", [place for place in PLACES if place != "a new customer"])
def test_a_code_is_redeemed_while_it_is_active_by_whom_it_is_for(api: Api, place: str, state: str) -> None:
    _, who = clocked(api)
    code, refusal = _code(api, who, state), CODES[state]
    if place in NAMED and refusal in (OTHER, EARLIER):
        refusal = None
    answer = PLACES[place](api, who, {"promotion_code": code})
    assert answer.status == (400 if refusal else 200), answer
    if refusal:
        assert answer.error["message"] == refusal
        assert answer.error["param"].endswith("promotion_code]" if "customer" not in place else "promotion_code")


@pytest.mark.parametrize("state", [state for state, refusal in CODES.items() if refusal == ACTIVE])
def test_a_code_that_is_over_is_shown_as_inactive_and_stays_so(api: Api, state: str) -> None:
    code = f"/v1/promotion_codes/{_code(api, '', state)}"
    assert api.get(code)["active"] is False
    again = api.post(code, active=True)
    assert again.status == (200 if state == "inactive" else 400)
    if state != "inactive":
        assert again.error["param"] == "active"
