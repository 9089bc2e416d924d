"""The page of a payment link: what it sells for how much, before a session begins."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from tollkey.payments.checkout.known import price_of
from tollkey.payments.checkout.link_parameters import hidden
from tollkey.payments.documents import brand
from tollkey.wire import Call, Reply, languages

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredLink


def link_page(call: Call, link: StoredLink, given: Mapping[str, str]) -> Reply:
    """Return the page of a payment link, with a button that starts a session.

    given: the parameters of its URL (``link_parameters.usable``).
    """
    language = languages.choose(call, given.get("locale"))
    say = language.say
    if not link["active"]:
        told = link["inactive_message"] or say("This link is no longer active.")
        return brand.page(call, language, say("Link not active"), f"<p>{escape(told)}</p>", status=404)
    rows = []
    for item in link["_lines"]:
        price = price_of(item)
        count = f" × {item['quantity']}" if (item["quantity"] or 1) != 1 else ""
        recurring, amount = price["recurring"], language.amount(item["amount_total"], item["currency"])
        if price["custom_unit_amount"]:
            amount = say("You choose the amount")
        elif recurring:
            amount += f" {language.every(recurring['interval'], recurring['interval_count'])}"
        rows.append((f"{item['description'] or ''}{count}", amount))
    names = ", ".join(item["description"] or "" for item in link["_lines"])
    total = sum(item["amount_total"] for item in link["_lines"])
    sums = [(say("Total"), language.amount(total, link["currency"]))] if len(rows) > 1 else []
    form = (
        f'<form method="post" action="{escape(call.origin.path)}">{hidden(given)}<button autofocus>'
        f"{escape(say('Continue to payment'))}</button></form>"
    )
    return brand.page(call, language, names, brand.rows(rows) + (brand.rows(sums, "total") if sums else "") + form)
