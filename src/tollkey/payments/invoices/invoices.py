"""Invoices: the amounts that a customer owes, and their collection.

    draft ──finalize (on request, or an hour after creation)──▶ open ──pay──▶ paid
      │                                                          ├──void──▶ void ◀──void──┐
      └──delete──▶ deleted                                       └──mark_uncollectible──▶ uncollectible ──pay──▶ paid

A revision (``from_invoice``) is a draft that replaces an open invoice: finalizing it voids the original.
An invoice with no amount due is paid as soon as it is finalized. Failed payments are retried after 3, 5 and 7
days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.ledger import Money
from tollkey.payments.catalog import redemption
from tollkey.payments.invoices import closing, collection, jobs, kinds, rules, states
from tollkey.payments.invoices.attached import OF_INTENTS, refusal
from tollkey.payments.invoices.drafts import (
    GRACE_SECONDS,
    Bill,
    add_pending_items,
    default_rates,
    new_invoice,
    pending_items,
    refresh,
    store,
    subscription_for,
    subscription_of,
)
from tollkey.payments.invoices.dunning import advance, overdue, retry, try_to_finalize
from tollkey.payments.invoices.lifecycle import (
    customer_of,
    finalize,
    invoice_of_path,
    set_delinquent,
    void,
    with_payments,
    write_off,
)
from tollkey.payments.invoices.line_endpoints import add_lines, list_lines, remove_lines, update_line, update_lines
from tollkey.payments.invoices.page import PAGES
from tollkey.payments.invoices.paying import attach_payment, pay
from tollkey.payments.invoices.payments import method_removed
from tollkey.payments.invoices.revisions import revise
from tollkey.payments.invoices.settings import apply_settings, check_sending
from tollkey.payments.invoices.versions import CHANGES, CREATE_REMOVED, UPDATE_REMOVED
from tollkey.payments.shared import clock, events, fields, permissions, providers
from tollkey.payments.shared import currency as shared_currency
from tollkey.wire import Action, Call, Endpoint, Page, Resource, invalid
from tollkey.wire.errors import exclusive, missing_param
from tollkey.wire.live import asks, records
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import created_ranges, list_page, nested_list, retrieve
from tollkey.wire.resource import Reaction
from tollkey.wire.search import searching

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import api, operations


#: What a revision has from the invoice that it replaces; an update of the draft changes it.
_NOT_OF_REVISIONS = frozenset({
    "auto_advance", "billing", "collection_method", "currency", "days_until_due", "default_tax_rates", "discounts",
    "pending_invoice_items_behavior", "subscription", "tax_percent",
})  # fmt: skip


def create(call: Call, params: operations.PostInvoices) -> StoredInvoice:
    """Create a draft for a customer, optionally with the pending invoice items."""
    if not params.get("customer"):
        if params.get("from_invoice"):
            return _revision(call, params)
        raise missing_param("customer")
    if params.get("from_invoice"):
        raise exclusive("from_invoice", "customer", param="customer")
    customer = call.objects.get(kinds.CUSTOMER, params["customer"], "customer")
    call = clock.for_customer(call, customer)
    check_sending(params, None)
    rules.check_settings(call, params, customer["id"])
    rules.check_time(params, bool(params.get("auto_advance")))
    subscription = (
        subscription_for(call, params["subscription"], customer["id"]) if params.get("subscription") else None
    )
    include = (
        fields.given(
            params,
            "pending_invoice_items_behavior",
            "include" if call.version < "2022-08-01" or subscription else "exclude",
        )
        == "include"
    )
    currency = (subscription["currency"] if subscription else None) or customer.get("currency")
    if params.get("currency"):
        currency = shared_currency.check_currency(params["currency"])
    items = (
        pending_items(call, customer["id"], currency, subscription["id"] if subscription else None) if include else []
    )
    if not items and include and call.version < "2022-08-01":
        raise invalid("Nothing to invoice for customer", "customer", "invoice_no_customer_line_items")
    currency = currency or (items[0]["currency"] if items else "usd")
    id = call.ids.new("in")
    lines = add_pending_items(call, [item for item in items if item["currency"] == currency], id)
    entries = redemption.entries_of(params)
    discounts = (
        redemption.redeem_all(call, entries, param="discounts", customer=customer, currency=currency, invoice=id)
        if entries is not None
        else _inherited(customer, subscription)
    )
    invoice = new_invoice(
        call,
        customer,
        Bill(currency, "manual", lines, discounts),
        id=id,
        subscription=subscription,
        collection_method=params.get("collection_method") or params.get("billing"),
        days_until_due=params.get("days_until_due"),
        auto_advance=bool(params.get("auto_advance")),
        default_tax_rates=default_rates(call, params, ()) or [],
    )
    apply_settings(call, invoice, params)
    invoice["metadata"] = fields.new_metadata(params)
    rules.check_automatic_tax(invoice)
    refresh(call, invoice)
    if entries is not None:
        _check_minimum(call, invoice)
    return store(call, invoice)


def _check_minimum(call: Call, invoice: StoredInvoice) -> None:
    """Raise ApiError 400 for a code that demands more than an invoice bills; one without lines bills nothing yet."""
    lines = invoice["lines"]["data"]
    if lines:
        subtotal = Money(sum(line["amount"] for line in lines), invoice["currency"])
        redemption.check_minimum(call, invoice["discounts"], subtotal)


def _revision(call: Call, params: operations.PostInvoices) -> StoredInvoice:
    """Create a draft that replaces an open invoice, with the changes in the parameters."""
    dropped = next((name for name in params if name in _NOT_OF_REVISIONS), None)
    if dropped is not None:
        raise exclusive("from_invoice", dropped, param=dropped)
    invoice = revise(call, params["from_invoice"]["invoice"])
    rules.check_time(params, invoice["auto_advance"])
    apply_settings(call, invoice, params)
    if "metadata" in params:
        invoice["metadata"] = fields.new_metadata(params)
    refresh(call, invoice)
    return store(call, invoice)


def _inherited(customer: StoredCustomer, subscription: api.Subscription | None) -> list[str]:
    """Return the ids of the subscription's discounts; without any, the customer's."""
    if subscription is not None and subscription["discounts"]:
        return list(subscription["discounts"])
    discount = customer.get("discount")
    return [discount["id"]] if discount else []


def update(call: Call, params: operations.PostInvoicesInvoice) -> StoredInvoice:
    """Change a draft, or those settings of a finalized invoice that do not affect its amounts."""
    invoice = call.objects.get(kinds.INVOICE, call.path["invoice"], path_param="id")
    customer = customer_of(call, invoice)
    call = clock.for_customer(call, customer)
    always = {
        "metadata",
        "auto_advance",
        "default_payment_method",
        "default_source",
        "payment_settings",
        "transfer_data",
    }
    late = [name for name in params if name not in always | {"closed", "forgiven", "paid"}]
    if invoice["status"] != "draft" and late:
        raise invalid("Finalized invoices can't be updated in this way", late[0], retry=False)
    check_sending(params, invoice)
    closing.check_ending(invoice, params)
    rules.check_settings(call, params, customer["id"])
    apply_settings(call, invoice, params)
    if params.get("collection_method"):
        invoice["collection_method"] = params["collection_method"]
    if params.get("days_until_due") is not None:
        invoice["due_date"] = call.now + params["days_until_due"] * 86_400
    rates = default_rates(call, params, invoice["default_tax_rates"])
    if rates is not None:
        invoice["default_tax_rates"] = rates
    entries = redemption.entries_of(params)
    if entries is not None:
        invoice["discounts"] = redemption.redeem_all(
            call, entries, param="discounts", customer=customer, currency=invoice["currency"], invoice=invoice["id"]
        )
        _check_minimum(call, invoice)
    fields.assign_with_metadata(invoice, {"metadata": params["metadata"]} if "metadata" in params else {}, ())
    if any(params.get(name) is not None for name in ("auto_advance", "automatically_finalizes_at", "closed")):
        advances = closing.advances(invoice, params)
        rules.check_time(params, advances)
        _advance_by_itself(call, invoice, advances, params.get("automatically_finalizes_at"))
    if invoice["status"] == "draft":
        if params.keys() & {"automatic_tax", "default_tax_rates", "tax_percent"}:
            rules.check_automatic_tax(invoice)
        refresh(call, invoice)
    else:
        collection.follow(call, invoice, params)
    call.objects.save(invoice, "invoice.updated")
    closing.end(call, invoice, params)
    return invoice


def _advance_by_itself(call: Call, invoice: StoredInvoice, yes: bool, at: int | None) -> None:
    """Turn automatic advancement on or off. at: when a draft is finalized, UTC epoch seconds; None for in an hour."""
    invoice["auto_advance"] = yes
    call.schedule.cancel(jobs.INVOICE_ADVANCE, invoice["id"])
    invoice["automatically_finalizes_at"] = None
    draft = invoice["status"] == "draft"
    at = at if draft and at is not None else call.now + GRACE_SECONDS
    if yes and draft:
        invoice["automatically_finalizes_at"] = at
    if not yes:
        call.schedule.cancel(jobs.INVOICE_RETRY, invoice["id"])
        invoice["next_payment_attempt"] = None
    elif invoice["status"] in ("draft", "open"):
        call.schedule.add(at, jobs.INVOICE_ADVANCE, invoice["id"], invoice["test_clock"])


def delete(call: Call, params: operations.DeleteInvoicesInvoice) -> Deleted:
    """Delete a draft that no subscription created; its invoice items are pending again."""
    call, invoice = invoice_of_path(call)
    if invoice["status"] != "draft":
        raise invalid("You can only delete draft invoices.", retry=False)
    if subscription_of(invoice) and invoice["billing_reason"] != "manual":
        raise invalid("You can't delete invoices created by subscriptions.", retry=False)
    for item in call.objects.query(kinds.INVOICE_ITEM, {"invoice": invoice["id"]}, limit=250):
        item["invoice"], item["_pending"] = None, True
        call.objects.save(item)
    call.schedule.cancel(jobs.INVOICE_ADVANCE, invoice["id"])
    return call.objects.delete(invoice, "invoice.deleted")


def finalize_manually(call: Call, params: operations.PostInvoicesInvoiceFinalize) -> StoredInvoice:
    """Finalize a draft; with ``auto_advance`` it is collected an hour later."""
    call, invoice = invoice_of_path(call, "id")
    if params.get("auto_advance") is not None:
        invoice["auto_advance"] = params["auto_advance"]
    error = try_to_finalize(call, invoice)
    if error is not None:
        raise error
    if states.status_now(invoice) == "open" and invoice["auto_advance"]:
        call.schedule.add(call.now + 3_600, jobs.INVOICE_ADVANCE, invoice["id"], invoice["test_clock"])
    return invoice


def send(call: Call, params: operations.PostInvoicesInvoiceSend) -> StoredInvoice:
    """Send an invoice to its customer, finalizing a draft first."""
    invoice = call.objects.get(kinds.INVOICE, call.path["invoice"])
    customer = customer_of(call, invoice)
    call = clock.for_customer(call, customer)
    if invoice["collection_method"] != "send_invoice":
        raise invalid("You can only manually send an invoice if its collection method is 'send_invoice'.", retry=False)
    if not customer.get("email"):
        raise invalid(
            "Missing email. In order to create invoices that are sent to the customer,"
            " the customer must have a valid email.",
            code="missing_email",
        )
    if invoice["status"] == "draft":
        finalize(call, invoice)
    elif invoice["status"] != "open":
        raise invalid(
            "This invoice cannot be sent right now. Please contact us via https://support.stripe.com/contact with"
            " details, so we can help.",
            retry=False,
        )
    call.emit("invoice.sent", invoice)
    return invoice


def void_manually(call: Call, params: operations.PostInvoicesInvoiceVoid) -> StoredInvoice:
    """Void an invoice."""
    call, invoice = invoice_of_path(call, "id")
    if invoice["amount_paid"]:  # a part is paid, and "Invoices with `paid` payments cannot be voided"
        raise with_payments()
    void(call, invoice)
    return invoice


def mark_uncollectible(call: Call, params: operations.PostInvoicesInvoiceMarkUncollectible) -> StoredInvoice:
    """Mark an open invoice uncollectible."""
    call, invoice = invoice_of_path(call, "id")
    write_off(call, invoice)
    set_delinquent(call, invoice["customer"], yes=False)
    return invoice


def list_invoices(call: Call, params: operations.GetInvoices) -> Page:
    """List invoices by customer, status, collection method, subscription, creation or due date."""
    equal = {name: params[name] for name in ("customer", "status", "collection_method") if params.get(name)}
    if params.get("subscription"):
        equal["parent.subscription_details.subscription"] = params["subscription"]
    bounds = created_ranges(params.get("due_date"), "due_date")
    checks = {">": int.__gt__, ">=": int.__ge__, "<": int.__lt__, "<=": int.__le__}

    def due(invoice: StoredInvoice) -> bool:
        return invoice["due_date"] is not None and all(checks[b.operator](invoice["due_date"], b.value) for b in bounds)

    return list_page(call, kinds.INVOICE, params, equal, url="/v1/invoices", keep=due if bounds else None)


def _payments(call: Call, invoice: StoredInvoice) -> api.InvoicePayments:
    """Return the list of an invoice's payments."""
    listed: api.InvoicePayments = nested_list(
        [
            call.objects.copy(p)
            for p in call.objects.query(kinds.INVOICE_PAYMENT, {"invoice": invoice["id"]}, limit=100)
        ],
        "/v1/invoices/payments",
    )
    return listed


def _confirmation_secret(call: Call, invoice: StoredInvoice) -> api.InvoicesResourceConfirmationSecret | None:
    """Return ``confirmation_secret`` of an invoice; None without a PaymentIntent."""
    intent = (
        call.objects.find(kinds.PAYMENT_INTENT, invoice.get("_payment_intent") or "")
        if "payment_intent" in call.setup.tables.of
        else None
    )
    secret = intent["client_secret"] if intent else None
    return {"client_secret": secret, "type": "payment_intent"} if secret else None


INVOICE = Resource(
    object="invoice",
    prefix="in",
    permission=permissions.INVOICE,
    reveals={"hosted_invoice_url": "read", "invoice_pdf": "read", "confirmation_secret": "payment_intent_read"},
    live=records(),
    path_param="invoice",
    indexed=("customer", "status", "collection_method", "parent.subscription_details.subscription", "test_clock"),
    searchable={
        "created": "created",
        "currency": "currency",
        "customer": "customer",
        "metadata": "metadata",
        "number": "number",
        "status": "status",
        "subscription": "parent.subscription_details.subscription",
        "total": "total",
    },
    expands={
        "payments": _payments,
        "confirmation_secret": _confirmation_secret,
    },
    endpoints=(
        Endpoint("GET", "/v1/invoices", list_invoices),
        Endpoint("POST", "/v1/invoices", create, removed=CREATE_REMOVED),
        searching("invoice", "/v1/invoices/search"),
        retrieve("invoice", "/v1/invoices/{invoice}"),
        Endpoint("POST", "/v1/invoices/{invoice}", update, removed=UPDATE_REMOVED),
        Endpoint("DELETE", "/v1/invoices/{invoice}", delete),
        Endpoint("POST", "/v1/invoices/{invoice}/add_lines", add_lines),
        Endpoint(
            "POST",
            "/v1/invoices/{invoice}/attach_payment",
            attach_payment,
            live=asks(providers.CHARGES, "the payment has succeeded already"),
        ),
        Endpoint("POST", "/v1/invoices/{invoice}/finalize", finalize_manually),
        Endpoint("GET", "/v1/invoices/{invoice}/lines", list_lines),
        Endpoint("POST", "/v1/invoices/{invoice}/lines/{line_item_id}", update_line),
        Endpoint("POST", "/v1/invoices/{invoice}/mark_uncollectible", mark_uncollectible),
        Endpoint(
            "POST",
            "/v1/invoices/{invoice}/pay",
            pay,
            live=asks(providers.PAYMENTS, "something is due and it is not paid out of band"),
        ),
        Endpoint("POST", "/v1/invoices/{invoice}/remove_lines", remove_lines),
        Endpoint("POST", "/v1/invoices/{invoice}/send", send, live=records("No e-mail is sent.")),
        Endpoint("POST", "/v1/invoices/{invoice}/update_lines", update_lines),
        Endpoint("POST", "/v1/invoices/{invoice}/void", void_manually),
        *PAGES,
    ),
    changes=CHANGES,
    refusal=refusal,
    on=(*OF_INTENTS, Reaction(events.MethodRemoved, method_removed)),
    on_due={jobs.INVOICE_ADVANCE: advance, jobs.INVOICE_RETRY: retry, jobs.INVOICE_OVERDUE: overdue},
    title="Invoices",
    columns=("number", "id", "customer", "total", "currency", "status", "created"),
    actions=(
        Action("Finalize", "/v1/invoices/{invoice}/finalize", when=("draft",)),
        Action("Pay", "/v1/invoices/{invoice}/pay", ("payment_method",), when=("draft", "open", "uncollectible")),
        Action("Send", "/v1/invoices/{invoice}/send", when=("draft", "open")),
        Action("Void", "/v1/invoices/{invoice}/void", when=("open", "uncollectible")),
        Action("Mark uncollectible", "/v1/invoices/{invoice}/mark_uncollectible", when=("open",)),
        Action("Delete", "/v1/invoices/{invoice}", when=("draft",), method="DELETE"),
    ),
)
