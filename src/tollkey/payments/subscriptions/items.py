"""Subscription items: built from parameters, stored, and copied into their subscription."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence, Set
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.catalog import arithmetic, pricing, redemption
from tollkey.payments.invoices import drafts
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions import kinds
from tollkey.payments.subscriptions.periods import (
    are_multiples,
    begin_periods,
    interval_of,
    period_of,
    set_period,
    span,
    terms_of,
)
from tollkey.wire import Call, invalid, new_object
from tollkey.wire.errors import missing_object, missing_param
from tollkey.wire.kinds import T
from tollkey.wire.metadata import merged_metadata
from tollkey.wire.objects import public
from tollkey.wire.pages import nested_list

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem

MOST = 20
_METERED = "metered"
_ONE_INTERVAL = (
    "All prices on a subscription must have the same `recurring.interval` and `recurring.interval_count`."
    " If you meant to update an"
    " existing subscription item instead of creating a new one, make sure to include the subscription item ID in your"
    " request. See"
    " examples at https://stripe.com/docs/billing/subscriptions/upgrade-downgrade#changing."
)
_NO_MULTIPLE = (
    "The `recurring.interval` and `recurring.interval_count` of every price on a subscription must be a multiple of"
    " those of the price with the shortest interval."
)


def load(call: Call, subscription: StoredSubscription) -> list[StoredSubscriptionItem]:
    """Return the stored items of a subscription, oldest first."""
    return call.objects.query(
        kinds.SUBSCRIPTION_ITEM, {"subscription": subscription["id"]}, limit=100, oldest_first=True
    )


def full_price(call: Call, item: StoredSubscriptionItem) -> StoredPrice:
    """Return the price of an item with its private fields, in the currency of the subscription."""
    price = call.objects.find(kinds.PRICE, item["price"]["id"])
    found = price if price is not None else cast("StoredPrice", item["price"])  # deleted price: the item's copy
    return pricing.in_currency(found, item["_currency"]) or found


def is_metered(item: StoredSubscriptionItem) -> bool:
    """Return whether the item bills usage after the period."""
    return terms_of(item["price"])["usage_type"] == _METERED


def cost_quantity(item: StoredSubscriptionItem) -> int:
    """Return the quantity of a licensed item; 0 for a metered one."""
    return int(item.get("quantity", 0) or 0)


def recurring_price(call: Call, wanted: Mapping[str, Any], param: str, currency: str | None) -> StoredPrice:
    """Return the price that the parameters of an item name.

    param: the path of those parameters, for errors. currency: lower-case code that the price must support; any if None.
    Raises ApiError 400 for a price that is not recurring, not active, or has no amount in that currency.
    """
    price = pricing.named_price(call, wanted, param)
    if not price["recurring"]:
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            f"{param}[price]",
        )
    if not price["active"] and not wanted.get("price_data") and not wanted.get("_inline"):
        what = "plan" if wanted.get("plan") else "price"
        raise invalid(f"The {what} specified is inactive. This field only accepts active {what}s.", f"{param}[{what}]")
    if currency is not None:
        pricing.check_currency(price, currency, f"{param}[price]")
    return price


def check_sold(call: Call, price: StoredPrice, wanted: Mapping[str, Any], param: str, *, new: bool) -> None:
    """Raise ApiError 400 for a price, named by its id, of a product that is inactive.

    new: whether it is for a new item, and not another price of one that there is. The texts are those of public reports
    (stripe-go#1031).
    """
    product = call.objects.find(kinds.PRODUCT, price["product"])
    by_id = not wanted.get("price_data") and not wanted.get("_inline")
    if by_id and product is not None and not product["active"]:
        named = f"{param}[{'plan' if wanted.get('plan') else 'price'}]" if param else "price"
        if not new:
            raise pricing.not_sold(price, named)
        raise invalid(
            f"The product {product['id']} is marked as inactive, and thus no new subscriptions can be create to any"
            f" plans of this product. You provided the plan {price['nickname'] or price['id']}.",
            named,
        )


def new_item(
    call: Call,
    subscription: StoredSubscription,
    wanted: Mapping[str, Any],
    price: StoredPrice,
    param: str,
    customer: StoredCustomer,
) -> StoredSubscriptionItem:
    """Return a new item for a price, not stored. The caller sets its period.

    param: the path of the item's parameters, for errors. Raises ApiError 400 for the quantity of a metered price.
    """
    id = call.ids.new("si")
    item = new_object(
        kinds.SUBSCRIPTION_ITEM,
        id=id,
        created=call.now,
        current_period_start=call.now,
        current_period_end=call.now,
        price=public(price),
        subscription=subscription["id"],
        billing_thresholds=wanted.get("billing_thresholds"),
    )
    item["plan"] = pricing.plan_of(price)
    metered = terms_of(price)["usage_type"] == _METERED
    if metered and wanted.get("quantity") is not None:
        raise invalid("You cannot set the quantity for metered plans.", f"{param}[quantity]")
    if not metered:
        item["quantity"] = fields.given(wanted, "quantity", 1)
        check_amount(price, item["quantity"], subscription["currency"], param)
    item["metadata"] = fields.new_metadata(wanted)
    item["tax_rates"] = drafts.tax_rates(call, wanted.get("tax_rates"), f"{param}[tax_rates]")
    item["discounts"] = redemption.redeem_all(
        call,
        wanted.get("discounts") or [],
        param=f"{param}[discounts]",
        customer=customer,
        currency=subscription["currency"],
        subscription=subscription["id"],
        subscription_item=id,
    )
    item["_currency"] = subscription["currency"]
    return ordered(item)


def check_amount(price: Any, quantity: int, currency: str, param: str) -> None:
    """Raise ApiError 400 for a quantity whose amount is above the maximum (recorded: ParabolInc/parabol#746)."""
    if arithmetic.cost(price, quantity) > (most := shared_currency.maximum(currency)):
        shown = f"{shared_currency.show(most, currency)} {currency.upper()}"
        text = f"Invalid quantity: total amount (quantity * plan amount) must be no more than {shown}"
        raise invalid(text, f"{param}[quantity]" if param else "quantity")


def ordered(value: T) -> T:
    """Return an object with its properties in the API's order: ``id`` and ``object``, then by name."""
    names = ["id", "object", *sorted(name for name in value if name not in ("id", "object"))]
    return cast(T, {name: value[name] for name in names})  # the same properties, so the same type


def change_item(
    call: Call,
    item: StoredSubscriptionItem,
    wanted: Mapping[str, Any],
    param: str,
    customer: StoredCustomer,
    currency: str,
) -> None:
    """Change an item's price, quantity, tax rates, discounts and metadata in place.

    param: the path of the item's parameters, for errors. currency: lower-case code of the subscription.
    Raises ApiError 400 for an unusable price, or the quantity of a metered price.
    """
    if wanted.get("price") or wanted.get("plan") or wanted.get("price_data"):
        price = recurring_price(call, wanted, param, currency)
        if price["id"] != item["price"]["id"]:
            check_sold(call, price, wanted, param, new=False)
            item["price"], item["plan"] = public(price), pricing.plan_of(price)
            if is_metered(item):
                item.pop("quantity", None)
            else:
                item["quantity"] = 1  # "unless a `quantity` parameter is provided" (specification, `price`)
    if wanted.get("quantity") is not None:
        if is_metered(item):
            raise invalid(
                "You cannot set the quantity for metered plans.", f"{param}[quantity]" if param else "quantity"
            )
        item["quantity"] = wanted["quantity"]
    if not is_metered(item):
        check_amount(item["price"], item["quantity"], currency, param)
    if "metadata" in wanted:
        item["metadata"] = merged_metadata(item["metadata"], wanted["metadata"])
    if "tax_rates" in wanted:
        item["tax_rates"] = drafts.tax_rates(call, wanted["tax_rates"], f"{param}[tax_rates]")
    if "billing_thresholds" in wanted:
        item["billing_thresholds"] = wanted["billing_thresholds"]
    if "discounts" in wanted:
        item["discounts"] = redemption.redeem_all(
            call,
            wanted["discounts"] or [],
            param=f"{param}[discounts]",
            customer=customer,
            currency=currency,
            subscription=item["subscription"],
            subscription_item=item["id"],
        )


def apply_changes(
    call: Call,
    subscription: StoredSubscription,
    items: list[StoredSubscriptionItem],
    wanted: Sequence[Mapping[str, Any]],
    customer: StoredCustomer,
    *,
    param: str = "items",
) -> list[StoredSubscriptionItem]:
    """Return the items after the changes of ``items`` in an update; nothing is stored.

    An entry with an ``id`` changes that item, or removes it with ``deleted``; one without adds an item.
    Raises ApiError 400 for an unknown item, two items with one price, or no items left.
    """
    after = [_copied(call, item) for item in items]
    for place, entry in enumerate(wanted):
        named = f"{param}[{place}]"
        if entry.get("id") is None:
            if entry.get("deleted"):  # inferred: nothing else says which item
                raise missing_param(f"{named}[id]")
            price = recurring_price(call, entry, named, subscription["currency"])
            check_sold(call, price, entry, named, new=True)
            after.append(new_item(call, subscription, entry, price, named, customer))
            continue
        found = next((item for item in after if item["id"] == entry["id"]), None)
        if found is None:
            raise missing_object("subscription_item", entry["id"], f"{named}[id]", in_path=False)
        _clear_usage(found, entry, named)
        if entry.get("deleted"):
            after.remove(found)
        else:
            change_item(call, found, entry, named, customer, subscription["currency"])
    check(subscription, after)
    _set_periods(call, subscription, items, after)
    return after


def _clear_usage(item: StoredSubscriptionItem, wanted: Mapping[str, Any], param: str) -> None:
    """Delete the usage records of an item if ``clear_usage`` is set; what a meter counts stays.

    param: the path of the item's parameters, for errors. Raises ApiError 400 for an item that is not metered, and for
    the deletion of an item with usage records without ``clear_usage``. Source: its description in Stripe's OpenAPI
    document; the texts are ours.
    """
    if wanted.get("clear_usage"):
        if not is_metered(item):
            message = "You can only clear the usage of items with a metered price."
            raise invalid(message, f"{param}[clear_usage]")
        item["_usage"] = []
    elif wanted.get("deleted") and item.get("_usage"):
        raise invalid(
            f"The subscription item {item['id']} has usage. Pass `clear_usage=true` to delete it with its usage.",
            f"{param}[clear_usage]",
        )


def _set_periods(
    call: Call,
    subscription: StoredSubscription,
    before: list[StoredSubscriptionItem],
    after: list[StoredSubscriptionItem],
) -> None:
    """Set the periods of new items and of items whose interval changed.

    They take the period of an item with the same interval; without one, the period around now, counted from the anchor.
    During a trial all periods end with it.
    """
    known = {interval_of(item): (item["current_period_start"], item["current_period_end"]) for item in before}
    same = {item["id"]: interval_of(item) for item in before}
    for item in after:
        if same.get(item["id"]) == interval_of(item):
            continue
        if subscription["status"] in ("trialing", "paused") and before:
            set_period(item, period_of(subscription))
        elif interval_of(item) in known:
            set_period(item, known[interval_of(item)])
        else:
            begin_periods(subscription, [item], call.now)


def _copied(call: Call, item: StoredSubscriptionItem) -> StoredSubscriptionItem:
    """Return a copy of an item with its private fields."""
    copied = call.objects.copy(item)
    fields.assign(copied, item, [name for name in item if name.startswith("_")])
    return copied


def is_flexible(subscription: StoredSubscription) -> bool:
    """Return whether the subscription is in the flexible billing mode."""
    return bool((subscription.get("billing_mode") or {}).get("type") == "flexible")


#: Recorded, with the parameter ``plan``.
_TWICE = "Cannot create a Subscription with multiple Subscription Items with the same Price: {price}"
_TAKEN = (
    "A new item with Price {price} can't be added to this Subscription because an existing Subscription Item {item} is"
    " already using that Price. If you want to update the existing item (e.g., to adjust the quantity), pass the"
    " existing Subscription Item's `id` in your update request:"
    " https://stripe.com/docs/api/subscriptions/update#update_subscription-items-id"
)


def check(subscription: StoredSubscription, items: list[StoredSubscriptionItem], *, new: bool = False) -> None:
    """Raise ApiError 400 unless these items can be billed together."""
    if not items:
        raise invalid(
            "A subscription must have at least one active plan. To cancel a subscription,"
            " please use the cancel API endpoint instead."
        )
    if len(items) > MOST:
        raise invalid(f"Subscriptions can have at most {MOST} items.", "items")
    seen: dict[str, str] = {}
    for item in items:
        price = item["price"]["id"]
        if price in seen:
            raise invalid((_TWICE if new else _TAKEN).format(price=price, item=seen[price]), "plan")
        seen[price] = item["id"]
    check_intervals({interval_of(item) for item in items}, "items", flexible=is_flexible(subscription))


def check_prices(ids: Sequence[str], param: str) -> None:
    """Raise ApiError 400 for a price that is named twice by the items of a phase. param: how the error names them."""
    for place, id in enumerate(ids):
        if id in ids[:place]:
            raise invalid(_TWICE.format(price=id), f"{param}[{place}][price]")


def check_intervals(intervals: Set[tuple[str, int]], param: str, *, flexible: bool) -> None:
    """Raise ApiError 400 for intervals that one subscription cannot have. param: how the error names the items."""
    if len(intervals) > 1 and not flexible:
        raise invalid(_ONE_INTERVAL, param)
    if not are_multiples(list(intervals)):
        raise invalid(_NO_MULTIPLE, param)


def store_items(
    call: Call,
    subscription: StoredSubscription,
    items: list[StoredSubscriptionItem],
) -> None:
    """Store these items as those of the subscription, delete the others, and update its ``items`` and period.

    The caller saves the subscription.
    """
    subscription["_period"] = span(items)
    there = {item["id"]: item for item in load(call, subscription)}
    stored = []
    for item in items:
        known = there.pop(item["id"], None)
        if known is None:
            stored.append(call.objects.insert(item))
            continue
        if known is not item:
            _replace(known, item)
        stored.append(call.objects.save(known))
    for gone in there.values():
        call.objects.delete(gone)
    show(call, subscription, stored)


def _replace(known: StoredSubscriptionItem, item: StoredSubscriptionItem) -> None:
    """Replace all properties of a loaded item in place, since a request has one dict for each object."""
    fresh = ordered(item)
    properties = cast("MutableMapping[str, Any]", known)  # a TypedDict cannot be cleared; it is filled below
    properties.clear()
    properties.update(fresh)


def show(call: Call, subscription: StoredSubscription, items: list[StoredSubscriptionItem]) -> None:
    """Copy the items into their subscription; ``plan`` and ``quantity`` are those of a single item."""
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    subscription["items"] = nested_list([call.objects.copy(item) for item in items], url, total_count=len(items))
    single = items[0] if len(items) == 1 else None
    subscription["plan"] = call.objects.copy(single)["plan"] if single else None
    subscription["quantity"] = single.get("quantity") if single else None
