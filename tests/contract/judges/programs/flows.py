"""The flows that every official SDK runs, with the one for Python: ``flows.py URL KEY`` prints what each came to.

The SDK is the newest one and no API version is named, so that it asks for the version it was made for.
"""

from __future__ import annotations

import io
import json
import re
import sys
import urllib.parse
import urllib.request
import uuid
from typing import Any

import stripe
from receiving import hook, until

URL, KEY = sys.argv[1:3]
ADDRESSES: Any = {name: URL for name in ("api", "files", "connect", "meter_events")}
SDK = stripe.StripeClient(KEY, base_addresses=ADDRESSES, max_network_retries=0)
API: Any = SDK.v1
NEVER = {"enabled": True, "allow_redirects": "never"}
SAVED = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}


def customer() -> object:
    made = API.customers.create({"email": "jenny@example.com"})
    name = API.customers.update(made.id, {"name": "Jenny"}).name
    API.customers.delete(made.id)
    return [name, API.customers.retrieve(made.id).deleted]


def pay(amount: int, method: str = "pm_card_visa") -> Any:
    wish = {"amount": amount, "currency": "usd", "payment_method": method, "confirm": True}
    return API.payment_intents.create({**wish, "automatic_payment_methods": NEVER})


def payment() -> object:
    intent = pay(2000)
    return [intent.status, intent.amount_received]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def http_error_303(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        return fp

    http_error_302 = http_error_303


def three_d_secure() -> object:
    wish = {"amount": 1099, "currency": "usd", "payment_method": "pm_card_threeDSecure2Required", "confirm": True}
    asked = API.payment_intents.create(
        {**wish, "automatic_payment_methods": {"enabled": True}, "return_url": "https://example.com/done"}
    )
    page = asked.next_action.redirect_to_url.url
    with urllib.request.urlopen(page) as answer:
        form = re.search(r'<form[^>]*action="([^"]*complete[^"]*)"', answer.read().decode())
    if form is None:
        raise LookupError("the page has no form that completes the challenge")
    request = urllib.request.Request(urllib.parse.urljoin(page, form[1]), b"", method="POST")
    urllib.request.build_opener(NoRedirect).open(request).close()
    return [asked.status, API.payment_intents.retrieve(asked.id).status]


def declined() -> object:
    try:
        return pay(2000, "pm_card_visa_chargeDeclined").status
    except stripe.CardError as error:
        return [error.http_status, error.code, error.error and error.error.decline_code]


def refund() -> object:
    intent = pay(2000)
    made = API.refunds.create({"payment_intent": intent.id, "amount": 500})
    return [made.status, API.charges.retrieve(intent.latest_charge).amount_refunded]


def subscription() -> object:
    start = 1_800_000_000
    clock = API.test_helpers.test_clocks.create({"frozen_time": start})
    payer = API.customers.create({"test_clock": clock.id, **SAVED})
    price = API.prices.create(
        {"unit_amount": 500, "currency": "usd", "recurring": {"interval": "month"}, "product_data": {"name": "Silver"}}
    )
    made = API.subscriptions.create({"customer": payer.id, "items": [{"price": price.id}]})
    API.test_helpers.test_clocks.advance(clock.id, {"frozen_time": start + 35 * 86_400})
    until(lambda: API.test_helpers.test_clocks.retrieve(clock.id).status == "ready")
    invoices = API.invoices.list({"subscription": made.id}).data
    return [API.subscriptions.retrieve(made.id).status, [[i.status, i.billing_reason] for i in invoices]]


def invoice() -> object:
    payer = API.customers.create(SAVED)
    draft = API.invoices.create({"customer": payer.id, "auto_advance": False})
    API.invoice_items.create({"customer": payer.id, "invoice": draft.id, "amount": 1500, "currency": "usd"})
    opened = API.invoices.finalize_invoice(draft.id)
    paid = API.invoices.pay(draft.id)
    return [draft.status, opened.status, paid.status, paid.amount_paid]


def checkout() -> object:
    line = {"quantity": 2, "price_data": {"currency": "usd", "unit_amount": 700, "product_data": {"name": "Mug"}}}
    made = API.checkout.sessions.create(
        {"mode": "payment", "line_items": [line], "success_url": "https://example.com/done"}
    )
    return [made.status, made.amount_total, bool(made.url), API.checkout.sessions.expire(made.id).status]


def connect() -> object:
    person = {
        "first_name": "Jenny", "last_name": "Rosen", "email": "jenny@example.com", "phone": "0000000000",
        "id_number": "000000000", "dob": {"day": 1, "month": 1, "year": 1901},
        "address": {"line1": "address_full_match", "city": "Columbus", "state": "OH", "postal_code": "43214"},
    }  # fmt: skip
    account = API.accounts.create(
        {
            "type": "custom",
            "country": "US",
            "business_type": "individual",
            "business_profile": {"mcc": "5734", "url": "https://accessible.stripe.com"},
            "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
            "external_account": "btok_us",
            "individual": person,
            "tos_acceptance": {"date": 1_700_000_000, "ip": "8.8.8.8"},
        }
    )
    pay(10_000, "pm_card_bypassPending")
    moved = API.transfers.create({"amount": 3000, "currency": "usd", "destination": account.id})
    theirs = API.balance.retrieve(options={"stripe_account": account.id})
    reversed_ = API.transfers.reversals.create(moved.id, {"amount": 1000})
    return [sum(b.amount for b in [*theirs.available, *theirs.pending]), reversed_.amount]


def webhook() -> object:
    with hook() as (url, arrived):
        endpoint = API.webhook_endpoints.create({"url": url, "enabled_events": ["customer.created"]})
        made = API.customers.create()
        body, signature = arrived()
        API.webhook_endpoints.delete(endpoint.id)
    event = SDK.construct_event(body, signature, endpoint.secret)
    try:
        SDK.construct_event(body + b" ", signature, endpoint.secret)
        forged = "accepted"
    except stripe.SignatureVerificationError:
        forged = "refused"
    return [event.type, event.data.object["id"] == made.id, forged]


def pagination() -> object:
    email = f"{uuid.uuid4().hex}@example.com"
    ids = [API.customers.create({"email": email}).id for _ in range(5)]
    return [c.id for c in API.customers.list({"email": email, "limit": 2}).auto_paging_iter()] == ids[::-1]


def idempotency() -> object:
    options = {"idempotency_key": uuid.uuid4().hex}
    first, again = (API.customers.create({"name": "Jenny"}, options).id for _ in range(2))
    try:
        API.customers.create({"name": "Joan"}, options)
        return [first == again, "accepted"]
    except stripe.IdempotencyError as error:
        return [first == again, error.http_status]


def errors() -> object:
    found = []
    wrong: Any = stripe.StripeClient("sk_test_" + "x" * 24, base_addresses=ADDRESSES, max_network_retries=0).v1
    for call in (
        lambda: API.customers.retrieve("cus_missing"),
        lambda: pay(1),
        lambda: API.customers.create({"colour": "red"}),
        lambda: wrong.customers.list(),
    ):
        try:
            call()
            found.append("no error")
        except stripe.StripeError as error:
            found.append([error.http_status, error.code])
    return found


def files() -> object:
    text = b"%PDF-1.4 evidence"
    made = API.files.create({"purpose": "dispute_evidence", "file": io.BytesIO(text)})
    link = API.file_links.create({"file": API.files.create({"purpose": "business_logo", "file": _png()}).id})
    return [made.purpose, made.size == len(text), link.object]


def _png() -> io.BytesIO:
    file = io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    file.name = "logo.png"
    return file


def search() -> object:
    email = f"{uuid.uuid4().hex}@example.com"
    made = API.customers.create({"email": email})
    return until(lambda: API.customers.search({"query": f"email:'{email}'"}).data)[0].id == made.id


def v2() -> object:
    name = uuid.uuid4().hex
    API.billing.meters.create({"display_name": "calls", "event_name": name, "default_aggregation": {"formula": "sum"}})
    payer = API.customers.create()
    event: Any = {"event_name": name, "payload": {"stripe_customer_id": payer.id, "value": "7"}}
    made = SDK.v2.billing.meter_events.create(event)
    session = SDK.v2.billing.meter_event_session.create()
    return [made.object, session.object]


def destination() -> object:
    wish: Any = {
        "name": "errors of meters",
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": ["v1.billing.meter.no_meter_found"],
        "webhook_endpoint": {"url": "https://example.com/hook"},
        "include": ["webhook_endpoint.signing_secret"],
    }
    destinations = SDK.v2.core.event_destinations
    made: Any = destinations.create(wish)
    listed = made.id in [found.id for found in destinations.list().auto_paging_iter()]
    secret = made.webhook_endpoint.signing_secret.startswith("whsec_")
    return [
        made.status,
        secret,
        listed,
        destinations.disable(made.id).status,
        destinations.delete(made.id).id == made.id,
    ]


FLOWS = (
    customer, payment, three_d_secure, declined, refund, subscription, invoice, checkout, connect, webhook, pagination,
    idempotency, errors, files, search, v2, destination,
)  # fmt: skip

if __name__ == "__main__":
    for flow in FLOWS:
        try:
            outcome = flow()
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
        print(json.dumps({flow.__name__: outcome}), flush=True)
