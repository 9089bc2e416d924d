"""The business at the head of its pages: its name and its colour, of the account's branding settings."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from tollkey.payments.documents import colours
from tollkey.payments.shared import fields, receipt_links
from tollkey.wire import Call, Reply
from tollkey.wire.hosted import Look, html_page
from tollkey.wire.languages import Language
from tollkey.wire.objects import value_at


def header(call: Call, language: Language, name: str | None = None) -> str:
    """Return the name of the business as HTML, and whether this is test mode. name: the account's if None."""
    shown = escape(name or receipt_links.business_name(call))
    return f'<p class="brand"><span>{shown}</span>{badge(call, language)}</p>'


def page(
    call: Call,
    language: Language,
    title: str,
    body: str,
    *,
    status: int = 200,
    leads_to: str | None = None,
    framed: bool = False,
) -> Reply:
    """Return a page headed by the business, with its title as heading. body: HTML; the caller must escape texts.

    leads_to: see ``html_page``. framed: whether pages of any origin may show it in a frame.
    """
    whole = f"{header(call, language)}\n<h1>{escape(title)}</h1>\n{body}"
    shown = look(call)._replace(framed=framed)
    return html_page(title, whole, status=status, leads_to=leads_to, look=shown, language=language)


def closing(call: Call, language: Language, title: str, *, framed: bool = False) -> Reply:
    """Return a page that only says what happened. framed: see ``page``."""
    told = f"<p>{escape(language.say('You may close this page.'))}</p>"
    return page(call, language, title, told, framed=framed)


def rows(facts: Iterable[tuple[str, str]], kind: str = "") -> str:
    """Return labels and texts as HTML. kind: class of the list, such as ``total``."""
    inside = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in facts)
    return f'<dl class="{kind}">{inside}</dl>' if kind else f"<dl>{inside}</dl>"


def button(path: str, label: str, *, second: bool = False) -> str:
    """Return a link that looks like a button. second: whether it is not the one that most people want."""
    return f'<a class="button{" second" if second else ""}" href="{escape(path)}">{escape(label)}</a>'


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
