"""What is bought, as the customer may change it on the page: quantities, amounts of their own choice, and optional
items.
"""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.payments.checkout.steps import again, fill, line, page, path_of, post, price, session
from tests.support.api import Api


def test_a_quantity_that_may_be_changed_is_changed_on_the_page(api: Api) -> None:
    made = session(
        api,
        line_items=[{**line(), "adjustable_quantity": {"enabled": True, "minimum": 1, "maximum": 5}}],
        expand=["line_items"],
    )
    name = f"quantity[{made['line_items']['data'][0]['id']}]"
    post(api, path_of(made) + "/order", **{name: "9"})
    assert again(api, made)["amount_total"] == 3000
    assert post(api, path_of(made) + "/order", **{name: "3"}).status == 303
    assert again(api, made)["amount_total"] == 4500


def extra_price(api: Api, **params: Any) -> str:
    return str(api.ok("POST", "/v1/prices", currency="usd", product_data={"name": "Extra"}, **params)["id"])


def test_an_amount_of_the_customers_choice_is_typed_on_the_page(api: Api) -> None:
    own = extra_price(api, custom_unit_amount={"enabled": True, "minimum": 500, "maximum": 5000})
    made = session(api, line_items=[{"price": own, "quantity": 1}])
    assert (made["amount_total"], made["payment_status"]) == (0, "unpaid")
    field = re.search(r'name="(amount\[[^"]+\])"', page(api, made))
    assert field
    refused = post(api, path_of(made) + "/order", **{field[1]: "1"})
    assert f'id="{field[1]}-error"' in refused.body.decode()
    assert post(api, path_of(made) + "/order", **{field[1]: "12.50"}).status == 303
    assert fill(api, path_of(made)).status == 303
    assert api.get(f"/v1/payment_intents/{again(api, made)['payment_intent']}")["amount"] == 1250


@pytest.mark.parametrize("typed", ["1e999990", "1e99999999", "-1e3", "NaN", "\uff15", "1_000"])
def test_an_amount_that_is_no_number_as_people_write_them_is_refused_at_once(api: Api, typed: str) -> None:
    """A number of a million digits, which an exponent writes in eight letters, would hold up everybody."""
    own = extra_price(api, custom_unit_amount={"enabled": True})
    made = session(api, line_items=[{"price": own, "quantity": 1}], expand=["line_items"])
    field = f"amount[{made['line_items']['data'][0]['id']}]"
    began = time.thread_time()
    refused = post(api, path_of(made) + "/order", **{field: typed})
    assert (refused.status, time.thread_time() - began < 1) == (402, True)
    assert f'id="{field}-error"' in refused.body.decode()
    assert again(api, made)["amount_total"] == 0


def test_an_optional_item_is_added_and_taken_away(api: Api) -> None:
    extra = extra_price(api, unit_amount=300)
    made = session(api, optional_items=[{"price": extra, "quantity": 1}])
    post(api, path_of(made) + "/order", **{f"add[{extra}]": "1"})
    assert again(api, made)["amount_total"] == 3300
    assert "checked" in page(api, made)
    post(api, path_of(made) + "/order")
    assert again(api, made)["amount_total"] == 3000


@pytest.mark.parametrize("path", ["/v1/checkout/sessions", "/v1/payment_links"])
def test_an_optional_item_is_sold_in_the_currency_of_the_others(api: Api, path: str) -> None:
    euros = {"currency": "eur", "unit_amount": 500, "product_data": {"name": "Socks"}}
    optional = [{"price": api.ok("post", "/v1/prices", **euros)["id"], "quantity": 1}]
    own = {"mode": "payment", "success_url": "https://a.example"} if path.endswith("sessions") else {}
    refused = api.post(path, **own, line_items=[line()], optional_items=optional)
    assert (refused.status, refused.error["param"]) == (400, "optional_items[0][price]")


@pytest.mark.parametrize("path", ["/v1/checkout/sessions", "/v1/payment_links"])
@pytest.mark.parametrize(("bought", "offered", "status"), [
    (None, "month", 400), ("month", "year", 400), ("month", "same", 400), ("month", "month", 200), ("month", None, 200),
])  # fmt: skip
def test_an_optional_item_is_one_that_the_customer_could_add(
    api: Api, path: str, bought: str | None, offered: str | None, status: int
) -> None:
    def priced(interval: str | None) -> str:
        return price(api, **({"recurring": {"interval": interval}} if interval else {}))

    first = priced(bought)
    optional = [{"price": first if offered == "same" else priced(offered), "quantity": 1}]
    mode = {"mode": "subscription" if bought else "payment", "success_url": "https://a.example"}
    own = mode if path.endswith("sessions") else {}
    answer = api.post(path, **own, line_items=[{"price": first, "quantity": 1}], optional_items=optional)
    assert answer.status == status
    if status == 400:
        assert answer.error["param"] == "optional_items[0][price]"
