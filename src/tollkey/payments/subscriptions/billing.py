"""Invoices of subscriptions: the lines of a period, and how the invoice is collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import arithmetic, pricing, redemption
from tollkey.payments.invoices import drafts, dunning, invoiceitems, lifecycle, line_terms
from tollkey.payments.invoices import jobs as invoice_jobs
from tollkey.payments.invoices import lines as invoices_lines
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions import kinds
from tollkey.payments.subscriptions.discounts import discounts_of
from tollkey.payments.subscriptions.items import cost_quantity, full_price, is_metered
from tollkey.payments.subscriptions.periods import period_of_item, whole_period
from tollkey.payments.subscriptions.proration import item_details
from tollkey.payments.usage import quantities
from tollkey.wire import Call, invalid
from tollkey.wire.errors import card_error

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.invoices.stored import StoredInvoice, StoredLine
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem
    from tollkey.wire import api

_ACTION_REQUIRED = (
    "Payment for this subscription requires additional user action before it can be completed successfully. Payment can"
    " be completed using the PaymentIntent associated with `subscription.latest_invoice`. Additional information is"
    " available here: https://stripe.com/docs/billing/subscriptions/overview#requires-action"
)


def period_lines(
    call: Call,
    subscription: StoredSubscription,
    items: Sequence[StoredSubscriptionItem],
    *,
    trial: bool = False,
    whole: bool = False,
) -> list[StoredLine]:
    """Return the lines of the items' current periods: licensed items in advance, free in a trial.

    whole: charge the full price for a period that is shorter than the interval of its price; otherwise it is prorated.
    Metered items are billed after their period, so they have a line only in a trial.
    """
    lines = []
    for item in items:
        if not is_metered(item):
            period = period_of_item(item)
            full = whole_period(subscription, item, period.start)
            made = item_lines(call, subscription, item, period, trial=trial)
            if not trial and not whole and period != full:
                for line in made:
                    make_partial(line, arithmetic.share(line["amount"], full, period))
            lines += made
        elif trial:
            lines += item_lines(call, subscription, item, period_of_item(item), trial=True)
    return lines


def item_lines(
    call: Call,
    subscription: StoredSubscription,
    item: StoredSubscriptionItem,
    period: tuple[int, int] | None = None,
    *,
    trial: bool = False,
) -> list[StoredLine]:
    """Return the lines of one item for a whole period, at its price and quantity; free in a trial.

    period: start and end, UTC epoch seconds; the current period if None.
    """
    quantity = 0 if is_metered(item) else cost_quantity(item)
    price, period = full_price(call, item), period or period_of_item(item)
    return invoices_lines.subscription_lines(call, subscription, item, price, period, quantity=quantity, trial=trial)


def usage_lines(
    call: Call,
    subscription: StoredSubscription,
    items: Sequence[StoredSubscriptionItem],
    until: int | None = None,
) -> list[StoredLine]:
    """Return the lines of the metered items: usage of the current period that no threshold invoice has billed.

    until: end of the usage, UTC epoch seconds; the end of each item's period if None.
    """
    return [
        line
        for item in items
        if is_metered(item)
        for line in span_usage_lines(
            call,
            subscription,
            item,
            (item["current_period_start"], item["current_period_end"] if until is None else until),
        )
    ]


def span_usage_lines(
    call: Call, subscription: StoredSubscription, item: StoredSubscriptionItem, span: tuple[int, int]
) -> list[StoredLine]:
    """Return the lines of a metered item for its usage in a span (start and end, UTC epoch seconds)."""
    before = billed_of(subscription, item, span[0])
    total = max(quantities.used(call, subscription, item, span), before)
    return invoices_lines.subscription_lines(
        call, subscription, item, full_price(call, item), span, quantity=total, before=before
    )


def billed_of(subscription: StoredSubscription, item: StoredSubscriptionItem, start: int) -> int:
    """Return how many units of an item threshold invoices have billed in the period that began at ``start``.

    start: UTC epoch seconds.
    """
    billed = subscription.get("_billed")
    return billed["items"].get(item["id"], 0) if billed and billed["start"] == start else 0


def make_partial(line: api.LineItem, amount: int) -> None:
    """Turn the line of a whole period into a prorated one that costs ``amount`` (minor units)."""
    details, pricing = item_details(line), line["pricing"]
    assert details is not None, "the lines of a period bill subscription items"
    assert pricing is not None, "subscription items have prices"
    line["amount"] = line["subtotal"] = amount
    details["proration"] = True
    line["pricing"] = {**pricing, "unit_amount_decimal": None}


def added_lines(
    call: Call, subscription: StoredSubscription, params: Mapping[str, Any], customer: StoredCustomer, invoice: str
) -> list[StoredLine]:
    """Create the one-time lines of ``add_invoice_items``, each with its invoice item, and return them.

    invoice: the id of the invoice that will contain the lines. Raises ApiError for invalid prices or discounts.
    """
    lines = []
    for place, entry in enumerate(params.get("add_invoice_items") or []):
        named = f"add_invoice_items[{place}]"
        price = call.objects.find(kinds.PRICE, entry.get("price") or "")
        if price is not None:
            if price["recurring"]:
                raise invoiceitems.not_once(f"{named}[price]")
            pricing.check_currency(price, subscription["currency"], f"{named}[price]")
        priced = invoiceitems.pricing_of(call, entry, subscription["currency"])
        if priced.currency != subscription["currency"]:
            raise invalid(
                f"The currency of the invoice item ({priced.currency}) must match the subscription's"
                f" ({subscription['currency']}).",
                f"{named}[price_data][currency]",
            )
        discounts = redemption.redeem_all(
            call,
            entry.get("discounts") or [],
            param=f"add_invoice_items[{place}][discounts]",
            customer=customer,
            currency=subscription["currency"],
            place="invoice item",
        )
        terms = line_terms.Terms(fields.given(entry, "discountable", True), discounts, entry.get("tax_rates") or ())
        lines.append(
            drafts.create_one_time_line(
                call,
                customer,
                invoice,
                priced,
                terms,
                period=(subscription["_period"][0], subscription["_period"][1]) if entry.get("period") else None,
                subscription=subscription["id"],
                metadata=entry.get("metadata"),
            )
        )
    return lines


def create_draft_invoice(
    call: Call,
    subscription: StoredSubscription,
    lines: list[StoredLine],
    *,
    reason: str,
    period: tuple[int, int],
    id: str | None = None,
    advance: bool = False,
    threshold_reason: api.InvoiceThresholdReason | None = None,
) -> StoredInvoice:
    """Store a draft invoice with these lines and the pending invoice items, as the subscription's latest invoice.

    Discounts that are used up end. The caller saves the subscription.
    reason: ``billing_reason``. period: start and end, UTC epoch seconds. id: of the invoice; a new one if None.
        advance: whether it is finalized in an hour. threshold_reason: the billing thresholds that were reached.
    """
    customer = call.objects.get(kinds.CUSTOMER, subscription["customer"], "customer")
    id = id or call.ids.new("in")
    waiting = drafts.pending_items(call, customer["id"], subscription["currency"], subscription["id"])
    lines = drafts.add_pending_items(call, waiting, id) + lines
    discounts = discounts_of(subscription, customer)
    invoice = drafts.new_invoice(
        call,
        customer,
        drafts.Bill(subscription["currency"], reason, lines, discounts, period),
        id=id,
        subscription=subscription,
        auto_advance=advance,
    )
    if threshold_reason is not None:
        invoice["threshold_reason"] = threshold_reason
    if invoice["total"] > 0 or invoice["total_discount_amounts"] or reason == "subscription_cycle":
        subscription["discounts"] = redemption.end_used(call, subscription["discounts"])
        own = customer.get("discount")
        if not subscription["discounts"] and own and own["id"] in discounts:
            _end_customers(call, customer, own)
    subscription["latest_invoice"] = id
    return drafts.store(call, invoice)


def _end_customers(call: Call, customer: StoredCustomer, discount: api.Discount) -> None:
    """End the customer's own discount if it is used up."""
    if not redemption.end_used(call, [discount["id"]]):
        customer["discount"] = None
        call.objects.save(customer, "customer.updated")


def collect_now(call: Call, invoice: StoredInvoice, behavior: str, *, off_session: bool = True) -> str:
    """Finalize and collect an invoice now; return ``paid``, ``open``, ``requires_action`` or ``failed``.

    ``open`` means that no payment was attempted. behavior: ``payment_behavior``. off_session: whether the customer is
    absent.
    Raises ApiError 402 with ``error_if_incomplete``, which undoes all changes, and 400 without a payment method.
    """
    invoice["auto_advance"] = True
    lifecycle.finalize(call, invoice)
    status = str(invoice["status"])
    if status != "paid" and behavior != "default_incomplete":
        outcome = lifecycle.attempt_collection(call, invoice, off_session=off_session)
        status = outcome.status
        if behavior == "error_if_incomplete" and outcome.error is not None:
            outcome.error.keep = False
            raise outcome.error
        if behavior == "error_if_incomplete" and status == "requires_action":
            raise card_error("subscription_payment_intent_requires_action", _ACTION_REQUIRED, keep=False)
    return status


def collect_next(call: Call, invoice: StoredInvoice) -> None:
    """Let a job of its own finalize and collect a draft at once, for a change that a job made.

    What is refused then is recorded on the invoice, with its event, and undoes nothing of the change.
    """
    invoice["auto_advance"], invoice["automatically_finalizes_at"] = True, call.now
    call.objects.save(invoice)
    call.schedule.add(call.now, invoice_jobs.INVOICE_ADVANCE, invoice["id"], invoice["test_clock"])


def apply_pause_behavior(
    call: Call, subscription: StoredSubscription, invoice: StoredInvoice, *, in_job: bool = False
) -> None:
    """Apply ``pause_collection[behavior]`` to a new invoice: keep it a draft, void it, or mark it uncollectible.

    in_job: whether a job does it: a draft that cannot be finalized then keeps the error, and the caller must not use
        what it had loaded.
    """
    pause = subscription["pause_collection"]
    if pause is None or pause["behavior"] == "keep_as_draft":
        return
    if not in_job:
        lifecycle.finalize(call, invoice)
    elif dunning.try_to_finalize(call, invoice) is not None:
        return
    if invoice["status"] == "open":
        (lifecycle.void if pause["behavior"] == "void" else lifecycle.write_off)(call, invoice)


__all__ = [
    "added_lines",
    "apply_pause_behavior",
    "billed_of",
    "collect_next",
    "collect_now",
    "create_draft_invoice",
    "item_lines",
    "make_partial",
    "period_lines",
    "span_usage_lines",
    "usage_lines",
]
