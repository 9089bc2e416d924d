"""Changes of the order by the customer: quantities, chosen amounts, and optional items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import pricing
from tollkey.payments.checkout import kinds
from tollkey.payments.checkout.known import currency_of, language_of, price_of
from tollkey.payments.checkout.lines import make_items, total
from tollkey.payments.documents import forms
from tollkey.payments.shared import currency as shared_currency
from tollkey.wire import Call, invalid
from tollkey.wire.decimals import typed_amount
from tollkey.wire.languages import Language

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import AdjustableQuantity, LineEntry, OptionalItem, StoredLine, StoredSession
    from tollkey.wire import api, operations

_LONGEST = 12


def optional_items(call: Call, given: Sequence[Mapping[str, Any]], currency: str) -> list[OptionalItem]:
    """Return ``optional_items`` of a session or link in a currency (lower-case code).

    Raises ApiError 400 for an unknown price, and one that is not for sale or not in that currency.
    """
    made: list[OptionalItem] = []
    for place, entry in enumerate(given):
        param = f"optional_items[{place}][price]"
        price = call.objects.get(kinds.PRICE, entry["price"], param)
        pricing.check_sold(call, price, param)
        if pricing.in_currency(price, currency) is None:
            raise invalid(f"The price `{price['id']}` is not available in the currency `{currency}`.", param)
        rule = entry.get("adjustable_quantity")
        limits: AdjustableQuantity | None = (
            None
            if rule is None
            else {"enabled": rule["enabled"], "maximum": rule.get("maximum"), "minimum": rule.get("minimum")}
        )
        made.append({"adjustable_quantity": limits, "price": entry["price"], "quantity": entry["quantity"]})
    return made


def optional_prices(call: Call, given: Sequence[Mapping[str, Any]]) -> list[api.Price]:
    """Return the prices of the ``optional_items``. Raises ApiError 400 for an unknown one."""
    return [
        call.objects.get(kinds.PRICE, entry["price"], f"optional_items[{place}][price]")
        for place, entry in enumerate(given)
    ]


def order_form(call: Call, session: StoredSession, path: str, form: forms.Form) -> str:
    """Return the form that changes the order; empty if nothing can be changed. path: of the session's page."""
    fields = [field for item in session["_lines"] for field in _of_line(item, currency_of(session), form)]
    taken = {item.get("_optional") for item in session["_lines"]}
    for entry in session["optional_items"] or []:
        price = call.objects.get(kinds.PRICE, entry["price"])
        name = call.objects.get(kinds.PRODUCT, price["product"])["name"]
        ticked = " checked" if entry["price"] in taken else ""
        cost = form.language.amount((price["unit_amount"] or 0) * entry["quantity"], price["currency"])
        text = form.say("Add {name}: {amount}", name=name, amount=cost)
        fields.append(
            f'<label class="check"><input type="checkbox" name="add[{escape(entry["price"])}]" value="1"{ticked}>'
            f"<span>{escape(text)}</span></label>"
        )
    if not fields:
        return ""
    return (
        f'<form method="post" action="{path}/order">{"".join(fields)}'
        f'<button class="second">{escape(form.say("Change order"))}</button></form><hr>'
    )


def _of_line(item: StoredLine, currency: str, form: forms.Form) -> list[str]:
    """Return the fields of a line item: quantity and chosen amount. currency: lower-case code."""
    rule, custom = item.get("adjustable_quantity"), price_of(item)["custom_unit_amount"]
    made: list[str] = []
    if rule is not None and rule["enabled"]:
        least, most = rule.get("minimum") or 0, rule.get("maximum") or 99
        label = form.say("How many: {name}", name=item["description"] or form.say("items"))
        name, quantity = f"quantity[{item['id']}]", str(item["quantity"])
        made.append(form.input(name, label, value=quantity, type="number", min=str(least), max=str(most)))
    if custom:
        chosen = item["_amount"]
        value = Decimal(chosen).scaleb(-shared_currency.decimals(currency)) if chosen else ""
        made.append(
            form.input(
                f"amount[{item['id']}]",
                f"{form.say('Amount')} ({currency.upper()})",
                value=str(value),
                inputmode="decimal",
            )
        )
    return made


def change_order(call: Call, session: StoredSession, params: operations.PostPayTokenOrder) -> None:
    """Change the order as entered. Raises ApiError 400, with the field's name, for a value that is not allowed."""
    language = language_of(call, session)
    entries = [
        _entry(item, currency_of(session), params, language) for item in session["_lines"] if not item.get("_optional")
    ]
    ids = [item["id"] for item in session["_lines"] if not item.get("_optional")]
    added = params.get("add") or {}
    for one in session["optional_items"] or []:
        if one["price"] in added:
            entries.append({"price": one["price"], "quantity": one["quantity"], "_optional": one["price"]})
    if not any(entry["quantity"] for entry in entries):
        raise invalid("Choose at least one item.")
    made = make_items(call, entries, session["currency"])
    for place, id in enumerate(ids):
        made[place]["id"] = id
    session["_lines"] = made
    total(call, session)


def _entry(item: StoredLine, currency: str, params: operations.PostPayTokenOrder, language: Language) -> LineEntry:
    """Return a line item as parameters, with the entered quantity and amount."""
    rule, count = item.get("adjustable_quantity"), item["quantity"]
    wanted = (params.get("quantity") or {}).get(item["id"], "").strip()
    if rule is not None and rule["enabled"] and wanted:
        least, most = rule.get("minimum") or 0, rule.get("maximum") or 99
        count = int(wanted) if wanted.isdecimal() and len(wanted) < _LONGEST else -1
        if not least <= count <= most:
            told = language.say("Choose {least} to {most}.", least=least, most=most)
            raise invalid(told, f"quantity[{item['id']}]")
    return {
        "price": price_of(item)["id"], "quantity": count, "tax_rates": item["_rates"], "_inline": item["_inline"],
        "adjustable_quantity": item.get("adjustable_quantity"), "metadata": item["metadata"],
        "_amount": _amount(item, currency, params, language),
    }  # fmt: skip


def _amount(item: StoredLine, currency: str, params: operations.PostPayTokenOrder, language: Language) -> int | None:
    """Return the amount that the customer chose, in minor units. Raises ApiError 400 outside of the price's limits."""
    text = (params.get("amount") or {}).get(item["id"], "").strip()
    if not price_of(item)["custom_unit_amount"] or not text:
        return item["_amount"]
    return chosen_amount(item, typed_amount(text, currency), currency, language)


def chosen_amount(item: StoredLine, amount: int | None, currency: str, language: Language) -> int:
    """Return the amount that the customer chose for a line item, in minor units.

    Raises ApiError 400, with the field's name, for none, and outside of the price's limits.
    """
    custom = price_of(item)["custom_unit_amount"]
    assert custom, "of no other price the customer chooses the amount"
    least, most = custom.get("minimum") or 1, custom.get("maximum") or 99_999_999
    if amount is None or not least <= amount <= most:
        told = language.say(
            "Enter an amount from {least} to {most}.",
            least=language.amount(least, currency),
            most=language.amount(most, currency),
        )
        raise invalid(told, f"amount[{item['id']}]")
    return amount
