"""Coupons: a percentage or an amount off, applied to customers, subscriptions and invoices as discounts.

valid ──redeemed max_redemptions times, or redeem_by passes──▶ not valid
  └──delete──▶ deleted   (discounts that it gave stay)
its promotion codes become inactive with it
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from tollkey.db import Duplicate
from tollkey.keys import Permission
from tollkey.payments.catalog import jobs, kinds
from tollkey.payments.catalog.redemption import end_codes
from tollkey.payments.shared import currency, fields, naming
from tollkey.wire import Action, ApiError, Call, Endpoint, Resource, invalid, new_object
from tollkey.wire.errors import exclusive, in_the_past
from tollkey.wire.live import records
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import listing, retrieve
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredCoupon
    from tollkey.wire import api, operations

_FIVE_YEARS = 5 * 366 * 86_400
PERMISSION = Permission("coupon", "Coupons", "Billing")


def create(call: Call, params: operations.PostCoupons) -> StoredCoupon:
    """Create a coupon: ``percent_off``, or ``amount_off`` with its ``currency``."""
    percent, amount = params.get("percent_off"), params.get("amount_off")
    if percent is None and amount is None:
        raise invalid("Must provide percent_off or amount_off.", None, "parameter_missing")
    if percent is not None and amount is not None:
        raise invalid("Received both percent_off and amount_off parameters. Please pass in only one.")
    if percent is not None:
        _check_percentage(float(percent))
    if amount is not None and not params.get("currency"):
        raise invalid("You must pass currency when passing amount_off", "currency")
    duration = fields.given(params, "duration", "once")
    if duration == "repeating" and not params.get("duration_in_months"):
        raise invalid(
            "The duration_in_months param must be set when creating a coupon with a repeating duration", "duration"
        )
    if duration != "repeating" and params.get("duration_in_months"):
        raise invalid("You may only specify `duration_in_months` when `duration` is `repeating`.", "duration_in_months")
    if amount is None and params.get("currency_options"):
        raise _no_currencies()
    if params.get("redeem_by"):
        _check_time(call, params["redeem_by"])
    coupon = new_object(
        kinds.COUPON,
        id=params.get("id") or call.ids.text(8),
        amount_off=amount,
        created=call.now,
        livemode=call.livemode,
        duration=duration,
        currency=currency.check_currency(params["currency"]) if params.get("currency") else None,
        times_redeemed=0,
        valid=True,
        percent_off=None if percent is None else float(percent),
    )
    fields.assign_with_metadata(coupon, params, ("duration_in_months", "max_redemptions", "name", "redeem_by"))
    coupon["metadata"] = fields.new_metadata(params)
    naming.check_named(call, params, {"applies_to.products": "product"})
    applies_to = params.get("applies_to")
    coupon["_applies_to"] = {"products": applies_to.get("products") or []} if applies_to else None
    coupon["_currency_options"] = _options(params.get("currency_options") or {}, coupon["currency"])
    if coupon["redeem_by"] is not None:
        call.schedule.add(coupon["redeem_by"], jobs.COUPON_EXPIRE, coupon["id"])
    try:
        return call.objects.insert(coupon, "coupon.created", chosen_id=True)
    except Duplicate:
        raise invalid("Coupon already exists.", code="resource_already_exists") from None


def _options(
    given: Mapping[str, operations.PostCouponsCurrencyOption],
    own: str | None,
) -> dict[str, api.CouponCurrencyOption]:
    """Return the amounts off in further currencies by their codes in lower case.

    own: the currency of ``amount_off``. Raises ApiError 400 for that one, and for a code that is no currency.
    """
    made: dict[str, api.CouponCurrencyOption] = {}
    for name, option in given.items():
        param = f"currency_options[{name}]"
        code = currency.check_currency(name, param)
        if code == own:
            raise invalid("A currency option cannot be in the currency of `amount_off`.", param)
        made[code] = {"amount_off": option["amount_off"]}
    return made


def _no_currencies() -> ApiError:
    return exclusive("currency_options", "percent_off", param="currency_options")


def _check_percentage(percent: float) -> None:
    """Raise ApiError unless a percentage is from 0.01 to 100."""
    bound = "greater than or equal to 0.01" if percent < 0.01 else "less than or equal to 100"
    if not 0.01 <= percent <= 100:
        raise invalid(f"This value must be {bound} (it currently is '{percent}').", "percent_off")


def _check_time(call: Call, redeem_by: int) -> None:
    """Raise ApiError unless ``redeem_by`` (UTC epoch seconds) is in the future, and at most five years ahead."""
    if redeem_by <= call.now:
        raise in_the_past("redeem_by", redeem_by)
    if redeem_by > call.now + _FIVE_YEARS:
        raise invalid("The `redeem_by` date cannot be more than five years in the future.", "redeem_by")


def update(call: Call, params: operations.PostCouponsCoupon) -> StoredCoupon:
    """Change a coupon's name or metadata."""
    coupon = call.objects.get(kinds.COUPON, call.path["coupon"])
    fields.assign_with_metadata(coupon, params, ("name",))
    if params.get("currency_options"):
        if coupon["amount_off"] is None:
            raise _no_currencies()
        further = _options(params["currency_options"], coupon["currency"])
        coupon["_currency_options"] = {**coupon.get("_currency_options", {}), **further}
    return call.objects.save(coupon, "coupon.updated")


def delete(call: Call, params: operations.DeleteCouponsCoupon) -> Deleted:
    """Delete a coupon; discounts created from it remain."""
    coupon = call.objects.get(kinds.COUPON, call.path["coupon"])
    gone = call.objects.copy(coupon)
    coupon["valid"] = False
    answer = call.objects.delete(coupon)
    call.emit("coupon.deleted", gone)
    end_codes(call, coupon)
    return answer


def expire(call: Call, id: str) -> None:
    """Mark a coupon as no longer valid after its ``redeem_by``."""
    coupon = call.objects.find(kinds.COUPON, id)
    if coupon is not None:
        coupon["valid"] = False
        call.objects.save(coupon, "coupon.updated")
        end_codes(call, coupon)


def _currencies(call: Call, coupon: StoredCoupon) -> dict[str, api.CouponCurrencyOption] | None:
    amount, currency = coupon["amount_off"], coupon["currency"]
    if amount is None or currency is None:
        return None
    return {currency: {"amount_off": amount}, **(coupon.get("_currency_options") or {})}


def _whole_percent(call: Call, coupon: MutableMapping[str, Any]) -> None:
    """Before 2018-07-27 ``percent_off`` was an integer."""
    if coupon.get("percent_off") is not None:
        coupon["percent_off"] = int(coupon["percent_off"])


COUPON = Resource(
    object="coupon",
    permission=PERMISSION,
    live=records(),
    path_param="coupon",
    expands={"applies_to": lambda call, coupon: coupon.get("_applies_to"), "currency_options": _currencies},
    endpoints=(
        listing("coupon", "/v1/coupons"),
        Endpoint("POST", "/v1/coupons", create),
        retrieve("coupon", "/v1/coupons/{coupon}"),
        Endpoint("POST", "/v1/coupons/{coupon}", update),
        Endpoint("DELETE", "/v1/coupons/{coupon}", delete),
    ),
    changes=(Change("2018-07-27", _whole_percent),),
    on_due={jobs.COUPON_EXPIRE: expire},
    title="Coupons",
    columns=("name", "id", "percent_off", "amount_off", "duration", "times_redeemed", "valid"),
    actions=(Action("Delete", "/v1/coupons/{coupon}", method="DELETE"),),
)
