"""The page of the customer portal."""

from __future__ import annotations

from html import escape

from tollkey.payments._billing.periods import show_date
from tollkey.payments._currency import show
from tollkey.wire import Call, Json, Reply, dig, html_page

_ENDED = ("canceled", "incomplete_expired")


def _form(path: str, name: str, value: str, label: str) -> str:
    return (
        f'<form method="post" action="{path}"><input type="hidden" name="{name}" value="{escape(value)}">'
        f'<button class="second">{escape(label)}</button></form>'
    )


def _subscriptions(call: Call, customer: Json, features: Json, path: str) -> str:
    parts = ["<h2>Subscriptions</h2>"]
    found = [one for one in call.objects.query("subscription", {"customer": customer["id"]}, limit=20) if one["status"] not in _ENDED]
    for one in found:
        names, prices = [], []
        for item in call.objects.query("subscription_item", {"subscription": one["id"]}, limit=20):
            price = item["price"]
            names.append(call.objects.get("product", price["product"])["name"])
            amount = show((price["unit_amount"] or 0) * (item.get("quantity") or 1), price["currency"])
            prices.append(f"{amount} every {price['recurring']['interval']}")
        rows = f"<dt>{escape(', '.join(names))}</dt><dd>{escape(', '.join(prices))}</dd><dt>Status</dt><dd>{escape(one['status'])}</dd>"
        if one["cancel_at"]:
            rows += f"<dt>Ends</dt><dd>{show_date(one['cancel_at'])}</dd>"
        parts.append(f"<dl>{rows}</dl>")
        if one["cancel_at_period_end"]:
            parts.append(_form(f"{path}/keep", "subscription", one["id"], "Keep subscription"))
        elif features["subscription_cancel"]["enabled"]:
            parts.append(_form(f"{path}/cancel", "subscription", one["id"], "Cancel subscription"))
    if not found:
        parts.append('<p class="note">There are no subscriptions.</p>')
    return "\n".join(parts)


def _methods(call: Call, customer: Json, path: str) -> str:
    parts = ["<h2>Payment methods</h2>"]
    default = dig(customer, "invoice_settings.default_payment_method")
    for one in call.objects.query("payment_method", {"customer": customer["id"]}, limit=20):
        inner = one.get(one["type"]) or {}
        name = (inner.get("brand") or one["type"]).replace("_", " ").title()
        until = f", {inner['exp_month']:02}/{inner['exp_year'] % 100:02}" if one["type"] == "card" else ""
        used = "<dd>Default</dd>" if one["id"] == default else "<dd></dd>"
        parts.append(f"<dl><dt>{escape(name)} •••• {escape(str(inner.get('last4') or ''))}{until}</dt>{used}</dl>")
        if one["id"] != default:
            parts.append(_form(f"{path}/use", "payment_method", one["id"], "Make default"))
    parts.append(f'<form method="post" action="{path}/add"><button>Add a card</button></form>')
    return "\n".join(parts)


def _invoices(call: Call, customer: Json) -> str:
    rows = []
    for one in call.objects.query("invoice", {"customer": customer["id"]}, limit=20):
        if one["status"] == "draft":
            continue
        text = f"{show_date(one['created'])}, {one['status']}"
        url = one.get("hosted_invoice_url")
        link = f'<a href="{escape(url)}">{escape(text)}</a>' if url else escape(text)
        rows.append(f"<dt>{link}</dt><dd>{escape(show(one['total'], one['currency']))}</dd>")
    inside = f"<dl>{''.join(rows)}</dl>" if rows else '<p class="note">There are no invoices.</p>'
    return f"<h2>Invoices</h2>\n{inside}"


def portal_page(call: Call, session: Json, customer: Json, configuration: Json) -> Reply:
    """What the customer has, and what the configuration lets them do with it."""
    features = configuration["features"]
    path = f"/portal/{call.path['token']}"
    title = configuration["business_profile"]["headline"] or "Manage your billing"
    who = customer.get("email") or customer.get("name") or ""
    parts = [f'<p class="note">{escape(who)}{"" if call.livemode else " · Test mode"}</p>', f"<h1>{escape(title)}</h1>"]
    parts.append(_subscriptions(call, customer, features, path))
    if features["payment_method_update"]["enabled"]:
        parts.append(_methods(call, customer, path))
    if features["invoice_history"]["enabled"]:
        parts.append(_invoices(call, customer))
    url = session["return_url"]
    if url and url.lower().startswith(("http://", "https://")):
        parts.append(f'<p><a href="{escape(url)}" rel="noreferrer">Return to the shop</a></p>')
    return html_page(title, "\n".join(parts))
