"""The quick starts of Stripe's documentation, with the newest SDK for Python: ``quick.py URL KEY PUBLISHABLE_KEY``.

What a browser does there (Stripe.js, the page of a Checkout session) is done with the publishable key. No API version
is named, so that the SDK asks for the version it was made for.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from typing import Any

import stripe
from receiving import hook, until

URL, KEY, PUBLISHABLE = sys.argv[1:4]
ADDRESSES: Any = {name: URL for name in ("api", "files", "connect", "meter_events")}
SDK = stripe.StripeClient(KEY, base_addresses=ADDRESSES, max_network_retries=0)
API: Any = SDK.v1
BROWSER: Any = stripe.StripeClient(PUBLISHABLE, base_addresses=ADDRESSES, max_network_retries=0)
HOME = "https://example.com/"


def in_browser(intent: Any, card: str = "tok_visa") -> Any:
    """Confirm an intent by its client secret, as ``stripe.confirmPayment`` does."""
    card_data = {"type": "card", "card": {"token": card}}
    id = intent.split("_secret_")[0] if isinstance(intent, str) else intent.id
    secret = intent if isinstance(intent, str) else intent.client_secret
    intents = BROWSER.v1.setup_intents if id.startswith("seti_") else BROWSER.v1.payment_intents
    return intents.confirm(id, {"client_secret": secret, "payment_method_data": card_data, "return_url": HOME})


def payments() -> object:
    with hook() as (url, arrived):
        endpoint = API.webhook_endpoints.create({"url": url, "enabled_events": ["payment_intent.succeeded"]})
        intent = API.payment_intents.create(
            {"amount": 1400, "currency": "usd", "automatic_payment_methods": {"enabled": True}}
        )
        paid = in_browser(intent)
        event = SDK.construct_event(*arrived(), endpoint.secret)
        API.webhook_endpoints.delete(endpoint.id)
    more = {"expand": ["latest_charge.balance_transaction"]}  # which comes later than the answer
    settled = until(lambda: API.payment_intents.retrieve(intent.id, more).latest_charge.balance_transaction)
    return [intent.status, paid.status, event.data.object.id == intent.id, settled.fee]


def saved_card() -> object:
    payer = API.customers.create({"email": "jenny@example.com"})
    intent = API.setup_intents.create({"customer": payer.id, "automatic_payment_methods": {"enabled": True}})
    done = in_browser(intent)
    methods = API.customers.payment_methods.list(payer.id, {"type": "card"}).data
    later = API.payment_intents.create(
        {"amount": 1099, "currency": "eur", "customer": payer.id, "payment_method": methods[0].id,
         "off_session": True, "confirm": True}
    )  # fmt: skip
    return [done.status, len(methods), later.status]


def complete(session: Any) -> Any:
    """Pay on the page of a Checkout session."""
    method = BROWSER.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).id
    BROWSER.raw_request("post", f"/v1/payment_pages/{session.id}/confirm", payment_method=method)
    return API.checkout.sessions.retrieve(session.id, {"expand": ["line_items", "payment_intent"]})


def checkout() -> object:
    with hook() as (url, arrived):
        endpoint = API.webhook_endpoints.create({"url": url, "enabled_events": ["checkout.session.completed"]})
        price = API.prices.create({"unit_amount": 2000, "currency": "usd", "product_data": {"name": "T-shirt"}})
        made = API.checkout.sessions.create(
            {"mode": "payment", "line_items": [{"price": price.id, "quantity": 2}],
             "success_url": HOME + "?session_id={CHECKOUT_SESSION_ID}", "allow_promotion_codes": True}
        )  # fmt: skip
        done = complete(made)
        event = SDK.construct_event(*arrived(), endpoint.secret)
        API.webhook_endpoints.delete(endpoint.id)
    return [
        made.payment_status, done.status, done.payment_status, done.payment_intent.amount_received,
        [item.quantity for item in done.line_items.data], event.data.object.id == made.id,
    ]  # fmt: skip


def product(**price: Any) -> str:
    """The price of a new product."""
    data = {"unit_amount": 1000, "currency": "usd", "recurring": {"interval": "month"}, **price}
    return str(API.products.create({"name": "Starter", "default_price_data": data}).default_price)


def subscription() -> object:
    payer = API.customers.create({"email": "jenny@example.com", "name": "Jenny"})
    made = API.subscriptions.create(
        {
            "customer": payer.id,
            "items": [{"price": product()}],
            "payment_behavior": "default_incomplete",
            "payment_settings": {"save_default_payment_method": "on_subscription"},
            "expand": ["latest_invoice.confirmation_secret"],
        }
    )
    in_browser(made.latest_invoice.confirmation_secret.client_secret)
    active = API.subscriptions.retrieve(made.id)
    change = {"items": [{"id": made["items"].data[0].id, "price": product(unit_amount=2500)}]}
    preview = API.invoices.create_preview(
        {
            "customer": payer.id,
            "subscription": made.id,
            "subscription_details": {**change, "proration_date": made.created},
        }
    )
    changed = API.subscriptions.update(made.id, change)
    portal = API.billing_portal.sessions.create({"customer": payer.id, "return_url": HOME})
    ended = API.subscriptions.cancel(made.id)
    return [
        made.status, active.status, bool(active.default_payment_method), preview.total,
        changed["items"].data[0].price.unit_amount, bool(portal.url), ended.status,
    ]  # fmt: skip


def checkout_of_a_subscription() -> object:
    made = API.checkout.sessions.create(
        {"mode": "subscription", "line_items": [{"price": product(), "quantity": 1}], "success_url": HOME,
         "customer_email": "jenny@example.com", "subscription_data": {"trial_period_days": 7}}
    )  # fmt: skip
    done = complete(made)
    invoice = API.invoices.list({"subscription": done.subscription}).data[0]
    return [done.status, API.subscriptions.retrieve(done.subscription).status, invoice.total]


def connect() -> object:
    account = API.accounts.create(
        {
            "country": "US",
            "email": "jenny@example.com",
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
        }
    )
    link = API.account_links.create(
        {"account": account.id, "type": "account_onboarding", "refresh_url": HOME, "return_url": HOME}
    )
    session = API.account_sessions.create(
        {"account": account.id, "components": {"account_onboarding": {"enabled": True}}}
    )
    wish = {"amount": 1000, "currency": "usd", "application_fee_amount": 123, "payment_method": "pm_card_visa"}
    try:
        API.payment_intents.create({**wish, "confirm": True, "transfer_data": {"destination": account.id}})
        early = "accepted"
    except stripe.InvalidRequestError as error:
        early = str(error.code)
    return [
        account.charges_enabled,
        account.controller.is_controller,
        bool(link.url),
        bool(session.client_secret),
        early,
    ]


def accounts_v2() -> object:
    accounts: Any = SDK.v2.core.accounts
    made = accounts.create(
        {
            "contact_email": "jenny@example.com",
            "display_name": "Jenny's shop",
            "identity": {"country": "us", "entity_type": "individual"},
            "dashboard": "full",
            "configuration": {"merchant": {"capabilities": {"card_payments": {"requested": True}}}},
            "defaults": {
                "currency": "usd",
                "locales": ["en-US"],
                "responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"},
            },
            "include": ["configuration.merchant", "identity", "requirements"],
        }
    )
    found = accounts.retrieve(made.id, {"include": ["configuration.merchant"]})
    listed = made.id in [one.id for one in accounts.list({"limit": 5}).auto_paging_iter()]
    link = SDK.v2.core.account_links.create(
        {
            "account": made.id,
            "use_case": {
                "type": "account_onboarding",
                "account_onboarding": {"refresh_url": HOME, "return_url": HOME},
            },
        }
    )
    return [
        made.object, made.applied_configurations, found.configuration.merchant.capabilities.card_payments.status,
        listed, bool(link.url),
    ]  # fmt: skip


def meters() -> object:
    name = f"calls_{uuid.uuid4().hex}"
    meter = API.billing.meters.create(
        {"display_name": "Calls", "event_name": name, "default_aggregation": {"formula": "sum"}}
    )
    price = API.prices.create(
        {"currency": "usd", "unit_amount": 4, "billing_scheme": "per_unit", "product_data": {"name": "Calls"},
         "recurring": {"usage_type": "metered", "interval": "month", "meter": meter.id}}
    )  # fmt: skip
    payer = API.customers.create({"payment_method": "pm_card_visa"})
    method = API.customers.payment_methods.list(payer.id).data[0].id
    subscribed = API.subscriptions.create(
        {"customer": payer.id, "items": [{"price": price.id}], "default_payment_method": method}
    )
    event: Any = {"event_name": name, "payload": {"stripe_customer_id": payer.id, "value": "25"}}
    SDK.v2.billing.meter_events.create({**event, "identifier": uuid.uuid4().hex})
    session = SDK.v2.billing.meter_event_session.create()
    stream = stripe.StripeClient(session.authentication_token, base_addresses=ADDRESSES)
    stream.v2.billing.meter_event_stream.create({"events": [event]})
    hour = 3600
    start = int(time.time()) // hour * hour - hour
    span = {"customer": payer.id, "start_time": start, "end_time": start + 3 * hour}
    sums = until(lambda: [s.aggregated_value for s in API.billing.meters.event_summaries.list(meter.id, span).data])
    preview = API.invoices.create_preview({"customer": payer.id, "subscription": subscribed.id})
    return [subscribed.status, sums, preview.total]


def thin_events() -> object:
    with hook() as (url, arrived):
        made: Any = SDK.v2.core.event_destinations.create(
            {
                "name": "thin",
                "type": "webhook_endpoint",
                "event_payload": "thin",
                "enabled_events": ["v1.invoice.paid", "v1.billing.meter.no_meter_found"],
                "webhook_endpoint": {"url": url},
                "include": ["webhook_endpoint.signing_secret"],
            }
        )
        secret = made.webhook_endpoint.signing_secret
        missing: Any = {
            "event_name": f"none_{uuid.uuid4().hex}",
            "payload": {"stripe_customer_id": "cus_1", "value": "1"},
        }
        session = SDK.v2.billing.meter_event_session.create()
        stream = stripe.StripeClient(session.authentication_token, base_addresses=ADDRESSES)
        stream.v2.billing.meter_event_stream.create({"events": [missing]})
        fault: Any = SDK.parse_event_notification(*arrived(), secret)
        reason = fault.fetch_event().data.reason.error_count
        payer = API.customers.create()
        draft = API.invoices.create({"customer": payer.id})
        API.invoices.finalize_invoice(draft.id)
        note: Any = SDK.parse_event_notification(*arrived(), secret)
        same = note.fetch_related_object().id == draft.id
        SDK.v2.core.event_destinations.delete(made.id)
    return [fault.type, reason, note.type, same, note.fetch_event().type]


FLOWS = (
    payments, saved_card, checkout, subscription, checkout_of_a_subscription, connect, accounts_v2, meters, thin_events,
)  # fmt: skip

if __name__ == "__main__":
    for flow in FLOWS:
        try:
            outcome = flow()
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
        print(json.dumps({flow.__name__: outcome}), flush=True)
