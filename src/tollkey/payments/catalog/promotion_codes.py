"""Promotion codes: codes that customers enter to redeem a coupon.

active ──update──▶ inactive ──update──▶ active
  └──redeemed max_redemptions times, or expires_at passes, or its coupon is not valid any more──▶ inactive (for good)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.payments.catalog import arithmetic, jobs, kinds
from tollkey.payments.catalog.redemption import coupon_id as coupon_of
from tollkey.payments.catalog.restrictions import is_valid
from tollkey.payments.shared import currency, fields
from tollkey.wire import ApiError, Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.errors import in_the_past, missing_param
from tollkey.wire.kinds import Kind
from tollkey.wire.live import records
from tollkey.wire.pages import list_page, retrieve
from tollkey.wire.removed import Removed
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredCoupon, StoredPromotionCode
    from tollkey.wire import api, operations

_CUSTOMER: Kind[api.Customer] = Kind("customer")
_CURRENCY = "restrictions[minimum_amount_currency]"
PERMISSION = Permission("promotion_code", "Promotion Codes", "Billing")
#: The characters of a code.
_CODE = re.compile(r"[a-zA-Z0-9\-_]+")


def create(call: Call, params: operations.PostPromotionCodes) -> StoredPromotionCode:
    """Create a promotion code for a coupon; without ``code`` it is eight random characters."""
    promotion = params.get("promotion") or {}
    coupon_id = promotion.get("coupon") if isinstance(promotion, dict) else None
    named = "promotion[coupon]" if coupon_id else "coupon"
    coupon_id = coupon_id or params.get("coupon")
    if not coupon_id:
        raise _without_coupon(promotion)
    coupon = call.objects.get(kinds.COUPON, coupon_id, named)
    if params.get("expires_at"):
        _check_time(call, params["expires_at"])
    _check_within(coupon, params)
    if params.get("customer"):
        call.objects.get(_CUSTOMER, params["customer"], "customer")
    text = params.get("code") or call.ids.text(8).upper()
    if not _CODE.fullmatch(text):
        raise invalid(
            rf"This value must match the regex pattern. (/\A{_CODE.pattern}\z/ does not match for the value {text}).",
            "code",
        )
    _check_unique(call, text, params.get("customer"))
    restrictions = params.get("restrictions") or {}
    _check_minimum(restrictions)
    least = restrictions.get("minimum_amount_currency")
    code = new_object(
        kinds.PROMOTION_CODE,
        id=call.ids.new("promo"),
        active=fields.given(params, "active", True) and is_valid(call, coupon),
        code=text,
        created=call.now,
        livemode=call.livemode,
        promotion={"coupon": coupon_id, "type": "coupon"},
        times_redeemed=0,
        restrictions={
            "first_time_transaction": bool(restrictions.get("first_time_transaction")),
            "minimum_amount": restrictions.get("minimum_amount"),
            "minimum_amount_currency": currency.check_currency(least, _CURRENCY) if least else None,
        },
        expires_at=coupon["redeem_by"],
    )
    fields.assign_with_metadata(code, params, ("customer", "expires_at", "max_redemptions"))
    _add_currencies(code, restrictions.get("currency_options") or {})
    code["metadata"] = fields.new_metadata(params)
    code["_code"] = text.lower()
    if code["expires_at"] is not None:
        call.schedule.add(code["expires_at"], jobs.PROMOTION_CODE_EXPIRE, code["id"])
    return call.objects.insert(code, "promotion_code.created")


def _check_unique(call: Call, text: str, customer: str | None, own: str | None = None) -> None:
    """Raise ApiError 400 if another active code reads the same. customer: for whom the code is. own: its id."""
    for other in call.objects.query(kinds.PROMOTION_CODE, {"_code": text.lower(), "active": "true"}, limit=100):
        if other["customer"] in (None, customer) and other["id"] != own:
            raise invalid(f"An active promotion code with `code: {text}` already exists.", retry=False)


def _without_coupon(promotion: object) -> ApiError:
    """Return the 400 for a promotion code of no coupon. promotion: the parameter, empty when it was not sent."""
    if not promotion:
        return missing_param("promotion")
    return invalid("You must pass promotion.coupon when passing promotion", "promotion.coupon")


def _check_time(call: Call, expires_at: int) -> None:
    """Raise ApiError unless ``expires_at`` (UTC epoch seconds) is in the future, and at most five years ahead."""
    if expires_at <= call.now:
        raise in_the_past("expires_at", expires_at)
    if expires_at > arithmetic.shift(call.now, "year", 5):
        raise invalid("Invalid timestamp: can be no more than five years in the future.", "expires_at")


def _check_within(coupon: StoredCoupon, params: operations.PostPromotionCodes) -> None:
    """Refuse a code that would outlive its coupon, or be redeemed more often."""
    until, ends = params.get("expires_at"), coupon["redeem_by"]
    if until is not None and ends is not None and until > ends:
        raise invalid("The `expires_at` date cannot be after the coupon's `redeem_by` date.", "expires_at")
    most, allowed = params.get("max_redemptions"), coupon["max_redemptions"]
    if most is not None and allowed is not None and most > allowed:
        raise invalid(
            f"`max_redemptions` cannot be greater than the coupon's `max_redemptions` of {allowed}.", "max_redemptions"
        )


def _check_minimum(restrictions: operations.PostPromotionCodesRestrictions) -> None:
    """Check that a minimum amount has a currency, and each further currency its own minimum amount."""
    own = restrictions.get("minimum_amount_currency")
    if restrictions.get("minimum_amount") is not None and not own:
        raise missing_param(_CURRENCY)
    for code in restrictions.get("currency_options") or {}:
        if code.lower() == (own or "").lower():
            param = f"restrictions[currency_options][{code}]"
            raise invalid("A currency option cannot be in the `minimum_amount_currency`.", param)


def _add_currencies(
    code: StoredPromotionCode, given: Mapping[str, operations.PostPromotionCodesRestrictionsCurrencyOption]
) -> None:
    """Set the minimum amounts in these further currencies. Raises ApiError 400 for one that is no currency."""
    for name, option in given.items():
        known = currency.check_currency(name, f"restrictions[currency_options][{name}]")
        code.setdefault("_currency_options", {})[known] = {"minimum_amount": option.get("minimum_amount", 0)}


def update(call: Call, params: operations.PostPromotionCodesPromotionCode) -> StoredPromotionCode:
    """Activate or deactivate a promotion code, or change its metadata."""
    code = call.objects.get(kinds.PROMOTION_CODE, call.path["promotion_code"])
    if params.get("active"):
        _check_over(call, code)
        _check_unique(call, code["code"], code["customer"], code["id"])
    _add_currencies(code, (params.get("restrictions") or {}).get("currency_options") or {})
    fields.assign_with_metadata(code, params, ("active",))
    return call.objects.save(code, "promotion_code.updated")


def _check_over(call: Call, code: StoredPromotionCode) -> None:
    """Raise ApiError 400 for a code that is inactive for good."""
    coupon = call.objects.find(kinds.COUPON, coupon_of(code))
    why = None
    if code["max_redemptions"] is not None and code["times_redeemed"] >= code["max_redemptions"]:
        why = "it has been redeemed the maximum number of times"
    elif code["expires_at"] is not None and code["expires_at"] <= call.now:
        why = "it has expired"
    elif coupon is None or not is_valid(call, coupon):
        why = "its coupon is no longer valid"
    if why is not None:
        raise invalid(f"This promotion code cannot be activated because {why}.", "active")


def _currencies(call: Call, code: StoredPromotionCode) -> dict[str, api.PromotionCodeCurrencyOption] | None:
    """``restrictions.currency_options``: the minimum amount in each currency that has one."""
    rules, further = code["restrictions"], code.get("_currency_options") or {}
    if rules["minimum_amount"] is None or rules["minimum_amount_currency"] is None:
        return further or None
    return {rules["minimum_amount_currency"]: {"minimum_amount": rules["minimum_amount"]}, **further}


def list_codes(call: Call, params: operations.GetPromotionCodes) -> Page:
    """List promotion codes by ``active``, ``code`` (case-insensitive), ``coupon`` and ``customer``."""
    equal = {}
    if params.get("active") is not None:
        equal["active"] = "true" if params["active"] else "false"
    if params.get("code"):
        equal["_code"] = params["code"].lower()
    if params.get("coupon"):
        equal["promotion.coupon"] = params["coupon"]
    if params.get("customer"):
        equal["customer"] = params["customer"]
    return list_page(call, "promotion_code", params, equal, url="/v1/promotion_codes")


def expire(call: Call, id: str) -> None:
    """Deactivate a promotion code after its ``expires_at``."""
    code = call.objects.find(kinds.PROMOTION_CODE, id)
    if code is not None:
        code["active"] = False
        call.objects.save(code, "promotion_code.updated")


def _coupon_inside(call: Call, code: MutableMapping[str, Any]) -> None:
    """Before 2025-09-30 a promotion code contained its coupon."""
    promotion = code.get("promotion") or {}
    coupon = promotion.get("coupon")
    if isinstance(coupon, str):
        found = call.objects.find(kinds.COUPON, coupon)
        coupon = call.objects.copy(found) if found is not None else {"id": coupon, "object": "coupon", "deleted": True}
    code["coupon"] = coupon


_REMOVED = (Removed("2025-09-30", "coupon"), Removed("2025-09-30", requires="promotion"))

PROMOTION_CODE = Resource(
    object="promotion_code",
    label="promotion code",
    prefix="promo",
    permission=PERMISSION,
    live=records(),
    path_param="promotion_code",
    indexed=("active", "_code", "promotion.coupon", "customer"),
    endpoints=(
        Endpoint("GET", "/v1/promotion_codes", list_codes),
        Endpoint("POST", "/v1/promotion_codes", create, removed=_REMOVED),
        retrieve("promotion_code", "/v1/promotion_codes/{promotion_code}"),
        Endpoint("POST", "/v1/promotion_codes/{promotion_code}", update),
    ),
    expands={"restrictions.currency_options": _currencies},
    changes=(Change("2025-09-30", _coupon_inside),),
    on_due={jobs.PROMOTION_CODE_EXPIRE: expire},
    title="Promotion codes",
    columns=("code", "id", "promotion.coupon", "active", "times_redeemed", "created"),
)
