"""Invoices of subscriptions: the lines of a period, prorations, and collecting in the way that was asked for."""

from __future__ import annotations

from tollkey.payments.catalog import arithmetic, redemption
from tollkey.payments.invoices import drafts, lifecycle
from tollkey.payments.invoices import lines as invoices_lines
from tollkey.payments.subscriptions.items import cost_quantity, full_price
from tollkey.payments.subscriptions.proration import is_metered
from tollkey.payments.usage import quantities
from tollkey.wire import Call, Json


def period_lines(
    call: Call, subscription: Json, items: list[Json], period: tuple[int, int], *, trial: bool = False
) -> list[Json]:
    """The lines of a new period: licensed items in advance (free in a trial). Metered ones come after their period."""
    lines = []
    for item in items:
        if not is_metered(item):
            price = full_price(call, item)
            lines += invoices_lines.subscription_lines(
                call, subscription, item, price, period, quantity=cost_quantity(item), trial=trial
            )
        elif trial:
            lines += invoices_lines.subscription_lines(
                call, subscription, item, full_price(call, item), period, quantity=0, trial=True
            )
    return lines


def usage_lines(call: Call, subscription: Json, items: list[Json], period: tuple[int, int]) -> list[Json]:
    """The lines of metered items for a period: what was used in it and no threshold has billed yet."""
    lines = []
    for item in items:
        if is_metered(item):
            before = billed_of(subscription, item, period[0])
            total = max(quantities.used(call, subscription, item, period), before)
            lines += invoices_lines.subscription_lines(
                call, subscription, item, full_price(call, item), period, quantity=total, before=before
            )
    return lines


def billed_of(subscription: Json, item: Json, start: int) -> int:
    """How many units of an item an invoice of a threshold has billed already in the period that began at ``start``."""
    billed = subscription.get("_billed") or {}
    return int(billed["items"].get(item["id"], 0)) if billed.get("start") == start else 0


def partial_lines(
    call: Call, subscription: Json, items: list[Json], part: tuple[int, int], whole: arithmetic.Period
) -> list[Json]:
    """The lines of a first period that is shorter than a whole one: each amount by its share of the seconds."""
    lines = period_lines(call, subscription, items, part)
    for line in lines:
        line["amount"] = line["subtotal"] = arithmetic.prorated(line["amount"], whole, part[0])
        line["parent"]["subscription_item_details"]["proration"] = True
        line["pricing"] = {**line["pricing"], "unit_amount_decimal": None}
    return lines


def discounts_of(call: Call, subscription: Json, customer: Json) -> list[str]:
    """The discounts of a subscription's invoices: its own, or the customer's when it has none."""
    own = list(subscription["discounts"])
    return own or ([customer["discount"]["id"]] if customer.get("discount") else [])


def create_draft_invoice(
    call: Call,
    subscription: Json,
    lines: list[Json],
    *,
    reason: str,
    period: tuple[int, int],
    id: str | None = None,
    advance: bool = False,
    **fields: Json,
) -> Json:
    """Store a draft of a subscription with these lines and what is pending; it becomes the latest invoice.

    Used-up discounts end.
    """
    customer = call.objects.get("customer", subscription["customer"], "customer")
    id = id or call.ids.new("in")
    waiting = drafts.pending_items(call, customer["id"], subscription["currency"], subscription["id"])
    lines = drafts.add_pending_items(call, waiting, id) + lines
    discounts = discounts_of(call, subscription, customer)
    invoice = drafts.new_invoice(
        call,
        customer,
        currency=subscription["currency"],
        reason=reason,
        lines=lines,
        id=id,
        subscription=subscription,
        period=period,
        discounts=discounts,
        auto_advance=advance,
        **fields,
    )
    if invoice["total"] > 0 or invoice["total_discount_amounts"] or reason == "subscription_cycle":
        subscription["discounts"] = redemption.end_used(call, subscription["discounts"])
        if (
            not subscription["discounts"]
            and discounts
            and customer.get("discount")
            and customer["discount"]["id"] in discounts
        ):
            _end_customers(call, customer)
    subscription["latest_invoice"] = id
    return drafts.store(call, invoice)


def _end_customers(call: Call, customer: Json) -> None:
    if not redemption.end_used(call, [customer["discount"]["id"]]):
        customer["discount"] = None
        call.objects.save(customer, "customer.updated")


def collect_now(call: Call, invoice: Json, behavior: str, *, off_session: bool = True) -> str:
    """Finalize and collect an invoice at once; returns ``paid``, ``open`` (not tried), ``requires_action`` or
    ``failed``.

    behavior: ``payment_behavior``. Raises ApiError 402 with ``error_if_incomplete``, which undoes everything;
    400 when there is nothing to charge.
    """
    invoice["auto_advance"] = True
    lifecycle.finalize(call, invoice)
    if invoice["status"] == "paid" or behavior == "default_incomplete":
        return str(invoice["status"])
    outcome = lifecycle.attempt_collection(call, invoice, off_session=off_session)
    if behavior == "error_if_incomplete" and outcome.error is not None:
        outcome.error.keep = False
        raise outcome.error
    return outcome.status


def apply_pause_behavior(call: Call, subscription: Json, invoice: Json) -> None:
    """Apply ``pause_collection[behavior]`` to a new invoice: keep it a draft, void it, or mark it uncollectible."""
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    if behavior == "keep_as_draft" or behavior is None:
        return
    lifecycle.finalize(call, invoice)
    if invoice["status"] == "open":
        (lifecycle.void if behavior == "void" else lifecycle.write_off)(call, invoice)


__all__ = [
    "apply_pause_behavior",
    "billed_of",
    "collect_now",
    "create_draft_invoice",
    "discounts_of",
    "is_metered",
    "partial_lines",
    "period_lines",
    "usage_lines",
]
