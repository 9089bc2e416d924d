"""The receipt page of a charge (``receipt_url``): merchant, amount, payment method, and refunds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.payments.charges import kinds
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import receipt_links
from tollkey.wire import Call, Endpoint, P, Reply
from tollkey.wire.hosted import html_page

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge
    from tollkey.wire import operations

_BRANDS = {"amex": "American Express", "diners": "Diners Club", "jcb": "JCB", "unionpay": "UnionPay"}
_MOST_REFUNDS = 100


def page(call: Call, params: operations.GetReceiptsToken) -> Reply:
    """Show the receipt."""
    charge = call.objects.get(kinds.CHARGE, call.path["id"])
    name = receipt_links.business_name(call)
    rows = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in _rows(call, charge))
    last, amount = _last_row(charge)
    total = f"<dt>{escape(last)}</dt><dd>{escape(amount)}</dd>"
    test = "" if call.livemode else '<p class="note">Test mode: no money was moved.</p>'
    note = f"<p>{escape(charge['description'])}</p>" if charge["description"] else ""
    body = f'<h1>Receipt from {escape(name)}</h1>{note}<dl>{rows}</dl><dl class="total">{total}</dl>{test}'
    return html_page(f"Receipt from {name}", body)


def _rows(call: Call, charge: StoredCharge) -> list[tuple[str, str]]:
    currency = charge["currency"]
    rows = [("Date", _day(charge["created"])), ("Payment method", _method(charge))]
    if charge["receipt_number"]:
        rows.insert(0, ("Receipt number", charge["receipt_number"]))
    rows.append(("Amount", shared_currency.show(charge["amount"], currency)))
    if not charge["captured"]:
        rows.append(("Status", "Canceled" if charge["refunded"] else "Authorized, not charged yet"))
    elif charge["amount_captured"] != charge["amount"]:
        rows.append(("Charged of it", shared_currency.show(charge["amount_captured"], currency)))
    for refund in reversed(call.objects.query(kinds.REFUND, {"charge": charge["id"]}, limit=_MOST_REFUNDS)):
        if refund["status"] in ("succeeded", "pending"):
            rows.append((f"Refunded on {_day(refund['created'])}", shared_currency.show(-refund["amount"], currency)))
    return rows


def _last_row(charge: StoredCharge) -> tuple[str, str]:
    if not charge["captured"]:
        return "Amount paid", shared_currency.show(0, charge["currency"])
    label = (
        "Amount paid"
        if charge["amount_refunded"] == charge["amount"] - charge["amount_captured"]
        else "Paid after refunds"
    )
    return label, shared_currency.show(charge["amount"] - charge["amount_refunded"], charge["currency"])


def _day(at: int) -> str:
    when = datetime.fromtimestamp(at, UTC)
    return f"{when:%B} {when.day}, {when.year}"


def _method(charge: StoredCharge) -> str:
    """Return how the receipt names the payment method: a card by brand and last four digits, others by their name."""
    details: Mapping[str, Any] = charge["payment_method_details"] or {}
    kind = str(details.get("type") or "card")
    inner = details.get(kind) or {}
    if kind == "card":
        brand = str(inner.get("brand") or "card")
        name = _BRANDS.get(brand, brand.capitalize())
    else:
        name = str(inner.get("bank_name") or kind.replace("_", " ").capitalize())
    return f"{name} •••• {inner['last4']}" if inner.get("last4") else name


PAGES = (Endpoint("GET", f"/{receipt_links.RECEIPT}/{{token}}", page, public=True, params=P.object()),)
