"""The document of a quote: what is offered, to whom, for how much and until when."""

from __future__ import annotations

from tests.payments.documents.steps import line_of, text_of
from tests.payments.subscriptions.steps import customer, plan
from tests.support.api import Api


def test_a_quote_names_its_texts_lines_taxes_and_how_long_it_is_valid(api: Api) -> None:
    texts = {"header": "Dear customer", "description": "Two seats", "footer": "With thanks"}
    vat = api.ok("POST", "/v1/tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"]
    who = customer(api)
    api.ok("POST", f"/v1/customers/{who}", name="Zoë Łukasz")
    items = [{"price": plan(api), "quantity": 2, "tax_rates": [vat]}]
    quote = api.ok("POST", "/v1/quotes", customer=who, line_items=items, **texts)
    final = api.ok("POST", f"/v1/quotes/{quote['id']}/finalize")
    pdf = api.send("GET", f"/v1/quotes/{quote['id']}/pdf").body
    shown = text_of(pdf)
    assert [text for text in (*texts.values(), "Zoë Łukasz", "per month") if text not in shown] == []
    assert line_of(pdf, "Quote number", final["number"], "Date of issue", "January 1, 2026")
    assert line_of(pdf, "Valid until", "January 31, 2026")
    total = f"${final['amount_total'] / 100:.2f}"
    assert line_of(pdf, "VAT 20%", f"${final['total_details']['amount_tax'] / 100:.2f}", "Total", total)


def test_a_quote_is_in_the_language_of_its_customer(api: Api) -> None:
    who = customer(api)
    api.ok("POST", f"/v1/customers/{who}", preferred_locales=["fr"])
    quote = api.ok("POST", "/v1/quotes", customer=who, line_items=[{"price": plan(api)}])
    api.ok("POST", f"/v1/quotes/{quote['id']}/finalize")
    assert "Devis" in text_of(api.send("GET", f"/v1/quotes/{quote['id']}/pdf").body)
