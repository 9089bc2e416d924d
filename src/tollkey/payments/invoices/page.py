"""The page of an invoice (``hosted_invoice_url``) with its payment form, and its PDF (``invoice_pdf``)."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tollkey.payments.documents import printed
from tollkey.payments.invoices import kinds, printing
from tollkey.payments.invoices.lifecycle import HOSTED, attempt_collection, customer_of
from tollkey.payments.methods import payment_methods
from tollkey.payments.shared import clock, providers, receipt_links
from tollkey.payments.shared import currency as shared_currency
from tollkey.wire import ApiError, Call, Endpoint, P, Reply, languages
from tollkey.wire.hosted import html_page, redirect
from tollkey.wire.languages import Language
from tollkey.wire.live import needs
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import operations

_FORM = """
<form method="post" action="/{kind}/{token}/pay">
<label for="number">Card number</label>
<input id="number" name="number" inputmode="numeric" autocomplete="cc-number" required>
<div class="pair">
<div><label for="month">Expiry month (MM)</label>
<input id="month" name="exp_month" inputmode="numeric" autocomplete="cc-exp-month" required></div>
<div><label for="year">Expiry year (YYYY)</label>
<input id="year" name="exp_year" inputmode="numeric" autocomplete="cc-exp-year" required></div>
</div>
<label for="cvc">Security code</label><input id="cvc" name="cvc" inputmode="numeric" autocomplete="cc-csc">
<button>Pay {amount}</button>
</form>"""


def _rows(invoice: StoredInvoice) -> list[tuple[str, str]]:
    """Return the lines and totals of an invoice as labels and amounts."""
    currency = invoice["currency"]
    rows = [
        (line["description"] or "", shared_currency.show(line["amount"], currency)) for line in invoice["lines"]["data"]
    ]
    off = sum(entry["amount"] for entry in invoice["total_discount_amounts"] or ())
    taxes = sum(tax["amount"] for tax in invoice["total_taxes"] or ())
    rows += [("Subtotal", shared_currency.show(invoice["subtotal"], currency))]
    rows += [("Discount", shared_currency.show(-off, currency))] if off else []
    rows += [("Tax", shared_currency.show(taxes, currency))] if taxes else []
    return [
        *rows,
        ("Total", shared_currency.show(invoice["total"], currency)),
        ("Amount due", shared_currency.show(invoice["amount_remaining"], currency)),
    ]


def page(call: Call, params: operations.GetIToken) -> Reply:
    """Show the invoice, with a payment form if it is open."""
    return _page(call, call.objects.get(kinds.INVOICE, call.path["id"]))


def _page(call: Call, invoice: StoredInvoice, problem: str | None = None) -> Reply:
    """Return the page. problem: why the payment failed."""
    words = {"open": "Open", "paid": "Paid", "void": "Void", "uncollectible": "Not collected"}
    shop = escape(invoice["account_name"] or receipt_links.business_name(call)) + (
        "" if call.livemode else " · Test mode"
    )
    status = words.get(invoice["status"] or "", str(invoice["status"]))
    body = f'<p class="note">{shop}</p><h1>Invoice {escape(str(invoice["number"]))}</h1><p>{status}</p>'
    if problem:
        body += f'<p class="error" role="alert">{escape(problem)}</p>'
    body += (
        "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in _rows(invoice)) + "</dl>"
    )
    token = escape(call.path.get("token", ""))
    if invoice["status"] in ("open", "uncollectible") and not call.has(providers.CHARGES):
        body += providers.CANNOT_PAY
    elif invoice["status"] in ("open", "uncollectible"):
        body += _FORM.format(
            kind=HOSTED,
            token=token,
            amount=escape(shared_currency.show(invoice["amount_remaining"], invoice["currency"])),
        )
    return html_page(f"Invoice {invoice['number']}", body, status=402 if problem else 200)


def _card(params: operations.PostITokenPay) -> operations.PostPaymentMethodsCard:
    """Return the data of the entered card as a PaymentMethod takes it."""
    card: operations.PostPaymentMethodsCard = {
        "number": params["number"],
        "exp_month": params["exp_month"],
        "exp_year": params["exp_year"],
    }
    if "cvc" in params:
        card["cvc"] = params["cvc"]
    return card


def pay(call: Call, params: operations.PostITokenPay) -> Reply:
    """Pay with the entered card; redirect to the 3-D Secure challenge if there is one."""
    invoice = call.objects.get(kinds.INVOICE, call.path["id"])
    customer = customer_of(call, invoice)
    if invoice["status"] not in ("open", "uncollectible"):
        return _page(call, invoice)
    try:
        method = payment_methods.create(call, {"type": "card", "card": _card(params)})
        payment_methods.attach_to(call, method, customer["id"])
        outcome = attempt_collection(
            clock.for_customer(call, customer), invoice, method=method["id"], off_session=False, by_hand=True
        )
    except ApiError as error:
        return _page(call, invoice, error.message)
    if outcome.status == "requires_action":
        intent = call.objects.get(kinds.PAYMENT_INTENT, invoice["_payment_intent"])
        action = intent["next_action"]
        inner = value_at(action, action["type"]) if action else None
        url = value_at(inner, "url") or value_at(inner, "stripe_js")
        if url:
            return redirect(url)
    return _page(call, invoice, outcome.error.message if outcome.error else None)


def pdf(call: Call, params: operations.GetITokenPdf) -> Reply:
    """Return the invoice as a PDF."""
    invoice = call.objects.get(kinds.INVOICE, call.path["id"])
    return printed.reply(printing.invoice_document(call, invoice, language_of(call, invoice)), str(invoice["number"]))


def language_of(call: Call, invoice: StoredInvoice) -> Language:
    """Return the language of an invoice: the one that its customer prefers, else that of the reader's browser."""
    customer = call.objects.find(kinds.CUSTOMER, invoice["customer"])
    return languages.choose(call, *((customer and customer.get("preferred_locales")) or ()))


_CARD = P.object(
    number=P.string(),
    exp_month=P.integer(),
    exp_year=P.integer(),
    cvc=P.string(blank=True),
    required=("number", "exp_month", "exp_year"),
)
PAGES = (
    Endpoint("GET", f"/{HOSTED}/{{token}}", page, public=True, params=P.object()),
    Endpoint("POST", f"/{HOSTED}/{{token}}/pay", pay, public=True, params=_CARD, live=needs(providers.CHARGES)),
    Endpoint("GET", f"/{HOSTED}/{{token}}/pdf", pdf, public=True, params=P.object()),
)
