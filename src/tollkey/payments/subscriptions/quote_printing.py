"""Quotes as documents."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tollkey.payments.documents import parties, printed
from tollkey.payments.subscriptions import kinds, quote_rules
from tollkey.wire import Call
from tollkey.wire.languages import Language
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import OrderedLine
    from tollkey.payments.subscriptions.stored import StoredQuote


def quote_document(call: Call, quote: StoredQuote, language: Language) -> printed.Document:
    """Return a quote as a document."""
    say, currency = language.say, quote_rules.currency_of(quote)
    business = parties.seller(call, language, value_at(quote, "invoice_settings.account_tax_ids"))
    at = quote["status_transitions"]["finalized_at"] or quote["created"]
    facts = [
        (say("Quote number"), quote["number"] or ""),
        (say("Date of issue"), language.day(at)),
        (say("Valid until"), language.day(quote["expires_at"])),
    ]
    details = quote["total_details"]
    found = [printed.Sum(say("Subtotal"), language.amount(quote["amount_subtotal"], currency))]
    if details["amount_discount"]:
        found.append(printed.Sum(say("Discount"), language.amount(-details["amount_discount"], currency)))
    found += _taxes(call, quote, currency, language)
    found.append(printed.Sum(say("Total"), language.amount(quote["amount_total"], currency), True))
    return printed.Document(
        language=language,
        title=say("Quote"),
        business=business.lines[0],
        facts=facts,
        parties=[business, *_customer(call, quote, language)],
        headline=quote["header"] or "",
        columns=(say("Description"), say("Quantity"), say("Unit price"), say("Amount")),
        rows=[_row(line, language) for line in quote["_items"]],
        sums=found,
        notes=[quote["description"] or ""],
        footer=quote["footer"] or "",
    )


def _customer(call: Call, quote: StoredQuote, language: Language) -> list[printed.Party]:
    """Return the customer of a quote, if it has one yet."""
    customer = call.objects.find(kinds.CUSTOMER, quote["customer"] or "")
    if customer is None:
        return []
    address = parties.address_lines(customer["address"] or {}, language)
    lines = (customer["name"], *address, customer["email"])
    return [printed.Party(language.say("Prepared for"), tuple(line for line in lines if line))]


def _row(line: OrderedLine, language: Language) -> printed.Row:
    price = quote_rules.price_of(line)
    amount, recurring = price["unit_amount_decimal"], price["recurring"]
    cells = (
        line["description"] or "",
        str(line["quantity"] or ""),
        "" if amount is None else language.unit_price(Decimal(amount), line["currency"]),
        language.amount(line["amount_subtotal"], line["currency"]),
    )
    return printed.Row(
        cells, (language.every(recurring["interval"], recurring["interval_count"]),) if recurring else ()
    )


def _taxes(call: Call, quote: StoredQuote, currency: str, language: Language) -> list[printed.Sum]:
    """Return the tax of a quote, with the rates that it comes from: a quote does not keep what each of them adds."""
    amount = quote["total_details"]["amount_tax"]
    ids = dict.fromkeys(id for line in quote["_items"] for id in line["_rates"] or quote["default_tax_rates"])
    rates = [rate for id in ids if (rate := call.objects.find(kinds.TAX_RATE, id)) is not None]
    if not amount:
        return []
    names = [f"{rate['display_name']} {language.percent(rate['percentage'])}" for rate in rates]
    label = ", ".join(names) or language.say("Tax")
    included = " " + language.say("(included)") if rates and all(rate["inclusive"] for rate in rates) else ""
    return [printed.Sum(label + included, language.amount(amount, currency))]
