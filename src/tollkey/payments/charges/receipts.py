"""The receipt of a charge (``receipt_url``), as a page and as PDF: merchant, amount, payment method, and refunds."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.payments.charges import kinds
from tollkey.payments.documents import brand, icons, parties, printed
from tollkey.payments.shared import receipt_links
from tollkey.wire import Call, Endpoint, P, Reply
from tollkey.wire.languages import Language

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge
    from tollkey.wire import operations

_MOST_REFUNDS = 100


def page(call: Call, params: operations.GetReceiptsToken) -> Reply:
    """Show the receipt."""
    charge = call.objects.get(kinds.CHARGE, call.path["id"])
    language = parties.language_of(call, charge["customer"])
    say = language.say
    test = "" if call.livemode else f'<p class="note">{escape(say("Test mode: no money was moved."))}</p>'
    note = f"<p>{escape(charge['description'])}</p>" if charge["description"] else ""
    amounts = [*_amounts(call, charge, language), _last_row(charge, language)]
    big = f'<p class="big">{escape(amounts[-1][1])}</p>'
    body = (
        big
        + note
        + brand.rows(_facts(charge, language))
        + brand.rows(amounts[:-1])
        + brand.rows(amounts[-1:], "total")
        + brand.button(
            f"/{receipt_links.RECEIPT}/{call.path['token']}/pdf", say("Download receipt as PDF"), second=True
        )
        + test
    )
    name = receipt_links.business_name(call)
    return brand.page(call, language, say("Receipt from {business}", business=name), body)


def pdf(call: Call, params: operations.GetReceiptsTokenPdf) -> Reply:
    """Return the receipt as a PDF."""
    charge = call.objects.get(kinds.CHARGE, call.path["id"])
    language = parties.language_of(call, charge["customer"])
    say, business, last = language.say, parties.seller(call, language), _last_row(charge, language)
    payer = charge["billing_details"]
    address = parties.address_lines(payer["address"] or {}, language)
    lines = [line for line in (payer["name"], *address, payer["email"] or charge["receipt_email"]) if line]
    amounts = [*_amounts(call, charge, language), last]
    document = printed.Document(
        language=language,
        title=say("Receipt"),
        business=business.lines[0],
        facts=_facts(charge, language),
        parties=[business, *([printed.Party(say("Paid by"), tuple(lines))] if lines else [])],
        headline=f"{last[0]}: {last[1]}",
        columns=(say("Description"), say("Amount")),
        rows=[
            printed.Row(
                (charge["description"] or say("Payment"), language.amount(charge["amount"], charge["currency"]))
            )
        ],
        sums=[printed.Sum(label, amount, place == len(amounts) - 1) for place, (label, amount) in enumerate(amounts)],
        notes=[] if call.livemode else [say("Test mode: no money was moved.")],
    )
    return printed.reply(document, charge["receipt_number"] or charge["id"])


def _facts(charge: StoredCharge, language: Language) -> list[tuple[str, str]]:
    """Return number, date and payment method."""
    say = language.say
    number = charge["receipt_number"]
    return [
        *([(say("Receipt number"), number)] if number else []),
        (say("Date"), language.day(charge["created"])),
        (say("Payment method"), _method(charge)),
    ]


def _amounts(call: Call, charge: StoredCharge, language: Language) -> list[tuple[str, str]]:
    """Return the amount, what was charged of it, and each refund."""
    say, currency = language.say, charge["currency"]
    rows = [(say("Amount"), language.amount(charge["amount"], currency))]
    if not charge["captured"]:
        rows.append((say("Status"), say("Canceled") if charge["refunded"] else say("Authorized, not charged yet")))
    elif charge["amount_captured"] != charge["amount"]:
        rows.append((say("Charged of it"), language.amount(charge["amount_captured"], currency)))
    for refund in reversed(call.objects.query(kinds.REFUND, {"charge": charge["id"]}, limit=_MOST_REFUNDS)):
        if refund["status"] in ("succeeded", "pending"):
            label = say("Refunded on {date}", date=language.day(refund["created"]))
            rows.append((label, language.amount(-refund["amount"], currency)))
    return rows


def _last_row(charge: StoredCharge, language: Language) -> tuple[str, str]:
    """Return what was paid in the end."""
    if not charge["captured"]:
        return language.say("Amount paid"), language.amount(0, charge["currency"])
    whole = charge["amount_refunded"] == charge["amount"] - charge["amount_captured"]
    label = language.say("Amount paid") if whole else language.say("Paid after refunds")
    return label, language.amount(charge["amount"] - charge["amount_refunded"], charge["currency"])


def _method(charge: StoredCharge) -> str:
    """Return how the receipt names the payment method: a card by brand and last four digits, others by their name."""
    details: Mapping[str, Any] = charge["payment_method_details"] or {}
    kind = str(details.get("type") or "card")
    inner = details.get(kind) or {}
    if kind == "card":
        name = icons.brand_name(str(inner.get("brand") or "card"))
    else:
        name = str(inner.get("bank_name") or kind.replace("_", " ").capitalize())
    return f"{name} •••• {inner['last4']}" if inner.get("last4") else name


PAGES = (
    Endpoint("GET", f"/{receipt_links.RECEIPT}/{{token}}", page, public=True, params=P.object()),
    Endpoint("GET", f"/{receipt_links.RECEIPT}/{{token}}/pdf", pdf, public=True, params=P.object()),
)
