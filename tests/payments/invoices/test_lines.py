"""Invoice lines: made from subscription items, invoice items and single amounts, and added up."""

from __future__ import annotations

from tests.payments.invoices.steps import customer, draft
from tests.support.api import Api


def test_a_coupon_and_a_tax_change_the_total_line_by_line(api: Api) -> None:
    coupon = api.ok("post", "/v1/coupons", percent_off=25)["id"]
    rate = api.ok("post", "/v1/tax_rates", display_name="VAT", inclusive=False, percentage=20)["id"]
    invoice = draft(api, customer(api), 1000, discounts=[{"coupon": coupon}], default_tax_rates=[rate])
    assert (invoice["subtotal"], invoice["total_excluding_tax"], invoice["total"]) == (1000, 750, 900)
    assert invoice["lines"]["data"][0]["discount_amounts"][0]["amount"] == 250
    assert api.get(f"/v1/coupons/{coupon}")["times_redeemed"] == 1
