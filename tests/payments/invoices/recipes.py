"""How tests make the objects of ``payments.invoices`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.payments.customers.recipes import paying_customer
from tests.payments.intents.recipes import paid_intent
from tests.payments.subscriptions.recipes import new_subscription, with_bad_card
from tests.support.recipes import DAY, META, Body, Json, Maker, Visit


def _draft(m: Maker, **more: Any) -> Json:
    customer = paying_customer(m)["id"]
    m.post("/v1/invoiceitems", customer=customer, amount=1200, currency="usd")
    return m.post(
        "/v1/invoices", customer=customer, pending_invoice_items_behavior="include", auto_advance=False, **more
    )


def open_invoice(m: Maker, **more: Any) -> Json:
    return m.post(f"/v1/invoices/{_draft(m, **more)['id']}/finalize")


def paid_invoice(m: Maker) -> Json:
    return m.post(f"/v1/invoices/{open_invoice(m)['id']}/pay")


def _line_item(m: Maker) -> Json:
    invoice = _draft(m)
    return {**m.first(f"/v1/invoices/{invoice['id']}/lines"), "invoice": invoice["id"]}


def _invoice_of_line(m: Maker) -> list[str]:
    line = _line_item(m)
    m.held["line"] = line["id"]
    return [line["invoice"]]


def _renewed(m: Maker) -> None:
    """A subscription whose second invoice is a draft."""
    new_subscription(m)
    m.api.advance(32 * DAY)


def _renewal_fails(m: Maker) -> None:
    with_bad_card(m)
    m.api.advance(32 * DAY)
    m.api.advance(3_600)


COLLECTIONS = {
    "/v1/invoices/{}/lines": "line_item",
}


PARENT_FIELDS = {
    ("line_item", "invoice"): "invoice",
}


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "credit_note": lambda m: m.post("/v1/credit_notes", invoice=open_invoice(m)["id"], amount=100),
    "invoice": _draft,
    "invoice_payment": lambda m: m.first("/v1/invoice_payments", invoice=open_invoice(m)["id"]),
    "line_item": _line_item,
}


BODIES: dict[str, Body] = {
    "POST /v1/credit_notes": lambda m: {"invoice": open_invoice(m)["id"], "amount": 100},
    "POST /v1/credit_notes/{}": META,
    "GET /v1/credit_notes/preview": lambda m: {"invoice": open_invoice(m)["id"], "amount": 100},
    "GET /v1/credit_notes/preview/lines": lambda m: {"invoice": open_invoice(m)["id"], "amount": 100},
    "GET /v1/invoices/search": {"query": "status:'open'"},
    "POST /v1/invoiceitems": lambda m: {"customer": m.id("customer"), "amount": 1200, "currency": "usd"},
    "POST /v1/invoiceitems/{}": META,
    "POST /v1/invoices": lambda m: {"customer": m.id("customer")},
    "POST /v1/invoices/{}": META,
    "POST /v1/invoices/{}/add_lines": {"lines": [{"amount": 100, "description": "More"}]},
    "POST /v1/invoices/{}/lines/{}": {"description": "Changed"},
    "POST /v1/invoices/{}/remove_lines": lambda m: {"lines": [{"id": m.held.get("line") or m.id("line_item"),
    "behavior": "delete"}]},
    "POST /v1/invoices/{}/update_lines": lambda m: {"lines": [{"id": m.held.get("line") or m.id("line_item"),
    "description": "Changed"}]},
    "POST /v1/invoices/{}/attach_payment": lambda m: {"payment_intent": paid_intent(m)["id"]},
    "POST /v1/credit_notes/{}/void": {},
}  # fmt: skip


PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "POST /v1/invoices/{}/attach_payment": lambda m: [open_invoice(m)["id"]],
    "POST /v1/invoices/{}/mark_uncollectible": lambda m: [open_invoice(m)["id"]],
    "POST /v1/invoices/{}/pay": lambda m: [open_invoice(m)["id"]],
    "POST /v1/invoices/{}/remove_lines": lambda m: _invoice_of_line(m),
    "POST /v1/invoices/{}/update_lines": lambda m: _invoice_of_line(m),
    "POST /v1/invoices/{}/send": lambda m: [open_invoice(m, collection_method="send_invoice", days_until_due=30)["id"]],
    "POST /v1/invoices/{}/void": lambda m: [open_invoice(m)["id"]],
}


DUE: dict[str, Callable[[Maker], object]] = {
    "invoice.advance": _renewed,
    "invoice.overdue": lambda m: open_invoice(m, collection_method="send_invoice", days_until_due=3),
    "invoice.retry": _renewal_fails,
}


def _typed(card: Json) -> Json:
    """A card as it is typed into the page of an invoice."""
    return {"number": card["number"], "expiry": f"{card['exp_month']} / {card['exp_year']}", "cvc": card["cvc"]}


VISITS: dict[str, tuple[Callable[[Maker, Json], Visit], ...]] = {
    "POST /i/{token}/pay": (lambda m, card: Visit(open_invoice(m)["id"], _typed(card)),),
}
