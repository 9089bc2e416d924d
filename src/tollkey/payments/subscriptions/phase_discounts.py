"""Discounts of a schedule's phases: checked when the phases are planned, redeemed when each begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import restrictions
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import DiscountEntry
    from tollkey.payments.subscriptions.stored import Phase


def check(
    call: Call, customer: str, phases: Sequence[Mapping[str, Any]], start: object, known: Sequence[Phase] = ()
) -> None:
    """Raise ApiError 400 for a discount that this customer may not have, or not in a phase in the future.

    phases: parameters. start: when the first of them begins, as it was sent. known: phases that the schedule has
    already, whose discounts are not asked about again.
    """
    had = {named for phase in known for named in _names(phase["discounts"])}
    for place, phase in enumerate(phases):
        begins = phase.get("start_date", start if place == 0 else None)
        later = place > 0 or (begins not in (None, "", "now") and int(str(begins)) > call.now)
        for param, entry, on_item in _entries(phase, f"phases[{place}]"):
            if entry.get("discount") or set(_names([entry])) & had:
                continue
            found = restrictions.named(call, entry, param)
            restrictions.check_customer(call, found, customer)
            if on_item or later:
                restrictions.refuse_minimum(found, "subscription item" if on_item else "subscription schedule")


def check_currency(call: Call, phase: Phase, param: str) -> None:
    """Raise ApiError 400 for a discount of a planned phase that has no amount in the phase's currency.

    param: how errors name the phase.
    """
    for named, entry, _ in _entries(phase, param):
        found = restrictions.find(call, entry, named)
        if found is not None:
            restrictions.check_currency(found, phase["currency"], "line item")


def _names(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        yield from (entry[name] for name in ("coupon", "promotion_code") if entry.get(name))


def _entries(phase: Mapping[str, Any], named: str) -> Iterator[tuple[str, DiscountEntry, bool]]:
    """Yield the discounts of a phase and its items: how errors name each, the entry, whether it is an item's."""
    for place, entry in enumerate(phase.get("discounts") or ()):
        yield f"{named}[discounts][{place}]", entry, False
    for kind in ("items", "add_invoice_items"):
        for number, item in enumerate(phase.get(kind) or ()):
            for place, entry in enumerate(item.get("discounts") or ()):
                yield f"{named}[{kind}][{number}][discounts][{place}]", entry, True


def promised(call: Call, entries: Sequence[Mapping[str, Any]]) -> list[DiscountEntry]:
    """Return what a phase that begins redeems: what it promises, without what is not valid any more.

    entries: ``discounts`` of the phase, or of one of its items.
    """
    promises: list[DiscountEntry] = []
    for entry in entries:
        found = restrictions.find(call, entry, "")
        if entry.get("discount"):
            promises.append({"discount": entry["discount"]})
        elif found is None or not restrictions.is_valid(call, found.coupon):
            continue
        elif found.code is None:
            promises.append({"coupon": entry["coupon"], "_promised": True})
        elif found.code["active"]:
            promises.append({"promotion_code": entry["promotion_code"], "_promised": True})
    return promises
