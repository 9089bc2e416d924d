"""Credit notes as older API versions saw them."""

from __future__ import annotations

from tests.support.api import Api


def test_a_note_named_its_refund_and_told_taxes_as_amounts_until_basil(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", source="tok_visa")["id"]
    rate = api.ok("post", "/v1/tax_rates", display_name="VAT", percentage=10, inclusive=False)["id"]
    api.ok("post", "/v1/invoiceitems", customer=customer, amount=1000, currency="usd", tax_rates=[rate])
    invoice = api.ok("post", "/v1/invoices", customer=customer, pending_invoice_items_behavior="include")
    api.ok("post", f"/v1/invoices/{invoice['id']}/finalize")
    api.ok("post", f"/v1/invoices/{invoice['id']}/pay")
    line = invoice["lines"]["data"][0]["id"]
    lines = [{"type": "invoice_line_item", "invoice_line_item": line, "quantity": 1}]
    note = api.ok("post", "/v1/credit_notes", invoice=invoice["id"], lines=lines, refund_amount=1100)
    older = api.get(f"/v1/credit_notes/{note['id']}", headers={"Stripe-Version": "2024-06-20"})
    assert older["refund"] == note["refunds"][0]["refund"]
    assert [(tax["amount"], tax["tax_rate"]) for tax in older["tax_amounts"]] == [(100, rate)]
    shown = older["lines"]["data"][0]
    assert (shown["amount_excluding_tax"], shown["tax_rates"][0]["id"]) == (1000, rate)
    assert "refund" not in note
