"""Invoices of subscriptions: the lines of a period, prorations, and collecting in the way that was asked for."""

from __future__ import annotations

from decimal import Decimal

from tollkey.payments._billing import Period, cost, share
from tollkey.payments._billing.tiers import rounded
from tollkey.payments._discounting import end_used, offs
from tollkey.payments._invoicing import (
    attempt,
    credit_text,
    customer_of,
    debit_text,
    finalize,
    give_up,
    new_invoice,
    pending_items,
    store,
    subscription_lines,
    take_items,
    void,
)
from tollkey.payments._subscribing.items import cost_quantity, full_price
from tollkey.payments._usage import used
from tollkey.wire import Call, Json, blank, dig

METERED = "metered"


def is_metered(item: Json) -> bool:
    """Whether the item bills what was used, after the period."""
    return bool(item["price"]["recurring"]["usage_type"] == METERED)


def period_lines(call: Call, subscription: Json, items: list[Json], period: tuple[int, int], *, trial: bool = False) -> list[Json]:
    """The lines of a new period: licensed items in advance (free in a trial). Metered ones come after their period."""
    lines = []
    for item in items:
        if not is_metered(item):
            price = full_price(call, item)
            lines += subscription_lines(call, subscription, item, price, period, quantity=cost_quantity(item), trial=trial)
        elif trial:
            lines += subscription_lines(call, subscription, item, full_price(call, item), period, quantity=0, trial=True)
    return lines


def usage_lines(call: Call, subscription: Json, items: list[Json], period: tuple[int, int]) -> list[Json]:
    """The lines of metered items for a period: what was used in it and no threshold has billed yet."""
    lines = []
    for item in items:
        if is_metered(item):
            before = billed_of(subscription, item, period[0])
            total = max(used(call, subscription, item, period), before)
            lines += subscription_lines(call, subscription, item, full_price(call, item), period, quantity=total, before=before)
    return lines


def billed_of(subscription: Json, item: Json, start: int) -> int:
    """How many units of an item an invoice of a threshold has billed already in the period that began at ``start``."""
    billed = subscription.get("_billed") or {}
    return int(billed["items"].get(item["id"], 0)) if billed.get("start") == start else 0


def partial_lines(call: Call, subscription: Json, items: list[Json], part: tuple[int, int], whole: Period) -> list[Json]:
    """The lines of a first period that is shorter than a whole one: each amount by its share of the seconds."""
    lines = period_lines(call, subscription, items, part)
    for line in lines:
        line["amount"] = line["subtotal"] = share(line["amount"], whole, part[0])
        line["parent"]["subscription_item_details"]["proration"] = True
        line["pricing"] = {**line["pricing"], "unit_amount_decimal": None}
    return lines


def prorations(
    call: Call, subscription: Json, before: list[Json], after: list[Json], *, at: int, period: tuple[int, int], debits: bool = True
) -> list[Json]:
    """The invoice items that a change in mid-period causes, not stored: credits for unused time, debits for the remaining time.

    debits: False when the new items are billed for a whole new period instead.
    """
    span = Period(*period)
    old = {item["id"]: item for item in before}
    new = {item["id"]: item for item in after}
    made = []
    for id in dict.fromkeys([*old, *new]):
        was, now = old.get(id), new.get(id)
        if debits and was is not None and now is not None and _same(was, now):
            continue
        if was is not None and not is_metered(was):
            price = full_price(call, was)
            billed = billed_lines(call, subscription, was, at)
            amount = -share(_net(call, subscription, was, cost(price, cost_quantity(was)), billed), span, at)
            made.append(_proration(call, subscription, was, price, amount, at, period[1], credit=True))
            made[-1]["_credited"] = _credited(billed)
        if debits and now is not None and not is_metered(now):
            price = full_price(call, now)
            amount = share(cost(price, cost_quantity(now)), span, at)
            made.append(_proration(call, subscription, now, price, amount, at, period[1], credit=False))
    return made


def _same(was: Json, now: Json) -> bool:
    return bool(was["price"]["id"] == now["price"]["id"] and was.get("quantity") == now.get("quantity"))


def _net(call: Call, subscription: Json, item: Json, amount: int, billed: list[Json]) -> int:
    """What was really charged for an amount: less the share that discounts took of the lines that billed it.

    Discounts that have come since, or have gone, do not count. What no invoice has billed yet is credited
    with the percentages in force, for its debit will be billed with them.
    """
    whole = sum(line["amount"] for line in billed)
    if whole:
        off = sum(part["amount"] for line in billed for part in line["discount_amounts"])
        return amount - rounded(Decimal(amount) * off / whole)
    for one in offs(call, [*item["discounts"], *subscription["discounts"]], subscription["currency"], call.now):
        if one.percent is not None and (not one.products or item["price"]["product"] in one.products):
            amount -= rounded(Decimal(amount) * one.percent / 100)
    return amount


def billed_lines(call: Call, subscription: Json, item: Json, at: int) -> list[Json]:
    """The lines of the newest invoice that billed an item, at its price, for a time that holds ``at`` (UTC epoch seconds)."""
    wanted = {"parent.subscription_details.subscription": subscription["id"], "status": ["draft", "open", "paid", "uncollectible"]}
    for invoice in call.objects.query("invoice", wanted, limit=20):
        lines = [line for line in invoice["lines"]["data"] if _bills(line, item, at)]
        if lines:
            return lines
    return []


def _bills(line: Json, item: Json, at: int) -> bool:
    details = (line["parent"] or {}).get("subscription_item_details") or {}
    price = dig(line, "pricing.price_details.price")
    inside = line["period"]["start"] <= at < line["period"]["end"]
    return bool(line["amount"] > 0 and inside and details.get("subscription_item") == item["id"] and price == item["price"]["id"])


def _proration(call: Call, subscription: Json, item: Json, price: Json, amount: int, at: int, end: int, *, credit: bool) -> Json:
    quantity = cost_quantity(item)
    made = blank(
        "invoiceitem",
        id=call.ids.new("ii"),
        amount=amount,
        currency=subscription["currency"],
        customer=subscription["customer"],
        date=call.now,
        description=(credit_text if credit else debit_text)(call, price, quantity, at),
        discountable=not credit,
        livemode=call.livemode,
        parent={
            "subscription_details": {"subscription": subscription["id"], "subscription_item": item["id"]},
            "type": "subscription_details",
        },
        period={"end": end, "start": at},
        pricing={
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": None,
        },
        proration=True,
        quantity=quantity,
        quantity_decimal=str(quantity),
        test_clock=subscription["test_clock"],
    )
    made["tax_rates"] = call.objects.copy(item)["tax_rates"]
    made["_subscription"], made["_subscription_item"], made["_pending"] = subscription["id"], item["id"], True
    made["_credited"] = None
    return made


def _credited(billed: list[Json]) -> Json | None:
    """Which lines of an invoice a credit takes back."""
    return {"invoice": billed[0]["invoice"], "invoice_line_items": [line["id"] for line in billed]} if billed else None


def discounts_of(call: Call, subscription: Json, customer: Json) -> list[str]:
    """The discounts of a subscription's invoices: its own, or the customer's when it has none."""
    own = list(subscription["discounts"])
    return own or ([customer["discount"]["id"]] if customer.get("discount") else [])


def make_invoice(
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
    """Store a draft of a subscription with these lines and what is pending; it becomes the latest invoice. Used-up discounts end."""
    customer = call.objects.get("customer", subscription["customer"], "customer")
    id = id or call.ids.new("in")
    waiting = pending_items(call, customer["id"], subscription["currency"], subscription["id"])
    lines = take_items(call, waiting, id) + lines
    discounts = discounts_of(call, subscription, customer)
    invoice = new_invoice(
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
        subscription["discounts"] = end_used(call, subscription["discounts"])
        if not subscription["discounts"] and discounts and customer.get("discount") and customer["discount"]["id"] in discounts:
            _end_customers(call, customer)
    subscription["latest_invoice"] = id
    return store(call, invoice)


def _end_customers(call: Call, customer: Json) -> None:
    if not end_used(call, [customer["discount"]["id"]]):
        customer["discount"] = None
        call.objects.save(customer, "customer.updated")


def collect_now(call: Call, invoice: Json, behavior: str, *, off_session: bool = True) -> str:
    """Finalize and collect an invoice at once; returns ``paid``, ``open`` (not tried), ``requires_action`` or ``failed``.

    behavior: ``payment_behavior``. Raises ApiError 402 with ``error_if_incomplete``, which undoes everything;
    400 when there is nothing to charge.
    """
    invoice["auto_advance"] = True
    finalize(call, invoice)
    if invoice["status"] == "paid":
        return "paid"
    if behavior == "default_incomplete":
        return "open"
    outcome = attempt(call, invoice, off_session=off_session)
    if outcome.status in ("paid", "processing"):
        return outcome.status
    if behavior == "error_if_incomplete" and outcome.error is not None:
        outcome.error.keep = False
        raise outcome.error
    return outcome.status


def hold(call: Call, subscription: Json, invoice: Json) -> None:
    """What pausing collection does with a new invoice: keep it a draft, void it, or give it up."""
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    if behavior == "keep_as_draft" or behavior is None:
        return
    finalize(call, invoice)
    if invoice["status"] == "open":
        (void if behavior == "void" else give_up)(call, invoice)


__all__ = [
    "billed_of",
    "collect_now",
    "customer_of",
    "discounts_of",
    "hold",
    "is_metered",
    "make_invoice",
    "partial_lines",
    "period_lines",
    "prorations",
    "usage_lines",
]
