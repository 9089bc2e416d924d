"""How tests make the objects of ``payments.tax`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.recipes import META, Body, Json, Maker


def _tax_id(m: Maker) -> Json:
    customer = m.post("/v1/customers")["id"]
    return m.post(f"/v1/customers/{customer}/tax_ids", type="eu_vat", value="DE123456789")


def _with_tax(m: Maker) -> str:
    """An intent that names a tax calculation."""
    hooks = {"inputs": {"tax": {"calculation": m.make("tax.calculation")["id"]}}}
    made = m.post(
        "/v1/payment_intents", amount=2000, currency="usd", allowed_payment_method_types=["card"], hooks=hooks
    )
    found: str = made["id"]
    return found


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "tax_id": _tax_id,
}


BODIES: dict[str, Body] = {
    "POST /v1/customers/{}/tax_ids": {"type": "eu_vat", "value": "DE123456789"},
    "GET /v1/tax/associations/find": lambda m: {"payment_intent": _with_tax(m)},
    "POST /v1/tax/calculations": {
        "currency": "usd", "line_items": [{"amount": 1000, "reference": "L1"}],
        "customer_details": {"address": {"country": "US", "postal_code": "98109", "state": "WA"},
        "address_source": "shipping"}},
    "POST /v1/tax/registrations": {
        "active_from": "now", "country": "US", "country_options": {"us": {"state": "WA", "type": "state_sales_tax"}}},
    "POST /v1/tax/registrations/{}": {"expires_at": "now"},
    "POST /v1/tax/settings": {"defaults": {"tax_code": "txcd_10000000"}},
    "POST /v1/tax/transactions/create_from_calculation": lambda m: {
        "calculation": m.make("tax.calculation")["id"], "reference": f"order_{m.next()}"},
    "POST /v1/tax/transactions/create_reversal": lambda m: {
        "mode": "full", "original_transaction": m.make("tax.transaction")["id"], "reference": f"order_{m.next()}"},
    "POST /v1/tax_ids": {"type": "eu_vat", "value": "DE123456789"},
    "POST /v1/tax_rates": {"display_name": "VAT", "percentage": 19, "inclusive": False},
    "POST /v1/tax_rates/{}": META,
}  # fmt: skip


DUE: dict[str, Callable[[Maker], object]] = {
    "tax_id.verify": lambda m: m.make("tax_id"),
}
