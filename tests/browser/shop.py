"""A shop with something of everything that has a page: made through the API of a running server."""

from __future__ import annotations

from typing import Any

import httpx

from tests.browser.conftest import Running
from tests.support.api import form

_BILLING = {"name": "Jenny Rosen", "email": "jenny@example.com"}


class Shop:
    """The API with a test key. addresses: of every page for people without an account that an answer named.

    shown: paths of pages of the Dashboard that are worth a look.
    """

    def __init__(self, server: Running) -> None:
        self._client = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.key}"}, timeout=30)
        self._url = server.url.replace("localhost", "127.0.0.1")
        self.addresses: list[str] = []
        self.shown: list[str] = []

    def __enter__(self) -> Shop:
        return self

    def __exit__(self, *problem: object) -> None:
        self._client.close()

    def post(self, path: str, **params: Any) -> dict[str, Any]:
        return self._said(self._client.post(path, data=dict(form(params))))

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        return self._said(self._client.get(path, params=form(params)))

    def _said(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        self._remember(said)
        return said

    def _remember(self, value: Any) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                self._remember(inner)
        elif isinstance(value, list):
            for inner in value:
                self._remember(inner)
        elif isinstance(value, str) and value.startswith(self._url) and value not in self.addresses:
            self.addresses.append(value)


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
