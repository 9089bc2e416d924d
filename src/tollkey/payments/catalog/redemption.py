"""Redeeming coupons and promotion codes, and the discounts created from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Unpack

from tollkey.ledger import Money
from tollkey.payments.catalog import kinds, restrictions
from tollkey.payments.catalog.arithmetic import Off, shift
from tollkey.wire import Call, invalid, new_object

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
    from tollkey.wire import api, operations

#: What a code with a minimum amount cannot be redeemed for, since the amount may change: owner -> what errors call it.
_NO_MINIMUM = {"subscription_item": "subscription item", "invoice_item": "invoice item"}


def redeem(
    call: Call,
    entry: DiscountEntry,
    *,
    param: str,
    customer: api.Customer | None = None,
    currency: str | None = None,
    place: str | None = None,
    **owner: Unpack[DiscountOwner],
) -> StoredDiscount:
    """Create a discount from ``coupon`` or ``promotion_code``, and count the redemption.

    owner: ids of the objects that have the discount besides the customer. param: how errors name the entry. currency:
        of what is discounted, where it is known. place: what errors call it, where its amount may still change.
    Raises ApiError if the coupon or code does not exist, or may not be redeemed by this customer or for this.
    """
    found = restrictions.named(call, entry, param)
    if not entry.get("_promised"):
        restrictions.check_customer(call, found, customer["id"] if customer else None)
        place = place or next((place for name, place in _NO_MINIMUM.items() if name in owner), None)
        if place is not None:
            restrictions.refuse_minimum(found, place)
    if currency is not None:
        restrictions.check_currency(found, currency, "line item")
    return count(call, found.coupon, found.code, customer=customer, **owner)


def count(
    call: Call,
    coupon: StoredCoupon,
    code: StoredPromotionCode | None,
    *,
    customer: api.Customer | None = None,
    **owner: Unpack[DiscountOwner],
) -> StoredDiscount:
    """Create a discount from a coupon and perhaps its code, and count the redemption, without asking anything.

    owner: as of ``redeem``.
    """
    ended: list[str] = []
    if code is not None:
        code["times_redeemed"] += 1
        if code["active"] and code["max_redemptions"] is not None and code["times_redeemed"] >= code["max_redemptions"]:
            code["active"] = False
            ended.append(code["id"])
        call.objects.save(code, "promotion_code.updated")
    coupon["times_redeemed"] += 1
    if (
        coupon["valid"]
        and coupon["max_redemptions"] is not None
        and coupon["times_redeemed"] >= coupon["max_redemptions"]
    ):
        coupon["valid"] = False
        ended.append(coupon["id"])
    call.objects.save(coupon, "coupon.updated")
    if not coupon["valid"]:
        ended += end_codes(call, coupon)
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
    if ended:
        discount["_ended"] = ended
    return call.objects.insert(discount)


def take_back(call: Call, id: str) -> None:
    """Undo the redemption of a discount that was never used: it is deleted, and does not count. id: of the discount."""
    discount = call.objects.find(kinds.DISCOUNT, id)
    if discount is None:
        return
    ended = discount.get("_ended") or []
    coupon = call.objects.find(kinds.COUPON, discount["source"]["coupon"] or "")
    if coupon is not None:
        coupon["times_redeemed"] -= 1
        coupon["valid"] = coupon["valid"] or coupon["id"] in ended
        call.objects.save(coupon, "coupon.updated")
    for code_id in dict.fromkeys((discount["promotion_code"] or "", *ended)):
        code = call.objects.find(kinds.PROMOTION_CODE, code_id)
        if code is not None:
            code["times_redeemed"] -= int(code["id"] == discount["promotion_code"])
            code["active"] = code["active"] or code["id"] in ended
            call.objects.save(code, "promotion_code.updated")
    call.objects.delete(discount)


def end_codes(call: Call, coupon: StoredCoupon) -> list[str]:
    """Make the codes of a coupon inactive that is not valid any more; they stay so. Return their ids."""
    ended: list[str] = []
    while codes := call.objects.query(kinds.PROMOTION_CODE, {"promotion.coupon": coupon["id"], "active": "true"}):
        for code in codes:
            code["active"] = False
            call.objects.save(code, "promotion_code.updated")
            ended.append(code["id"])
    return ended


def coupon_id(code: StoredPromotionCode) -> str:
    """Return the id of a promotion code's coupon."""
    id = code["promotion"]["coupon"]
    assert id is not None, "every code is made for a coupon"
    return id


def _kept(coupon: StoredCoupon) -> KeptCoupon:
    """Return the fields of a coupon that a discount keeps, since the coupon may be deleted."""
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


def code_of(call: Call, text: str) -> StoredPromotionCode | None:
    """Return the active promotion code with that text, case-insensitive; None if there is none."""
    found = call.objects.query(kinds.PROMOTION_CODE, {"_code": text.lower(), "active": "true"}, limit=1) if text else []
    return found[0] if found else None


#: Wrong codes that may be entered on the pages of one session.
MOST_WRONG_CODES = 10


def typed_code(
    call: Call,
    session: CodeSession,
    text: str,
    counts: Callable[[StoredPromotionCode], bool] = lambda code: True,
) -> StoredPromotionCode:
    """Return the promotion code that a customer entered on a page of a Checkout or portal session.

    counts: whether an existing code is valid here. Raises ApiError 400 otherwise; the session counts wrong codes, and
        after ``MOST_WRONG_CODES`` every code is refused.
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
    currency: str | None = None,
    place: str | None = None,
    **owner: Unpack[DiscountOwner],
) -> list[str]:
    """Return the ids of the discounts that the entries of ``discounts`` create or, as ``discount``, keep.

    currency, place: as of ``redeem``. Errors name the parameter ``coupon`` or ``promotion_code`` for an entry that came
        from it (``_named``).
    """
    made = []
    for number, entry in enumerate(entries):
        named = entry.get("_named") or f"{param}[{number}]"
        kept = entry.get("discount")
        if kept:
            made.append(call.objects.get(kinds.DISCOUNT, kept, f"{named}[discount]")["id"])
        else:
            discount = redeem(call, entry, param=named, customer=customer, currency=currency, place=place, **owner)
            made.append(discount["id"])
    return made


def check_minimum(call: Call, ids: Iterable[str], subtotal: Money, param: str = "discounts") -> None:
    """Raise ApiError 400 for discounts whose codes demand that more is bought.

    ids: the discounts, just redeemed. subtotal: what is due at once, before discounts. param: how errors name the list.
    """
    for number, id in enumerate(ids):
        discount = call.objects.find(kinds.DISCOUNT, id)
        code = call.objects.find(kinds.PROMOTION_CODE, (discount and discount["promotion_code"]) or "")
        if code is not None:
            restrictions.check_minimum(code, subtotal, f"{param}[{number}][promotion_code]")


def entries(discounts: Iterable[operations.Discount] | None) -> list[DiscountEntry]:
    """Return the entries of a parameter ``discounts``; none if it was not given or unset."""
    return [
        {
            "coupon": discount.get("coupon"),
            "promotion_code": discount.get("promotion_code"),
            "discount": discount.get("discount"),
        }
        for discount in discounts or ()
    ]


def entries_of(params: Mapping[str, Any]) -> list[DiscountEntry] | None:
    """Return the entries of ``discounts``, or those made from ``coupon`` or ``promotion_code``; None if not given.

    params: of an invoice, a subscription or a preview, or those that the phase of a schedule stands for.
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


def effects(call: Call, ids: Iterable[str], currency: str, at: int) -> list[Off]:
    """Return the effect of these discounts on amounts in a currency at a time; ended discounts have none."""
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
    """Return the ids of the discounts that remain after an invoice used them; ``once`` discounts end, with
    their event.
    """
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
    """End a discount. It can still be retrieved through the invoices that used it."""
    if discount["end"] is None or discount["end"] > call.now:
        discount["end"] = call.now
    call.objects.save(discount)
    if discount["customer"] is not None and discount["invoice"] is None and discount["invoice_item"] is None:
        call.emit("customer.discount.deleted", discount)
    ended: api.Discount = call.objects.copy(discount)
    return {**ended, "deleted": True}


def set_customer_discount(call: Call, customer: api.Customer, entry: DiscountEntry | None) -> None:
    """Set, replace or (None) remove the discount of a customer. The caller saves the customer.

    Events: ``customer.discount.created``, or ``.updated`` if it replaces another one, and ``.deleted``.
    """
    old = customer.get("discount")
    previous = call.objects.find(kinds.DISCOUNT, old["id"]) if old else None
    if entry is None:
        if previous is not None:
            remove(call, previous)
        customer["discount"] = None
        return
    named = "coupon" if entry.get("coupon") else "promotion_code"
    discount = redeem(call, entry, param=named, customer=customer, place="customer")
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


def preview_discount(call: Call, entry: DiscountEntry, param: str = "discounts") -> StoredDiscount:
    """Return a discount that is not stored, for a preview.

    param: how errors name the entry. Raises ApiError for a coupon or code that does not exist or is not valid.
    """
    return imagined(call, restrictions.named(call, entry, entry.get("_named") or param).coupon)


def imagined(call: Call, coupon: StoredCoupon) -> StoredDiscount:
    """Return the discount that a coupon would give, not stored."""
    discount = new_object(
        kinds.DISCOUNT, id=call.ids.new("di"), source={"coupon": coupon["id"], "type": "coupon"}, start=call.now
    )
    discount["_coupon"] = _kept(coupon)
    return call.objects.add_transient(discount)
