"""The page of an invoice (``hosted_invoice_url``) with its payment form, and its PDF (``invoice_pdf``)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from tollkey.payments.documents import brand, forms, parties, printed
from tollkey.payments.invoices import kinds, printing
from tollkey.payments.invoices.lifecycle import HOSTED, attempt_collection, customer_of
from tollkey.payments.methods import payment_methods
from tollkey.payments.shared import clock, providers
from tollkey.wire import ApiError, Call, Endpoint, P, Reply
from tollkey.wire.hosted import html_page, redirect
from tollkey.wire.languages import Language
from tollkey.wire.live import needs
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import operations

_PAYABLE = ("open", "uncollectible")
_MOST_PAYMENTS = 20


def page(call: Call, params: operations.GetIToken) -> Reply:
    """Show the invoice, with a payment form if it is open."""
    return _page(call, call.objects.get(kinds.INVOICE, call.path["id"]))


def _page(call: Call, invoice: StoredInvoice, error: ApiError | None = None) -> Reply:
    """Return the page. error: why the payment failed."""
    language = language_of(call, invoice)
    problem = error.message if error is not None else ""
    field = forms.field_of(error.param) or ("number" if error.type == "card_error" else "") if error else ""
    form = forms.Form(field=field, problem=problem, language=language)
    title = f"{language.say('Invoice')} {invoice['number']}"
    body = (
        f'<div class="order">{_order(call, invoice, title, language)}</div><div>{_payment(call, invoice, form)}</div>'
    )
    return html_page(title, body, status=402 if problem else 200, look=brand.look(call, wide=True), language=language)


def _order(call: Call, invoice: StoredInvoice, title: str, language: Language) -> str:
    """Return what the invoice says as HTML: who, when, for what, how much."""
    say, due = language.say, printing.due(invoice)
    headline = printing.headline(invoice, language) or say(printing.STATUS[invoice["status"] or "draft"])
    rows = [(say("Status"), say(printing.STATUS[invoice["status"] or "draft"]))]
    for label, at in (
        (say("Date of issue"), invoice["effective_at"] or invoice["created"]),
        (say("Due date"), due),
        (say("Date of payment"), invoice["status_transitions"]["paid_at"]),
    ):
        rows += [(label, language.day(at))] if at is not None else []
    rows += [(field["name"], field["value"]) for field in invoice["custom_fields"] or ()]
    buyer = parties.buyer(invoice, language)
    to = "<br>".join(escape(line) for line in buyer.lines)
    note = f"<p>{escape(invoice['description'])}</p>" if invoice["description"] else ""
    return "\n".join(
        (
            brand.header(call, language, invoice["account_name"]),
            f'<h1>{escape(title)}</h1><p class="big">{escape(headline)}</p>',
            brand.rows(rows),
            f"<dl><dt>{escape(buyer.heading)}</dt><dd>{to}</dd></dl>" if to else "",
            _lines(invoice, language),
            _totals(printing.sums(call, invoice, language)),
            note,
            f'<a class="button second" href="/{HOSTED}/{escape(call.path["token"])}/pdf">'
            f"{escape(say('Download invoice as PDF'))}</a>",
        )
    )


def _lines(invoice: StoredInvoice, language: Language) -> str:
    """Return the lines with their quantities and periods."""
    rows = []
    for line in invoice["lines"]["data"]:
        count = f" × {line['quantity']}" if (line["quantity"] or 1) != 1 else ""
        span = printing.service_period(line["period"], language)
        note = f'<span class="note">{escape(span)}</span>' if span else ""
        amount = language.amount(line["amount"], invoice["currency"])
        rows.append(f"<dt>{escape(line['description'] or '')}{count}{note}</dt><dd>{escape(amount)}</dd>")
    return f"<dl>{''.join(rows)}</dl>" if rows else ""


def _totals(sums: Sequence[printed.Sum]) -> str:
    """Return the totals; the last one is what is due."""
    rows = [(one.label, one.amount) for one in sums]
    return brand.rows(rows[:-1]) + brand.rows(rows[-1:], "total")


def _payment(call: Call, invoice: StoredInvoice, form: forms.Form) -> str:
    """Return the form that pays an open invoice, or the receipts of a paid one."""
    say = form.say
    if invoice["status"] not in _PAYABLE:
        return _receipts(call, invoice, form.language)
    if not call.has(providers.CHARGES):
        return forms.cannot_pay(form.language)
    amount = form.language.amount(invoice["amount_remaining"], invoice["currency"])
    action = f"/{HOSTED}/{escape(call.path['token'])}/pay"
    test = "" if call.livemode else f'<p class="note">{escape(say(forms.TEST_CARD))}</p>'
    return (
        f'<h2>{escape(say("Pay by card"))}</h2>{form.refusal()}<form method="post" action="{action}">'
        f"{forms.card_fields(form)}<button>{escape(say('Pay {amount}', amount=amount))}</button></form>{test}"
    )


def _receipts(call: Call, invoice: StoredInvoice, language: Language) -> str:
    """Return links to the receipts of an invoice's payments."""
    links = []
    for payment in call.objects.query(kinds.INVOICE_PAYMENT, {"invoice": invoice["id"]}, limit=_MOST_PAYMENTS):
        intent = call.objects.find(kinds.PAYMENT_INTENT, payment["payment"].get("payment_intent") or "")
        charge = call.objects.find(kinds.CHARGE, (intent and intent["latest_charge"]) or "")
        if payment["status"] == "paid" and charge is not None and charge["receipt_url"]:
            amount = language.amount(payment["amount_paid"] or 0, payment["currency"])
            label = escape(language.say("Receipt for {amount}", amount=amount))
            links.append(f'<a class="button second" href="{escape(charge["receipt_url"])}">{label}</a>')
    told = {
        "paid": language.say("This invoice is paid. Thank you."),
        "void": language.say("This invoice was voided. Nothing is to be paid."),
    }.get(invoice["status"] or "", "")
    return (f"<h2>{escape(told)}</h2>" if told else "") + "".join(links)


def pay(call: Call, params: operations.PostITokenPay) -> Reply:
    """Pay with the entered card; redirect to the 3-D Secure challenge if there is one."""
    invoice = call.objects.get(kinds.INVOICE, call.path["id"])
    customer = customer_of(call, invoice)
    if invoice["status"] not in _PAYABLE:
        return _page(call, invoice)
    try:
        card = forms.card_entered(params)
        given: operations.PostPaymentMethodsCard = {
            "number": card.number,
            "exp_month": card.month,
            "exp_year": card.year,
            "cvc": card.cvc,
        }
        method = payment_methods.create(call, {"type": "card", "card": given})
        payment_methods.attach_to(call, method, customer["id"])
        outcome = attempt_collection(
            clock.for_customer(call, customer), invoice, method=method["id"], off_session=False, by_hand=True
        )
    except ApiError as error:
        return _page(call, invoice, error)
    if outcome.status == "requires_action":
        intent = call.objects.get(kinds.PAYMENT_INTENT, invoice["_payment_intent"])
        action = intent["next_action"]
        inner = value_at(action, action["type"]) if action else None
        url = value_at(inner, "url") or value_at(inner, "stripe_js")
        if url:
            return redirect(url)
    return _page(call, invoice, outcome.error)


def pdf(call: Call, params: operations.GetITokenPdf) -> Reply:
    """Return the invoice as a PDF."""
    invoice = call.objects.get(kinds.INVOICE, call.path["id"])
    return printed.reply(printing.invoice_document(call, invoice, language_of(call, invoice)), str(invoice["number"]))


def language_of(call: Call, invoice: StoredInvoice) -> Language:
    """Return the language of an invoice: the one that its customer prefers, else that of the reader's browser."""
    return parties.language_of(call, invoice["customer"])


_CARD = P.object(number=P.string(blank=True), expiry=P.string(blank=True), cvc=P.string(blank=True))
PAGES = (
    Endpoint("GET", f"/{HOSTED}/{{token}}", page, public=True, params=P.object()),
    Endpoint("POST", f"/{HOSTED}/{{token}}/pay", pay, public=True, params=_CARD, live=needs(providers.CHARGES)),
    Endpoint("GET", f"/{HOSTED}/{{token}}/pdf", pdf, public=True, params=P.object()),
)
