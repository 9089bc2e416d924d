"""The flows of the payment provider's own guides, end to end, with the official Python SDK."""

from __future__ import annotations

import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.contract.conftest import Running

NEVER = {"enabled": True, "allow_redirects": "never"}


def test_a_payment_is_accepted_as_the_guide_says(sdk: stripe.StripeClient, server: Running) -> None:
    wish: Any = {
        "amount": 1099,
        "currency": "usd",
        "automatic_payment_methods": {"enabled": True},
        "capture_method": "automatic",
    }
    intent = sdk.v1.payment_intents.create(
        wish
    )  # automatic_async, the default, would have its balance transaction a second later
    assert intent.status == "requires_payment_method"
    browser = stripe.StripeClient(server.publishable_key, base_addresses={"api": server.url}, max_network_retries=0)
    confirm: Any = {
        "client_secret": intent.client_secret,
        "payment_method": "pm_card_visa",
        "return_url": "https://example.com/done",
    }
    assert browser.v1.payment_intents.confirm(intent.id, confirm).status == "succeeded"
    paid = sdk.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge.balance_transaction"]})
    charge = paid.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert (paid.amount_received, charge.paid, charge.balance_transaction.net) == (1099, True, 1099 - 62)


def test_a_declined_payment_can_be_tried_again_with_another_card(sdk: stripe.StripeClient) -> None:
    intent = sdk.v1.payment_intents.create(
        {"amount": 1099, "currency": "usd", "allowed_payment_method_types": ["card"]}
    )
    with pytest.raises(stripe.CardError) as caught:
        sdk.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"})
    assert caught.value.code == "card_declined"
    assert sdk.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"
    assert sdk.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status == "succeeded"


def test_a_card_that_asks_for_3d_secure_is_authenticated_on_a_page(sdk: stripe.StripeClient) -> None:
    intent = sdk.v1.payment_intents.create(
        {
            "amount": 1099,
            "currency": "usd",
            "allowed_payment_method_types": ["card"],
            "payment_method": "pm_card_threeDSecure2Required",
            "confirm": True,
            "return_url": "https://example.com/done",
        }
    )
    assert intent.status == "requires_action"
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    page = str(intent.next_action.redirect_to_url.url)
    with urllib.request.urlopen(page) as answer:
        html = answer.read().decode()
    form = re.search(r'<form[^>]*action="([^"]*complete[^"]*)"', html)
    assert form is not None, html
    opener = urllib.request.build_opener(_NoRedirect)
    with opener.open(urllib.request.Request(urllib.parse.urljoin(page, form[1]), b"", method="POST")) as done:
        assert done.headers["Location"].startswith("https://example.com/done?")
    assert sdk.v1.payment_intents.retrieve(intent.id).status == "succeeded"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def http_error_303(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        return fp

    http_error_302 = http_error_303


def test_save_a_card_and_charge_it_later(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"email": "jenny@example.com"})
    setup = sdk.v1.setup_intents.create(
        {"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True, "automatic_payment_methods": NEVER}  # type: ignore[typeddict-item]
    )
    assert setup.status == "succeeded"
    (method,) = sdk.v1.customers.payment_methods.list(customer.id, {"type": "card"}).data
    later = sdk.v1.payment_intents.create(
        {
            "amount": 999,
            "currency": "eur",
            "customer": customer.id,
            "payment_method": method.id,
            "off_session": True,
            "confirm": True,
        }
    )
    assert later.status == "succeeded"


def test_capture_part_of_an_authorization(sdk: stripe.StripeClient) -> None:
    intent = sdk.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "capture_method": "manual",
            "confirm": True,
            "allowed_payment_method_types": ["card"],
        }
    )
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 2000)
    captured = sdk.v1.payment_intents.capture(intent.id, {"amount_to_capture": 750})
    assert (captured.status, captured.amount_received) == ("succeeded", 750)


def test_refund_a_payment_in_two_parts_and_no_further(sdk: stripe.StripeClient) -> None:
    intent = paid(sdk, 1000)
    assert sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 400}).status == "succeeded"
    assert sdk.v1.refunds.create({"payment_intent": intent.id}).amount == 600
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sdk.v1.refunds.create({"payment_intent": intent.id})
    assert caught.value.code == "charge_already_refunded"


def until(happened: Callable[[], bool], seconds: float = 60) -> None:
    """Ask again until something that the server does by itself has happened."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"


def paid(sdk: stripe.StripeClient, amount: int, method: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    params: Any = {
        "amount": amount,
        "currency": "usd",
        "payment_method": method,
        "confirm": True,
        "allowed_payment_method_types": ["card"],
        **more,
    }
    return sdk.v1.payment_intents.create(params)


def test_win_a_dispute_with_evidence(sdk: stripe.StripeClient) -> None:
    intent = paid(sdk, 3000, "pm_card_createDispute")
    (dispute,) = sdk.v1.disputes.list({"payment_intent": intent.id}).data
    assert (dispute.status, dispute.reason) == ("needs_response", "fraudulent")
    sdk.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True})
    until(lambda: sdk.v1.disputes.retrieve(dispute.id).status == "won")


def test_a_subscription_is_started_changed_and_cancelled(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    price = sdk.v1.prices.create(
        {"unit_amount": 1500, "currency": "usd", "recurring": {"interval": "month"}, "product_data": {"name": "Gold"}}
    )
    subscription = sdk.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "expand": ["latest_invoice.payments"]}
    )
    assert subscription.status == "active"
    invoice = subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert (invoice.status, invoice.amount_paid) == ("paid", 1500)
    item = subscription["items"].data[0]
    more = sdk.v1.subscriptions.update(subscription.id, {"items": [{"id": item.id, "quantity": 2}]})
    assert more["items"].data[0].quantity == 2
    assert sdk.v1.subscriptions.cancel(subscription.id).status == "canceled"


def test_a_test_clock_renews_a_subscription(sdk: stripe.StripeClient) -> None:
    start = 1_800_000_000
    clock = sdk.v1.test_helpers.test_clocks.create({"frozen_time": start})
    customer = sdk.v1.customers.create(
        {
            "test_clock": clock.id,
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        }
    )
    price = sdk.v1.prices.create(
        {"unit_amount": 500, "currency": "usd", "recurring": {"interval": "month"}, "product_data": {"name": "Silver"}}
    )
    subscription = sdk.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    sdk.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": start + 35 * 86400})
    until(lambda: sdk.v1.test_helpers.test_clocks.retrieve(clock.id).status == "ready")
    invoices = sdk.v1.invoices.list({"subscription": subscription.id})
    assert [(invoice.status, invoice.billing_reason) for invoice in invoices] == [
        ("paid", "subscription_cycle"),
        ("paid", "subscription_create"),
    ]


def test_a_platform_charges_for_a_connected_account_and_keeps_a_fee(sdk: stripe.StripeClient) -> None:
    account = sdk.v1.accounts.create(
        {
            "type": "custom",
            "country": "US",
            "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
            "business_type": "individual",
            "business_profile": {"mcc": "5734", "url": "https://accessible.stripe.com"},
            "individual": {
                "first_name": "Jenny",
                "last_name": "Rosen",
                "email": "jenny@example.com",
                "phone": "0000000000",
                "dob": {"day": 1, "month": 1, "year": 1901},
                "address": {"line1": "address_full_match", "city": "Columbus", "state": "OH", "postal_code": "43214"},
                "id_number": "000000000",
            },
            "external_account": "btok_us",  # type: ignore[typeddict-item]
            "tos_acceptance": {"date": 1_700_000_000, "ip": "8.8.8.8"},
        }
    )
    intent = paid(
        sdk, 10_000, transfer_data={"destination": account.id}, application_fee_amount=1000, capture_method="automatic"
    )
    assert intent.status == "succeeded"
    (fee,) = [f for f in sdk.v1.application_fees.list({"limit": 10}) if f.account == account.id]
    assert fee.amount == 1000
    theirs = sdk.v1.balance.retrieve(options={"stripe_account": account.id})
    assert sum(b.amount for b in [*theirs.available, *theirs.pending]) == 9000


def test_a_webhook_is_signed_and_its_signature_is_checked(sdk: stripe.StripeClient) -> None:
    endpoint = sdk.v1.webhook_endpoints.create(
        {"url": "https://example.com/hook", "enabled_events": ["charge.succeeded"]}
    )
    assert endpoint.secret is not None
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(b"{}", "t=1,v1=00", endpoint.secret)
    sdk.v1.webhook_endpoints.delete(endpoint.id)
