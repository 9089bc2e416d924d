"""The pages of the customer portal, and the confirmation before a cancellation."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.payments.documents import brand, forms, icons
from tollkey.payments.portal import kinds
from tollkey.payments.portal.details import details_link
from tollkey.payments.portal.plan_change import change_link
from tollkey.payments.portal.session import Here, leads_to, recurring_of, return_link
from tollkey.wire import Reply
from tollkey.wire.hosted import with_query
from tollkey.wire.languages import Language, Text
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredSubscription
    from tollkey.wire import api

_ENDED = ("canceled", "incomplete_expired")

#: Text of the cancellation reasons that a configuration can offer.
_REASONS = {
    "too_expensive": Text("It costs too much"),
    "missing_features": Text("It lacks something I need"),
    "switched_service": Text("I use something else now"),
    "unused": Text("I do not use it enough"),
    "customer_service": Text("I was not helped well"),
    "too_complex": Text("It is too hard to use"),
    "low_quality": Text("It is not good enough"),
    "other": Text("Something else"),
}
_STATUSES = {
    "active": Text("Active"),
    "trialing": Text("Trial"),
    "past_due": Text("Past due"),
    "unpaid": Text("Unpaid"),
    "paused": Text("Paused"),
    "incomplete": Text("Incomplete"),
    "open": Text("Open"),
    "paid": Text("Paid"),
    "void": Text("Void"),
    "uncollectible": Text("Not collected"),
}
#: What becomes of the time that is left, by ``proration_behavior``, when a subscription ends at once.
_UNUSED = {
    "create_prorations": Text("It ends now, and cannot be taken back. The time that is left is credited."),
    "always_invoice": Text("It ends now, and cannot be taken back. The time that is left is credited at once."),
    "none": Text("It ends now, and cannot be taken back. The time that is left is not refunded."),
}


def _form(path: str, name: str, value: str, label: str) -> str:
    return (
        f'<form method="post" action="{path}"><input type="hidden" name="{name}" value="{escape(value)}">'
        f'<button class="second">{escape(label)}</button></form>'
    )


def _description(at: Here, subscription: StoredSubscription) -> tuple[str, str]:
    """Return a description and the price of a subscription."""
    call, names, prices = at.call, [], []
    for item in call.objects.query(kinds.SUBSCRIPTION_ITEM, {"subscription": subscription["id"]}, limit=20):
        price = item["price"]
        names.append(call.objects.get(kinds.PRODUCT, price["product"])["name"])
        amount = at.language.amount((price["unit_amount"] or 0) * (item.get("quantity") or 1), price["currency"])
        recurring = recurring_of(price)
        prices.append(f"{amount} {at.language.every(recurring['interval'], recurring['interval_count'])}")
    return ", ".join(names), ", ".join(prices)


def cancel_page(
    at: Here,
    subscription: StoredSubscription,
    rules: api.PortalSubscriptionCancel,
    *,
    before: str = "",
    goes: str | None = None,
) -> Reply:
    """Return the page that shows the effect of a cancellation; its form cancels.

    rules: the configuration's ``subscription_cancel``. before: HTML that comes first, such as a retention offer.
    goes: the URL outside this server that the form may redirect to.
    """
    say = at.language.say
    if rules["mode"] == "immediately":
        when = say(_UNUSED.get(rules["proration_behavior"], _UNUSED["none"]))
    else:
        when = say(
            "It ends on {date}. You have it until then, and are not charged for it again. Until then you can take this"
            " back.",
            date=at.language.day(subscription["_period"][1]),
        )
    asked, reasons = "", rules["cancellation_reason"]
    if reasons["enabled"]:
        form = forms.Form(language=at.language)
        options = [("", ""), *((one, say(_REASONS[one]) if one in _REASONS else one) for one in reasons["options"])]
        asked = form.choice("feedback", form.optional(say("Why?")), options)
    body = (
        f"{before}{brand.rows([_description(at, subscription)])}\n<p>{escape(when)}</p>\n"
        f'<form method="post" action="{at.path}/cancel"><input type="hidden" name="subscription"'
        f' value="{escape(subscription["id"])}">{asked}<button>{escape(say("Cancel subscription"))}</button></form>\n'
        f"{brand.button(at.path, say('Keep it'), second=True)}"
    )
    return at.page(say("Cancel your subscription?"), body, leads_to=goes)


def offer(at: Here, flow: api.PortalFlowsFlowSubscriptionCancel) -> str:
    """Return the description of a retention offer."""
    coupon = at.call.objects.find(kinds.COUPON, value_at(flow, "retention.coupon_offer.coupon") or "")
    if coupon is None:
        return ""
    say = at.language.say
    less = (
        at.language.percent(coupon["percent_off"])
        if coupon["percent_off"]
        else at.language.amount(coupon["amount_off"] or 0, coupon["currency"] or "usd")
    )
    if coupon["duration"] == "forever":
        told = say("Stay and pay {amount} less from now on.", amount=less)
    elif coupon["duration"] == "repeating":
        told = say("Stay and pay {amount} less for {count} months.", amount=less, count=coupon["duration_in_months"])
    else:
        told = say("Stay and pay {amount} less on your next invoice.", amount=less)
    return (
        f'<p>{escape(told)}</p>\n<form method="post" action="{at.path}/stay">'
        f"<button>{escape(say('Accept the offer'))}</button></form>\n<hr>"
    )


def _subscriptions(at: Here) -> str:
    call, customer, features, say = at.call, at.customer, at.features, at.language.say
    parts = [f"<h2>{escape(say('Subscriptions'))}</h2>"]
    found = [
        one
        for one in call.objects.query(kinds.SUBSCRIPTION, {"customer": customer["id"]}, limit=20)
        if one["status"] not in _ENDED
    ]
    for one in found:
        facts = [_description(at, one), (say("Status"), say(_STATUSES[one["status"]]))]
        if one["cancel_at"]:
            facts.append((say("Ends"), at.language.day(one["cancel_at"])))
        parts.append(f"{brand.rows(facts)}{change_link(at, one)}")
        offered = features["subscription_cancel"]["enabled"]
        if offered and one["cancel_at_period_end"]:
            parts.append(_form(f"{at.path}/keep", "subscription", one["id"], say("Keep subscription")))
        elif offered:
            address = with_query(f"{at.path}/cancel", subscription=one["id"])
            parts.append(brand.button(address, say("Cancel subscription"), second=True))
    if not found:
        parts.append(f'<p class="note">{escape(say("There are no subscriptions."))}</p>')
    return "\n".join(parts)


def _methods(at: Here) -> str:
    call, customer, say = at.call, at.customer, at.language.say
    parts = [f"<h2>{escape(say('Payment methods'))}</h2>"]
    default = value_at(customer, "invoice_settings.default_payment_method")
    for one in call.objects.query(kinds.PAYMENT_METHOD, {"customer": customer["id"]}, limit=20):
        whole: Mapping[str, Any] = one  # the details are in the field named after the type
        inner = whole.get(one["type"]) or {}
        name = icons.brand_name(inner.get("brand") or one["type"])
        until = f", {inner['exp_month']:02} / {inner['exp_year'] % 100:02}" if one["type"] == "card" else ""
        used = say("Default") if one["id"] == default else ""
        parts.append(brand.rows([(f"{name} •••• {inner.get('last4') or ''}{until}", used)]))
        if one["id"] != default:
            parts.append(_form(f"{at.path}/use", "payment_method", one["id"], say("Make default")))
    parts.append(f'<form method="post" action="{at.path}/add"><button>{escape(say("Add a card"))}</button></form>')
    return "\n".join(parts)


def _invoices(at: Here) -> str:
    rows, say = [], at.language.say
    for one in at.call.objects.query(kinds.INVOICE, {"customer": at.customer["id"]}, limit=20):
        if one["status"] == "draft":
            continue
        text = f"{at.language.day(one['created'])}, {say(_STATUSES[one['status'] or 'open'])}"
        url = one.get("hosted_invoice_url")
        link = f'<a href="{escape(url)}">{escape(text)}</a>' if url else escape(text)
        rows.append(f"<dt>{link}</dt><dd>{escape(at.language.amount(one['total'], one['currency']))}</dd>")
    none = f'<p class="note">{escape(say("There are no invoices."))}</p>'
    return f"<h2>{escape(say('Invoices'))}</h2>\n{f'<dl>{chr(10).join(rows)}</dl>' if rows else none}"


def methods_page(at: Here) -> Reply:
    """Return the page of a ``payment_method_update`` flow."""
    body = f"{_methods(at)}{return_link(at)}"
    return at.page(at.language.say("Update your payment method"), body, leads_to=leads_to(at.session))


def portal_page(at: Here, configuration: api.BillingPortalConfiguration) -> Reply:
    """Return the portal's main page: subscriptions, payment methods, invoices, and the actions that are allowed."""
    features, customer = at.features, at.customer
    title = configuration["business_profile"]["headline"] or at.language.say("Manage your billing")
    who = customer.get("email") or customer.get("name") or ""
    parts = [f'<p class="note">{escape(who)}</p>' if who else "", _subscriptions(at)]
    if features["payment_method_update"]["enabled"]:
        parts.append(_methods(at))
    parts.append(details_link(at))
    if features["invoice_history"]["enabled"]:
        parts.append(_invoices(at))
    parts.append(return_link(at))
    parts.append(_terms(configuration["business_profile"], at.language))
    return at.page(title, "\n".join(parts))


def _terms(profile: api.PortalBusinessProfile, language: Language) -> str:
    """Return the links to the merchant's terms and privacy policy; empty without either."""
    links = [
        f'<a href="{escape(url)}" rel="noreferrer">{escape(text)}</a>'
        for text, url in (
            (language.say("Terms of service"), profile["terms_of_service_url"]),
            (language.say("Privacy policy"), profile["privacy_policy_url"]),
        )
        if url and url.lower().startswith(("http://", "https://"))
    ]
    return f'<p class="note">{" · ".join(links)}</p>' if links else ""
