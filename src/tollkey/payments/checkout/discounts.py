"""Discounts of a session: whether its customer may have them for what is bought, and their redemption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from tollkey.ledger import Money
from tollkey.payments.catalog import redemption, restrictions
from tollkey.payments.checkout import anchors, kinds
from tollkey.payments.checkout.known import makes_customer, price_of
from tollkey.wire import ApiError, Call

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import DiscountEntry
    from tollkey.payments.checkout.stored import StoredSession


def check(call: Call, session: StoredSession) -> None:
    """Raise ApiError 400 for a discount of a session, added up, that is not for its customer or what is bought."""
    for place, entry in enumerate(session["_discounts"]):
        _check_one(call, session, entry, f"discounts[{place}]")


def check_valid(call: Call, session: StoredSession) -> None:
    """Raise ApiError 400 for a discount that is not valid any more, or not for its customer, when it is to be paid."""
    for place, entry in enumerate(session["_discounts"]):
        found = restrictions.named(call, entry, f"discounts[{place}]")
        restrictions.check_customer(call, found, session["customer"], own=session["payment_intent"])
        _check_minimum(session, found)


def put(session: StoredSession, entries: Sequence[Mapping[str, Any]]) -> None:
    """Set the coupons or promotion codes of a session. The caller computes its total."""
    session["_discounts"] = [
        cast("DiscountEntry", {name: value for name, value in entry.items() if value}) for entry in entries
    ]
    session["discounts"] = [
        {"coupon": entry.get("coupon"), "promotion_code": entry.get("promotion_code")}
        for entry in session["_discounts"]
    ]


def put_typed(call: Call, session: StoredSession, text: str) -> None:
    """Set the promotion code that a customer typed; the session counts wrong ones. The caller computes its total.

    Raises ApiError 400 for one that is not valid here.
    """
    found = redemption.typed_code(
        call, session, text, lambda code: _fits(call, session, {"promotion_code": code["id"]})
    )
    put(session, [{"promotion_code": found["id"]}])
    session["_promotion_text"] = found["code"]


def fitting(call: Call, session: StoredSession) -> list[DiscountEntry]:
    """Return the discounts of a session that are for what is bought now, after its order was changed."""
    return [entry for entry in session["_discounts"] if _fits(call, session, entry)]


def _fits(call: Call, session: StoredSession, entry: DiscountEntry) -> bool:
    try:
        _check_one(call, session, entry, "promotion_code")
    except ApiError:
        return False
    return True


def _check_one(call: Call, session: StoredSession, entry: DiscountEntry, param: str) -> None:
    found = restrictions.named(call, entry, param)
    restrictions.check_customer(call, found, session["customer"], own=session["payment_intent"])
    if not makes_customer(session):
        missing = restrictions.needs_customer(found)
        if missing is not None:
            raise missing
    anchors.check_discount(call, session, entry, param)
    currency = session["currency"] or "usd"  # a session with lines has one
    restrictions.check_currency(found, currency, "line item")
    products = frozenset(price_of(item)["product"] for item in session["_lines"])
    restrictions.check_products(found, products)
    _check_minimum(session, found)


def _check_minimum(session: StoredSession, found: restrictions.Redeemable) -> None:
    if found.code is not None:
        subtotal = Money(session["amount_subtotal"] or 0, session["currency"] or "usd")
        restrictions.check_minimum(found.code, subtotal, found.param)


def redeem(call: Call, session: StoredSession) -> None:
    """Redeem the discounts of a session whose payment begins, unless they are; one whose coupon is gone is left out.

    So of two sessions that are paid at the same time only one has the last redemption.
    """
    if not session.get("_redeemed"):
        customer = call.objects.find(kinds.CUSTOMER, session["customer"] or "")
        found = [one for one in (restrictions.find(call, entry) for entry in session["_discounts"]) if one is not None]
        session["_redeemed"] = [
            redemption.count(call, one.coupon, one.code, customer=customer, checkout_session=session["id"])["id"]
            for one in found
        ]


def give_back(call: Call, session: StoredSession) -> None:
    """Undo the redemptions of a session whose payment was refused, or that expires. The caller saves the session."""
    for id in session.get("_redeemed") or ():
        redemption.take_back(call, id)
    session.pop("_redeemed", None)
