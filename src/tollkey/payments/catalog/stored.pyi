"""Products, prices and discounts as they are stored, with their private fields."""

from typing import NotRequired, TypedDict

from tollkey.wire import api

class StoredProduct(api.Product):
    """A product.

    _type: ``good`` or ``service``, which versions before 2025-03-31 show. _attributes: names of attributes that its
        SKUs had, for the same versions. _caption, _deactivate_on: of goods, for the same versions; absent when
        they were not said. _silent: whether it only stands behind the amount of an invoice item; absent
        when it does not.
    """

    _type: str
    _attributes: list[str]
    _caption: NotRequired[str | None]
    _deactivate_on: NotRequired[list[str]]
    _silent: NotRequired[bool]

class StoredRecurring(api.Recurring):
    """``recurring`` of a price.

    trial_period_days: days of trial that subscriptions get who take their trial from the plan; null without one.
    """

    trial_period_days: NotRequired[int | None]

class StoredPrice(api.Price):
    """A price.

    _tiers: its tiers, shown when expanded; absent or null unless ``billing_scheme`` is ``tiered``. _currency_options:
        its amounts in other currencies, by code; absent when none were given. _aggregate_usage: how usage records are
        summed up, which versions before 2025-03-31 show; absent when it was not said.
    """

    _tiers: NotRequired[list[api.PriceTier] | None]
    _currency_options: NotRequired[dict[str, api.CurrencyOption]]
    _aggregate_usage: NotRequired[str]

class StoredCoupon(api.Coupon):
    """A coupon.

    _applies_to: the products it is limited to, shown when expanded; null for all. _currency_options: what it takes off
        in other currencies (minor units), by code.
    """

    _applies_to: api.CouponAppliesTo | None
    _currency_options: dict[str, api.CouponCurrencyOption]

class KeptCoupon(TypedDict):
    """What a discount remembers of its coupon, which may be deleted.

    amount_off: minor units. products: ids of the products it is limited to; empty for all. options: what it takes off
        in other currencies, by code.
    """

    amount_off: int | None
    currency: str | None
    percent_off: float | None
    duration: str
    duration_in_months: int | None
    name: str | None
    products: list[str]
    options: dict[str, api.CouponCurrencyOption]

class StoredDiscount(api.Discount):
    """A discount.

    _coupon: what it remembers of its coupon. _ended: ids of the coupon and codes that its redemption, the last one,
        made invalid; absent when it was not the last.
    """

    _coupon: KeptCoupon
    _ended: NotRequired[list[str]]

class RemovedDiscount(api.Discount):
    """What is answered of a discount that was removed."""

    deleted: bool

class StoredPromotionCode(api.PromotionCode):
    """A promotion code.

    _code: its text in lower case, by which it is found in whatever case it is typed. _currency_options: the minimum
        amounts that it demands in further currencies (minor units), by code; absent when none were given.
    """

    _code: str
    _currency_options: NotRequired[dict[str, api.PromotionCodeCurrencyOption]]

class CodeSession(TypedDict):
    """What the rules of promotion codes know of the session (of Checkout, of the portal) on whose page one is typed.

    _wrong_codes: how many wrong codes were typed there; absent before the first.
    """

    id: str
    object: str
    _wrong_codes: NotRequired[int]

class DiscountEntry(TypedDict):
    """What a discount is asked for by, as parameters name it and as sessions and quotes keep it until it is given.

    One of coupon, promotion_code (ids of what is redeemed) and discount (the id of one to keep). _named: how errors
        name it where that is not by its place in ``discounts``. _promised: whether it was checked for its customer when
        a schedule promised it for a later phase, and is not checked again.
    """

    coupon: NotRequired[str | None]
    promotion_code: NotRequired[str | None]
    discount: NotRequired[str | None]
    _named: NotRequired[str]
    _promised: NotRequired[bool]

class DiscountOwner(TypedDict):
    """What a discount is given to besides its customer: ids."""

    checkout_session: NotRequired[str]
    subscription: NotRequired[str]
    subscription_item: NotRequired[str]
    invoice: NotRequired[str]
    invoice_item: NotRequired[str]
