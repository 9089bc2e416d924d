"""Parameters of subscription requests that contradict each other, or are not allowed in the subscription's state.

The rules are from the descriptions of the parameters in Stripe's specification, unless a comment names another source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.ledger import Money
from tollkey.payments.catalog import arithmetic, redemption
from tollkey.payments.charges import splitting
from tollkey.payments.invoices import drafts, invoiceitems
from tollkey.payments.methods import customer_sources
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions import kinds
from tollkey.payments.subscriptions.discounts import check_minimum
from tollkey.payments.subscriptions.items import cost_quantity, full_price, is_flexible, is_metered, load
from tollkey.payments.subscriptions.periods import period_of
from tollkey.payments.subscriptions.settings import check_method, translate
from tollkey.payments.tax import tax_ids, tax_rates
from tollkey.wire import Call, invalid
from tollkey.wire.errors import exclusive
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredSubscription
    from tollkey.wire import operations

MOST_ADDED_ITEMS, MOST_PREVIEWED_ITEMS = 20, 250
_TRIAL_DAYS = 730
_NOT_BOTH_NEW = (("billing_cycle_anchor", "billing_cycle_anchor_config"),)
_NOT_BOTH_IN_A_PREVIEW = (
    ("schedule", "subscription"),
    ("schedule_details", "subscription"),
    ("subscription_details", "schedule_details"),
)
_OF_TAXES = frozenset({"automatic_tax", "default_tax_rates", "tax_percent", "items"})
_OF_THRESHOLDS = frozenset({"billing_thresholds", "items", "plan"})
_ITEM_CHANGES = ("items", "plan", "quantity", "trial_end", "billing_cycle_anchor", "add_invoice_items")


def check_new(call: Call, params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for parameters of a new subscription that contradict each other."""
    _check_common(call, params, {})
    check_transfer(call, params, params.get("on_behalf_of"))
    check_mode(params.get("billing_mode") or {})
    items = params.get("items") or [params]
    if (params.get("automatic_tax") or {}).get("enabled"):
        default = params.get("default_tax_rates") or ([params["tax_percent"]] if params.get("tax_percent") else None)
        check_taxes(default, [item.get("tax_rates") for item in items])
    if params.get("billing_thresholds"):
        named = [item.get("price") or item.get("plan") or "" for item in items]
        _check_thresholds(call, params["billing_thresholds"], named)
    if params.get("payment_behavior") == "pending_if_incomplete":
        raise invalid(
            "Setting `payment_behavior` to `pending_if_incomplete` has no effect when creating a subscription.",
            "payment_behavior",
        )
    if params.get("default_source") and params.get("customer"):
        customer_sources.source_of(call, params["customer"], params["default_source"], "default_source")


def check_change(call: Call, subscription: StoredSubscription, params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for parameters that contradict each other, or that the subscription's state does not allow."""
    _check_common(call, params, subscription)
    check_transfer(call, params, fields.given(params, "on_behalf_of", subscription["on_behalf_of"]))
    if params.get("default_source"):
        customer_sources.source_of(call, subscription["customer"], params["default_source"], "default_source")
    if params.get("proration_date") is not None:
        _check_proration_date(subscription, int(params["proration_date"]), "proration_date")
    if subscription["status"] == "paused" and params.get("trial_end") not in (None, "", "now"):
        raise invalid(
            "You cannot set `trial_end` while a subscription is `paused`. Resume the subscription first before setting"
            " `trial_end`.",
            retry=False,
        )
    if subscription["status"] == "incomplete" and any(params.get(name) for name in _ITEM_CHANGES):
        raise invalid(
            "You cannot update a subscription in `incomplete` status in a way that results in proration."
            " Please create a new subscription with the desired changes.",
            retry=False,
        )


def check_whole(call: Call, subscription: StoredSubscription, params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for a changed subscription whose settings contradict each other or its items.

    params: those of the change; settings that it does not touch are not checked.
    """
    taxed = not _OF_TAXES.isdisjoint(params) and subscription["automatic_tax"]["enabled"]
    thresholds = None if _OF_THRESHOLDS.isdisjoint(params) else subscription["billing_thresholds"]
    items = load(call, subscription) if taxed or thresholds else []
    if taxed:
        check_taxes(subscription["default_tax_rates"], [item["tax_rates"] for item in items])
    if thresholds:
        _check_thresholds(call, thresholds, [item["price"]["id"] for item in items])


def check_purchase(call: Call, subscription: StoredSubscription, params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for promotion codes whose minimum amount is above the first invoice of a new subscription.

    A trial has a free first invoice; there the cost of a period is compared.
    """
    if not any(entry.get("promotion_code") for entry in redemption.entries_of(params) or ()):
        return
    first = call.objects.find(kinds.INVOICE, subscription["latest_invoice"] or "")
    if first is not None and subscription["status"] != "trialing":
        cost = Money(first["subtotal"], subscription["currency"])
    else:
        cost = _cost_of_period(call, subscription)
    check_minimum(call, params, cost)


def _cost_of_period(call: Call, subscription: StoredSubscription) -> Money:
    items = load(call, subscription)
    amounts = [arithmetic.cost(full_price(call, item), cost_quantity(item)) for item in items if not is_metered(item)]
    return Money(sum(amounts), subscription["currency"])


def check_taxes(default: Sequence[object] | None, of_items: Iterable[object], param: str = "automatic_tax") -> None:
    """Raise ApiError 400 for tax rates on a subscription with automatic tax.

    default: the default tax rates. of_items: the tax rates of each item. param: the parameter that the error names.
    Source: the page on taxes of Stripe's published skill for agents, "stripe-best-practices".
    """
    if default:
        raise invalid("You cannot use `default_tax_rates` when `automatic_tax` is enabled.", param)
    if any(of_items):
        raise invalid("You cannot use `tax_rates` on items when `automatic_tax` is enabled.", param)


def _check_thresholds(call: Call, wanted: Mapping[str, Any], prices: Iterable[str]) -> None:
    """Raise ApiError 400 for a threshold that resets the anchor of a price whose usage is not summed."""
    if not wanted.get("reset_billing_cycle_anchor"):
        return
    for id in prices:
        price = call.objects.find(kinds.PRICE, id)
        if price is not None and price.get("_aggregate_usage") == "last_ever":
            raise invalid(
                "`reset_billing_cycle_anchor` cannot be true for subscriptions with items whose plans have"
                " `aggregate_usage=last_ever`.",
                "billing_thresholds[reset_billing_cycle_anchor]",
            )


def _check_common(call: Call, params: Mapping[str, Any], known: StoredSubscription | Mapping[str, Any]) -> None:
    """Check the rules of new and changed subscriptions. known: the subscription; empty for a new one."""
    for first, second in _NOT_BOTH_NEW:
        not_both(params, first, second)
    splitting.check_references(call, params)
    if params.get("trial_from_plan") and (params.get("trial_end") or params.get("trial_period_days")):
        raise invalid("You cannot set `trial_end` or `trial_period_days` when `trial_from_plan=true`.")
    if len(params.get("add_invoice_items") or ()) > MOST_ADDED_ITEMS:
        raise invalid(f"You can pass at most {MOST_ADDED_ITEMS} `add_invoice_items`.", "add_invoice_items")
    if params.get("application_fee_percent") not in (None, ""):
        check_fee(call, params, known)
    fields.check_future(call, params.get("pause_collection") or {}, "resumes_at", param="pause_collection[{}]")
    end = params.get("trial_end")
    if end not in (None, "", "now") and call.now + _TRIAL_DAYS * arithmetic.DAY < int(end) <= _five_years(call):
        # Later trial ends have another error text; source of this one: stripe-ruby issue 804.
        raise invalid(f"The maximum number of trial period days is {_TRIAL_DAYS} (2 years).", "trial_end")
    if params.get("on_behalf_of"):
        splitting.check_on_behalf_of(call, params["on_behalf_of"])
    tax_rates.check_active(call, params.get("default_tax_rates"), "default_tax_rates", known.get("default_tax_rates"))
    kept = {item["id"]: item["tax_rates"] for item in value_at(known, "items.data") or ()}
    for place, entry in enumerate(params.get("items") or ()):
        tax_rates.check_active(call, entry.get("tax_rates"), f"items[{place}][tax_rates]", kept.get(entry.get("id")))
    for place, entry in enumerate(params.get("add_invoice_items") or ()):
        tax_rates.check_active(call, entry.get("tax_rates"), f"add_invoice_items[{place}][tax_rates]")
        invoiceitems.check_price(call, entry, f"add_invoice_items[{place}]")


def _five_years(call: Call) -> int:
    """Return the time five years from now, UTC epoch seconds."""
    return arithmetic.shift(call.now, "year", 5)


def check_fee(call: Call, params: Mapping[str, Any], known: StoredSubscription | Mapping[str, Any]) -> None:
    """Raise ApiError 400 for an invalid ``application_fee_percent``, or one without a connected account."""
    name = "application_fee_percent"
    splitting.check_percents(params)
    destination = params.get("transfer_data", known.get("transfer_data"))
    if float(params[name]) and call.account == call.platform and not destination:
        raise splitting.fee_of_nobody(name)


def check_transfer(call: Call, params: Mapping[str, Any], on_behalf_of: str | None) -> None:
    """Raise ApiError 400 if the account that is to get the money does not exist or cannot receive it, or that part."""
    splitting.check_percents(params)
    destination = value_at(params, "transfer_data.destination")
    if destination:
        splitting.check_destination(call, destination, on_behalf_of)


def check_mode(mode: Mapping[str, Any], param: str = "billing_mode") -> None:
    """Raise ApiError 400 for settings of another billing mode. param: the path of ``mode``."""
    if mode.get("flexible") and mode.get("type") == "classic":
        name = f"{param}[flexible]"
        raise invalid(f"You may only specify `{name}` when `{param}[type]` is `flexible`.", name)


def not_both(params: Mapping[str, Any], first: str, second: str, within: str = "") -> None:
    """Raise ApiError 400 if both parameters are given. within: the name of the hash that contains them."""
    if params.get(first) and params.get(second):
        name = f"{within}[{first}]" if within else first
        raise exclusive(first, second, param=name)


def _check_proration_date(subscription: StoredSubscription, at: int, param: str) -> None:
    """Raise ApiError 400 for a time (UTC epoch seconds) outside of the current period.

    In the first period of a backdated subscription, its start date is allowed
    (docs.stripe.com/billing/subscriptions/backdating, "Backdating an update").
    """
    start, end = period_of(subscription)
    first = start <= subscription["created"]
    if not (subscription["start_date"] if first else start) <= at <= end:
        raise invalid("The proration date must be within the current period of the subscription.", param)


def check_preview(call: Call, params: Mapping[str, Any], subscription: StoredSubscription | None) -> None:
    """Raise ApiError 400 for parameters of a preview that contradict each other.

    subscription: the one that is previewed, or None.
    """
    for first, second in _NOT_BOTH_IN_A_PREVIEW:
        not_both(params, first, second)
    if params.get("subscription") and params.get("customer"):
        drafts.subscription_for(call, params["subscription"], params["customer"])
    if len(params.get("invoice_items") or ()) > MOST_PREVIEWED_ITEMS:
        raise invalid(f"You can pass at most {MOST_PREVIEWED_ITEMS} `invoice_items`.", "invoice_items")
    if params.get("on_behalf_of"):
        splitting.check_may_charge(call, params["on_behalf_of"])
    details = translate(params.get("subscription_details") or {})
    given = {name for name, value in details.items() if value is not None}
    prefix = "subscription_details"
    for name in (prefix, "schedule_details"):
        check_mode((params.get(name) or {}).get("billing_mode") or {}, f"{name}[billing_mode]")
    if subscription is not None and details.get("billing_cycle_anchor") not in (None, "now", "unchanged"):
        raise invalid(
            "Invalid billing_cycle_anchor: must be one of now or unchanged", f"{prefix}[billing_cycle_anchor]"
        )
    if "proration_date" in given:
        name = f"{prefix}[proration_date]"
        if details.get("proration_behavior") == "none":
            raise invalid("You cannot pass `proration_date` when `proration_behavior` is `none`.", name)
        if not given & {"items", "trial_end", "billing_cycle_anchor", "cancel_now", "cancel_at"}:
            raise invalid("You cannot pass `proration_date` without `items` or `trial_end`.", name)
        if subscription is not None:
            _check_proration_date(subscription, int(details["proration_date"]), name)
    if "trial_end" in given and subscription is None and "items" not in given:
        raise invalid("You cannot pass `trial_end` without `items` or a `subscription`.", f"{prefix}[trial_end]")


def ends_by(details: Mapping[str, Any], time: int) -> bool:
    """Return whether the parameters of a preview end its subscription by the end of its period, UTC epoch seconds."""
    at = details.get("cancel_at")
    return bool(details.get("cancel_at_period_end") or (at and (not str(at).isdecimal() or int(at) <= time)))


def check_alone(params: operations.PostSubscriptionSchedules) -> None:
    """Raise ApiError 400 if ``from_subscription`` comes with other parameters."""
    for name, value in params.items():
        if name not in ("from_subscription", "expand") and value is not None:
            raise exclusive("from_subscription", name, param="from_subscription")


def check_schedule(call: Call, customer: str, params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 if a schedule or a phase names what is not there, or is not the customer's."""
    tax_ids.check_account_ids(call, params)
    named = {"default_settings": params.get("default_settings") or {}}
    named |= {f"phases[{place}]": phase for place, phase in enumerate(params.get("phases") or ())}
    splitting.check_references(call, params)
    for name, given in named.items():
        splitting.check_percents(given, *name.replace("]", "").split("["))
        if given.get("default_payment_method"):
            check_method(call, customer, given["default_payment_method"], f"{name}[default_payment_method]")
        if given.get("on_behalf_of"):
            splitting.check_on_behalf_of(call, given["on_behalf_of"], f"{name}[on_behalf_of]")
        destination = value_at(given, "transfer_data.destination")
        if destination:
            splitting.check_destination(
                call, destination, given.get("on_behalf_of"), f"{name}[transfer_data][destination]"
            )


def check_resume(subscription: StoredSubscription, params: operations.PostSubscriptionsSubscriptionResume) -> None:
    """Raise ApiError 400 for a subscription that cannot be resumed, or not in that way."""
    if subscription["status"] != "paused":
        raise invalid("You can only resume a subscription if it is `paused`.", retry=False)
    if subscription["collection_method"] != "charge_automatically":
        raise invalid(
            "You can only resume subscriptions with a `collection_method` of `charge_automatically`.", retry=False
        )
    if params.get("payment_behavior") == "resume_on_payment_success" and not is_flexible(subscription):
        raise invalid(
            "You can only use `payment_behavior=resume_on_payment_success` with subscriptions whose"
            " `billing_mode[type]` is `flexible`.",
            "payment_behavior",
            retry=False,
        )
