"""The order on the page: what each thing costs, what is taken off and added, and what is due today."""

from __future__ import annotations

import re
from html import unescape

from tests.payments.checkout.steps import line, page, session
from tests.support.api import Api


def rows(html: str) -> list[tuple[str, str]]:
    """The labels of the order with their amounts, without notes."""
    pairs = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html)
    return [(unescape(re.sub(r"<span.*?</span>", "", label)), unescape(text)) for label, text in pairs]


def test_the_order_lists_items_discount_each_tax_and_the_total(api: Api) -> None:
    vat = api.ok("POST", "/v1/tax_rates", display_name="VAT <1>", percentage=20, inclusive=False)["id"]
    local = api.ok("POST", "/v1/tax_rates", display_name="City", percentage=2.5, inclusive=False)["id"]
    api.ok("POST", "/v1/coupons", id="ten", amount_off=1_000, currency="usd", duration="once", name="Welcome")
    made = session(api, line_items=[{**line(1_500), "quantity": 2, "tax_rates": [vat, local]}],
                   discounts=[{"coupon": "ten"}])  # fmt: skip
    html = page(api, made)
    assert rows(html)[1:6] == [
        ("Subtotal", "$30.00"),
        ("Welcome", "-$10.00"),
        ("VAT <1> 20%", "$4.00"),
        ("City 2.5%", "$0.50"),
        ("Total due today", "$24.50 USD"),
    ]
    assert '<span class="note">$15.00 each</span>' in html


def test_the_order_stands_before_the_form(api: Api) -> None:
    html = page(api, session(api))
    assert html.index('class="order"') < html.index("Total due today") < html.index('class="pay"')
    assert '<main class="wide">' in html


def test_the_order_is_in_the_session_s_language(api: Api) -> None:
    html = page(api, session(api, locale="de"))
    assert '<html lang="de">' in html
    assert ("Heute fällig", "30,00\xa0$ USD") in rows(html)
    assert "30,00\xa0$ bezahlen</button>" in html
