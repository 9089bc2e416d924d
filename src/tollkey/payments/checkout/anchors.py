"""The billing cycle anchor of a session in mode ``subscription``, and what it cannot be combined with.

Source: docs.stripe.com/payments/checkout/billing-cycle, with its "Current limitations". The texts of an anchor that is
too early or too late are those of subscriptions, the others ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.catalog import arithmetic, restrictions
from tollkey.payments.checkout.known import price_of
from tollkey.payments.subscriptions import periods
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import DiscountEntry
    from tollkey.payments.checkout.stored import StoredSession

_PARAM = "subscription_data[billing_cycle_anchor]"


def check(call: Call, session: StoredSession) -> None:
    """Raise ApiError 400 for an anchor that the session's subscription could not have, or not with its trial or lines.

    Call it when the session has its lines and is created: an anchor may pass before the session is paid.
    """
    data = session["_subscription_data"]
    anchor = data.get("billing_cycle_anchor")
    if anchor is None:
        return
    if data.get("trial_period_days") or data.get("trial_end"):
        raise invalid("You can not use a trial together with `subscription_data[billing_cycle_anchor]`.", _PARAM)
    prices = [price_of(item) for item in session["_lines"]]
    natural = arithmetic.shift(
        call.now, *periods.shortest(periods.interval_of_price(price) for price in prices if price["recurring"])
    )
    if anchor <= call.now:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future", _PARAM)
    if anchor > natural:
        raise invalid(
            f"`billing_cycle_anchor` cannot be later than next natural billing date ({natural}) for plan", _PARAM
        )
    if not _prorates(session) and not all(price["recurring"] for price in prices):
        raise invalid(
            "You can not use one-time prices when `subscription_data[proration_behavior]` is `none`.", "line_items"
        )


def check_discount(call: Call, session: StoredSession, entry: DiscountEntry, param: str) -> None:
    """Raise ApiError 400 for an amount off a first period that is prorated. param: how the error names the discount."""
    anchored = session["_subscription_data"].get("billing_cycle_anchor") is not None
    if anchored and _prorates(session) and restrictions.named(call, entry, param).coupon["amount_off"]:
        raise invalid(
            "You can not use a coupon with `amount_off` when `subscription_data[billing_cycle_anchor]` is set and"
            " `subscription_data[proration_behavior]` is `create_prorations`.",
            param,
        )


def _prorates(session: StoredSession) -> bool:
    return session["_subscription_data"].get("proration_behavior") != "none"
