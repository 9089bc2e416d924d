"""The hosted page of a session: the order beside the forms, and errors beside their fields."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from tollkey.payments.checkout import branding, saved, summary
from tollkey.payments.checkout.completion import destination
from tollkey.payments.checkout.fields import (
    METHODS,
    above_button,
    address_fields,
    asks_for_place,
    below_button,
    button_text,
    delivery,
    extras,
    method_fields,
    needs_method,
    offered,
    shipping_address_fields,
)
from tollkey.payments.checkout.known import language_of
from tollkey.payments.checkout.order import order_form
from tollkey.payments.documents import forms
from tollkey.payments.shared import providers
from tollkey.wire import Call, Reply
from tollkey.wire.hosted import html_page
from tollkey.wire.languages import Language, Text

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession
    from tollkey.payments.methods.stored import StoredPaymentMethod

_CURRENT = ' aria-current="true"'
#: Heading of the page by what its button does: for one item, and for several.
_TITLES = {
    "donate": (Text("Donate {name}"), Text("Donate {name} and {count} more")),
    "book": (Text("Book {name}"), Text("Book {name} and {count} more")),
    "subscription": (Text("Subscribe to {name}"), Text("Subscribe to {name} and {count} more")),
    "payment": (Text("Pay for {name}"), Text("Pay for {name} and {count} more")),
}


def pay_page(
    call: Call,
    session: StoredSession,
    names: Mapping[str, str | None],
    form: forms.Form | None = None,
    kind: str | None = None,
) -> Reply:
    """Return the page of an open session; if tax depends on the address, it first asks for that.

    names: shipping rate id -> display name. form: entered values and error. kind: the payment method whose form is
        shown; the first one if None.
    """
    form = (form or forms.Form()).within(language_of(call, session))
    path = escape("/pay/" + call.origin.path.partition("/pay/")[2].partition("/")[0])
    stored = saved.saved_methods(call, session) if needs_method(session) else []
    kinds = [*([saved.SAVED] if stored else []), *(offered(session) or ["card"])]
    kind = kind if kind in kinds else kinds[0]
    setup = session["mode"] == "setup"
    title = form.say("Save your payment details") if setup else _title(session, form.language)
    order = [
        branding.header(call, session, form.language),
        f"<h1>{escape(title)}</h1>",
        summary.summary(call, session, names, form.language),
        "" if setup else order_form(call, session, path, form),
        _promotion(session, path, form),
        _back(session, form.language),
    ]
    pay = [form.refusal()]
    if needs_method(session) and not call.has(providers.SETUPS if setup else providers.CHARGES):
        pay.append(forms.cannot_pay(form.language))
    elif asks_for_place(session):
        pay += _address_form(session, path, form)
    else:
        pay += _pay_form(session, path, form, names, kinds, kind, stored)
        if not call.livemode and kind == "card":
            pay.append(f'<p class="note">{escape(form.say(forms.TEST_CARD))}</p>')
    parts = (part for part in (*order, '</div><div class="pay">', *pay) if part)
    return html_page(
        title,
        '<div class="order">' + "\n".join(parts) + "</div>",
        status=402 if form.problem else 200,
        leads_to=destination(session),
        look=branding.look(session, wide=True),
        language=form.language,
    )


def _back(session: StoredSession, language: Language) -> str:
    """Return the link back to the shop; empty without one."""
    if not session["cancel_url"]:
        return ""
    told = language.say("Go back to {business}", business=session["branding_settings"]["display_name"])
    return f'<p><a href="{escape(_safe_url(session["cancel_url"]))}" rel="noreferrer">{escape(told)}</a></p>'


def _pay_form(
    session: StoredSession,
    path: str,
    form: forms.Form,
    names: Mapping[str, str | None],
    kinds: list[str],
    kind: str,
    stored: list[StoredPaymentMethod],
) -> list[str]:
    """Return the form that pays, with a tab for each payment method. stored: those that the customer saved before."""
    parts = []
    if len(kinds) > 1:
        tabs = "".join(
            f'<li><a href="{path}?method={name}"{_CURRENT if name == kind else ""}>'
            f"{escape(form.say(METHODS.get(name) or saved.TITLE))}</a></li>"
            for name in kinds
        )
        parts.append(f'<nav aria-label="{escape(form.say("Payment method"))}"><ul class="tabs">{tabs}</ul></nav>')
    parts.append(f'<form method="post" action="{path}"><input type="hidden" name="method" value="{kind}">')
    if session["mode"] != "setup":
        parts.append(f'<input type="hidden" name="shown_total" value="{session["amount_total"]}">')
    parts += [_email(session, form), delivery(session, names, form), extras(session, form)]
    if needs_method(session) and kind == saved.SAVED:
        parts.append(saved.choice(stored, form))
    elif needs_method(session):
        parts += [method_fields(session, kind, form), saved.box(session, kind, form)]
    elif session["billing_address_collection"] == "required":
        parts.append(address_fields(form, (session["customer_details"] or {}).get("address") or {}, full=True))
    told = f"{saved.agreement(session, form.language)}{below_button(session)}"
    parts.append(f"{above_button(session)}<button>{escape(button_text(session, form.language))}</button>{told}</form>")
    if kind == saved.SAVED:
        parts.append(saved.removal(session, stored, path, form.language))
    return parts


def _address_form(session: StoredSession, path: str, form: forms.Form) -> list[str]:
    """Return the form for the address that automatic tax needs."""
    told = escape(form.say("Tax is added on the next page: it depends on where you are."))
    parts = [f'<p class="note">{told}</p><form method="post" action="{path}/address">{_email(session, form)}']
    if session["shipping_address_collection"]:
        parts.append(shipping_address_fields(session, form))
    else:
        known = (session["customer_details"] or {}).get("address") or {}
        parts.append(address_fields(form, known, full=session["billing_address_collection"] == "required"))
    return [*parts, f"<button>{escape(form.say('Continue'))}</button></form>"]


def _email(session: StoredSession, form: forms.Form) -> str:
    """Return the known e-mail address, or its field."""
    known = (session["customer_details"] or {}).get("email")
    if known:
        return f"<dl><dt>{escape(form.say('Email'))}</dt><dd>{escape(known)}</dd></dl>"
    filled_in = session.get("_prefilled_email", "")
    return form.input("email", form.say("Email"), value=filled_in, type="email", autocomplete="email")


def _promotion(session: StoredSession, path: str, form: forms.Form) -> str:
    """Return the form that applies a promotion code, or removes the applied one."""
    if not session["allow_promotion_codes"]:
        return ""
    if session["_discounts"]:
        used = session.get("_promotion_text") or form.say("Promotion code")
        told = escape(form.say("{code} is applied.", code=used))
        button = escape(form.say("Remove {name}", name=used))
        return (
            f'<form method="post" action="{path}/promotion"><p>{told}</p><button class="second">{button}</button>'
            f"</form><hr>"
        )
    field = form.input("promotion_code", form.say("Promotion code"), autocomplete="off")
    button = escape(form.say("Apply"))
    return f'<form method="post" action="{path}/promotion">{field}<button class="second">{button}</button></form><hr>'


def _title(session: StoredSession, language: Language) -> str:
    """Return the heading of the page."""
    name = session["_lines"][0]["description"] or language.say("your order")
    more = len(session["_lines"]) - 1
    kind = session["submit_type"] if session["submit_type"] in _TITLES else session["mode"]
    one, several = _TITLES[kind or "payment"]
    return language.say(several, name=name, count=more) if more else language.say(one, name=name)


def _safe_url(url: str) -> str:
    """Return the URL if its scheme is http or https, else ``#``."""
    return url if url.lower().startswith(("http://", "https://")) else "#"


def done_page(call: Call, session: StoredSession) -> Reply:
    """Return the page of a session that is no longer open; it redirects to the success URL if there is one."""
    language = language_of(call, session)
    say, look, head = language.say, branding.look(session), branding.header(call, session, language)
    if session["status"] == "expired":
        title = escape(say("This page has expired"))
        told = escape(say("Go back to the shop and start again."))
        return html_page(
            say("This page has expired"), f"{head}<h1>{title}</h1>\n<p>{told}</p>", look=look, language=language
        )
    text = say("Thank you.")
    if session["payment_status"] == "unpaid":
        text = say("Thank you. Your payment is on its way; the business is told when it arrives.")
    usual = say("Payment complete") if session["mode"] != "setup" else say("Payment details saved")
    url = destination(session)
    continued = escape(say("Continue"))
    link = f'\n<a class="button" href="{escape(_safe_url(url))}" rel="noreferrer">{continued}</a>' if url else ""
    body = f"{head}<h1>{escape(session.get('_confirmation') or usual)}</h1>\n<p>{escape(text)}</p>{link}"
    reply = html_page(usual, body, look=look, language=language)
    if url and _safe_url(url) == url:
        return Reply(reply.body, reply.content_type, reply.status, {**reply.headers, "Refresh": f"0; url={url}"})
    return reply
