"""Previews: the next invoice of a customer or subscription, or what a change would bill. Nothing is stored."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from tollkey.ledger import Money
from tollkey.payments.catalog import arithmetic, redemption
from tollkey.payments.charges import splitting
from tollkey.payments.customers import balance
from tollkey.payments.invoices import drafts, invoiceitems, line_terms
from tollkey.payments.invoices import lines as invoices_lines
from tollkey.payments.shared import clock, fields, naming
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.subscriptions import kinds, phase_previews
from tollkey.payments.subscriptions.billing import period_lines, usage_lines
from tollkey.payments.subscriptions.changes import wanted_changes
from tollkey.payments.subscriptions.creation import mode_of, wanted_items
from tollkey.payments.subscriptions.discounts import discounts_of, discounts_of_customer, previewed
from tollkey.payments.subscriptions.items import apply_changes, is_flexible, load, new_item, recurring_price
from tollkey.payments.subscriptions.periods import begin_periods, interval_of, period_of, set_period, terms_of
from tollkey.payments.subscriptions.phases import phase_items
from tollkey.payments.subscriptions.proration import item_details, prorations
from tollkey.payments.subscriptions.rules import check_preview, ends_by
from tollkey.payments.subscriptions.settings import PREVIEW_ANCHOR, translate
from tollkey.payments.tax import automatic, tax_ids
from tollkey.wire import Call, Endpoint, Params, invalid
from tollkey.wire.resource import MoreEndpoints

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.invoices.stored import StoredInvoice, StoredLine
    from tollkey.payments.subscriptions.stored import Phase, StoredSubscription
    from tollkey.wire import api, operations

_NEITHER = "You must either provide a `customer` or a `subscription` to the upcoming invoice endpoint."
_DETAILS = ("address", "shipping", "tax_exempt")


def preview(call: Call, params: operations.PostInvoicesCreatePreview) -> StoredInvoice:
    """Create a preview invoice. Objects that it needs, such as an inline price, are not kept."""
    return preview_change(call, params)


def preview_change(call: Call, params: Mapping[str, Any]) -> StoredInvoice:
    """Return the preview of a change, also of one that the portal offers. params: of the endpoint."""
    return preview_of(call, params, "upcoming_" + call.ids.new("in"))


def preview_renewal(call: Call, subscription: StoredSubscription) -> StoredInvoice:
    """Return the next invoice of a subscription without changes. Raises ApiError 404 if there is none."""
    return preview_of(call, {"subscription": subscription["id"]}, "upcoming", now=call)


class _Rollback(Exception):
    """Raised to roll back what a preview has written."""


def preview_of(call: Call, params: Mapping[str, Any], id: str, now: Call | None = None) -> StoredInvoice:
    """Return a preview invoice and roll back everything written for it.

    id: of the preview. now: the call at the customer's time; derived from the customer if None. Raises ApiError 400 for
        parameters that contradict each other, and 404 if there is no upcoming invoice.
    """
    try:
        with call.tx.savepoint():
            invoice = _build_preview(call, params, id, now)
            raise _Rollback
    except _Rollback:
        return invoice


def _build_preview(call: Call, params: Mapping[str, Any], id: str, now: Call | None) -> StoredInvoice:
    """Return the preview invoice. Writes objects that the caller must roll back."""
    subscription = (
        call.objects.get(kinds.SUBSCRIPTION, params["subscription"], "subscription")
        if params.get("subscription")
        else None
    )
    schedule = call.objects.get(kinds.SCHEDULE, params["schedule"], "schedule") if params.get("schedule") else None
    if schedule is not None and subscription is None:
        subscription = call.objects.find(kinds.SUBSCRIPTION, schedule["subscription"] or "")
    check_preview(call, params, subscription)
    owned = subscription or schedule
    customer_id = owned["customer"] if owned else params.get("customer")
    if customer_id is None and not params.get("customer_details"):
        raise invalid(_NEITHER)
    call, customer = _customer(call, customer_id, params.get("customer_details") or {}, now)
    phases = phase_previews.phases_of(call, schedule, params)
    scheduled = params.get("schedule_details") or {}
    tax_ids.check_account_ids(call, scheduled, "schedule_details")
    asked = {
        "_end_behavior": scheduled.get("end_behavior"),
        "_phases": bool(scheduled.get("phases")),
        "_proration_behavior": scheduled.get("proration_behavior"),
    }
    details = translate({**(params.get("subscription_details") or {}), **asked})
    details.setdefault("billing_mode", scheduled.get("billing_mode"))
    if subscription is None and phases:
        details = {**details, "items": phase_items(call, [], phases[0])}
    if subscription is None and customer_id is not None and not details.get("items") and not details.get("plan"):
        subscription = _next_of(call, customer_id)
    if subscription is not None:
        lines, reason, period = _of_subscription(call, subscription, details, phases)
    elif details.get("items") or details.get("plan"):
        lines, reason, period, subscription = _of_new(call, customer, details, params)
    else:
        lines, reason, period = [], "upcoming", (call.now, call.now)
    known = subscription["currency"] if subscription else customer.get("currency")
    currency = shared_currency.check_currency(
        str(fields.given(params, "currency", known) or _currency_of_items(call, params))
    )
    if params.get("preview_mode") == "recurring":  # the amount of each later period
        lines = [line for line in lines if not _proration(line)]
    else:
        lines += _items(call, customer, subscription, params, currency)
    if not lines and subscription is None:
        raise phase_previews.no_upcoming(customer_id)
    bill = drafts.Bill(currency, "upcoming" if reason == "upcoming" else "subscription_create", lines, [], period)
    return _invoice(call, params, id, customer, subscription, bill)


def _customer(call: Call, id: str | None, details: Mapping[str, Any], now: Call | None) -> tuple[Call, StoredCustomer]:
    """Return the call at the customer's time, and the customer with the details of the parameters.

    Without an id the customer is a new one: it has no id, and missing fields count as not set.
    """
    known: Mapping[str, Any] = {"id": None, "balance": 0}
    if id:
        customer = call.objects.get(kinds.CUSTOMER, id, "customer")
        known = customer
    seen = {**known, **{name: value for name, value in details.items() if name in _DETAILS}}
    return now or clock.for_customer(call, known), cast("StoredCustomer", seen)  # may lack fields, see the docstring


def _proration(line: api.LineItem) -> bool:
    """Return whether a line is a proration of a subscription item."""
    details = item_details(line)
    return details is not None and details["proration"]


def _next_of(call: Call, customer: str) -> StoredSubscription | None:
    """Return the customer's subscription that renews next, else None."""
    live = call.objects.query(
        kinds.SUBSCRIPTION, {"customer": customer, "status": ["trialing", "active", "past_due"]}, limit=100
    )
    live = [subscription for subscription in live if not subscription["cancel_at_period_end"]]
    return min(live, key=lambda subscription: period_of(subscription)[1], default=None)


def _of_subscription(
    call: Call, subscription: StoredSubscription, details: Mapping[str, Any], phases: list[Phase]
) -> tuple[list[StoredLine], str, tuple[int, int]]:
    """Return lines, billing reason and period of a subscription's next invoice, after the changes in the parameters."""
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise phase_previews.no_upcoming(subscription["customer"])
    customer = call.objects.get(kinds.CUSTOMER, subscription["customer"], "customer")
    items = load(call, subscription)
    period = period_of(subscription)
    seen = copy.deepcopy(subscription)
    if details.get("billing_mode"):
        seen["billing_mode"] = mode_of(details["billing_mode"], call.now)
    changes = wanted_changes({**details, "items": details.get("items")}, items)
    after = apply_changes(call, seen, items, changes, customer) if changes else items
    at = int(fields.given(details, "proration_date", call.now))
    trialing = subscription["status"] == "trialing"
    behavior = fields.given(details, "proration_behavior", "create_prorations")
    entered = phase_previews.entered(call, seen, items, phases, details) if not changes else None
    if entered is not None:
        changes, behavior = entered
        after = apply_changes(call, seen, items, changes, customer)
    if details.get("cancel_now"):
        entries = prorations(call, seen, items, [], at=at) if behavior != "none" and not trialing else []
        return [invoices_lines.invoice_item_line(call, entry) for entry in entries], "upcoming", period
    if (subscription["cancel_at_period_end"] or ends_by(details, period[1])) and not changes:
        raise phase_previews.no_upcoming(subscription["customer"])
    resets = (
        details.get("billing_cycle_anchor") == "now"
        or (not is_flexible(seen) and interval_of(items[0]) != interval_of(after[0]))
        or details.get("trial_end") == "now"
    )
    entries = []
    if behavior != "none" and not trialing and (changes or resets):
        entries = prorations(call, seen, items, after, at=at, debits=not resets)
    lines = [invoices_lines.invoice_item_line(call, entry) for entry in entries]
    if resets:
        seen["billing_cycle_anchor"] = call.now
        after = copy.deepcopy(after)
        begin_periods(seen, after, call.now)
        return lines + period_lines(call, seen, after), "upcoming", (call.now, call.now)
    if behavior == "always_invoice" and changes:
        return lines, "upcoming", (call.now, call.now)
    if trialing and seen["billing_cycle_anchor"] <= period[1]:
        seen["billing_cycle_anchor"] = period[1]
    ends = min(item["current_period_end"] for item in after)
    due = [item for item in after if item["current_period_end"] == ends]
    usage = [] if trialing else usage_lines(call, seen, due)
    if not changes or entered is not None:
        after = phase_previews.next_items(call, seen, after, phases, customer, details["_end_behavior"])
        going_on = {item["id"] for item in items if item["current_period_end"] > ends}
        due = [item for item in after if item["id"] not in going_on]
    due = copy.deepcopy(due)
    begin_periods(seen, due, ends)
    return lines + usage + period_lines(call, seen, due), "upcoming", period


def _of_new(
    call: Call, customer: StoredCustomer, details: Mapping[str, Any], params: Mapping[str, Any]
) -> tuple[list[StoredLine], str, tuple[int, int], StoredSubscription]:
    """Return lines, billing reason and period of the first invoice of a new subscription, and that subscription."""
    wanted = wanted_items(details)
    prices = [
        recurring_price(call, entry, f"subscription_details[items][{place}]", params.get("currency"))
        for place, entry in enumerate(wanted)
    ]
    trial, days = details.get("trial_end"), terms_of(prices[0])["trial_period_days"]
    if details.get("trial_from_plan") and days:
        trial = call.now + days * arithmetic.DAY
    free = trial is not None and trial != "now"
    made = {
        "id": None,
        "billing_cycle_anchor": call.now,
        "billing_mode": mode_of(details.get("billing_mode") or {"type": "flexible"}, call.now),
        "currency": fields.given(params, "currency", prices[0]["currency"]),
        "discounts": [],
        "metadata": {},
        "customer": customer["id"],
        "collection_method": "charge_automatically",
        "days_until_due": None,
        "latest_invoice": None,
        "test_clock": customer.get("test_clock"),
        "default_payment_method": None,
        "default_source": None,
        "description": None,
        "on_behalf_of": None,
        "default_tax_rates": [],
        "application": None,
        "payment_settings": None,
        "transfer_data": None,
        "application_fee_percent": None,
    }
    seen = cast("StoredSubscription", made)  # no id, and only the fields that lines and invoices need
    items = [
        new_item(call, seen, entry, price, f"subscription_details[items][{place}]", customer)
        for place, (entry, price) in enumerate(zip(wanted, prices, strict=True))
    ]
    begin_periods(seen, items, call.now)
    for item in items:
        if free:
            set_period(item, (call.now, int(str(trial))))
    return period_lines(call, seen, items, trial=free), "upcoming_new", (call.now, call.now), seen


def _currency_of_items(call: Call, params: Mapping[str, Any]) -> str:
    """Return the currency of the first new item, or ``usd``, for an invoice whose currency nothing else determines."""
    for entry in params.get("invoice_items") or []:
        price = call.objects.find(kinds.PRICE, entry.get("price") or "")
        asked = entry.get("currency") or (entry.get("price_data") or {}).get("currency")
        found = price["currency"] if price is not None else asked
        if found:
            return str(found)
    return "usd"


def _items(
    call: Call,
    customer: StoredCustomer,
    subscription: StoredSubscription | None,
    params: Mapping[str, Any],
    currency: str,
) -> list[StoredLine]:
    """Return the lines of pending invoice items, as the parameters change them, and of items given in the parameters.

    Raises ApiError 400 for an item in another currency than the invoice.
    """
    of = subscription["id"] if subscription else None
    pending = drafts.pending_items(call, customer["id"], currency, of) if customer["id"] else []
    wanted = {entry["invoiceitem"]: entry for entry in params.get("invoice_items") or [] if entry.get("invoiceitem")}
    lines = []
    for item in pending:
        asked = wanted.get(item["id"], {})
        shown = item.copy()
        fields.assign(shown, asked, [name for name, value in asked.items() if name in item and value is not None])
        lines.append(invoices_lines.invoice_item_line(call, shown))
    for place, entry in enumerate(params.get("invoice_items") or []):
        if entry.get("invoiceitem"):
            naming.check_named(call, entry, {"invoiceitem": "invoiceitem"}, f"invoice_items[{place}]")
            continue
        priced = invoiceitems.pricing_of(call, entry, fields.given(entry, "currency", currency).lower())
        if priced.currency != currency:
            raise invalid(
                f"The currency of the invoice item ({priced.currency}) must match the invoice's ({currency}).",
                f"invoice_items[{place}]",
            )
        period = entry.get("period") or {"start": call.now, "end": call.now}
        line = invoices_lines.new_line(
            call,
            priced,
            line_terms.Terms(fields.given(entry, "discountable", True), rates=entry.get("tax_rates") or ()),
            period=(period["start"], period["end"]),
            parent=invoices_lines.item_parent(None),
            description=entry.get("description") or priced.description,
            metadata=entry.get("metadata"),
        )
        lines.append(line)
    return lines


def _invoice(
    call: Call,
    params: Mapping[str, Any],
    id: str,
    customer: StoredCustomer,
    subscription: StoredSubscription | None,
    bill: drafts.Bill,
) -> StoredInvoice:
    """Return the preview invoice. bill: its lines, without discounts, which are determined here."""
    discounts = discounts_of(subscription, customer) if subscription else discounts_of_customer(customer)
    entries = redemption.entries_of(params)
    if entries is not None:
        discounts = previewed(call, entries)
    advance = period_of(subscription)[1] if subscription and subscription.get("_period") else call.now
    rates = list(subscription["default_tax_rates"] or []) if subscription else []
    named = (params.get("subscription_details") or {}).get("default_tax_rates")
    if named:
        rates = drafts.tax_rates(call, named, "subscription_details[default_tax_rates]")
    splitting.check_references(call, params)
    more: Params = {name: params[name] for name in ("issuer", "on_behalf_of") if params.get(name)}
    if params.get("automatic_tax"):
        given = params["automatic_tax"]
        told = {"disabled_reason": None, "provider": None, "status": None}
        more["automatic_tax"] = {**told, "enabled": given["enabled"], "liability": automatic.liability_of(given)}
    invoice = drafts.new_invoice(
        call,
        customer,
        replace(bill, discounts=discounts),
        id=id,
        subscription=subscription,
        default_tax_rates=rates,
        auto_advance=True,
        **more,
    )
    total = Money(invoice["total"], invoice["currency"])
    start = balance.balance_in(customer, total.currency)
    due = max(total + start, total.with_amount(0))
    invoice.update(
        {
            "amount_due": due.amount,
            "amount_remaining": due.amount,
            "starting_balance": start.amount,
            "ending_balance": (start + total - due).amount,
            "next_payment_attempt": advance + 3_600 if invoice["collection_method"] == "charge_automatically" else None,
            "created": max(advance, call.now),
            "rendering": None,
        }
    )
    if subscription is None or subscription["id"] is None:
        invoice["parent"] = None
    ids = (params.get("customer_details") or {}).get("tax_ids")
    if ids:
        invoice["customer_tax_ids"] = [{"type": one["type"], "value": one["value"]} for one in ids]
    if invoice["customer"] is None:  # the schema of the response requires a string
        invoice["customer"] = ""
    return invoice


INVOICE_PREVIEWS = MoreEndpoints(
    of="invoice",
    endpoints=(Endpoint("POST", "/v1/invoices/create_preview", preview, level="read", removed=(PREVIEW_ANCHOR,)),),
)
