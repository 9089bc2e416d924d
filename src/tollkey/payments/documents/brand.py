"""The business at the head of its pages: its name and its colour, of the account's branding settings."""

from __future__ import annotations

from html import escape

from tollkey.payments.documents import colours
from tollkey.payments.shared import fields, receipt_links
from tollkey.wire import Call
from tollkey.wire.hosted import Look
from tollkey.wire.languages import Language
from tollkey.wire.objects import value_at


def header(call: Call, language: Language, name: str | None = None) -> str:
    """Return the name of the business as HTML, and whether this is test mode. name: the account's if None."""
    shown = escape(name or receipt_links.business_name(call))
    return f'<p class="brand"><span>{shown}</span>{badge(call, language)}</p>'


def badge(call: Call, language: Language) -> str:
    """Return the mark of pages in test mode as HTML; empty in live mode."""
    return "" if call.livemode else f'<span class="badge">{escape(language.say("Test mode"))}</span>'


def look(call: Call, *, wide: bool = False) -> Look:
    """Return the style of a page with buttons in the colour of the business, which stays light or dark."""
    account = fields.acting_account(call) or {}
    settings = value_at(account, "settings.branding") or {}
    found = colours.rgb(str(settings.get("secondary_color") or settings.get("primary_color") or ""))
    if found is None:
        return Look(wide=wide)
    values = {
        "button": colours.hex_of(found),
        "on-button": colours.hex_of(colours.best_on(found)),
        "edge": "var(--line)",
    }
    return Look(f":root{{{';'.join(f'--{name}:{value}' for name, value in values.items())}}}", wide=wide)
