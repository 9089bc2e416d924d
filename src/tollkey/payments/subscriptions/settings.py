"""Settings of a subscription that can be changed at any time, under their present and their older names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.invoices import drafts
from tollkey.payments.methods import instruments
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions import kinds
from tollkey.payments.tax import automatic, tax_rates
from tollkey.wire import Call, P, Params, invalid
from tollkey.wire.errors import exclusive, missing_param
from tollkey.wire.params import Param
from tollkey.wire.removed import Removed

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredSubscription
    from tollkey.wire import api

_PLAIN = (
    "application_fee_percent",
    "billing_thresholds",
    "default_payment_method",
    "default_source",
    "description",
    "on_behalf_of",
    "transfer_data",
    "pending_invoice_item_interval",
)


def transfer_of(given: Mapping[str, Any] | None, *amounts: str) -> dict[str, object] | None:
    """Return ``transfer_data`` with all of its keys; None without a destination.

    amounts: its keys beside ``destination``.
    """
    return {name: given.get(name) for name in (*amounts, "destination")} if given else None


#: The longest interval at which pending invoice items are billed: a year in each unit.
_MOST_INTERVALS = {"day": 365, "week": 52, "month": 12, "year": 1}


def anchor_hash(*types: str, param: str = "billing_cycle_anchor", **more: Param) -> Removed:
    """Return the change of 2026-09-30: ``billing_cycle_anchor`` is a hash, no longer a string.

    types: allowed values of ``type``. param: its dotted path. more: further fields of the hash.
    """
    link = "endive/2026-09-30/polymorphic-billing-cycle-anchor"
    hash = P.nested({"type": P.enum(*types), **more}, required=["type"])
    return Removed("2026-09-30", param, becomes=hash, link=link)


#: The change for previews, where the anchor may be a time.
PREVIEW_ANCHOR = anchor_hash(
    "now", "timestamp", "unchanged", param="subscription_details.billing_cycle_anchor", timestamp=P.timestamp()
)


def anchor_of(hash: Mapping[str, Any]) -> str | int:
    """Return the meaning of a ``billing_cycle_anchor`` hash: ``now``, ``unchanged`` or a time (UTC epoch seconds).

    Raises ApiError 400 if the type is ``timestamp`` and no timestamp is given.
    """
    kind: str = hash["type"]
    if kind != "timestamp":
        return kind
    if hash.get("timestamp") is None:
        raise missing_param("subscription_details[billing_cycle_anchor][timestamp]")
    at: int = hash["timestamp"]
    return at


def translate(params: Mapping[str, Any]) -> Params:
    """Return the parameters under their present names.

    ``billing`` and ``prorate`` become their successors, and the hash of ``billing_cycle_anchor`` becomes ``now``,
    ``unchanged`` or a time (UTC epoch seconds).
    """
    made = dict(params)
    if isinstance(made.get("billing_cycle_anchor"), dict):
        made["billing_cycle_anchor"] = anchor_of(made["billing_cycle_anchor"])
    if "billing" in made:
        made.setdefault("collection_method", made.pop("billing"))
    if "prorate" in made:
        made.setdefault("proration_behavior", "create_prorations" if made.pop("prorate") else "none")
    return made


def apply_settings(call: Call, subscription: StoredSubscription, params: Mapping[str, Any]) -> None:
    """Apply the settings in the parameters. Raises ApiError 400 for settings that contradict each other."""
    _check_interval(params.get("pending_invoice_item_interval"))
    fields.assign_with_metadata(subscription, params, _PLAIN)
    if params.get("transfer_data"):
        full = transfer_of(params["transfer_data"], "amount_percent")
        subscription["transfer_data"] = cast("api.SubscriptionTransferData", full)
    if params.get("default_payment_method"):
        check_method(call, subscription["customer"], params["default_payment_method"])
    if "default_tax_rates" in params:
        subscription["default_tax_rates"] = drafts.tax_rates(call, params["default_tax_rates"], "default_tax_rates")
    if params.get("tax_percent"):
        subscription["default_tax_rates"] = [tax_rates.percent_rate(call, params["tax_percent"])]
    if params.get("collection_method"):
        subscription["collection_method"] = params["collection_method"]
    sends = subscription["collection_method"] == "send_invoice"
    if params.get("days_until_due") is not None:
        if not sends:
            raise invalid("You can only specify 'days_until_due' if invoice collection method is 'send_invoice'.")
        subscription["days_until_due"] = params["days_until_due"]
    if not sends:
        subscription["days_until_due"] = None
    elif subscription["days_until_due"] is None:
        raise invalid("If invoice collection method is 'send_invoice', you must specify 'days_until_due'.")
    if "automatic_tax" in params:
        enabled = bool((params["automatic_tax"] or {}).get("enabled"))
        if enabled and not subscription["automatic_tax"]["enabled"]:
            customer = call.objects.get(kinds.CUSTOMER, subscription["customer"], "customer")
            if automatic.address_of(call, customer) is None:
                raise automatic.unlocated("automatic_tax")
        subscription["automatic_tax"] = {
            "disabled_reason": None,
            "enabled": enabled,
            "liability": automatic.liability_of(params["automatic_tax"]),
        }
    stored: Mapping[str, Any] = subscription  # fields are read by computed names
    sent = [name for name in ("payment_settings", "invoice_settings", "trial_settings") if params.get(name)]
    fields.assign(subscription, {name: _over(stored[name], params[name]) for name in sent}, sent)


def _check_interval(wanted: Mapping[str, Any] | None) -> None:
    """Raise ApiError 400 if pending items were billed less often than once a year."""
    if wanted and fields.given(wanted, "interval_count", 1) > _MOST_INTERVALS[wanted["interval"]]:
        raise invalid(
            "The interval of pending invoice items can be at most one year (1 year, 12 months, 52 weeks, or 365 days).",
            "pending_invoice_item_interval[interval_count]",
        )


def _over(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, object]:
    """Return ``old`` with the values of ``new``, merged recursively."""
    made = dict(old)
    for name, value in new.items():
        made[name] = _over(made[name], value) if isinstance(value, dict) and isinstance(made.get(name), dict) else value
    return made


def check_method(call: Call, customer: str, id: str, param: str = "default_payment_method") -> None:
    """Raise ApiError 400 for a payment method that does not belong to the customer. param: its name in the error."""
    if "payment_method" not in call.setup.tables.of:
        return
    method = call.objects.find(kinds.PAYMENT_METHOD, id)
    if method is None:
        raise instruments.no_payment_method(call, id, param)
    if method.get("customer") != customer:
        raise instruments.not_attached(id, param)


def set_cancel(call: Call, subscription: StoredSubscription, params: Mapping[str, Any]) -> None:
    """Set or clear when the subscription is canceled: at the end of the period, or at a time.

    Raises ApiError 400 if both are given, or the time is in the past.
    """
    if params.get("cancel_at_period_end") and params.get("cancel_at"):
        raise exclusive("cancel_at", "cancel_at_period_end", param="cancel_at")
    end = subscription["_period"][1]
    if params.get("cancel_at_period_end") is not None or "cancel_at" in params:
        subscription.pop("_ends_anyway", None)
    if params.get("cancel_at_period_end") is not None:
        yes = params["cancel_at_period_end"]
        if yes and not subscription["cancel_at_period_end"]:
            subscription["canceled_at"], subscription["cancel_at"] = call.now, end
            set_reason(subscription, "cancellation_requested")
        elif not yes and subscription["cancel_at_period_end"]:
            clear_cancellation(subscription)
        subscription["cancel_at_period_end"] = yes
    if "cancel_at" in params:
        wanted = params["cancel_at"]
        if wanted in (None, ""):
            if subscription["cancel_at"] is not None and not subscription["cancel_at_period_end"]:
                clear_cancellation(subscription)
        else:
            at = end if isinstance(wanted, str) and not (wanted.isdecimal() and len(wanted) < 16) else int(wanted)
            if at <= call.now:
                raise invalid(
                    "Invalid timestamp: must be an integer Unix timestamp in the future", "cancel_at", retry=False
                )
            subscription["cancel_at"], subscription["canceled_at"] = at, call.now
            subscription["cancel_at_period_end"] = False
            subscription["_leave_prorates"] = fields.given(params, "proration_behavior", "create_prorations") != "none"
            set_reason(subscription, "cancellation_requested")
    set_details(subscription, params)


def clear_cancellation(subscription: StoredSubscription) -> None:
    """Clear a planned cancellation."""
    subscription["canceled_at"] = subscription["cancel_at"] = None
    set_reason(subscription, None)


def set_reason(subscription: StoredSubscription, reason: str | None) -> None:
    """Set the reason in ``cancellation_details``; the customer's comment and feedback are kept."""
    fields.assign(_details(subscription), {"reason": reason}, ["reason"])


def set_details(subscription: StoredSubscription, params: Mapping[str, Any]) -> None:
    """Store the ``cancellation_details`` of the parameters, if any."""
    sent = params.get("cancellation_details")
    if sent:
        fields.assign(_details(subscription), sent, sent)


def _details(subscription: StoredSubscription) -> api.CancellationDetails:
    """Return ``cancellation_details`` of a subscription."""
    details = subscription["cancellation_details"]
    assert details is not None, "every subscription has cancellation_details"
    return details


def pause_of(params: Mapping[str, Any]) -> api.SubscriptionsResourcePauseCollection | None:
    """Return ``pause_collection`` of the parameters with all of its keys; None to resume collection."""
    wanted = params.get("pause_collection")
    return None if not wanted else {"behavior": wanted["behavior"], "resumes_at": fields.given(wanted, "resumes_at")}
