"""The page of a payment link says what is sold for how much before anything begins."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.support.api import Api


def price(api: Api, name: str, amount: int | None, **more: Any) -> str:
    product = api.ok("POST", "/v1/products", name=name)["id"]
    cost = {"unit_amount": amount} if amount is not None else {}
    return str(api.ok("POST", "/v1/prices", product=product, currency="eur", **cost, **more)["id"])


def shown(api: Api, items: list[dict[str, Any]], language: str = "") -> str:
    url = api.ok("POST", "/v1/payment_links", line_items=items)["url"]
    headers = {"accept-language": language}
    return api.send("GET", urlsplit(url).path, key=None, headers=headers).body.decode()


def test_a_link_shows_each_item_with_its_price_and_the_total(api: Api) -> None:
    items = [{"price": price(api, "Tea <b>", 1_200), "quantity": 2}, {"price": price(api, "Cup", 900), "quantity": 1}]
    html = shown(api, items)
    assert "<dt>Tea &lt;b&gt; × 2</dt><dd>€24.00</dd><dt>Cup</dt><dd>€9.00</dd>" in html
    assert '<dl class="total"><dt>Total</dt><dd>€33.00</dd></dl>' in html


def test_a_subscription_s_link_says_how_often_and_a_free_amount_that_it_is_free(api: Api) -> None:
    monthly = price(api, "Club", 900, recurring={"interval": "month", "interval_count": 3})
    assert "9,00\xa0€ alle 3 Monate" in shown(api, [{"price": monthly, "quantity": 1}], "de")
    free = price(api, "Gift", None, custom_unit_amount={"enabled": True})
    assert "You choose the amount" in shown(api, [{"price": free, "quantity": 1}])
