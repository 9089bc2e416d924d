"""The beginning of a subscription: trial, anchor, first periods, and the lines of the first invoice.

The time before a future anchor, the time since ``backdate_start_date`` and the time until a ``cancel_at`` within the
first period are prorated (docs.stripe.com/billing/subscriptions/billing-cycle and …/backdating).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import arithmetic
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions import states
from tollkey.payments.subscriptions.billing import item_lines, make_partial, period_lines, span_usage_lines
from tollkey.payments.subscriptions.items import is_flexible, is_metered
from tollkey.payments.subscriptions.periods import (
    begin_periods,
    configured_anchor,
    cut_short,
    interval_of,
    set_period,
    shortest,
    span,
    trial_end_of,
    whole_period,
)
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredLine
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem

#: The largest number of lines of an invoice.
MOST_LINES = 250


#: The parts of ``billing_cycle_anchor_config`` and their ranges (descriptions of the parameters; the text is ours).
_RANGES = {"day_of_month": (1, 31), "hour": (0, 23), "minute": (0, 59), "month": (1, 12), "second": (0, 59)}


def set_first_periods(
    call: Call,
    subscription: StoredSubscription,
    items: list[StoredSubscriptionItem],
    params: Mapping[str, Any],
    trial_days: int | None,
) -> None:
    """Set anchor, trial and first periods of a new subscription from its parameters.

    trial_days: of the plan, for ``trial_from_plan``. Raises ApiError 400 for an invalid start, anchor or trial end.
    """
    start = subscription["start_date"]
    if start > call.now:
        raise invalid("`backdate_start_date` must be in the past.", "backdate_start_date")
    trial_end = trial_end_of(call, params, trial_days)
    anchor = _wanted_anchor(call, subscription, items, params)
    if anchor is not None:
        _check_anchor(call, items, anchor, trial_end)
    subscription["_free_until_anchor"] = params.get("proration_behavior") == "none"
    if trial_end is not None:
        subscription.update({"trial_start": call.now, "trial_end": trial_end})
        subscription["billing_cycle_anchor"] = trial_end if anchor is None else anchor
        states.begin(subscription, "trialing")
        for item in items:
            set_period(item, (call.now, trial_end))
    else:
        flexible = is_flexible(subscription)
        subscription["billing_cycle_anchor"] = (start if flexible else call.now) if anchor is None else anchor
        begin_periods(subscription, items, call.now)
        if flexible and start < call.now:
            for item in items:
                period = whole_period(subscription, item, call.now)
                set_period(item, (max(period.start, start), period.end))
    subscription["_period"] = span(items)


def _wanted_anchor(
    call: Call, subscription: StoredSubscription, items: list[StoredSubscriptionItem], params: Mapping[str, Any]
) -> int | None:
    """Return the anchor of the parameters (UTC epoch seconds), else None.

    It is given by ``billing_cycle_anchor`` or ``billing_cycle_anchor_config``. Raises ApiError 400 for a day of the
    month if a price recurs in days or weeks.
    """
    config = params.get("billing_cycle_anchor_config")
    if not config:
        anchor = params.get("billing_cycle_anchor")
        return None if anchor is None else call.now if anchor == "now" else int(anchor)
    if not {interval_of(item)[0] for item in items} <= {"month", "year"}:
        raise invalid(
            "You can only use `billing_cycle_anchor_config` with prices that recur monthly or yearly.",
            "billing_cycle_anchor_config",
        )
    for name, (least, most) in _RANGES.items():
        if config.get(name) is not None and not least <= config[name] <= most:
            param = f"billing_cycle_anchor_config[{name}]"
            raise invalid(f"Invalid {name}: must be between {least} and {most}.", param)
    subscription["billing_cycle_anchor_config"] = {
        "day_of_month": config["day_of_month"],
        "hour": config.get("hour"),
        "minute": config.get("minute"),
        "month": config.get("month"),
        "second": config.get("second"),
    }
    return configured_anchor(call, config)


def _check_anchor(call: Call, items: list[StoredSubscriptionItem], anchor: int, trial_end: int | None) -> None:
    """Raise ApiError 400 for an anchor in the past, or after the first renewal without it."""
    if anchor < call.now:
        raise invalid(
            "Invalid timestamp: must be an integer Unix timestamp in the future", "billing_cycle_anchor", retry=False
        )
    interval = shortest(interval_of(item) for item in items)
    natural = arithmetic.shift(call.now if trial_end is None else trial_end, *interval)
    if anchor > natural:
        raise invalid(
            f"`billing_cycle_anchor` cannot be later than next natural billing date ({natural}) for plan",
            "billing_cycle_anchor",
        )


def shorten_first_periods(subscription: StoredSubscription, items: list[StoredSubscriptionItem]) -> None:
    """End the first periods at a ``cancel_at`` that lies within them."""
    if subscription["status"] != "trialing" and not subscription["cancel_at_period_end"]:
        cut_short(items, subscription["cancel_at"])
    subscription["_period"] = span(items)


def first_lines(
    call: Call, subscription: StoredSubscription, items: list[StoredSubscriptionItem], params: Mapping[str, Any]
) -> list[StoredLine]:
    """Return the lines of the first invoice, without those of ``add_invoice_items``.

    Raises ApiError 400 if a backdated start results in more lines than an invoice can have.
    """
    prorates = fields.given(params, "proration_behavior", "create_prorations") != "none"
    trialing = subscription["status"] == "trialing"
    waits = subscription["billing_cycle_anchor"] > call.now and not trialing
    whole = is_flexible(subscription) and not prorates and subscription["cancel_at"] is not None
    lines: list[StoredLine] = []
    if not waits:
        lines = period_lines(call, subscription, items, trial=trialing, whole=whole)
    elif prorates and not _in_one_line(call, subscription):
        lines = period_lines(call, subscription, items)
    if prorates:
        lines += [line for item in items for line in _backdated_lines(call, subscription, item)]
    if not trialing and not is_flexible(subscription):
        lines += [line for item in items if is_metered(item) for line in item_lines(call, subscription, item)]
    if len(lines) > MOST_LINES:
        raise invalid(
            f"The first invoice would have {len(lines)} lines, but invoices have at most {MOST_LINES}."
            " Choose a later `backdate_start_date`.",
            "backdate_start_date",
        )
    return lines


def _in_one_line(call: Call, subscription: StoredSubscription) -> bool:
    """Return whether one line bills the time from a backdated start to the future anchor, as in the classic mode."""
    return not is_flexible(subscription) and subscription["start_date"] < call.now


def _backdated_lines(call: Call, subscription: StoredSubscription, item: StoredSubscriptionItem) -> list[StoredLine]:
    """Return the lines of an item for the time from a backdated start to its current period."""
    start = subscription["start_date"]
    anchor = subscription["billing_cycle_anchor"]
    trialing = subscription["status"] == "trialing"
    until = call.now if trialing or not is_flexible(subscription) else item["current_period_start"]
    if not is_flexible(subscription):
        until = anchor if anchor > call.now and not trialing else call.now
        return _span_lines(call, subscription, item, (start, until), start) if start < call.now else []
    lines: list[StoredLine] = []
    counted_from = start if trialing else anchor
    while start < until:
        end = min(arithmetic.period_around(counted_from, *interval_of(item), start)[1], until)
        lines += _span_lines(call, subscription, item, (start, end), counted_from)
        start = end
    return lines


def _span_lines(
    call: Call, subscription: StoredSubscription, item: StoredSubscriptionItem, part: tuple[int, int], anchor: int
) -> list[StoredLine]:
    """Return the lines of an item for a span that may be shorter or longer than one interval.

    part: start and end, UTC epoch seconds. anchor: where intervals are counted from, UTC epoch seconds.
    """
    if is_metered(item):
        return [line for line in span_usage_lines(call, subscription, item, part) if line["amount"]]
    lines = item_lines(call, subscription, item, part)
    for line in lines:
        shares = list(_overlaps(item, part, anchor))
        if shares != [(1, 1)]:
            amount = sum(line["amount"] for taken, length in shares if taken == length)
            amount += sum(
                arithmetic.share(line["amount"], arithmetic.Period(0, length), (0, taken))
                for taken, length in shares
                if taken != length
            )
            make_partial(line, amount)
    return lines


def _overlaps(item: StoredSubscriptionItem, part: tuple[int, int], anchor: int) -> Iterator[tuple[int, int]]:
    """Yield for each interval that overlaps a span the overlap and the interval's length, in seconds.

    A whole interval is yielded as (1, 1).
    """
    at, until = part
    while at < until:
        start, end = arithmetic.period_around(anchor, *interval_of(item), at)
        taken = min(end, until) - at
        yield (1, 1) if taken == end - start else (taken, end - start)
        at = min(end, until)
