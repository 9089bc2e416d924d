"""Which coupons and promotion codes may be redeemed: while they are valid, by whom, and for what.

Source: docs.stripe.com/billing/subscriptions/coupons ("Restrictions", "Limit by customer", "Limit by first time order",
"Set a minimum amount"). Where a comment names a report, its text is what the real API was seen to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tollkey.ledger import Money
from tollkey.payments.catalog import kinds
from tollkey.payments.shared import fields
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.errors import exclusive
from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import DiscountEntry, StoredCoupon, StoredPromotionCode
    from tollkey.wire import api

_INTENT: Kind[api.PaymentIntent] = Kind("payment_intent")
_CHARGE: Kind[api.Charge] = Kind("charge")
_SUBSCRIPTION: Kind[api.Subscription] = Kind("subscription")
_INVOICE: Kind[api.Invoice] = Kind("invoice")
#: Statuses of subscriptions that have begun, and of intents that were not given up.
_BEGUN = ["active", "canceled", "incomplete", "past_due", "paused", "trialing", "unpaid"]
_UNDER_WAY = [
    "processing", "requires_action", "requires_capture", "requires_confirmation", "requires_payment_method",
    "succeeded",
]  # fmt: skip
_LOOKED_AT = 25  # how many charges of a customer are compared with the intent that they must not belong to


@dataclass(frozen=True, slots=True)
class Redeemable:
    """What an entry of ``discounts`` names.

    code: the promotion code, None for a coupon named by itself. param: how errors name it.
    """

    coupon: StoredCoupon
    code: StoredPromotionCode | None
    param: str


def named(call: Call, entry: DiscountEntry, param: str) -> Redeemable:
    """Return the coupon or promotion code of an entry.

    param: how errors name the entry. Raises ApiError 400 for one that does not exist or is no longer valid, and for an
    entry that names both (inferred: it makes one discount).
    """
    within = "[" in param
    if entry.get("coupon") and entry.get("promotion_code"):
        raise exclusive("coupon", "promotion_code", param=f"{param}[promotion_code]" if within else "promotion_code")
    if not entry.get("promotion_code"):
        param = f"{param}[coupon]" if within else "coupon"
        coupon = call.objects.get(kinds.COUPON, entry.get("coupon") or "", param)
        check_valid(call, coupon, param)
        return Redeemable(coupon, None, param)
    param = f"{param}[promotion_code]" if within else "promotion_code"
    code = call.objects.get(kinds.PROMOTION_CODE, entry["promotion_code"] or "", param)
    of_code = call.objects.find(kinds.COUPON, code["promotion"]["coupon"] or "")
    ended = code["expires_at"] is not None and code["expires_at"] < call.now
    if of_code is None or not code["active"] or ended:
        raise invalid(f"This promotion code is not active: {code['code']}", param)
    check_valid(call, of_code, param)
    return Redeemable(of_code, code, param)


def find(call: Call, entry: Mapping[str, Any], param: str = "") -> Redeemable | None:
    """Return what an entry names, valid or not; None for a discount to keep, and for what was deleted.

    param: how errors name the entry.
    """
    code = call.objects.find(kinds.PROMOTION_CODE, entry.get("promotion_code") or "")
    coupon = call.objects.find(kinds.COUPON, (code["promotion"]["coupon"] if code else entry.get("coupon")) or "")
    named = f"{param}[{'promotion_code' if code else 'coupon'}]"
    return Redeemable(coupon, code, named) if coupon is not None else None


def is_valid(call: Call, coupon: StoredCoupon) -> bool:
    """Return whether a coupon can still be redeemed: not as often as it may be, and until its ``redeem_by``."""
    return coupon["valid"] and (coupon["redeem_by"] is None or coupon["redeem_by"] >= call.now)


def check_valid(call: Call, coupon: StoredCoupon, param: str) -> None:
    """Raise ApiError 400 ``coupon_expired`` for a coupon that is not valid any more."""
    if not is_valid(call, coupon):
        raise invalid(f"Coupon expired: {coupon['id']}", param, "coupon_expired")


def check_customer(call: Call, found: Redeemable, customer: str | None, *, own: str | None = None) -> None:
    """Raise ApiError 400 for a code of another customer, or for new customers only.

    customer: the id, None for somebody who is not known. own: id of the PaymentIntent that pays what the code is for,
        which does not count as an earlier one.
    """
    code = found.code
    if code is None:
        return
    if code["customer"] is not None and customer != code["customer"]:
        raise invalid("This promotion code cannot be redeemed by this customer.", found.param)
    if code["restrictions"]["first_time_transaction"] and customer and _has_bought(call, customer, own):
        # stripe-php#1146, stripe-node#2349
        raise invalid(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.",
            found.param,
            "promotion_code_customer_not_first_time",
        )


def _has_bought(call: Call, customer: str, own: str | None) -> bool:
    """Return whether a customer has bought before: an intent under way, a trial or an open invoice counts."""

    def some(kind: Kind[Any], limit: int = 1, **equal: str | list[str]) -> list[Any]:
        known = fields.knows(call, kind)
        return call.objects.query(kind, {"customer": customer, **equal}, limit=limit) if known else []

    return bool(
        some(_SUBSCRIPTION, status=_BEGUN)
        or some(_INVOICE, status=["open", "paid", "uncollectible"])
        or any(intent["id"] != own for intent in some(_INTENT, 2, status=_UNDER_WAY))
        or any(
            charge["status"] != "failed" and (own is None or charge["payment_intent"] != own)
            for charge in some(_CHARGE, _LOOKED_AT)
        )
    )


def needs_customer(found: Redeemable) -> ApiError | None:
    """Return the error for a code for new customers where no customer is made; None for any other."""
    if found.code is None or not found.code["restrictions"]["first_time_transaction"]:
        return None
    return invalid(
        "This promotion code is limited to first-time customers, so it cannot be redeemed without a customer.",
        found.param,
        "promotion_code_customer_missing_first_time",
    )


def check_minimum(code: StoredPromotionCode, subtotal: Money, param: str) -> None:
    """Raise ApiError 400 when less is bought than a code demands, in the currency in which it is bought."""
    least = _minimum(code, subtotal.currency)
    if least is not None and subtotal.amount < least:
        # Reported for Checkout Sessions; a trial makes the amount that is due at once 0.
        raise invalid(
            "This promotion code cannot be redeemed because the associated purchase does not meet the minimum amount"
            " requirement.",
            param,
        )


def _minimum(code: StoredPromotionCode, currency: str) -> int | None:
    """Return the minimum amount of a code in a currency, minor units; None when it has none."""
    rules = code["restrictions"]
    if rules["minimum_amount_currency"] == currency:
        return rules["minimum_amount"]
    option = (code.get("_currency_options") or {}).get(currency)
    return option.get("minimum_amount") if option else None


def refuse_minimum(found: Redeemable, place: str) -> None:
    """Raise ApiError 400 for a code with a minimum amount where the amount may still change.

    place: what the message calls it. The text is that of reports about updates of subscriptions.
    """
    if found.code is not None and found.code["restrictions"]["minimum_amount"] is not None:
        raise invalid(
            f"This promotion code cannot be redeemed on a {place} because it uses the `minimum_amount` restriction and"
            " the amount may change.",
            found.param,
        )


def check_currency(found: Redeemable, currency: str, what: str) -> None:
    """Raise ApiError 400 for a coupon whose amount is in other currencies than this one (lower-case code).

    what: what the message calls the thing that has the currency. The text is that of a report of Checkout Sessions.
    """
    coupon = found.coupon
    if coupon["amount_off"] is None or coupon["currency"] == currency:
        return
    if currency not in (coupon.get("_currency_options") or {}):
        kind = "coupon" if found.code is None else "promotion code"
        raise invalid(
            f"The {kind} default currency ({coupon['currency']}) does not match the {what} currency ({currency}).",
            found.param,
        )


def check_products(found: Redeemable, products: frozenset[str]) -> None:
    """Raise ApiError 400 ``coupon_applies_to_nothing`` for a coupon for other products than those in an order (ids).

    Reported for Checkout Sessions. A subscription takes such a coupon, which then takes nothing off.
    """
    limited = found.coupon.get("_applies_to")
    wanted = (limited.get("products") or []) if limited else []
    if wanted and not products & set(wanted):
        raise invalid(
            "This coupon cannot be redeemed because it does not apply to anything in this order.",
            found.param,
            "coupon_applies_to_nothing",
        )
