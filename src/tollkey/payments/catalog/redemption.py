"""Discounts: redeeming coupons and promotion codes, and what a discount takes off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Unpack

from tollkey.ledger import Money
from tollkey.payments.catalog import kinds
from tollkey.payments.catalog.arithmetic import Off, shift
from tollkey.wire import Call, Params, invalid, new_object
from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import (
        CodeSession,
        DiscountEntry,
        DiscountOwner,
        KeptCoupon,
        RemovedDiscount,
        StoredCoupon,
        StoredDiscount,
        StoredPromotionCode,
    )
    from tollkey.wire import api

_INVOICE: Kind[api.Invoice] = Kind("invoice")


def redeem(
    call: Call,
    entry: DiscountEntry,
    *,
    param: str,
    customer: api.Customer | None = None,
    **owner: Unpack[DiscountOwner],
) -> StoredDiscount:
    """Make a discount from ``coupon`` or ``promotion_code``, and count the redemption.

    owner: ids of what has the discount besides the customer. param: how errors name the entry.
    Raises ApiError when there is no such coupon or code, or it cannot be redeemed any more.
    """
    code, code_id = None, entry.get("promotion_code")
    if code_id:
        named = f"{param}[promotion_code]" if "[" in param else "promotion_code"
        code = call.objects.get(kinds.PROMOTION_CODE, code_id, named)
        coupon = call.objects.find(kinds.COUPON, coupon_id(code))
        _check_code(call, code, coupon, customer, param)
        code["times_redeemed"] += 1
        if code["max_redemptions"] is not None and code["times_redeemed"] >= code["max_redemptions"]:
            code["active"] = False
        call.objects.save(code, "promotion_code.updated")
    else:
        named = f"{param}[coupon]" if "[" in param else "coupon"
        coupon = call.objects.get(kinds.COUPON, entry["coupon"] or "", named)
    assert coupon is not None
    if not coupon["valid"] or (coupon["redeem_by"] is not None and coupon["redeem_by"] < call.now):
        raise invalid(f"Coupon expired: {coupon['id']}", param, "coupon_expired")
    coupon["times_redeemed"] += 1
    if coupon["max_redemptions"] is not None and coupon["times_redeemed"] >= coupon["max_redemptions"]:
        coupon["valid"] = False
    call.objects.save(coupon, "coupon.updated")
    months = coupon["duration_in_months"] if coupon["duration"] == "repeating" else None
    discount = new_object(
        kinds.DISCOUNT,
        id=call.ids.new("di"),
        customer=customer["id"] if customer else None,
        end=shift(call.now, "month", months) if months else None,
        promotion_code=code["id"] if code else None,
        source={"coupon": coupon["id"], "type": "coupon"},
        start=call.now,
        **owner,
    )
    discount["_coupon"] = _kept(coupon)
    return call.objects.insert(discount)


def coupon_id(code: StoredPromotionCode) -> str:
    """The coupon that a promotion code stands for."""
    id = code["promotion"]["coupon"]
    assert id is not None, "every code is made for a coupon"
    return id


def _kept(coupon: StoredCoupon) -> KeptCoupon:
    """What a discount remembers of its coupon, which may be deleted."""
    limited = coupon.get("_applies_to")
    return {
        "amount_off": coupon["amount_off"],
        "currency": coupon["currency"],
        "percent_off": coupon["percent_off"],
        "duration": coupon["duration"],
        "duration_in_months": coupon["duration_in_months"],
        "name": coupon["name"],
        "products": (limited.get("products") or []) if limited else [],
        "options": coupon.get("_currency_options") or {},
    }


def _check_code(
    call: Call,
    code: StoredPromotionCode,
    coupon: StoredCoupon | None,
    customer: api.Customer | None,
    param: str,
) -> None:
    expired = code["expires_at"] is not None and code["expires_at"] < call.now
    if coupon is None or not code["active"] or expired:
        raise invalid(f"This promotion code is not active: {code['code']}", param)
    if code["customer"] is not None and (customer is None or customer["id"] != code["customer"]):
        raise invalid("This promotion code cannot be redeemed by this customer.", param)
    if (
        code["restrictions"]["first_time_transaction"]
        and customer is not None
        and call.objects.query(_INVOICE, {"customer": customer["id"], "status": "paid"}, limit=1)
    ):
        raise invalid(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.", param
        )


def code_of(call: Call, text: str) -> StoredPromotionCode | None:
    """The active promotion code that a customer has typed, in whatever case; None when there is none."""
    found = call.objects.query(kinds.PROMOTION_CODE, {"_code": text.lower(), "active": "true"}, limit=1) if text else []
    return found[0] if found else None


#: Wrong codes that may be typed on the pages of one session.
MOST_WRONG_CODES = 10


def typed_code(
    call: Call,
    session: CodeSession,
    text: str,
    counts: Callable[[StoredPromotionCode], bool] = lambda code: True,
) -> StoredPromotionCode:
    """The promotion code that a customer has typed on a page of that session (of Checkout, of the portal).

    counts: whether a code that there is counts here. Raises ApiError 400 for another one, which is counted at the
        session; once there were ``MOST_WRONG_CODES`` none is looked at any more.
    """
    wrong = session.get("_wrong_codes", 0)
    if wrong >= MOST_WRONG_CODES:
        raise invalid("Too many codes were tried here. You can go on without one.", "promotion_code", keep=True)
    found = code_of(call, text)
    if found is None or not counts(found):
        session["_wrong_codes"] = wrong + 1
        call.objects.save(session)
        raise invalid("This code is invalid.", "promotion_code", keep=True, guess=True)
    return found


def redeem_all(
    call: Call,
    entries: Iterable[DiscountEntry],
    *,
    param: str,
    customer: api.Customer | None,
    **owner: Unpack[DiscountOwner],
) -> list[str]:
    """The ids of the discounts that a list of ``discounts`` parameters asks for; ``discount`` keeps one that is there.

    An entry that came as the parameter ``coupon`` or ``promotion_code`` (``_named``) is called so in errors.
    """
    made = []
    for place, entry in enumerate(entries):
        named = entry.get("_named") or f"{param}[{place}]"
        kept = entry.get("discount")
        if kept:
            made.append(call.objects.get(kinds.DISCOUNT, kept, f"{named}[discount]")["id"])
        else:
            made.append(redeem(call, entry, param=named, customer=customer, **owner)["id"])
    return made


def entries_of(params: Params) -> list[DiscountEntry] | None:
    """The discounts that parameters name, as ``discounts``, ``coupon`` or ``promotion_code``; None when none is
    named.
    """
    if "discounts" in params:
        return list(params["discounts"] or [])
    if "coupon" in params:
        return [{"coupon": params["coupon"], "_named": "coupon"}] if params["coupon"] else []
    if "promotion_code" in params:
        return (
            [{"promotion_code": params["promotion_code"], "_named": "promotion_code"}]
            if params["promotion_code"]
            else []
        )
    return None


def offs(call: Call, ids: Iterable[str], currency: str, at: int) -> list[Off]:
    """What these discounts take off amounts in that currency at that time; ended ones and other currencies' take
    nothing.
    """
    made = []
    for id in ids:
        discount = call.objects.find(kinds.DISCOUNT, id)
        if discount is None or (discount["_coupon"]["duration"] == "repeating" and (discount["end"] or at + 1) <= at):
            continue
        coupon = discount["_coupon"]
        if coupon["percent_off"] is not None:
            made.append(Off(id, Decimal(str(coupon["percent_off"])), products=frozenset(coupon["products"])))
            continue
        amount = coupon["amount_off"]
        if coupon["currency"] != currency:
            option = coupon["options"].get(currency)
            amount = option.get("amount_off") if option else None
        if amount:
            made.append(Off(id, None, Money(amount, currency), frozenset(coupon["products"])))
    return made


def end_used(call: Call, ids: list[str]) -> list[str]:
    """The discounts that live on after an invoice used them; those that count once end, with their event."""
    left = []
    for id in ids:
        discount = call.objects.find(kinds.DISCOUNT, id)
        if discount is None:
            continue
        if discount["_coupon"]["duration"] == "once" or (discount["end"] is not None and discount["end"] <= call.now):
            remove(call, discount)
        else:
            left.append(id)
    return left


def remove(call: Call, discount: StoredDiscount) -> RemovedDiscount:
    """End a discount: it stays retrievable through the invoices that used it."""
    if discount["end"] is None or discount["end"] > call.now:
        discount["end"] = call.now
    call.objects.save(discount)
    if discount["customer"] is not None and discount["invoice"] is None and discount["invoice_item"] is None:
        call.emit("customer.discount.deleted", discount)
    ended: api.Discount = call.objects.copy(discount)
    return {**ended, "deleted": True}


def set_customer_discount(call: Call, customer: api.Customer, entry: DiscountEntry | None) -> None:
    """Set, replace or (None) remove a customer's own discount. The caller saves the customer.

    Events: ``customer.discount.created``, ``.updated`` when another was there, ``.deleted``.
    """
    old = customer.get("discount")
    previous = call.objects.find(kinds.DISCOUNT, old["id"]) if old else None
    if entry is None:
        if previous is not None:
            remove(call, previous)
        customer["discount"] = None
        return
    discount = redeem(call, entry, param="coupon" if entry.get("coupon") else "promotion_code", customer=customer)
    if previous is None:
        call.emit("customer.discount.created", discount)
    else:
        previous["end"] = call.now
        call.objects.save(previous)
        call.emit(
            "customer.discount.updated",
            discount,
            {"id": previous["id"], "source": previous["source"], "start": previous["start"]},
        )
    customer["discount"] = call.objects.copy(discount)


def preview_discount(call: Call, entry: DiscountEntry) -> StoredDiscount:
    """A discount that exists only within this request, for a preview.

    Raises ApiError for a coupon or code that is not there.
    """
    id = entry.get("coupon")
    if id is None:
        named = entry.get("_named") or "discounts[promotion_code]"
        id = coupon_id(call.objects.get(kinds.PROMOTION_CODE, entry["promotion_code"] or "", named))
    coupon = call.objects.get(kinds.COUPON, id, entry.get("_named") or "discounts[coupon]")
    discount = new_object(
        kinds.DISCOUNT, id=call.ids.new("di"), source={"coupon": coupon["id"], "type": "coupon"}, start=call.now
    )
    discount["_coupon"] = _kept(coupon)
    return call.objects.add_transient(discount)
