"""What a subscription bills, worked out on paper: periods and amounts from the documentation, apart from the server.

Nothing of the server is used here, not its calendar nor its rounding. A subscription is described by the names of the
features it has (FEATURES); all begin on START and are looked at until 2 April. Amounts are minor units,
times UTC epoch seconds. Sources: docs.stripe.com/billing/subscriptions/{billing-cycle,backdating,prorations,
mixed-interval,trials,cancel,pause-payment,pending-updates,billing-mode/compare} and the parameters' descriptions.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise


def moment(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


START, END = moment(2026, 1, 11), moment(2026, 4, 2)
TRIAL_END, ANCHOR, BACKDATED = moment(2026, 1, 22), moment(2026, 2, 1), moment(2025, 12, 6)
CANCEL_AT = moment(2026, 2, 20)
#: When each change is made.
QUANTITY_AT, PRICE_AT, PENDING_AT, RESET_AT = (moment(2026, 1, day) for day in (16, 18, 20, 27))
PENDING_SECONDS = 23 * 3600
MONTHLY, QUARTERLY, DEARER, DEAREST, UNIT, USED = 3100, 9000, 4650, 6200, 5, 10
PERCENT_OFF, TAX_PERCENT, DAYS_UNTIL_DUE = 20, 10, 10

FEATURES = {
    "trial": "trial_end on 22 January",
    "anchor": "billing_cycle_anchor on 1 February",
    "backdate": "backdate_start_date on 6 December",
    "none": "created with proration_behavior none",
    "send": "collection_method send_invoice, ten days until due",
    "pause": "pause_collection with the behavior void, after the first invoice",
    "phase": "a schedule whose next phase has another price",
    "pending": "a quantity that waits for a payment which never comes, on 20 January",
    "until": "cancel_at on 20 February",
    "leaving": "cancel_at_period_end",
    "coupon": "20 per cent off, forever",
    "tax": "10 per cent on top",
    "metered": "a second item, billed by what was used on the first day",
    "classic": "the classic billing mode",
    "quarter": "a second item, every three months",
    "quantity": "another quantity on 16 January, billed with the next invoice",
    "price": "another price on 18 January, billed at once",
    "reset": "billing_cycle_anchor now, on 27 January",
}


def later(at: int, months: int) -> int:
    """So many months later, on the same day or the last of a shorter month."""
    then = datetime.fromtimestamp(at, UTC)
    year, month = divmod(then.year * 12 + then.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return int(then.replace(year=year, month=month + 1, day=min(then.day, last)).timestamp())


def natural(anchor: int, months: int, at: int) -> tuple[int, int]:
    """The period that holds a moment, counted from an anchor."""
    bounds = [later(anchor, months * number) for number in range(-8, 60)]
    return next((a, b) for a, b in pairwise(bounds) if a <= at < b)


def rounded(exact: Fraction) -> int:
    whole = int(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole


@dataclass
class Debit:
    """What was billed for an item. net: after discounts. gone: its invoice was voided."""

    net: int
    start: int
    end: int
    gone: bool = False


@dataclass
class Item:
    """An item and its current period. months: its interval."""

    name: str
    price: int
    months: int = 1
    quantity: int = 1
    metered: bool = False
    start: int = 0
    end: int = 0
    debits: list[Debit] = field(default_factory=list)

    @property
    def cost(self) -> int:
        return self.price * self.quantity


@dataclass(frozen=True)
class Line:
    """A line. discounted: whether the invoice's discounts are to be taken off, or it has none, or has them within."""

    amount: int
    start: int
    end: int
    discounted: bool = True


@dataclass
class Invoice:
    """An invoice as it should be at the end. debits: what its lines have debited."""

    created: int
    reason: str
    lines: list[Line]
    total: int
    status: str
    debits: list[Debit] = field(default_factory=list)


class Refused(Exception):
    """The subscription cannot be created like this."""


class Paper:
    """A subscription with these features, on paper. ``run`` works it out."""

    def __init__(self, *features: str) -> None:
        self.has = frozenset(features)
        self.flexible = "classic" not in self.has
        self.items = [Item("monthly", MONTHLY)]
        if "metered" in self.has:
            self.items.append(Item("metered", UNIT, metered=True))
        if "quarter" in self.has:
            self.items.append(Item("quarter", QUARTERLY, months=3))
        self.status, self.anchor, self.paused = "active", START, False
        self.until = CANCEL_AT if "until" in self.has else None
        self.phase_at: int | None = None
        self.invoices: list[Invoice] = []
        self.waiting: list[tuple[Line, Debit | None]] = []

    # -- the whole story

    def run(self) -> Paper:
        if "quarter" in self.has and not self.flexible:
            raise Refused("several intervals in the classic mode")
        self.create()
        self.paused = "pause" in self.has
        changes = [
            (at, change)
            for name, at, change in (
                ("quantity", QUANTITY_AT, self.change_quantity),
                ("price", PRICE_AT, self.change_price),
                ("pending", PENDING_AT, self.change_in_vain),
                ("reset", RESET_AT, self.reset),
            )
            if name in self.has
        ]
        while self.status != "canceled":
            at = min(item.end for item in self.items)
            if self.phase_at is not None and self.phase_at < at:
                changes = sorted([*changes, (self.phase_at, self.enter_phase)], key=lambda one: one[0])
                self.phase_at = None
            if changes and changes[0][0] < at:
                changes.pop(0)[1]()
            elif at >= END:
                break
            else:
                self.renew(at)
        return self

    @property
    def overdue(self) -> bool:
        """Whether the latest invoice was not paid by its due date, and none was voided since."""
        if "send" not in self.has or self.status == "canceled":
            return False
        past_due = False
        for one, after in pairwise([*(invoice.created for invoice in self.invoices), END]):
            status = next(invoice.status for invoice in self.invoices if invoice.created == one)
            late = one + DAYS_UNTIL_DUE * 86_400 < after
            past_due = status != "void" and (past_due or (status == "open" and late))
        return past_due

    # -- creation

    def create(self) -> None:
        begun = BACKDATED if "backdate" in self.has else START
        asked = ANCHOR if "anchor" in self.has else None
        prorates = "none" not in self.has
        lines: list[tuple[Line, Debit | None]] = []
        if "trial" in self.has:
            self.status, self.anchor = "trialing", asked or TRIAL_END
            for item in self.items:
                item.start, item.end = START, TRIAL_END
                lines.append((Line(0, START, TRIAL_END), None))
            counted_from, until = begun, START
        else:
            self.anchor = asked or (begun if self.flexible else START)
            counted_from = self.anchor
            until = START
            for item in self.items:
                whole = natural(self.anchor, item.months, START)
                item.start = max(whole[0], begun if self.flexible else START)
                item.end = self.cut(item.start, whole[1])
                until = item.start if self.flexible else self.anchor
            if self.anchor <= START:
                lines = self.period_lines(self.items, whole=self.flexible and not prorates)
            elif prorates and (self.flexible or begun == START):
                lines = self.period_lines(self.items)
        if prorates and begun < START:
            for item in self.items:
                if not item.metered:
                    end = item.start if self.flexible and "trial" not in self.has else max(until, START)
                    lines += self.elapsed(item, begun, end, counted_from)
        if not self.flexible:
            lines += [
                (Line(0, item.start, item.end), None) for item in self.items if item.metered and not self.trialing
            ]
        if "phase" in self.has:
            self.phase_at = min(item.end for item in self.items)
        if lines:
            self.bill(START, "subscription_create", lines)

    @property
    def trialing(self) -> bool:
        return self.status == "trialing"

    def cut(self, start: int, end: int) -> int:
        """The end of a period that begins then: ``cancel_at`` when it lies within."""
        return self.until if self.until is not None and start < self.until < end else end

    def elapsed(self, item: Item, begun: int, until: int, anchor: int) -> Iterator[tuple[Line, Debit | None]]:
        """The time before now: line by line in the flexible mode; one line counted from the start in the classic."""
        parts = []
        at = begun
        while at < until:
            start, end = natural(anchor if self.flexible else begun, item.months, at)
            stop = min(end, until)
            parts.append((at, stop, Fraction(stop - at, end - start)))
            at = stop
        if not self.flexible:
            parts = [(begun, until, sum((part[2] for part in parts), Fraction(0)))]
        for start, stop, share in parts:
            amount = rounded(item.cost * share)
            yield Line(amount, start, stop), self.debit(item, self.net(amount), start, stop)

    # -- lines

    def net(self, amount: int) -> int:
        return amount - rounded(Fraction(amount * PERCENT_OFF, 100)) if "coupon" in self.has else amount

    def debit(self, item: Item, net: int, start: int, end: int) -> Debit:
        made = Debit(net, start, end)
        item.debits.insert(0, made)
        return made

    def share(self, item: Item, start: int, end: int) -> Fraction:
        """The part of an interval that a time within one is."""
        whole = natural(self.anchor, item.months, start)
        return Fraction(end - start, whole[1] - whole[0])

    def period_lines(self, items: list[Item], *, whole: bool = False) -> list[tuple[Line, Debit | None]]:
        """The licensed items' current periods. whole: at the full price, even a shorter one."""
        made: list[tuple[Line, Debit | None]] = []
        for item in items:
            if not item.metered:
                amount = item.cost if whole else rounded(item.cost * self.share(item, item.start, item.end))
                made.append(
                    (Line(amount, item.start, item.end), self.debit(item, self.net(amount), item.start, item.end))
                )
        return made

    def usage_lines(self, items: list[Item], until: int | None = None) -> list[tuple[Line, Debit | None]]:
        """What was used in the current periods, all of it on the first day."""
        return [
            (Line(UNIT * USED if item.start <= START < (until or item.end) else 0, item.start, until or item.end), None)
            for item in items
            if item.metered
        ]

    def prorate(self, before: Item, after: Item | None, at: int) -> None:
        """Credit the rest of an item as it was, and debit it as it is from now on; both wait for an invoice."""
        if self.flexible:
            billed = next((one for one in before.debits if not one.gone and one.start <= at < one.end), None)
            if billed is not None:
                left = Fraction(billed.end - at, billed.end - billed.start)
                self.waiting.append((Line(-rounded(billed.net * left), at, billed.end, discounted=False), None))
        else:
            credit = rounded(
                self.net(before.cost) * self.share(before, before.start, before.end) * self.left(before, at)
            )
            self.waiting.append((Line(-credit, at, before.end, discounted=False), None))
        if after is not None:
            amount = rounded(self.net(after.cost) * self.share(after, at, after.end))
            line = Line(amount, at, after.end, discounted=False)
            self.waiting.append((line, self.debit(after, amount, at, after.end)))

    @staticmethod
    def left(item: Item, at: int) -> Fraction:
        return Fraction(item.end - at, item.end - item.start)

    # -- invoices

    def bill(self, at: int, reason: str, lines: list[tuple[Line, Debit | None]]) -> Invoice:
        """An invoice of these lines and of everything that waits."""
        every, self.waiting = [*self.waiting, *lines], []
        total = 0
        for line, _ in every:
            net = self.net(line.amount) if line.discounted and line.amount > 0 else line.amount
            total += net + (rounded(Fraction(net * TAX_PERCENT, 100)) if "tax" in self.has else 0)
        status = "paid" if total <= 0 else "void" if self.paused else "open" if "send" in self.has else "paid"
        made = Invoice(at, reason, [line for line, _ in every], total, status, [debit for _, debit in every if debit])
        for debit in made.debits:
            debit.gone = status == "void"
        self.invoices.append(made)
        return made

    def renew(self, at: int) -> None:
        """The earliest period is over."""
        if "leaving" in self.has or (self.until is not None and self.until <= at):
            used = [line for line in self.usage_lines(self.items, at) if line[0].amount]
            if used:
                self.bill(at, "subscription_cycle", used)
            self.status = "canceled"
            return
        due = [item for item in self.items if item.end <= at]
        if self.phase_at == at:
            self.phase_at = None
            self.items[0].price, self.items[0].quantity = DEAREST, 1
        lines: list[tuple[Line, Debit | None]] = []
        if self.trialing:
            self.status, self.anchor = "active", max(self.anchor, at)
            free = at < self.anchor and "none" in self.has
        else:
            lines, free = self.usage_lines(due), False
        for item in due:
            item.start, item.end = at, self.cut(at, natural(self.anchor, item.months, at)[1])
        if not free:
            lines += self.period_lines(due)
            self.bill(at, "subscription_cycle", lines)

    # -- changes

    def change_first(self, at: int, **change: int) -> None:
        item = self.items[0]
        before = replace(item)
        for name, value in change.items():
            setattr(item, name, value)
        if not self.trialing and before.cost != item.cost:
            self.prorate(before, item, at)

    def change_quantity(self) -> None:
        self.change_first(QUANTITY_AT, quantity=2)

    def change_price(self) -> None:
        self.change_first(PRICE_AT, price=DEARER, quantity=1)  # "`quantity` is set to 1 unless … provided"
        if not self.trialing:
            self.bill(PRICE_AT, "subscription_update", [])

    def change_in_vain(self) -> None:
        """The payment never comes: the quantity stays as it was, and the invoice is voided after 23 hours."""
        was = self.items[0].quantity
        self.change_first(PENDING_AT, quantity=3)
        if self.trialing:
            return
        invoice = self.bill(PENDING_AT, "subscription_update", [])
        if "send" in self.has or self.paused or invoice.total <= 0:
            return  # nothing was to be paid, so nothing waits for it
        self.items[0].quantity = was
        invoice.status = "void"
        for debit in invoice.debits:
            debit.gone = True

    def reset(self) -> None:
        """New periods begin now; what was billed for the old ones is credited."""
        used = self.usage_lines(self.items, RESET_AT)
        for item in self.items:
            if not item.metered:
                self.prorate(item, None, RESET_AT)
        self.anchor = RESET_AT
        for item in self.items:
            item.start, item.end = RESET_AT, self.cut(RESET_AT, natural(RESET_AT, item.months, RESET_AT)[1])
        self.bill(RESET_AT, "subscription_update", used + self.period_lines(self.items))

    def enter_phase(self) -> None:
        """The next phase begins within a period: the rest of it is prorated."""
        at = later(START, 1) if "anchor" not in self.has else ANCHOR
        self.change_first(at, price=DEAREST, quantity=1)
