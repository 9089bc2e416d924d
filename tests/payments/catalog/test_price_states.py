"""What may be done with a price and a product in each of their states, and where they are sold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.payments.checkout.steps import DONE
from tests.payments.subscriptions.steps import clocked, plan, subscribe
from tests.support.api import Answer, Api, rule_table

INACTIVE = "The price specified is inactive. This field only accepts active prices."
#: Buys a price, which is given by its id.
Use = Callable[[Api, str, str], Answer]


def _subscription(api: Api, who: str, price: str) -> Answer:
    return api.post("/v1/subscriptions", customer=who, items=[{"price": price}])


def _new_item(api: Api, who: str, price: str) -> Answer:
    sub = subscribe(api, who, plan(api))["id"]
    return api.post("/v1/subscription_items", subscription=sub, price=price)


def _changed_item(api: Api, who: str, price: str) -> Answer:
    sub = subscribe(api, who, plan(api))
    item = sub["items"]["data"][0]["id"]
    return api.post(f"/v1/subscriptions/{sub['id']}", items=[{"id": item, "price": price}])


def _schedule(api: Api, who: str, price: str) -> Answer:
    phases = [{"items": [{"price": price}], "duration": {"interval": "month"}}]
    return api.post("/v1/subscription_schedules", customer=who, start_date="now", phases=phases)


def _checkout(mode: str, **more: Any) -> Use:
    def use(api: Api, who: str, price: str) -> Answer:
        lines = [{"price": price, "quantity": 1}]
        return api.post("/v1/checkout/sessions", mode=mode, success_url=DONE, line_items=lines, **more)

    return use


def _optional(api: Api, who: str, price: str) -> Answer:
    data = {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Hat"}}
    lines = [{"price_data": data, "quantity": 1}]
    optional = [{"price": price, "quantity": 1}]
    given = {"mode": "payment", "success_url": DONE, "line_items": lines, "optional_items": optional}
    return api.post("/v1/checkout/sessions", **given)


def _link(api: Api, who: str, price: str) -> Answer:
    return api.post("/v1/payment_links", line_items=[{"price": price, "quantity": 1}])


def _quote(api: Api, who: str, price: str) -> Answer:
    return api.post("/v1/quotes", customer=who, line_items=[{"price": price}])


def _invoice_item(api: Api, who: str, price: str) -> Answer:
    return api.post("/v1/invoiceitems", customer=who, pricing={"price": price})


def _line(api: Api, who: str, price: str) -> Answer:
    invoice = api.ok("post", "/v1/invoices", customer=who)["id"]
    return api.post(f"/v1/invoices/{invoice}/add_lines", lines=[{"pricing": {"price": price}}])


def _added(api: Api, who: str, price: str) -> Answer:
    return api.post(
        "/v1/subscriptions", customer=who, items=[{"price": plan(api)}], add_invoice_items=[{"price": price}]
    )


#: Use -> how, and whether the price recurs. Each is a new purchase, for which the price has to be ``active``.
USES: dict[str, tuple[Use, bool]] = {
    "a new subscription": (_subscription, True),
    "a new subscription item": (_new_item, True),
    "a changed subscription item": (_changed_item, True),
    "a schedule": (_schedule, True),
    "a subscription in Checkout": (_checkout("subscription"), True),
    "a payment in Checkout": (_checkout("payment"), False),
    "an optional item in Checkout": (_optional, False),
    "a payment link": (_link, False),
    "a quote": (_quote, True),
    "an invoice item": (_invoice_item, False),
    "a line of an invoice": (_line, False),
    "an item added to a subscription": (_added, False),
}
SUBSCRIBED = ("a new subscription", "a new subscription item", "a schedule")


def _price(api: Api, state: str, recurs: bool) -> tuple[str, str]:
    """The id of a price in that state, and of its product."""
    product = api.ok("post", "/v1/products", name="Gold")["id"]
    if state == "deleted":
        made = api.ok("post", "/v1/plans", amount=1000, currency="usd", interval="month", product=product)["id"]
        api.ok("delete", f"/v1/plans/{made}")
        return made, product
    terms: dict[str, Any] = {"recurring": {"interval": "month"}} if recurs else {}
    made = api.ok("post", "/v1/prices", currency="usd", unit_amount=1000, product=product, **terms)["id"]
    if state == "inactive":
        api.ok("post", f"/v1/prices/{made}", active=False)
    elif state == "of an inactive product":
        api.ok("post", f"/v1/products/{product}", active=False)
    return made, product


@rule_table
@pytest.mark.parametrize("state", ["active", "inactive", "of an inactive product", "deleted"])
@pytest.mark.parametrize("use", USES)
def test_a_price_is_sold_while_it_and_its_product_are_active(api: Api, use: str, state: str) -> None:
    act, recurs = USES[use]
    (price, product), (_, who) = _price(api, state, recurs), clocked(api)
    unsold = f"Price `{price}` is not available to be purchased because its product is not active."
    if use in SUBSCRIBED:
        unsold = (
            f"The product {product} is marked as inactive, and thus no new subscriptions can be create to any plans of"
            f" this product. You provided the plan {price}."
        )
    said = {"inactive": INACTIVE, "of an inactive product": unsold}
    answer = act(api, who, price)
    if state == "deleted":
        assert (answer.status, answer.error["code"]) == (400, "resource_missing")
        assert answer.error["message"] == f"No such price: '{price}'"
    elif state == "active":
        assert answer.status == 200, answer
    else:
        assert (answer.status, answer.error["message"]) == (400, said[state])
        assert answer.error["param"].endswith("price]") or answer.error["param"] == "price"


#: What a price keeps for good.
KEPT: dict[str, Any] = {
    "billing_scheme": "tiered",
    "currency": "eur",
    "custom_unit_amount": {"enabled": True},
    "product": "prod_other",
    "recurring": {"interval": "year"},
    "tiers": [{"up_to": "inf", "unit_amount": 5}],
    "tiers_mode": "volume",
    "transform_quantity": {"divide_by": 2, "round": "up"},
    "unit_amount": 2000,
    "unit_amount_decimal": "20.5",
}
CHANGED: dict[str, Any] = {
    "active": True,
    "currency_options": {"eur": {"unit_amount": 900}},
    "lookup_key": "gold",
    "metadata": {"a": "b"},
    "nickname": "The gold one",
    "tax_behavior": "exclusive",
}


@rule_table
@pytest.mark.parametrize("state", ["active", "inactive", "of an inactive product", "used", "deleted"])
@pytest.mark.parametrize("name", [*KEPT, *CHANGED])
def test_what_a_price_costs_stays_and_what_it_is_called_may_change(api: Api, name: str, state: str) -> None:
    price, _ = _price(api, state, True)
    if state == "used":
        subscribe(api, clocked(api)[1], price)
    answer = api.post(f"/v1/prices/{price}", **{name: (KEPT | CHANGED)[name]})
    if name in KEPT:
        assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "parameter_unknown", name)
    else:
        assert answer.status == (404 if state == "deleted" else 200), answer


# -- products


def _product(api: Api, state: str) -> str:
    product: str = api.ok("post", "/v1/products", name="Gold", active=state != "inactive")["id"]
    if "price" in state:
        price = api.ok("post", "/v1/prices", currency="usd", unit_amount=1000, product=product)["id"]
        if "inactive" in state:
            api.ok("post", f"/v1/prices/{price}", active=False)
    elif "plan" in state:
        of = {"amount": 1000, "currency": "usd", "interval": "month", "product": product}
        api.ok("delete", f"/v1/plans/{api.ok('post', '/v1/plans', **of)['id']}")
    elif state == "deleted":
        api.ok("delete", f"/v1/products/{product}")
    return product


PRODUCTS = ("active", "inactive", "with a price", "with an inactive price", "with a deleted plan", "deleted")


@pytest.mark.parametrize("state", PRODUCTS)
def test_a_product_is_deleted_while_it_has_no_price(api: Api, state: str) -> None:
    answer = api.delete(f"/v1/products/{_product(api, state)}")
    if "price" in state:
        assert answer.status == 400
        assert (
            "This product cannot be deleted because it has one or more user-created prices." in answer.error["message"]
        )
    else:
        assert answer.status == (404 if state == "deleted" else 200)


@rule_table
@pytest.mark.parametrize("state", PRODUCTS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("active", False),
        ("description", "Pure"),
        ("images", ["https://shop.example/gold.png"]),
        ("marketing_features", [{"name": "Shines"}]),
        ("metadata", {"a": "b"}),
        ("name", "Silver"),
        ("package_dimensions", {"height": 1, "length": 1, "weight": 1, "width": 1}),
        ("shippable", True),
        ("statement_descriptor", "GOLD"),
        ("unit_label", "bar"),
        ("url", "https://shop.example/gold"),
    ],
)
def test_a_product_may_change_until_it_is_deleted(api: Api, name: str, value: object, state: str) -> None:
    product = _product(api, state)
    answer = api.post(f"/v1/products/{product}", **{name: value})
    assert answer.status == (404 if state == "deleted" else 200), answer
    assert api.post(f"/v1/products/{product}", id="gold").error["param"] == "id"


@pytest.mark.parametrize("state", PRODUCTS)
def test_a_product_has_new_prices_until_it_is_deleted(api: Api, state: str) -> None:
    product, price = _product(api, state), {"currency": "usd", "unit_amount": 500}
    _, who = clocked(api)
    answers = {
        "product": api.post("/v1/prices", product=product, **price),
        "product of a plan": api.post("/v1/plans", product=product, amount=500, currency="usd", interval="month"),
        "line_items[0][price_data][product]": api.post(
            "/v1/payment_links", line_items=[{"price_data": {"product": product, **price}, "quantity": 1}]
        ),
        "price_data[product]": api.post("/v1/invoiceitems", customer=who, price_data={"product": product, **price}),
    }
    for param, answer in answers.items():
        assert answer.status == (400 if state == "deleted" else 200), (param, answer)
        if state == "deleted":
            assert (answer.error["code"], answer.error["param"]) == ("resource_missing", param.split(" ")[0])
