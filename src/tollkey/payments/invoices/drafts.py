"""Draft invoices: customer, lines and amounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.catalog import arithmetic, rendering
from tollkey.payments.invoices import jobs, kinds, manual_taxes, states
from tollkey.payments.invoices.line_terms import Priced, Terms
from tollkey.payments.invoices.lines import invoice_item_line, recalculate_totals
from tollkey.payments.shared import fields as shared_fields
from tollkey.payments.tax import automatic
from tollkey.payments.tax import tax_rates as stored_rates
from tollkey.wire import Call, invalid, new_object
from tollkey.wire.errors import exclusive
from tollkey.wire.pages import nested_list

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.invoices.stored import (
        OrderedLine,
        Pricing,
        StoredInvoice,
        StoredInvoiceItem,
        StoredLine,
        TransferWish,
    )
    from tollkey.wire import api, operations

#: The time before a draft is finalized automatically, in which integrations can still change it.
GRACE_SECONDS = 3_600
_FROM_SUBSCRIPTION = (
    "default_payment_method",
    "default_source",
    "description",
    "on_behalf_of",
    "default_tax_rates",
    "application",
)


@dataclass(frozen=True)
class Bill:
    """The content of an invoice.

    currency: three-letter code. reason: ``billing_reason``. lines: in their order. discounts: ids of the discounts of
        the whole invoice. period: ``period_start`` and ``period_end``, UTC epoch seconds; now if None.
    """

    currency: str
    reason: str
    lines: Sequence[StoredLine]
    discounts: Sequence[str] = ()
    period: tuple[int, int] | None = None


def new_invoice(
    call: Call,
    customer: StoredCustomer,
    bill: Bill,
    *,
    id: str | None = None,
    subscription: api.Subscription | None = None,
    collection_method: str | None = None,
    days_until_due: int | None = None,
    **fields: Any,
) -> StoredInvoice:
    """Return a draft invoice with its totals, not stored.

    id: a new one if None. collection_method, days_until_due: those of the subscription if None. fields: further
        properties. Settings of the subscription take precedence over those of the customer.
    """
    id = id or call.ids.new("in")
    collection, days = collection_method, days_until_due
    if subscription is not None:
        collection = collection or subscription.get("collection_method")
        days = days or subscription.get("days_until_due")
    collection = collection or "charge_automatically"
    invoice = _empty(
        call,
        id,
        customer,
        bill.period or (call.now, call.now),
        billing_reason=bill.reason,
        collection_method=collection,
        currency=bill.currency,
        due_date=call.now + days * arithmetic.DAY if days is not None and collection == "send_invoice" else None,
    )
    _from_customer(call, invoice, customer)
    invoice["discounts"] = list(bill.discounts)
    invoice["lines"] = nested_list(list(bill.lines), f"/v1/invoices/{id}/lines", total_count=len(bill.lines))
    invoice["_days"] = days
    if subscription is not None:
        _from_subscription(invoice, subscription)
    if bill.reason == "manual" and invoice["rendering"] is None:
        invoice["rendering"] = {
            "amount_tax_display": None,
            "pdf": {"page_size": "auto"},
            "template": None,
            "template_version": None,
        }
    shared_fields.assign(invoice, fields, fields)
    for line in bill.lines:
        line["invoice"] = id
    refresh(call, invoice)
    return invoice


def _empty(call: Call, id: str, customer: StoredCustomer, period: tuple[int, int], **known: Any) -> StoredInvoice:
    """Return a draft without lines. period: start and end, UTC epoch seconds. known: further properties."""
    account = shared_fields.acting_account(call) or {}
    invoice = new_object(
        kinds.INVOICE,
        id=id,
        account_country=account.get("country") or "US",
        account_name=((account.get("business_profile") or {}).get("name")) or None,
        amount_due=0,
        amount_overpaid=0,
        amount_paid=0,
        amount_remaining=0,
        amount_shipping=0,
        attempt_count=0,
        attempted=False,
        auto_advance=False,
        automatic_tax={
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        created=call.now,
        customer=customer["id"],
        customer_tax_exempt=customer.get("tax_exempt") or "none",
        issuer={"type": "self"},
        livemode=call.livemode,
        payment_settings={"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        period_end=period[1],
        period_start=period[0],
        post_payment_credit_notes_amount=0,
        pre_payment_credit_notes_amount=0,
        starting_balance=0,
        status=states.INVOICE.start("draft"),
        status_transitions={"finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None},
        subtotal=0,
        total=0,
        test_clock=customer.get("test_clock"),
        webhooks_delivered_at=call.now,
        **known,
    )
    invoice["amount_paid_off_stripe"] = 0
    return invoice


def copy_customer_details(call: Call, invoice: StoredInvoice, customer: StoredCustomer) -> None:
    """Copy the customer's present details to a draft; after it is finalized they no longer change."""
    _show_customer(invoice, customer)
    invoice["customer_tax_exempt"] = customer.get("tax_exempt") or "none"
    invoice["customer_tax_ids"] = _tax_ids(call, customer)


def _show_customer(invoice: StoredInvoice, customer: StoredCustomer) -> None:
    """Copy the customer's name, addresses, e-mail address and phone to the invoice."""
    invoice.update(
        {
            "customer_address": customer.get("address"),
            "customer_email": customer.get("email"),
            "customer_name": customer.get("name"),
            "customer_phone": customer.get("phone"),
            "customer_shipping": customer.get("shipping"),
        }
    )


def _tax_ids(call: Call, customer: StoredCustomer) -> list[api.InvoicesResourceInvoiceTaxId]:
    """Return the customer's tax ids as invoices show them."""
    return [
        {"type": tax_id["type"], "value": tax_id["value"]}
        for tax_id in reversed(automatic.tax_ids_of(call, customer["id"]))
    ]


def _from_customer(call: Call, invoice: StoredInvoice, customer: StoredCustomer) -> None:
    """Set the fields of an invoice that come from its customer."""
    _show_customer(invoice, customer)
    invoice["customer_tax_ids"] = _tax_ids(call, customer)
    settings = customer.get("invoice_settings")
    invoice["footer"] = settings.get("footer") if settings else None
    invoice["custom_fields"] = settings.get("custom_fields") if settings else None
    invoice["rendering"] = rendering.of_customer(call, customer)


def _from_subscription(invoice: StoredInvoice, subscription: api.Subscription) -> None:
    """Set the fields of an invoice that come from its subscription."""
    invoice["parent"] = {
        "quote_details": None,
        "subscription_details": {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]},
        "type": "subscription_details",
    }
    shared_fields.assign(invoice, subscription, _FROM_SUBSCRIPTION)
    automatic_tax = subscription.get("automatic_tax")
    if automatic_tax:
        invoice["automatic_tax"].update(
            {"enabled": automatic_tax["enabled"], "liability": automatic_tax.get("liability")}
        )
    settings = subscription["payment_settings"]
    shared_fields.assign(
        invoice["payment_settings"], settings or {}, ("payment_method_options", "payment_method_types")
    )
    shared_fields.assign(invoice, subscription.get("invoice_settings") or {}, ("account_tax_ids", "issuer"))
    # The one of a subscription has no ``amount``; otherwise the types are equal.
    invoice["_transfer_data"] = cast("TransferWish | None", subscription["transfer_data"])
    invoice["_application_fee_percent"] = subscription["application_fee_percent"]


def subscription_of(invoice: StoredInvoice) -> str | None:
    """Return the id of the subscription that an invoice belongs to, else None."""
    parent = invoice.get("parent")
    details = parent.get("subscription_details") if parent else None
    return details.get("subscription") if details else None


def subscription_for(call: Call, id: str, customer: str) -> api.Subscription:
    """Return the subscription that an invoice or an invoice item names.

    customer: an id. Raises ApiError 400 if the subscription is not theirs; the text is that of the older path
    ``/v1/customers/{customer}/subscriptions``.
    """
    found = call.objects.get(kinds.SUBSCRIPTION, id, "subscription")
    if found["customer"] != customer:
        raise invalid(f"Customer {customer} does not have a subscription with ID {id}", "subscription")
    return found


def refresh(call: Call, invoice: StoredInvoice) -> None:
    """Compute the totals of a draft, and the amount due before the customer's balance is applied."""
    recalculate_totals(call, invoice)
    invoice["amount_due"] = max(invoice["total"], 0)
    invoice["amount_remaining"] = max(invoice["amount_due"] - invoice["amount_paid"], 0)


def pending_items(
    call: Call, customer: str, currency: str | None, subscription: str | None = None
) -> list[StoredInvoiceItem]:
    """Return the pending invoice items of a customer, oldest first.

    currency: lower-case code; any if None. subscription: id of the subscription whose items are included, besides those
        without a subscription.
    """
    items = call.objects.query(
        kinds.INVOICE_ITEM, {"customer": customer, "_pending": "true"}, limit=250, oldest_first=True
    )
    return [
        item
        for item in items
        if (currency is None or item["currency"] == currency) and item.get("_subscription") in (None, subscription)
    ]


def add_pending_items(call: Call, items: list[StoredInvoiceItem], invoice: str) -> list[StoredLine]:
    """Add pending items to an invoice, so that they are no longer pending, and return their lines.

    invoice: an id.
    """
    lines = []
    for item in items:
        item["invoice"], item["_pending"] = invoice, False
        call.objects.save(item, "invoiceitem.updated")
        lines.append(invoice_item_line(call, item))
    return lines


def one_time_line_of(call: Call, customer: StoredCustomer, invoice: str, line: OrderedLine) -> StoredLine:
    """Create the line of an invoice for a line of a quote or of a Checkout Session, with its invoice item.

    invoice: the id of the invoice that will contain it.
    """
    price, quantity = line["price"], line["quantity"]
    assert price is not None, "every line that is ordered has a price"
    assert quantity is not None, "only lines with metered prices have no quantity"
    pricing: Pricing = {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
    priced = Priced(line["amount_subtotal"], line["currency"], quantity, pricing, line["description"])
    return create_one_time_line(call, customer, invoice, priced, Terms(rates=line["_rates"]))


def create_one_time_line(
    call: Call,
    customer: StoredCustomer,
    invoice: str,
    priced: Priced,
    terms: Terms,
    *,
    period: tuple[int, int] | None = None,
    subscription: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> StoredLine:
    """Store an invoice item for a one-time amount, and return its line.

    invoice: the id of the invoice that will contain it. period: start and end, UTC epoch seconds; now if None.
        subscription: the id of the subscription that it is billed with.
    """
    start, end = period or (call.now, call.now)
    item = new_object(
        kinds.INVOICE_ITEM,
        id=call.ids.new("ii"),
        amount=priced.amount,
        currency=priced.currency,
        customer=customer["id"],
        date=call.now,
        description=priced.description,
        discountable=terms.discountable,
        invoice=invoice,
        livemode=call.livemode,
        metadata=dict(metadata or {}),
        period={"end": end, "start": start},
        pricing=priced.pricing,
        proration=False,
        quantity=priced.quantity,
        quantity_decimal=priced.quantity_decimal,
        test_clock=customer.get("test_clock"),
    )
    item["discounts"], item["tax_rates"] = list(terms.discounts), tax_rates(call, list(terms.rates), "tax_rates")
    item["_subscription"], item["_subscription_item"], item["_pending"] = subscription, None, False
    if subscription is not None:
        item["parent"] = {
            "subscription_details": {"subscription": subscription},
            "type": "subscription_details",
        }
    call.objects.insert(item, "invoiceitem.created")
    return invoice_item_line(call, item)


def store(call: Call, invoice: StoredInvoice) -> StoredInvoice:
    """Store a new draft with ``invoice.created``; with ``auto_advance``, schedule its finalization."""
    at = invoice["automatically_finalizes_at"] or call.now + GRACE_SECONDS
    invoice["automatically_finalizes_at"] = at if invoice["auto_advance"] else None
    if invoice["auto_advance"]:
        call.schedule.add(at, jobs.INVOICE_ADVANCE, invoice["id"], invoice["test_clock"])
    return call.objects.insert(invoice, "invoice.created")


def tax_rates(call: Call, ids: list[str] | None, param: str) -> list[api.TaxRate]:
    """Return copies of the tax rates with these ids. Raises ApiError 400 for an unknown id.

    param: the parameter with the ids, for errors.
    """
    manual_taxes.check_rates(call, ids or (), param)
    return [
        call.objects.copy(call.objects.get(kinds.TAX_RATE, id, f"{param}[{place}]"))
        for place, id in enumerate(ids or [])
    ]


def default_rates(
    call: Call, params: operations.PostInvoices | operations.PostInvoicesInvoice, used: Iterable[api.TaxRate]
) -> list[api.TaxRate] | None:
    """Return the tax rates in ``default_tax_rates``, or that of ``tax_percent``; None if neither was given.

    used: those that the invoice has. Raises ApiError 400 for an unknown or archived rate, and for both.
    """
    if "tax_percent" not in params:
        if "default_tax_rates" not in params:
            return None
        stored_rates.check_active(call, params["default_tax_rates"], "default_tax_rates", used)
        return tax_rates(call, params["default_tax_rates"], "default_tax_rates")
    if params.get("default_tax_rates"):
        raise exclusive("default_tax_rates", "tax_percent", param="tax_percent")
    percent = params["tax_percent"]
    return [stored_rates.percent_rate(call, percent)] if percent else []
