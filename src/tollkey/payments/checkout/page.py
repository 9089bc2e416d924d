"""The hosted page of a session: order summary, forms, and errors beside their fields."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from tollkey.payments.checkout import branding, saved
from tollkey.payments.checkout.completion import destination
from tollkey.payments.checkout.fields import (
    METHODS,
    Form,
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
from tollkey.payments.checkout.known import amount_of, currency_of, price_of
from tollkey.payments.checkout.order import order_form
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import providers
from tollkey.wire import Call, Reply
from tollkey.wire.hosted import html_page

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession
    from tollkey.payments.methods.stored import StoredPaymentMethod


def _summary(session: StoredSession) -> str:
    """Return the order and its costs as HTML."""
    if session["mode"] == "setup":
        return "<p>Your payment method is saved for later. Nothing is charged now.</p>"
    currency, rows = currency_of(session), list[tuple[str, int | None]]()
    for item in session["_lines"]:
        count = f" × {item['quantity']}" if (item["quantity"] or 1) != 1 else ""
        recurring = price_of(item)["recurring"]
        every = ""
        if recurring:
            step = (
                recurring["interval"]
                if recurring["interval_count"] == 1
                else f"{recurring['interval_count']} {recurring['interval']}s"
            )
            free = session["_subscription_data"].get("trial_period_days") or session["_subscription_data"].get(
                "trial_end"
            )
            whole = item["_recurs"]
            later = (
                f"{shared_currency.show(whole, currency)} after a free trial, " if free and whole is not None else ""
            )
            every = f' <span class="note">{escape(later)}every {step}</span>'
        rows.append((f"{escape(item['description'] or '')}{count}{every}", item["amount_subtotal"]))
    sums = session["total_details"]
    assert sums is not None, "only sessions in mode setup add up to nothing"
    for label, amount in (
        ("Discount", -sums["amount_discount"]),
        ("Shipping", sums["amount_shipping"] or 0),
        ("Tax", sums["amount_tax"]),
    ):
        if amount:
            rows.append((label, amount))
    if asks_for_place(session):
        rows.append(("Tax", None))
    shown = [
        (label, "on the next page" if cost is None else shared_currency.show(cost, currency)) for label, cost in rows
    ]
    lines = "\n".join(f"<dt>{label}</dt><dd>{escape(text)}</dd>" for label, text in shown)
    total = f"{shared_currency.show(amount_of(session), currency)} {currency.upper()}"
    return f'<dl>\n{lines}\n</dl>\n<dl class="total">\n<dt>Total due today</dt><dd>{escape(total)}</dd>\n</dl>'


def pay_page(
    call: Call,
    session: StoredSession,
    names: Mapping[str, str | None],
    form: Form | None = None,
    kind: str | None = None,
) -> Reply:
    """Return the page of an open session; if tax depends on the address, it first asks for that.

    names: shipping rate id -> display name. form: entered values and error. kind: the payment method whose form is
        shown; the first one if None.
    """
    form = form or Form()
    path = escape("/pay/" + call.origin.path.partition("/pay/")[2].partition("/")[0])
    stored = saved.saved_methods(call, session) if needs_method(session) else []
    kinds = [*([saved.SAVED] if stored else []), *(offered(session) or ["card"])]
    kind = kind if kind in kinds else kinds[0]
    shop = session["branding_settings"]["display_name"]
    title = "Save your payment details" if session["mode"] == "setup" else _title(session)
    first = asks_for_place(session)
    parts = [
        branding.header(session, "" if call.livemode else " · Test mode"),
        f"<h1>{escape(title)}</h1>",
    ]
    parts += [
        _summary(session),
        order_form(call, session, path, form) if session["mode"] != "setup" else "",
        _promotion(session, path, form),
    ]
    if form.problem and not form.field:
        parts.append(f'<p class="error" role="alert">{escape(form.problem)}</p>')
    if needs_method(session) and not call.has(providers.SETUPS if session["mode"] == "setup" else providers.CHARGES):
        parts.append(providers.CANNOT_PAY)
    else:
        parts += (
            _address_form(session, path, form) if first else _pay_form(session, path, form, names, kinds, kind, stored)
        )
    if session["cancel_url"]:
        parts.append(
            f'<p><a href="{escape(_safe_url(session["cancel_url"]))}" rel="noreferrer">'
            f"Go back to {escape(shop)}</a></p>"
        )
    if not call.livemode and kind == "card" and not first:
        parts.append('<p class="note">Test card: 4242 4242 4242 4242, any future date, any three digits.</p>')
    return html_page(
        title,
        "\n".join(parts),
        status=402 if form.problem else 200,
        leads_to=destination(session),
        look=branding.look(session),
    )


def _pay_form(
    session: StoredSession,
    path: str,
    form: Form,
    names: Mapping[str, str | None],
    kinds: list[str],
    kind: str,
    stored: list[StoredPaymentMethod],
) -> list[str]:
    """Return the form that pays, with a tab for each payment method. stored: those that the customer saved before."""
    parts = []
    if len(kinds) > 1:
        tabs = "".join(
            f"<li><a"
            f' href="{path}?method={name}"{" aria-current=" + chr(34) + "true" + chr(34) if name == kind else ""}>'
            f"{escape(METHODS.get(name) or saved.TITLE)}</a></li>"
            for name in kinds
        )
        parts.append(f'<nav aria-label="Payment method"><ul class="tabs">{tabs}</ul></nav>')
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
    told = f"{saved.agreement(session)}{below_button(session)}"
    parts.append(f"{above_button(session)}<button>{escape(button_text(session))}</button>{told}</form>")
    if kind == saved.SAVED:
        parts.append(saved.removal(session, stored, path))
    return parts


def _address_form(session: StoredSession, path: str, form: Form) -> list[str]:
    """Return the form for the address that automatic tax needs."""
    parts = ['<p class="note">Tax is added on the next page: it depends on where you are.</p>']
    parts.append(f'<form method="post" action="{path}/address">{_email(session, form)}')
    if session["shipping_address_collection"]:
        parts.append(shipping_address_fields(session, form))
    else:
        known = (session["customer_details"] or {}).get("address") or {}
        parts.append(address_fields(form, known, full=session["billing_address_collection"] == "required"))
    return [*parts, "<button>Continue</button></form>"]


def _email(session: StoredSession, form: Form) -> str:
    """Return the known e-mail address, or its field."""
    known = (session["customer_details"] or {}).get("email")
    if known:
        return f"<dl><dt>Email</dt><dd>{escape(known)}</dd></dl>"
    return form.input("email", "Email", type="email", autocomplete="email")


def _promotion(session: StoredSession, path: str, form: Form) -> str:
    """Return the form that applies a promotion code, or removes the applied one."""
    if not session["allow_promotion_codes"]:
        return ""
    if session["_discounts"]:
        used = session.get("_promotion_text") or "Promotion code"
        told = f"<p>{escape(used)} is applied.</p>"
        return (
            f'<form method="post" action="{path}/promotion">{told}<button class="second">Remove '
            f"{escape(used)}</button></form><hr>"
        )
    field = form.input("promotion_code", "Promotion code", autocomplete="off")
    return f'<form method="post" action="{path}/promotion">{field}<button class="second">Apply</button></form><hr>'


def _title(session: StoredSession) -> str:
    """Return the heading of the page."""
    name = session["_lines"][0]["description"] or "your order"
    more = len(session["_lines"]) - 1
    usual = "Subscribe to" if session["mode"] == "subscription" else "Pay for"
    verb = {"donate": "Donate", "book": "Book"}.get(session["submit_type"] or "", usual)
    return f"{verb} {name}" + (f" and {more} more" if more else "")


def _safe_url(url: str) -> str:
    """Return the URL if its scheme is http or https, else ``#``."""
    return url if url.lower().startswith(("http://", "https://")) else "#"


def done_page(session: StoredSession) -> Reply:
    """Return the page of a session that is no longer open; it redirects to the success URL if there is one."""
    if session["status"] == "expired":
        return html_page(
            "This page has expired",
            f"{branding.header(session)}<h1>This page has expired</h1>\n<p>Go back to the shop and start again.</p>",
            look=branding.look(session),
        )
    paid = session["payment_status"] != "unpaid"
    text = "Thank you." if paid else "Thank you. Your payment is on its way; the business is told when it arrives."
    heading = session.get("_confirmation") or (
        "Payment complete" if session["mode"] != "setup" else "Payment details saved"
    )
    url = destination(session)
    link = f'\n<a class="button" href="{escape(_safe_url(url))}" rel="noreferrer">Continue</a>' if url else ""
    body = f"{branding.header(session)}<h1>{escape(heading)}</h1>\n<p>{text}</p>{link}"
    reply = html_page("Complete", body, look=branding.look(session))
    if url and _safe_url(url) == url:
        return Reply(reply.body, reply.content_type, reply.status, {**reply.headers, "Refresh": f"0; url={url}"})
    return reply
