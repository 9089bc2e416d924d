"""What the items of a schedule's phases must be, so that each phase can begin when its time comes.

A subscription refuses the same when it is changed directly; a schedule that promised it could only fail later, in the
background. Source of the texts: those refusals. That a subscription keeps its currency says the guide to
multi-currency customers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import pricing
from tollkey.payments.invoices import invoiceitems
from tollkey.payments.subscriptions import currencies, items, kinds
from tollkey.payments.subscriptions.periods import interval_of_price
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.payments.subscriptions.stored import Phase, StoredSchedule


def check(call: Call, schedule: StoredSchedule, wanted: Sequence[Mapping[str, Any]]) -> None:
    """Raise ApiError 400 for new phases that could not begin one after another; set the currency that they share.

    wanted: the parameters that the schedule's phases were built from, one each. The currency is that of the
    subscription that the schedule has already, else that of the first phase.
    """
    subscription = call.objects.find(kinds.SUBSCRIPTION, schedule["subscription"] or "")
    currency = subscription["currency"] if subscription is not None else schedule["phases"][0]["currency"]
    flexible = schedule["billing_mode"]["type"] == "flexible"
    check_phases(call, schedule["phases"], wanted, currency, flexible=flexible)
    if subscription is None:
        currencies.check(call, call.objects.get(kinds.CUSTOMER, schedule["customer"], "customer"), currency)


def check_phases(
    call: Call,
    phases: Sequence[Phase],
    wanted: Sequence[Mapping[str, Any]],
    currency: str,
    *,
    flexible: bool,
    within: str = "phases",
) -> None:
    """Raise ApiError 400 for phases that no subscription in this currency and billing mode could have.

    Set the currency of each.
    wanted: the parameters that they were built from, one each. within: the path of the phases, for errors.
    """
    for place, (phase, given) in enumerate(zip(phases, wanted, strict=True)):
        named = f"{within}[{place}]"
        if given.get("currency") and phase["currency"] != currency:
            raise invalid(
                f"The phases of a schedule must have the same currency. This phase has `{phase['currency']}`, but the"
                f" expected currency is `{currency}`.",
                f"{named}[currency]",
            )
        phase["currency"] = currency
        prices = [call.objects.get(kinds.PRICE, item["price"]) for item in phase["items"]]
        _check_currency(prices, currency, f"{named}[items]")
        _check_added(call, phase, currency, f"{named}[add_invoice_items]")
        for number, (item, price) in enumerate(zip(phase["items"], prices, strict=True)):
            if "quantity" in item:
                items.check_amount(price, item["quantity"], currency, f"{named}[items][{number}]")
        items.check_prices([price["id"] for price in prices], f"{named}[items]")
        items.check_intervals({interval_of_price(price) for price in prices}, f"{named}[items]", flexible=flexible)


def _check_added(call: Call, phase: Phase, currency: str, named: str) -> None:
    """Raise ApiError 400 for a price of ``add_invoice_items`` that is not billed once, or not in this currency."""
    added = [call.objects.get(kinds.PRICE, entry["price"]) for entry in phase["add_invoice_items"]]
    _check_currency(added, currency, named)
    for number, price in enumerate(added):
        if price["recurring"]:
            raise invoiceitems.not_once(f"{named}[{number}][price]")


def _check_currency(prices: Sequence[StoredPrice], currency: str, named: str) -> None:
    """Raise ApiError 400 for a price without an amount in the currency. named: how errors name the list of prices."""
    for number, price in enumerate(prices):
        pricing.check_currency(price, currency, f"{named}[{number}][price]")
