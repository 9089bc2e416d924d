"""The pages of the customer portal, and the confirmation before a cancellation."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import arithmetic
from tollkey.payments.portal import kinds
from tollkey.payments.portal.details import details_link
from tollkey.payments.portal.plan_change import change_link
from tollkey.payments.portal.session import Here, leads_to, recurring_of, return_link
from tollkey.payments.shared import currency
from tollkey.wire import Call, Reply
from tollkey.wire.hosted import html_page, with_query
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.subscriptions.stored import StoredSubscription
    from tollkey.wire import api

_ENDED = ("canceled", "incomplete_expired")

#: Text of the cancellation reasons that a configuration can offer.
_REASONS = {
    "too_expensive": "It costs too much", "missing_features": "It lacks something I need",
    "switched_service": "I use something else now",
    "unused": "I do not use it enough", "customer_service": "I was not helped well",
    "too_complex": "It is too hard to use",
    "low_quality": "It is not good enough", "other": "Something else",
}  # fmt: skip


def _form(path: str, name: str, value: str, label: str) -> str:
    return (
        f'<form method="post" action="{path}"><input type="hidden" name="{name}" value="{escape(value)}">'
        f'<button class="second">{escape(label)}</button></form>'
    )


def _description(call: Call, subscription: StoredSubscription) -> str:
    """Return a description and the price of a subscription."""
    names, prices = [], []
    for item in call.objects.query(kinds.SUBSCRIPTION_ITEM, {"subscription": subscription["id"]}, limit=20):
        price = item["price"]
        names.append(call.objects.get(kinds.PRODUCT, price["product"])["name"])
        amount = currency.show((price["unit_amount"] or 0) * (item.get("quantity") or 1), price["currency"])
        prices.append(f"{amount} every {recurring_of(price)['interval']}")
    return f"<dt>{escape(', '.join(names))}</dt><dd>{escape(', '.join(prices))}</dd>"


def cancel_page(
    call: Call,
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
    path = f"/portal/{call.path['token']}"
    if rules["mode"] == "immediately":
        unused = {
            "create_prorations": "The time that is left is credited.",
            "always_invoice": "The time that is left is credited at once.",
        }
        when = (
            f"It ends now, and cannot be taken back. "
            f"{unused.get(rules['proration_behavior'], 'The time that is left is not refunded.')}"
        )
    else:
        end = arithmetic.show_date(subscription["_period"][1])
        when = (
            f"It ends on {end}. You have it until then, and are not charged for it again. Until then you can take "
            f"this back."
        )
    reasons = rules["cancellation_reason"]
    asked = ""
    if reasons["enabled"]:
        options = "".join(
            f'<option value="{escape(one)}">{escape(_REASONS.get(one, one))}</option>' for one in reasons["options"]
        )
        asked = (
            '<p><label for="feedback">Why? (optional)</label><select id="feedback" name="feedback">'
            f'<option value=""></option>{options}</select></p>'
        )
    body = (
        f"<h1>Cancel your subscription?</h1>\n{before}<dl>{_description(call, subscription)}</dl>\n<p>{when}</p>\n"
        f'<form method="post" action="{path}/cancel"><input type="hidden" name="subscription"'
        f' value="{escape(subscription["id"])}">'
        f'{asked}<button>Cancel subscription</button></form>\n<a class="button second" href="{path}">Keep it</a>'
    )
    return html_page("Cancel your subscription?", body, leads_to=goes)


def _subscriptions(at: Here) -> str:
    call, customer, features, path = at.call, at.customer, at.features, at.path
    parts = ["<h2>Subscriptions</h2>"]
    found = [
        one
        for one in call.objects.query(kinds.SUBSCRIPTION, {"customer": customer["id"]}, limit=20)
        if one["status"] not in _ENDED
    ]
    for one in found:
        rows = f"{_description(call, one)}<dt>Status</dt><dd>{escape(one['status'])}</dd>"
        if one["cancel_at"]:
            rows += f"<dt>Ends</dt><dd>{arithmetic.show_date(one['cancel_at'])}</dd>"
        parts.append(f"<dl>{rows}</dl>{change_link(at, one)}")
        offered = features["subscription_cancel"]["enabled"]
        if offered and one["cancel_at_period_end"]:
            parts.append(_form(f"{path}/keep", "subscription", one["id"], "Keep subscription"))
        elif offered:
            address = escape(with_query(f"{path}/cancel", subscription=one["id"]))
            parts.append(f'<a class="button second" href="{address}">Cancel subscription</a>')
    if not found:
        parts.append('<p class="note">There are no subscriptions.</p>')
    return "\n".join(parts)


def _methods(call: Call, customer: StoredCustomer, path: str) -> str:
    parts = ["<h2>Payment methods</h2>"]
    default = value_at(customer, "invoice_settings.default_payment_method")
    for one in call.objects.query(kinds.PAYMENT_METHOD, {"customer": customer["id"]}, limit=20):
        whole: Mapping[str, Any] = one  # the details are in the field named after the type
        inner = whole.get(one["type"]) or {}
        name = (inner.get("brand") or one["type"]).replace("_", " ").title()
        until = f", {inner['exp_month']:02}/{inner['exp_year'] % 100:02}" if one["type"] == "card" else ""
        used = "<dd>Default</dd>" if one["id"] == default else "<dd></dd>"
        parts.append(f"<dl><dt>{escape(name)} •••• {escape(str(inner.get('last4') or ''))}{until}</dt>{used}</dl>")
        if one["id"] != default:
            parts.append(_form(f"{path}/use", "payment_method", one["id"], "Make default"))
    parts.append(f'<form method="post" action="{path}/add"><button>Add a card</button></form>')
    return "\n".join(parts)


def _invoices(call: Call, customer: StoredCustomer) -> str:
    rows = []
    for one in call.objects.query(kinds.INVOICE, {"customer": customer["id"]}, limit=20):
        if one["status"] == "draft":
            continue
        text = f"{arithmetic.show_date(one['created'])}, {one['status']}"
        url = one.get("hosted_invoice_url")
        link = f'<a href="{escape(url)}">{escape(text)}</a>' if url else escape(text)
        rows.append(f"<dt>{link}</dt><dd>{escape(currency.show(one['total'], one['currency']))}</dd>")
    inside = f"<dl>{''.join(rows)}</dl>" if rows else '<p class="note">There are no invoices.</p>'
    return f"<h2>Invoices</h2>\n{inside}"


def methods_page(at: Here) -> Reply:
    """Return the page of a ``payment_method_update`` flow."""
    body = f"<h1>Update your payment method</h1>\n{_methods(at.call, at.customer, at.path)}{return_link(at.session)}"
    return html_page("Update your payment method", body, leads_to=leads_to(at.session))


def portal_page(at: Here, configuration: api.BillingPortalConfiguration) -> Reply:
    """Return the portal's main page: subscriptions, payment methods, invoices, and the actions that are allowed."""
    features, customer = at.features, at.customer
    title = configuration["business_profile"]["headline"] or "Manage your billing"
    who = customer.get("email") or customer.get("name") or ""
    parts = [
        f'<p class="note">{escape(who)}{"" if at.call.livemode else " · Test mode"}</p>',
        f"<h1>{escape(title)}</h1>",
    ]
    parts.append(_subscriptions(at))
    if features["payment_method_update"]["enabled"]:
        parts.append(_methods(at.call, customer, at.path))
    parts.append(details_link(at))
    if features["invoice_history"]["enabled"]:
        parts.append(_invoices(at.call, customer))
    parts.append(return_link(at.session))
    parts.append(_terms(configuration["business_profile"]))
    return html_page(title, "\n".join(parts))


def _terms(profile: api.PortalBusinessProfile) -> str:
    """Return the links to the merchant's terms and privacy policy; empty without either."""
    links = [
        f'<a href="{escape(url)}" rel="noreferrer">{text}</a>'
        for text, url in (
            ("Terms of service", profile["terms_of_service_url"]),
            ("Privacy policy", profile["privacy_policy_url"]),
        )
        if url and url.lower().startswith(("http://", "https://"))
    ]
    return f'<p class="note">{" · ".join(links)}</p>' if links else ""
