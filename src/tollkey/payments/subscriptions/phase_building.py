"""The phases of a subscription schedule, built from parameters or from an existing subscription."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.catalog import arithmetic, pricing
from tollkey.payments.invoices import drafts
from tollkey.payments.shared import currency, fields
from tollkey.payments.subscriptions import kinds, phase_discounts
from tollkey.payments.subscriptions.items import check_sold, load, recurring_price
from tollkey.payments.subscriptions.periods import period_of, terms_of
from tollkey.payments.subscriptions.rules import MOST_ADDED_ITEMS, check_taxes, not_both
from tollkey.payments.subscriptions.settings import transfer_of
from tollkey.payments.tax import automatic
from tollkey.wire import Call, Params, invalid
from tollkey.wire.errors import missing_param, too_small
from tollkey.wire.kinds import Kind
from tollkey.wire.metadata import merged_metadata

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.payments.subscriptions.stored import (
        Phase,
        StoredDefaultSettings,
        StoredPhaseItem,
        StoredSubscription,
    )
    from tollkey.wire import api

#: Source: "Subscription schedules" in Stripe's documentation; the text of the error is ours.
_MOST_PHASES = 10
#: Names of an entry of ``discounts`` -> what each names.
_DISCOUNTS: dict[str, Kind[Any]] = {
    "coupon": kinds.COUPON,
    "discount": kinds.DISCOUNT,
    "promotion_code": kinds.PROMOTION_CODE,
}


def build_phases(
    call: Call,
    wanted: Sequence[Mapping[str, Any]],
    start: int,
    *,
    changed: bool = False,
    new: bool = False,
    within: str = "phases",
) -> list[Phase]:
    """Return the phases as a schedule shows them, one after another from ``start`` (UTC epoch seconds).

    changed: whether they replace those of a schedule. new: whether they are those of a new schedule, whose products
        have to be active. within: the path of the phases, for errors. Raises ApiError 400 if a phase has no items,
        names an unknown object, or ends before it begins.
    """
    if not wanted:
        raise missing_param(within)
    made: list[Phase] = []
    for place, phase in enumerate(wanted):
        named = f"{within}[{place}]"
        if not phase.get("items"):
            raise missing_param(f"{named}[items]")
        _check(phase, named, changed)
        prices = [
            recurring_price(call, entry, f"{named}[items][{number}]", None)
            for number, entry in enumerate(phase["items"])
        ]
        for number, price in enumerate(prices if new else ()):
            check_sold(call, price, phase["items"][number], f"{named}[items][{number}]", new=True)
        begins = phase.get("start_date")
        start = call.now if begins == "now" else int(begins) if begins is not None else start
        until = _end_of(call, phase, start, terms_of(prices[0]), named)
        _check_trial(phase, (start, until), named, changed)
        made.append(_phase(call, phase, prices, start, until, named))
        phase_discounts.check_currency(call, made[-1], named)
        start = until
    if sum(phase["end_date"] > call.now for phase in made) > _MOST_PHASES:
        raise invalid(f"A schedule can have at most {_MOST_PHASES} current and future phases.", within)
    return made


def _check(phase: Mapping[str, Any], named: str, changed: bool) -> None:
    """Raise ApiError 400 for parameters of a phase that contradict each other."""
    not_both(phase, "duration", "end_date", named)
    if not changed:  # a change may name both when they mean the same
        not_both(phase, "trial", "trial_end", named)
    if phase.get("billing_cycle_anchor") == "phase_start" and (phase.get("trial") or phase.get("trial_end")):
        raise invalid(
            "You cannot set `billing_cycle_anchor` to `phase_start` in a phase with a trial.",
            f"{named}[billing_cycle_anchor]",
        )
    if (phase.get("automatic_tax") or {}).get("enabled"):
        own = [entry.get("tax_rates") for entry in phase["items"]]
        check_taxes(phase.get("default_tax_rates"), own, f"{named}[automatic_tax]")
    added = phase.get("add_invoice_items") or ()
    if len(added) > MOST_ADDED_ITEMS:
        raise invalid(f"You can pass at most {MOST_ADDED_ITEMS} `add_invoice_items`.", f"{named}[add_invoice_items]")
    for place, entry in enumerate(added):
        period = entry.get("period") or {}
        start, end = (fields.given(period.get(side) or {}, "timestamp", None) for side in ("start", "end"))
        if start is not None and end is not None and int(end) < int(start):
            raise invalid(
                "The end of a period must not be before its start.", f"{named}[add_invoice_items][{place}][period][end]"
            )


def _check_trial(phase: Mapping[str, Any], span: tuple[int, int], named: str, changed: bool) -> None:
    """Raise ApiError 400 for a trial that ends outside of its phase, or before the end of a phase that is all trial.

    span: start and end of the phase, UTC epoch seconds.
    """
    end = phase.get("trial_end")
    if end in (None, "now"):
        return
    if not span[0] <= int(end) <= span[1]:
        raise invalid("The `trial_end` of a phase must be within the phase.", f"{named}[trial_end]")
    if changed and phase.get("trial") and int(end) != span[1]:
        raise invalid(
            "With `trial` set to true, the `trial_end` of a phase must match its end date.", f"{named}[trial_end]"
        )


def _end_of(call: Call, phase: Mapping[str, Any], start: int, recurring: api.Recurring, named: str) -> int:
    """Return when a phase that begins at ``start`` ends; both UTC epoch seconds."""
    end_date, duration = phase.get("end_date"), phase.get("duration")
    if end_date == "now":
        return call.now
    if end_date is not None:
        if int(end_date) <= start:
            raise invalid("The end date of a phase must be after its start date.", f"{named}[end_date]")
        return int(end_date)
    if duration:
        count = fields.given(duration, "interval_count", 1)
        if count < 1:
            raise too_small(f"{named}[duration][interval_count]")
        return arithmetic.shift(start, duration["interval"], count)
    return arithmetic.shift(
        start, recurring["interval"], recurring["interval_count"] * fields.given(phase, "iterations", 1)
    )


def _phase(
    call: Call, phase: Mapping[str, Any], prices: list[StoredPrice], start: int, until: int, named: str
) -> Phase:
    """Return a phase with all of its keys."""
    trial_end = phase.get("trial_end")
    made: Phase = {
        "add_invoice_items": [
            _added(call, entry, f"{named}[add_invoice_items][{number}]")
            for number, entry in enumerate(phase.get("add_invoice_items") or [])
        ],
        "application_fee_percent": phase.get("application_fee_percent"),
        "billing_cycle_anchor": phase.get("billing_cycle_anchor"),
        "billing_thresholds": phase.get("billing_thresholds"),
        "collection_method": phase.get("collection_method"),
        "currency": currency.check_currency(
            fields.given(phase, "currency", prices[0]["currency"]), f"{named}[currency]"
        ),
        "default_payment_method": phase.get("default_payment_method"),
        "default_tax_rates": drafts.tax_rates(call, phase.get("default_tax_rates"), f"{named}[default_tax_rates]"),
        "description": phase.get("description"),
        "discounts": _discounts(call, phase, named),
        "end_date": until,
        "invoice_settings": _invoice_settings(phase.get("invoice_settings")),
        "items": [
            _item(call, entry, price, f"{named}[items][{place}]")
            for place, (entry, price) in enumerate(zip(phase["items"], prices, strict=True))
        ],
        "metadata": merged_metadata({}, phase.get("metadata") or {}),
        "on_behalf_of": phase.get("on_behalf_of"),
        "proration_behavior": fields.given(phase, "proration_behavior", "create_prorations"),
        "start_date": start,
        "transfer_data": _transfer(phase.get("transfer_data")),
        "trial_end": until if phase.get("trial") else None if trial_end in (None, "now") else int(str(trial_end)),
    }
    if phase.get("automatic_tax") is not None:  # else that of ``default_settings`` counts
        made["automatic_tax"] = _automatic_tax(phase["automatic_tax"])
    return made


def _transfer(given: Mapping[str, Any] | None) -> api.SubscriptionTransferData | None:
    """Return ``transfer_data`` of a phase or of ``default_settings`` with all of its keys."""
    return cast("api.SubscriptionTransferData | None", transfer_of(given, "amount_percent"))


def _automatic_tax(wanted: Mapping[str, Any]) -> api.SchedulesPhaseAutomaticTax:
    """Return ``automatic_tax`` of a phase or of ``default_settings`` with all of its keys."""
    return {
        "disabled_reason": None,
        "enabled": bool(wanted.get("enabled")),
        "liability": automatic.liability_of(wanted),
    }


def _discounts(
    call: Call, holder: Mapping[str, Any], named: str
) -> list[api.StackableDiscountWithDiscountSettingsAndDiscountEnd]:
    """Return ``discounts`` of a phase or of one of its items; those of a phase are its ``coupon`` in older versions.

    Raises ApiError 400 for a coupon, discount or promotion code that does not exist.
    """
    entries = [(entry, f"{named}[discounts][{place}]") for place, entry in enumerate(holder.get("discounts") or [])]
    if holder.get("coupon"):
        entries = [({"coupon": holder["coupon"]}, named)]
    for entry, place in entries:
        for name, kind in _DISCOUNTS.items():
            if entry.get(name):
                call.objects.get(kind, entry[name], f"{place}[{name}]")
    return [
        {
            "coupon": entry.get("coupon"),
            "discount": entry.get("discount"),
            "promotion_code": entry.get("promotion_code"),
        }
        for entry, _ in entries
    ]


def _invoice_settings(wanted: Mapping[str, Any] | None) -> api.InvoiceSettingSubscriptionSchedulePhaseSetting | None:
    """Return ``invoice_settings`` of a phase with all of its keys."""
    if not wanted:
        return None
    return {
        "account_tax_ids": wanted.get("account_tax_ids"),
        "days_until_due": wanted.get("days_until_due"),
        "issuer": wanted.get("issuer"),
    }


def _item(call: Call, entry: Mapping[str, Any], price: StoredPrice, named: str) -> StoredPhaseItem:
    """Return an item of a phase. Raises ApiError 400 for the quantity of a metered price."""
    metered = terms_of(price)["usage_type"] == "metered"
    if metered and entry.get("quantity") is not None:
        raise invalid("You cannot set the quantity for metered plans.", f"{named}[quantity]")
    item: StoredPhaseItem = {
        "billing_thresholds": entry.get("billing_thresholds"),
        "discounts": _discounts(call, entry, named),
        "metadata": merged_metadata({}, entry.get("metadata") or {}),
        "plan": price["id"],
        "price": price["id"],
        "tax_rates": drafts.tax_rates(call, entry.get("tax_rates"), f"{named}[tax_rates]"),
    }
    if not metered:
        item["quantity"] = fields.given(entry, "quantity", 1)
    return item


def _added(call: Call, entry: Mapping[str, Any], named: str) -> api.SubscriptionScheduleAddInvoiceItem:
    """Return an entry of ``add_invoice_items`` with all of its keys."""
    whole: api.SubscriptionScheduleAddInvoiceItemPeriod = {
        "end": {"type": "phase_end"},
        "start": {"type": "phase_start"},
    }
    return {
        "discounts": _discounts(call, entry, named),
        "metadata": merged_metadata({}, entry.get("metadata") or {}),
        "period": entry.get("period") or whole,
        "price": pricing.named_price(call, entry, named)["id"],
        "quantity": fields.given(entry, "quantity", 1),
        "tax_rates": drafts.tax_rates(call, entry.get("tax_rates"), f"{named}[tax_rates]"),
    }


def default_settings(wanted: Mapping[str, Any] | None) -> StoredDefaultSettings:
    """Return ``default_settings`` with all of its keys."""
    wanted = wanted or {}
    settings = wanted.get("invoice_settings") or {}
    self: api.ConnectAccountReference = {"type": "self"}
    return {
        "application_fee_percent": wanted.get("application_fee_percent"),
        "automatic_tax": _automatic_tax(wanted.get("automatic_tax") or {}),
        "billing_cycle_anchor": fields.given(wanted, "billing_cycle_anchor", "automatic"),
        "billing_thresholds": wanted.get("billing_thresholds"),
        "collection_method": fields.given(wanted, "collection_method", "charge_automatically"),
        "default_payment_method": wanted.get("default_payment_method"),
        "default_source": None,
        "description": wanted.get("description"),
        "invoice_settings": {
            "account_tax_ids": settings.get("account_tax_ids"),
            "days_until_due": settings.get("days_until_due"),
            "issuer": settings.get("issuer") or self,
        },
        "on_behalf_of": wanted.get("on_behalf_of"),
        "transfer_data": _transfer(wanted.get("transfer_data")),
    }


def mirror(call: Call, subscription: StoredSubscription) -> list[Phase]:
    """Return one phase that continues the subscription unchanged until the end of its period."""
    begins, until = period_of(subscription)
    items = [
        {
            "price": item["price"]["id"],
            "metadata": item["metadata"],
            **({"quantity": item["quantity"]} if "quantity" in item else {}),
        }
        for item in load(call, subscription)
    ]
    phase: Params = {"items": items, "end_date": until, "start_date": begins, "currency": subscription["currency"]}
    if subscription["status"] == "trialing":
        phase["trial_end"] = subscription["trial_end"]
    return build_phases(call, [phase], begins)
