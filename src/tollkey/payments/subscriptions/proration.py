"""Prorations: credits for the unused time and debits for the remaining time when a subscription changes within a
period.

In the flexible billing mode a credit reverses what was last debited for the item, even if its price has changed since.
In the classic mode it is computed from the item's price, less the discounts of its last invoice. Discounts of the new
invoice do not apply to prorations: those in force are included in their amounts, or listed separately if the
subscription's ``proration_discounts`` are ``itemized`` (docs.stripe.com/billing/subscriptions/prorations).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from tollkey.payments.catalog import arithmetic, redemption
from tollkey.payments.invoices import drafts
from tollkey.payments.invoices import lines as invoices_lines
from tollkey.payments.shared import rounding
from tollkey.payments.subscriptions import kinds
from tollkey.payments.subscriptions.discounts import discounts_of
from tollkey.payments.subscriptions.items import cost_quantity, full_price, is_flexible, is_metered
from tollkey.payments.subscriptions.periods import period_of_item, whole_period
from tollkey.wire import Call, new_object
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.payments.invoices.stored import StoredInvoiceItem
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem
    from tollkey.wire import api
    from tollkey.wire.api import (
        BillingBillResourceInvoicingLinesParentsInvoiceLineItemSubscriptionItemParent as ItemParent,
    )


class Debit(NamedTuple):
    """An amount (minor units) that was or will be billed for an item. off: discount id -> its amount in minor units."""

    amount: int
    off: dict[str, int]
    period: arithmetic.Period
    line: api.LineItem | StoredInvoiceItem


class _Part(NamedTuple):
    """The part of an item's price that a proration credits or debits.

    amount: minor units, negative for a credit. period: start and end, UTC epoch seconds. text: the description. debits:
        what a credit reverses; None for a debit.
    """

    price: StoredPrice
    quantity: int
    amount: int
    period: tuple[int, int]
    text: str
    debits: list[Debit] | None = None


def item_details(line: api.LineItem) -> ItemParent | None:
    """Return ``subscription_item_details`` of a line; None for the line of an invoice item."""
    parent = line["parent"]
    return parent.get("subscription_item_details") if parent is not None else None


def prorations(
    call: Call,
    subscription: StoredSubscription,
    before: list[StoredSubscriptionItem],
    after: list[StoredSubscriptionItem],
    *,
    at: int,
    debits: bool = True,
) -> list[StoredInvoiceItem]:
    """Return the invoice items of a change within a period, not stored: credits for unused, debits for remaining time.

    at: time of the change, UTC epoch seconds. debits: False if the new items are billed for a whole new period.
    """
    old = {item["id"]: item for item in before}
    new = {item["id"]: item for item in after}
    made = []
    for id in dict.fromkeys([*old, *new]):
        was, now = old.get(id), new.get(id)
        if debits and was is not None and now is not None and _same(was, now):
            continue
        if was is not None and not is_metered(was) and at < was["current_period_end"]:
            made += _credit(call, subscription, was, at)
        if debits and now is not None and not is_metered(now):
            made.append(_debit_rest(call, subscription, now, after, at))
    return made


def _debit_rest(
    call: Call,
    subscription: StoredSubscription,
    item: StoredSubscriptionItem,
    items: list[StoredSubscriptionItem],
    at: int,
) -> StoredInvoiceItem:
    """Return the debit of an item for the rest of its period after ``at`` (UTC epoch seconds).

    items: all of the subscription, over which fixed discounts are spread.
    """
    price, quantity = full_price(call, item), cost_quantity(item)
    whole, end = whole_period(subscription, item, item["current_period_start"]), item["current_period_end"]
    rest = max(at, item["current_period_start"]), end
    cost = arithmetic.cost(price, quantity)
    taken = {
        id: arithmetic.share(amount, whole, rest)
        for id, amount in _in_force(call, subscription, item, cost, items).items()
    }
    gross = arithmetic.share(cost, whole, rest)
    itemized = _itemizes(subscription)
    text = invoices_lines.debit_text(call, price, quantity, at)
    amount = gross if itemized else gross - sum(taken.values())
    debit = _proration(call, subscription, item, _Part(price, quantity, amount, (at, end), text))
    debit["_off"] = list(taken.items()) if itemized else None
    debit["_within"] = None if itemized else list(taken.items())
    return debit


def _itemizes(subscription: StoredSubscription) -> bool:
    """Return whether the discounts of prorations are listed separately, and not included in the amounts."""
    return bool(value_at(subscription.get("billing_mode") or {}, "flexible.proration_discounts") == "itemized")


def _same(was: StoredSubscriptionItem, now: StoredSubscriptionItem) -> bool:
    """Return whether price and quantity are the same."""
    return bool(was["price"]["id"] == now["price"]["id"] and was.get("quantity") == now.get("quantity"))


def _credit(
    call: Call, subscription: StoredSubscription, item: StoredSubscriptionItem, at: int
) -> list[StoredInvoiceItem]:
    """Return the credit for an item's unused time after ``at``; empty in the flexible mode if nothing was debited."""
    span = period_of_item(item)
    flexible = is_flexible(subscription) and bool(subscription["id"])
    debits = _pending_debits(call, subscription, item, at) if flexible else []
    debits = debits or _billed_debits(call, subscription, item, at, same_price=not flexible)
    credits = []
    if flexible and debits:
        credits.append(_reverse(call, subscription, item, at, debits, itemized=_itemizes(subscription)))
    elif not flexible:
        price, quantity = full_price(call, item), cost_quantity(item)
        net = _net(call, subscription, item, arithmetic.cost(price, quantity), debits)
        text = invoices_lines.credit_text(call, price, quantity, at)
        whole = whole_period(subscription, item, span.start)
        amount = -arithmetic.share(net, whole, (max(at, span.start), span.end))
        share = _Part(price, quantity, amount, (at, span.end), text, debits)
        credits.append(_proration(call, subscription, item, share))
    return credits


def _reverse(
    call: Call,
    subscription: StoredSubscription,
    item: StoredSubscriptionItem,
    at: int,
    debits: list[Debit],
    *,
    itemized: bool,
) -> StoredInvoiceItem:
    """Return the credit that reverses these debits of an item for the time after ``at`` (UTC epoch seconds).

    itemized: credit the amounts before discounts, and list the discounts separately.
    """
    off: dict[str, int] = {}
    for debit in debits:
        for id, taken in debit.off.items():
            off[id] = off.get(id, 0) - arithmetic.prorated(taken, debit.period, at)
    amount = -sum(
        arithmetic.prorated(debit.amount - (0 if itemized else sum(debit.off.values())), debit.period, at)
        for debit in debits
    )
    billed = value_at(debits[0].line, "pricing.price_details.price") or ""
    price = call.objects.find(kinds.PRICE, billed) or full_price(call, item)
    quantity = sum(debit.line["quantity"] or 0 for debit in debits)
    text = invoices_lines.credit_text(call, price, quantity, at)
    share = _Part(price, quantity, amount, (at, debits[0].period.end), text, debits)
    credit = _proration(call, subscription, item, share)
    credit["_off"] = list(off.items()) if itemized else None
    return credit


def _net(
    call: Call, subscription: StoredSubscription, item: StoredSubscriptionItem, amount: int, billed: list[Debit]
) -> int:
    """Return an amount less its share of the discounts on the lines that billed it; minor units.

    Discounts added or removed since do not count. For an amount that no invoice has billed yet, the discounts in force
    apply, since its debit will be billed with them.
    """
    whole = sum(debit.amount for debit in billed)
    if whole:
        off = sum(sum(debit.off.values()) for debit in billed)
        return amount - rounding.proportion(amount, off, whole)
    return amount - sum(_in_force(call, subscription, item, amount, [item]).values())


def _in_force(
    call: Call,
    subscription: StoredSubscription,
    item: StoredSubscriptionItem,
    amount: int,
    items: list[StoredSubscriptionItem],
) -> dict[str, int]:
    """Return what each discount in force takes off an item's cost, applied one after another: id -> minor units.

    items: those over whose costs a fixed discount is spread.
    """
    taken: dict[str, int] = {}
    customer = call.objects.find(kinds.CUSTOMER, subscription["customer"] or "")
    shared = discounts_of(subscription, customer) if customer is not None else subscription["discounts"]
    for one in redemption.effects(call, [*item["discounts"], *shared], subscription["currency"], call.now):
        if one.products and item["price"]["product"] not in one.products:
            continue
        left = amount - sum(taken.values())
        if one.percent is not None:
            taken[one.id] = rounding.percent_off(left, one.percent)
        elif one.amount is not None:
            whole = amount if one.id in item["discounts"] else sum(_cost(call, other, one) for other in items)
            taken[one.id] = min(rounding.share_down(one.amount.amount, amount, whole), left)
    return taken


def _cost(call: Call, item: StoredSubscriptionItem, discount: arithmetic.Off) -> int:
    """Return the cost of an item for a whole interval (minor units); 0 if the discount does not apply to it."""
    if is_metered(item) or (discount.products and item["price"]["product"] not in discount.products):
        return 0
    return arithmetic.cost(full_price(call, item), cost_quantity(item))


def _pending_debits(call: Call, subscription: StoredSubscription, item: StoredSubscriptionItem, at: int) -> list[Debit]:
    """Return the newest pending debit of an item for a time that contains ``at`` (UTC epoch seconds)."""
    waiting = drafts.pending_items(call, subscription["customer"], subscription["currency"], subscription["id"])
    fitting = (
        one
        for one in reversed(waiting)
        if one["proration"]
        and one["amount"] > 0
        and one.get("_subscription_item") == item["id"]
        and one["period"]["start"] <= at < one["period"]["end"]
    )
    return [_pending_debit(one) for one in islice(fitting, 1)]


def _pending_debit(entry: StoredInvoiceItem) -> Debit:
    """Return the debit of a pending proration, with its discounts separate from its amount."""
    within = dict(entry.get("_within") or ())
    off = within or dict(entry.get("_off") or ())
    period = arithmetic.Period(entry["period"]["start"], entry["period"]["end"])
    return Debit(entry["amount"] + sum(within.values()), off, period, entry)


def _billed_debits(
    call: Call, subscription: StoredSubscription, item: StoredSubscriptionItem, at: int, *, same_price: bool = False
) -> list[Debit]:
    """Return the lines of the newest invoice that billed an item for a time that contains ``at`` (UTC epoch seconds).

    same_price: only lines with the item's present price.
    """
    wanted = {
        "parent.subscription_details.subscription": subscription["id"],
        "status": ["draft", "open", "paid", "uncollectible"],
    }
    billing = (
        [line for line in invoice["lines"]["data"] if _bills(line, item, at, same_price)]
        for invoice in call.objects.query(kinds.INVOICE, wanted, limit=20)
    )
    return [_debit(call, line) for line in next(filter(None, billing), [])]


def _bills(line: api.LineItem, item: StoredSubscriptionItem, at: int, same_price: bool) -> bool:
    """Return whether a line bills the item for a time that contains ``at``."""
    details = item_details(line)
    if (
        line["amount"] <= 0
        or details is None
        or details["subscription_item"] != item["id"]
        or not line["period"]["start"] <= at < line["period"]["end"]
    ):
        return False
    return not same_price or value_at(line, "pricing.price_details.price") == item["price"]["id"]


def _debit(call: Call, line: api.LineItem) -> Debit:
    """Return the debit of an invoice line, with its discounts separate from its amount."""
    details = item_details(line)
    entry = call.objects.find(kinds.INVOICE_ITEM, (details and details["invoice_item"]) or "")
    within = dict((entry and entry.get("_within")) or ())
    off = dict(within)
    for part in line["discount_amounts"] or ():
        off[part["discount"]] = off.get(part["discount"], 0) + part["amount"]
    period = arithmetic.Period(line["period"]["start"], line["period"]["end"])
    return Debit(line["amount"] + sum(within.values()), off, period, line)


class Charge(NamedTuple):
    """What an invoice item of a subscription charges.

    amount: minor units, negative for a credit. period: start and end, UTC epoch seconds.
    """

    amount: int
    text: str | None
    period: tuple[int, int]
    quantity: int | None
    pricing: api.BillingBillResourceInvoicingPricingPricing | None


def pending_entry(
    call: Call,
    subscription: StoredSubscription,
    item: StoredSubscriptionItem,
    charge: Charge,
    *,
    proration: bool,
) -> StoredInvoiceItem:
    """Return an invoice item for a subscription item, pending and not stored. proration: it cannot be discounted."""
    made = new_object(
        kinds.INVOICE_ITEM,
        id=call.ids.new("ii"),
        amount=charge.amount,
        currency=subscription["currency"],
        customer=subscription["customer"],
        date=call.now,
        description=charge.text,
        discountable=not proration,
        livemode=call.livemode,
        parent={
            "subscription_details": {"subscription": subscription["id"], "subscription_item": item["id"]},
            "type": "subscription_details",
        },
        period={"end": charge.period[1], "start": charge.period[0]},
        pricing=charge.pricing,
        proration=proration,
        quantity=charge.quantity,
        quantity_decimal=str(charge.quantity),
        test_clock=subscription["test_clock"],
    )
    made["tax_rates"] = call.objects.copy(item)["tax_rates"]
    made["_subscription"], made["_subscription_item"], made["_pending"] = subscription["id"], item["id"], True
    made["_credited"] = made["_off"] = made["_within"] = None
    return made


def _proration(
    call: Call, subscription: StoredSubscription, item: StoredSubscriptionItem, share: _Part
) -> StoredInvoiceItem:
    """Return the invoice item of a proration, not stored."""
    pricing: api.BillingBillResourceInvoicingPricingPricing = {
        "price_details": {"price": share.price["id"], "product": share.price["product"]},
        "type": "price_details",
        "unit_amount_decimal": None,
    }
    charge = Charge(share.amount, share.text, share.period, share.quantity, pricing)
    made = pending_entry(call, subscription, item, charge, proration=True)
    lines = [debit.line for debit in share.debits or () if debit.line["object"] == "line_item"]
    invoice = lines[0]["invoice"] if lines else None
    made["_credited"] = (
        {"invoice": invoice, "invoice_line_items": [line["id"] for line in lines]} if invoice is not None else None
    )
    return made
