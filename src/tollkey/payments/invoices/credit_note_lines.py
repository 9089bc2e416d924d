"""Lines of credit notes: what each credits of an invoice line, or on its own, with its discounts and taxes.

Sources: the descriptions of the parameters in Stripe's OpenAPI document, and the guides "Generate credit notes
programmatically" and "Manual tax amounts" of docs.stripe.com/invoicing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tollkey.ledger import Money
from tollkey.payments.catalog import arithmetic, pricing
from tollkey.payments.invoices import kinds, manual_taxes
from tollkey.payments.invoices.lines import tax_entry
from tollkey.payments.invoices.rules import check_credit_line
from tollkey.payments.shared import fields, rounding
from tollkey.payments.tax import automatic
from tollkey.wire import Call, invalid, new_object
from tollkey.wire.errors import missing_object, missing_param

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice, TaxEntry
    from tollkey.wire import api


def build_lines(
    call: Call, invoice: StoredInvoice, wanted: Iterable[Mapping[str, Any]], earlier: Iterable[api.CreditNote]
) -> list[api.CreditNoteLineItem]:
    """Return the lines that the entries of ``lines`` describe; nothing is stored.

    earlier: the credit notes that the invoice has. Raises ApiError 400, naming the entry, for one that is not allowed.
    """
    credited = [line for note in earlier if note["status"] == "issued" for line in note["lines"]["data"]]
    made: list[api.CreditNoteLineItem] = []
    for place, entry in enumerate(wanted):
        made.append(_line(call, invoice, entry, f"lines[{place}]", [*credited, *made]))
    return made


def _line(
    call: Call,
    invoice: StoredInvoice,
    entry: Mapping[str, Any],
    named: str,
    credited: Sequence[api.CreditNoteLineItem],
) -> api.CreditNoteLineItem:
    """Return the line of one entry. named: the entry in messages, ``lines[0]``. credited: the lines before it."""
    check_credit_line(invoice, entry, named)
    source = _source(invoice, entry, named) if entry["type"] == "invoice_line_item" else None
    quantity = fields.given(entry, "quantity", source["quantity"] if source else 1)
    amount, unit = _price(entry, source, quantity or 1, named)
    if source is not None:
        _check_way(source, amount, unit is None, named, credited)
    elif amount < 0:
        raise invalid("You can't credit a negative amount on a custom line item.", f"{named}[unit_amount]")
    off = _discounts(source, amount) if source else []
    less = sum(one["amount"] for one in off)
    whole_unit, unit_text = pricing.forms_of(unit) if unit is not None else (None, None)
    line = new_object(
        kinds.CREDIT_NOTE_LINE,
        id=call.ids.new("cnli"),
        amount=amount - less,
        description=entry.get("description") or (source["description"] if source else None),
        discount_amount=less,
        discount_amounts=off,
        livemode=call.livemode,
        quantity=quantity,
        taxes=_taxes(call, invoice, entry, source, amount, named),
        type=entry["type"],
        unit_amount=whole_unit,
        unit_amount_decimal=unit_text,
    )
    line["metadata"] = fields.new_metadata(entry)
    if source:
        line["invoice_line_item"] = source["id"]
    return line


def _source(invoice: StoredInvoice, entry: Mapping[str, Any], named: str) -> api.LineItem:
    """Return the invoice line that an entry credits. Raises ApiError 400 if the invoice does not have it."""
    for line in invoice["lines"]["data"]:
        if line["id"] == entry.get("invoice_line_item"):
            return line
    raise missing_object("line_item", str(entry.get("invoice_line_item")), f"{named}[invoice_line_item]", in_path=False)


def _price(
    entry: Mapping[str, Any], source: api.LineItem | None, quantity: int, named: str
) -> tuple[int, Decimal | None]:
    """Return the amount before discounts and taxes, and the price of one unit, both in minor units.

    The price is None if only an amount was given. Raises ApiError 400 if neither is known.
    """
    if entry.get("amount") is not None:
        return entry["amount"], None
    if entry.get("unit_amount") is not None or entry.get("unit_amount_decimal") is not None:
        unit = Decimal(str(fields.given(entry, "unit_amount_decimal", entry.get("unit_amount"))))
    elif source:
        unit = Decimal(source["amount"]) / (source["quantity"] or 1)
    else:
        raise invalid(
            "You must specify `unit_amount` or `amount` for a custom line item.",
            f"{named}[unit_amount]",
            "parameter_missing",
        )
    return rounding.price_amount(unit, quantity), unit


def _check_way(
    source: api.LineItem,
    amount: int,
    by_amount: bool,
    named: str,
    credited: Iterable[api.CreditNoteLineItem],
) -> None:
    """Raise ApiError 400 if a line is credited in another way than before, or a negative line by more than it is.

    amount: minor units. by_amount: whether an amount was given, not a quantity.
    """
    before = [line for line in credited if line.get("invoice_line_item") == source["id"]]
    if any((line.get("unit_amount_decimal") is None) != by_amount for line in before):
        way, other = ("quantity", "amount") if by_amount else ("amount", "quantity")
        raise invalid(
            f"This line item was credited by {way} before, so it cannot be credited by {other}.", f"{named}[{other}]"
        )
    whole = amount + sum(line["amount"] + line["discount_amount"] for line in before)
    if source["amount"] < 0 and not source["amount"] <= whole < 0:
        raise invalid(
            "The total amount credited to a negative line item must be negative and can't be less than the line item"
            f" amount ({source['amount']}).",
            f"{named}[amount]" if by_amount else f"{named}[quantity]",
        )


def _discounts(source: api.LineItem, amount: int) -> list[api.DiscountsResourceDiscountAmount]:
    """Return the discounts of a line in proportion to the credited amount (minor units)."""
    whole = source["amount"] or amount
    return [
        {"amount": rounding.proportion(one["amount"], amount, whole), "discount": one["discount"]}
        for one in source.get("discount_amounts") or []
    ]


def _taxes(
    call: Call,
    invoice: StoredInvoice,
    entry: Mapping[str, Any],
    source: api.LineItem | None,
    amount: int,
    named: str,
) -> list[TaxEntry]:
    """Return the taxes of a line: its own, or those of the invoice line in proportion to the amount (minor units).

    Raises ApiError 400 for a line with manual tax amounts that are not given.
    """
    if entry.get("tax_amounts"):
        return manual_taxes.of_rates(call, entry["tax_amounts"], named)
    if entry.get("tax_rates"):
        rates = [
            automatic.rate_of(call, id, f"{named}[tax_rates][{place}]") for place, id in enumerate(entry["tax_rates"])
        ]
        line = arithmetic.Line(Money(amount, invoice["currency"]), rates=rates)
        arithmetic.compute([line], currency=invoice["currency"])
        return [tax_entry(tax) for tax in line.taxes]
    if source is None:
        return []
    if manual_taxes.of_line(invoice, source["id"]):
        raise missing_param(f"{named}[tax_amounts]")
    whole = source["amount"] or amount
    return [
        {
            **tax,
            "amount": rounding.proportion(tax["amount"], amount, whole),
            "taxable_amount": rounding.proportion(tax["taxable_amount"] or 0, amount, whole),
        }
        for tax in source.get("taxes") or []
    ]
