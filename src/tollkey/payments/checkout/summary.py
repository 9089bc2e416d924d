"""The order on a session's page: items, discounts, shipping, each tax, and what is due today."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from tollkey.payments.checkout.fields import asks_for_place
from tollkey.payments.checkout.known import amount_of, currency_of, price_of
from tollkey.payments.checkout.lines import breakdown
from tollkey.wire import Call
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredLine, StoredSession
    from tollkey.wire.languages import Language


def summary(call: Call, session: StoredSession, names: Mapping[str, str | None], language: Language) -> str:
    """Return the order and its costs as HTML. names: shipping rate id -> display name."""
    say = language.say
    if session["mode"] == "setup":
        return f"<p>{escape(say('Your payment method is saved for later. Nothing is charged now.'))}</p>"
    currency = currency_of(session)
    items = [_item(session, item, currency, language) for item in session["_lines"]]
    rows = [*_discounts(call, session, language)]
    details = session["total_details"]
    assert details is not None, "only sessions in mode setup add up to nothing"
    if details["amount_shipping"]:
        rate = value_at(session, "shipping_cost.shipping_rate")
        name = names.get(rate) if rate else None
        label = f"{say('Shipping')} ({name})" if name else say("Shipping")
        rows.append((label, language.amount(details["amount_shipping"], currency)))
    rows += _taxes(call, session, language)
    if asks_for_place(session):
        rows.append((say("Tax"), say("on the next page")))
    if rows:
        rows.insert(0, (say("Subtotal"), language.amount(session["amount_subtotal"] or 0, currency)))
    total = f"{language.amount(amount_of(session), currency)} {currency.upper()}"
    sums = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in rows)
    return (
        f"<dl>{''.join(items)}</dl>"
        + (f'<dl class="sums">{sums}</dl>' if sums else "")
        + f'<dl class="total"><dt>{escape(say("Total due today"))}</dt><dd>{escape(total)}</dd></dl>'
    )


def _item(session: StoredSession, item: StoredLine, currency: str, language: Language) -> str:
    """Return an item with its quantity, the price of one, and how often it is billed."""
    price, notes = price_of(item), list[str]()
    count = f" × {item['quantity']}" if (item["quantity"] or 1) != 1 else ""
    if count and price["unit_amount"] is not None and price["currency"] == currency:
        notes.append(language.say("{amount} each", amount=language.amount(price["unit_amount"], currency)))
    if price["recurring"]:
        data, whole = session["_subscription_data"], item["_recurs"]
        every = language.every(price["recurring"]["interval"], price["recurring"]["interval_count"])
        if (data.get("trial_period_days") or data.get("trial_end")) and whole is not None:
            every = language.say(
                "{amount} after a free trial, {every}", amount=language.amount(whole, currency), every=every
            )
        notes.append(every)
    below = "".join(f'<span class="note">{escape(note)}</span>' for note in notes)
    amount = escape(language.amount(item["amount_subtotal"], currency))
    return f"<dt>{escape(item['description'] or '')}{count}{below}</dt><dd>{amount}</dd>"


def _discounts(call: Call, session: StoredSession, language: Language) -> list[tuple[str, str]]:
    """Return each discount with the name of its coupon."""
    rows, off = [], value_at(session, "total_details.amount_discount") or 0
    for entry in breakdown(call, session)["discounts"]:
        coupon = call.objects.find("coupon", value_at(entry, "discount.source.coupon") or "")
        name = (coupon and coupon["name"]) or language.say("Discount")
        rows.append((str(name), language.amount(-entry["amount"], currency_of(session))))
    return rows or ([(language.say("Discount"), language.amount(-off, currency_of(session)))] if off else [])


def _taxes(call: Call, session: StoredSession, language: Language) -> list[tuple[str, str]]:
    """Return each tax with its rate."""
    rows, currency = [], currency_of(session)
    for tax in breakdown(call, session)["taxes"]:
        rate = tax["rate"]
        label = f"{rate['display_name']} {language.percent(rate['percentage'])}"
        label += " " + language.say("(included)") if rate["inclusive"] else ""
        rows.append((label, language.amount(tax["amount"], currency)))
    whole = value_at(session, "total_details.amount_tax") or 0
    return rows or ([(language.say("Tax"), language.amount(whole, currency))] if whole else [])
