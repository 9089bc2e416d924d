"""Pages for people without an account (checkout, portal, receipts …): axe finds nothing wrong with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser

import tollkey.payments
import tollkey.platform
from tests.browser.axe import violations
from tests.browser.conftest import Running
from tests.browser.crawl import crawl
from tests.browser.person import Person
from tests.browser.shop import Shop
from tollkey.core import gather

PUBLIC = sorted(
    {e.path for r in gather(tollkey.platform, tollkey.payments) for e in r.endpoints if e.public and e.method == "GET"},
    key=len,
    reverse=True,
)
#: What is no page: files, and addresses that only lead on.
NO_PAGE = {
    "/links/{token}",
    "/pictures/{token}",
    "/i/{token}/pdf",
    "/cn/{token}/pdf",
    "/receipts/{token}/pdf",
    "/pay/{token}/return",
    "/connect/express/{token}",
}
#: Pages that follow on what a customer does.
AFTERWARDS = {"/portal/{token}/done"}


def kind_of(address: str) -> str:
    """The declared path of a page's address, or "" for one that is none of these."""
    path = urlsplit(address).path
    found = [one for one in PUBLIC if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path)]
    return found[0] if found and found[0] not in NO_PAGE else ""


def fill(shop: Shop) -> None:
    """One of everything that has such a page."""
    accepted = {"customer_acceptance": {"type": "offline"}}
    bank = {"account_number": "000123456789", "routing_number": "110000000", "account_holder_type": "individual"}
    customer = shop.post("/v1/customers", name="Jenny Rosen", email="jenny@example.com")["id"]
    product = shop.post("/v1/products", name="Tea")["id"]
    price = shop.post("/v1/prices", product=product, unit_amount=900, currency="usd", recurring={"interval": "month"})[
        "id"
    ]
    once = shop.post("/v1/prices", product=product, unit_amount=1200, currency="usd")["id"]
    urls = {"success_url": "https://shop.example/thanks", "cancel_url": "https://shop.example/back"}

    paid = shop.post(
        "/v1/payment_intents",
        amount=2000,
        currency="usd",
        customer=customer,
        payment_method="pm_card_visa",
        confirm=True,
        return_url="https://shop.example",
        expand=["latest_charge"],
    )
    shop.post("/v1/refunds", payment_intent=paid["id"], amount=500)
    shop.get(f"/v1/charges/{paid['latest_charge']['id']}")
    shop.post(
        "/v1/payment_intents",
        amount=2000,
        currency="usd",
        payment_method="pm_card_threeDSecure2Required",
        confirm=True,
        return_url="https://shop.example",
    )
    shop.post(
        "/v1/setup_intents",
        payment_method="pm_card_authenticationRequiredOnSetup",
        confirm=True,
        return_url="https://shop.example",
    )
    for kind, amount in (("payment", {"amount": 2000, "currency": "usd"}), ("setup", {})):
        method = shop.post(
            "/v1/payment_methods", type="us_bank_account", billing_details={"name": "Jenny"}, us_bank_account=bank
        )["id"]
        typed: dict[str, Any] = {
            "payment_method": method,
            "allowed_payment_method_types": ["us_bank_account"],
            **amount,
        }
        shop.post(f"/v1/{kind}_intents", mandate_data=accepted, confirm=True, customer=customer, **typed)
    transfer = {"customer_balance": {"funding_type": "bank_transfer", "bank_transfer": {"type": "jp_bank_transfer"}}}
    promised: dict[str, Any] = {
        "allowed_payment_method_types": ["customer_balance"],
        "payment_method_data": {"type": "customer_balance"},
    }
    shop.post(
        "/v1/payment_intents",
        amount=20_000,
        currency="jpy",
        customer=customer,
        confirm=True,
        payment_method_options=transfer,
        **promised,
    )
    shop.post("/v1/sources", type="bancontact", amount=1000, currency="eur", owner={"name": "Jenny"},
              redirect={"return_url": "https://shop.example"})  # fmt: skip
    sepa: Any = {"type": "sepa_debit", "sepa_debit": {"iban": "AT611904300234573201"},
                 "billing_details": {"name": "Jenny", "email": "jenny@example.com"}}  # fmt: skip
    debit = shop.post(
        "/v1/payment_intents",
        amount=1500,
        currency="eur",
        allowed_payment_method_types=["sepa_debit"],
        payment_method_data=sepa,
        mandate_data=accepted,
        confirm=True,
        expand=["latest_charge"],
    )
    shop.get(f"/v1/mandates/{debit['latest_charge']['payment_method_details']['sepa_debit']['mandate']}")

    asking = {
        "phone_number_collection": {"enabled": True},
        "billing_address_collection": "required",
        "allow_promotion_codes": True,
        "consent_collection": {"terms_of_service": "required"},
    }
    shop.post("/v1/checkout/sessions", mode="payment", line_items=[{"price": once, "quantity": 2}], **asking, **urls)
    late = shop.post("/v1/checkout/sessions", mode="subscription", line_items=[{"price": price, "quantity": 1}],
                     after_expiration={"recovery": {"enabled": True}}, **urls)  # fmt: skip
    shop.post(f"/v1/checkout/sessions/{late['id']}/expire")
    shop.post("/v1/payment_links", line_items=[{"price": once, "quantity": 1}])
    shop.post("/v1/invoiceitems", customer=customer, amount=700, currency="usd")
    invoice = shop.post("/v1/invoices", customer=customer, collection_method="send_invoice", days_until_due=30)["id"]
    shop.post(f"/v1/invoices/{invoice}/finalize")
    card = shop.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    shop.post("/v1/subscriptions", customer=customer, items=[{"price": price}], default_payment_method=card)
    features = {
        "subscription_cancel": {"enabled": True},
        "customer_update": {"enabled": True, "allowed_updates": ["email", "address"]},
        "payment_method_update": {"enabled": True},
        "invoice_history": {"enabled": True},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price", "quantity"],
            "products": [{"product": product, "prices": [price]}],
        },
    }
    configuration = shop.post("/v1/billing_portal/configurations", features=features)["id"]
    shop.post(
        "/v1/billing_portal/sessions", customer=customer, configuration=configuration, return_url="https://shop.example"
    )
    shop.post("/v1/identity/verification_sessions", type="document")
    connected = shop.post(
        "/v1/accounts",
        type="express",
        country="US",
        capabilities={"transfers": {"requested": True}, "card_payments": {"requested": True}},
    )["id"]
    shop.post("/v1/account_links", account=connected, type="account_onboarding", refresh_url="https://shop.example/again",
              return_url="https://shop.example")  # fmt: skip


def test_axe_finds_nothing_wrong_with_a_public_page(
    shared_server: Running, chromium: Browser, screenshots: Path
) -> None:
    with Shop(shared_server) as shop:
        fill(shop)
    visitor = Person(chromium, screenshots)
    wrong, seen = [], set()
    for kind, _ in crawl(visitor.page, shop.addresses, kind_of):
        seen.add(kind)
        wrong += [f"{kind}: {one}" for one in violations(visitor.page)]
        visitor.keep("public-" + re.sub(r"\W+", "-", kind).strip("-"))
    assert wrong == []
    assert set(PUBLIC) - NO_PAGE - AFTERWARDS - seen == set()
