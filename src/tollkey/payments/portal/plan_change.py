"""Changing the plan of a subscription in the customer portal: choose, review the cost, confirm.

Each step is a form and works without scripts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import arithmetic, redemption
from tollkey.payments.documents import brand, forms
from tollkey.payments.portal import kinds
from tollkey.payments.portal.session import (
    Here,
    completed,
    here,
    leads_to,
    not_changeable,
    own_subscription,
    recurring_of,
    return_link,
)
from tollkey.payments.subscriptions import changes, periods, previews, subscription_schedules
from tollkey.payments.subscriptions import items as subscriptions_items
from tollkey.wire import ApiError, Call, Endpoint, P, Params, Reply, invalid
from tollkey.wire.languages import Language
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem
    from tollkey.wire import api, operations

_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_MOST = 999_999


def change_link(at: Here, subscription: StoredSubscription) -> str:
    """Return the link to the page that changes a subscription; empty if it cannot be changed."""
    if (
        not at.features["subscription_update"]["enabled"]
        or not_changeable(subscription)
        or subscription["cancel_at_period_end"]
    ):
        return ""
    address = f"{at.path}/update?subscription={subscription['id']}"
    return brand.button(address, at.language.say("Update subscription"), second=True)


def choose(call: Call, params: operations.GetPortalTokenUpdate) -> Reply:
    """Show the prices that a subscription can change to."""
    at = here(call)
    return choice_page(at, _changeable(at, params["subscription"]))


def _changeable(at: Here, id: str) -> StoredSubscription:
    """Return a subscription that the customer may change. Raises ApiError 400 otherwise."""
    subscription = own_subscription(at, id)
    if not at.features["subscription_update"]["enabled"]:
        raise invalid("Changing subscriptions is not offered here.")
    problem = not_changeable(subscription)
    if problem is not None:
        raise invalid(f"This subscription cannot be changed here because {problem}.")
    return subscription


def choice_page(at: Here, subscription: StoredSubscription, problem: str = "") -> Reply:
    """Return the form with prices, quantity and promotion code."""
    rules = at.features["subscription_update"]
    item = subscriptions_items.load(at.call, subscription)[0]
    allowed = rules["default_allowed_updates"] or []
    say, form = at.language.say, forms.Form({}, "", problem, at.language)
    parts = [form.refusal()]
    parts.append(
        f'<form method="post" action="{at.path}/review"><input type="hidden" name="subscription"'
        f' value="{subscription["id"]}">'
    )
    if "price" in allowed:
        plans = "".join(_plans(at, item, subscription["currency"]))
        parts.append(f"<fieldset><legend>{escape(say('Plan'))}</legend>{plans}</fieldset>")
    low, high = _limits(at, item["price"]["product"])
    if "quantity" in allowed:
        count = str(item.get("quantity") or 1)
        parts.append(form.input("quantity", say("Quantity"), value=count, type="number", min=str(low), max=str(high)))
    if "promotion_code" in allowed:
        parts.append(form.input("promotion_code", form.optional(say("Promotion code")), optional=True))
    parts.append(f"<button>{escape(say('Continue'))}</button></form>\n")
    parts.append(brand.button(at.path, say("Back"), second=True) + return_link(at))
    return at.page(say("Update your subscription"), "\n".join(parts), status=400 if problem else 200)


def _plans(at: Here, item: StoredSubscriptionItem, currency: str) -> list[str]:
    made = []
    for product in at.features["subscription_update"]["products"] or []:
        name = at.call.objects.get(kinds.PRODUCT, product["product"])["name"]
        for id in product["prices"]:
            price = at.call.objects.get(kinds.PRICE, id)
            if price["currency"] != currency:
                continue
            now = id == item["price"]["id"]
            text = f"{name}, {price_text(price, at.language)}"
            text = at.language.say("{plan} (current)", plan=text) if now else text
            made.append(
                f'<label class="check"><input type="radio" name="price"'
                f' value="{escape(id)}"{" checked" if now else ""} required>'
                f"<span>{escape(text)}</span></label>"
            )
    return made


def price_text(price: api.Price, language: Language) -> str:
    """Return a price with how often it is billed: ``$10.00 per month``."""
    recurring, unit = recurring_of(price), price["unit_amount"]
    amount = language.amount(unit, price["currency"]) if unit is not None else language.say("price by quantity")
    return f"{amount} {language.every(recurring['interval'], recurring['interval_count'])}"


def _limits(at: Here, product: str) -> tuple[int, int]:
    """Return the minimum and maximum quantity of a product."""
    for one in at.features["subscription_update"]["products"] or []:
        rule = one.get("adjustable_quantity") or {}
        if one["product"] == product and rule.get("enabled"):
            return rule.get("minimum") or 0, rule.get("maximum") or _MOST
    return 1, _MOST


def _wanted_change(at: Here, subscription: StoredSubscription, params: Mapping[str, Any]) -> Params:
    """Return the chosen change in the form of parameters of ``subscriptions.update``.

    Raises ApiError 400 for a change that the configuration does not offer.
    """
    rules = at.features["subscription_update"]
    allowed = rules["default_allowed_updates"] or []
    item = subscriptions_items.load(at.call, subscription)[0]
    entry: Params = {"id": item["id"]}
    wanted = params.get("price")
    if wanted and wanted != item["price"]["id"]:
        if "price" not in allowed or wanted not in {id for one in rules["products"] or [] for id in one["prices"]}:
            raise invalid("This plan is not offered.", "price")
        entry["price"] = wanted
        if "quantity" in item:
            entry["quantity"] = item["quantity"]
    _choose_quantity(at, item, entry, str(params.get("quantity") or ""))
    change: Params = {
        "items": [entry],
        "proration_behavior": rules["proration_behavior"],
        "payment_behavior": "error_if_incomplete",
    }
    code = (params.get("promotion_code") or "").strip()
    if code:
        found = redemption.typed_code(at.call, at.session, code, lambda _: "promotion_code" in allowed)
        change["discounts"] = [{"promotion_code": found["id"]}]
    return _with_timing(at, subscription, change)


def _choose_quantity(at: Here, item: StoredSubscriptionItem, entry: Params, typed: str) -> None:
    """Put the quantity that was typed into the change of an item; without one the item's own stays.

    Raises ApiError 400 for another quantity where it is not offered, and for one that the (new) plan's product may not
    have.
    """
    if not typed and "price" not in entry:
        return
    now = item.get("quantity")
    count = (int(typed) if typed.isdecimal() and len(typed) < 8 else -1) if typed else now
    if count is None or (count == now and "price" not in entry):
        return
    price = at.call.objects.get(kinds.PRICE, entry.get("price") or item["price"]["id"])
    low, high = _limits(at, price["product"])
    offered = "quantity" in (at.features["subscription_update"]["default_allowed_updates"] or [])
    if (count != now and not offered) or not low <= count <= high:
        raise invalid(at.language.say("Choose {least} to {most}.", least=low, most=high), "quantity")
    entry["quantity"] = count


def _with_timing(at: Here, subscription: StoredSubscription, change: Params) -> Params:
    """Add the anchor and the end of the trial that the configuration requires to a change, and return it."""
    rules = at.features["subscription_update"]
    if rules["billing_cycle_anchor"] == "now":
        change["billing_cycle_anchor"] = "now"
    if subscription["status"] == "trialing" and rules["trial_update_behavior"] == "end_trial":
        change["trial_end"] = "now"
    return change


def of_flow(at: Here) -> tuple[StoredSubscription, Params]:
    """Return the subscription of a ``subscription_update_confirm`` flow, and its change."""
    flow = at.session["flow"]
    told = flow["subscription_update_confirm"] if flow is not None else None
    assert told is not None, "every flow of that type says what it is about"
    subscription = _changeable(at, told["subscription"])
    items = [{name: value for name, value in entry.items() if value is not None} for entry in told["items"]]
    change: Params = {"items": items, "payment_behavior": "error_if_incomplete"}
    change["proration_behavior"] = at.features["subscription_update"]["proration_behavior"]
    if told["discounts"]:
        change["discounts"] = [{name: value for name, value in entry.items() if value} for entry in told["discounts"]]
    return subscription, _with_timing(at, subscription, change)


def confirm_page(at: Here) -> Reply:
    """Return the first page of a ``subscription_update_confirm`` flow, before the cost is computed."""
    subscription, change = of_flow(at)
    say = at.language.say
    body = (
        f'{_summary(at, subscription, change)}<form method="post" action="{at.path}/review">'
        f"<button>{escape(say('Continue'))}</button></form>\n{return_link(at)}"
    )
    return at.page(say("Confirm your update"), body)


def _summary(at: Here, subscription: StoredSubscription, change: Params) -> str:
    """Return the old and the new plan as HTML."""
    item = subscriptions_items.load(at.call, subscription)[0]
    entry = change["items"][0]
    price = at.call.objects.get(kinds.PRICE, entry.get("price") or item["price"]["id"])
    rows = [(at.language.say("From"), _named(at, item["price"], item.get("quantity") or 1))]
    rows.append((at.language.say("To"), _named(at, price, entry.get("quantity") or item.get("quantity") or 1)))
    return brand.rows(rows)


def _named(at: Here, price: api.Price, quantity: int) -> str:
    count = f"{quantity} × " if quantity != 1 else ""
    return f"{count}{at.call.objects.get(kinds.PRODUCT, price['product'])['name']}, {price_text(price, at.language)}"


def _change(at: Here, params: Mapping[str, Any]) -> tuple[StoredSubscription, Params]:
    """Return the subscription and its change, from the form or from the flow. Raises ApiError 400 without either."""
    if params.get("subscription"):
        subscription = _changeable(at, params["subscription"])
        return subscription, _wanted_change(at, subscription, params)
    if value_at(at.session, "flow.type") != "subscription_update_confirm" or at.session.get("_flow_done"):
        raise invalid("Choose a subscription.", "subscription")
    return of_flow(at)


def review(call: Call, params: operations.PostPortalTokenReview) -> Reply:
    """Show the cost of a change, now and later, with a form that confirms it."""
    at = here(call)
    try:
        subscription, change = _change(at, params)
        told = _costs(at, subscription, change)
    except ApiError as error:
        if not params.get("subscription"):
            raise
        return replace(choice_page(at, _changeable(at, params["subscription"]), error.message), guess=error.guess)
    return _review_page(at, _summary(at, subscription, change) + told, params)


def _review_page(at: Here, told: str, params: Mapping[str, Any], problem: str = "") -> Reply:
    kept = "".join(
        f'<input type="hidden" name="{name}" value="{escape(str(params[name]))}">'
        for name in _CHOSEN
        if params.get(name) is not None
    )
    say, form = at.language.say, forms.Form({}, "", problem, at.language)
    body = (
        f"{form.refusal()}{told}\n"
        f'<form method="post" action="{at.path}/update">{kept}<button>{escape(say("Confirm"))}</button></form>\n'
        f"{brand.button(at.path, say('Go back'), second=True)}"
    )
    return at.page(say("Confirm your update"), body, status=402 if problem else 200, leads_to=leads_to(at.session))


def _costs(at: Here, subscription: StoredSubscription, change: Params) -> str:
    """Return the amount due now, and the recurring amount. Raises ApiError for a change that is not possible."""
    if _waits_for_period_end(at, subscription, change):
        end = at.language.day(periods.period_of(subscription)[1])
        told = at.language.say("Your plan changes on {date}. Nothing is charged today.", date=end)
        return f"<p>{escape(told)}</p>"
    details = {name: value for name, value in change.items() if name not in ("payment_behavior", "discounts")}
    asked: Params = {"subscription": subscription["id"], "subscription_details": details}
    if "discounts" in change:
        asked["discounts"] = change["discounts"]
    invoice = previews.preview_change(at.call, asked)
    amount = at.language.amount(invoice["amount_due"], invoice["currency"])
    at_once = invoice["period_end"] == at.call.now
    if not at_once:
        told = at.language.say(
            "Nothing is charged today. Your next invoice, on {date}, comes to {amount}.",
            date=at.language.day(periods.period_of(subscription)[1]),
            amount=amount,
        )
        return f"<p>{escape(told)}</p>"
    rows = [
        (line["description"] or "", at.language.amount(line["amount"], invoice["currency"]))
        for line in invoice["lines"]["data"]
    ]
    return brand.rows(rows) + brand.rows([(at.language.say("Due today"), amount)], "total")


def _waits_for_period_end(at: Here, subscription: StoredSubscription, change: Params) -> bool:
    """Return whether the change waits for the end of the period, as ``schedule_at_period_end`` requires."""
    conditions = {
        one["type"] for one in value_at(at.features, "subscription_update.schedule_at_period_end.conditions") or []
    }
    if subscription["status"] != "active" or not conditions:
        return False
    item, entry = subscriptions_items.load(at.call, subscription)[0], change["items"][0]
    old, new = (
        subscriptions_items.full_price(at.call, item),
        at.call.objects.get(kinds.PRICE, entry.get("price") or item["price"]["id"]),
    )
    counts = item.get("quantity") or 1, entry.get("quantity") or item.get("quantity") or 1
    if "shortening_interval" in conditions and _length(new) < _length(old):
        return True
    return "decreasing_item_amount" in conditions and arithmetic.cost(new, counts[1]) * _length(old) < arithmetic.cost(
        old, counts[0]
    ) * _length(new)


def _length(price: api.Price) -> int:
    """Return the approximate length of a price's interval in days."""
    recurring = recurring_of(price)
    return _DAYS[recurring["interval"]] * recurring["interval_count"]


def update(call: Call, params: operations.PostPortalTokenUpdate) -> Reply:
    """Change the subscription; if the card is declined, nothing changes and the page shows the error."""
    at = here(call)
    subscription, change = _change(at, params)
    summary = _summary(at, subscription, change)
    try:
        with call.tx.savepoint():
            if _waits_for_period_end(at, subscription, change):
                _schedule(at, subscription, change)
            else:
                changes.update(at.call, subscription, change)
            return completed(at)
    except ApiError as error:
        return _review_page(at, summary, params, error.message)


def _schedule(at: Here, subscription: StoredSubscription, change: Params) -> None:
    """Schedule the change for the next period with a subscription schedule that ends with the change."""
    item, entry = subscriptions_items.load(at.call, subscription)[0], change["items"][0]
    schedule = subscription_schedules.create(at.call, {"from_subscription": subscription["id"]})
    first = schedule["phases"][0]
    now: Params = {"price": item["price"]["id"], "quantity": item.get("quantity") or 1}
    later = {**now, **{name: value for name, value in entry.items() if name != "id"}}
    phases = [
        {"items": [now], "start_date": first["start_date"], "end_date": first["end_date"]},
        {"items": [later], "iterations": 1, "discounts": change.get("discounts") or []},
    ]
    subscription_schedules.change(at.call, schedule, {"phases": phases, "proration_behavior": "none"})


_CHOSEN = ("subscription", "price", "quantity", "promotion_code")
_SENT = P.object().extended({name: P.string(blank=True) for name in _CHOSEN})
PAGES = (
    Endpoint(
        "GET",
        "/portal/{token}/update",
        choose,
        public=True,
        params=P.object(required=("subscription",), subscription=P.string()),
    ),
    Endpoint("POST", "/portal/{token}/review", review, public=True, params=_SENT),
    Endpoint("POST", "/portal/{token}/update", update, public=True, params=_SENT),
)
