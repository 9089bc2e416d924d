"""Steps that several tests of methods share."""

from __future__ import annotations

from typing import Any

from tests.support.api import Answer, Api
from tests.support.recipes import CARD

ADDRESS = {"line1": "1 Main Street", "city": "Dublin", "country": "IE"}


class Victim:
    """A customer with a saved payment method, a saved card of the old kind, and a source."""

    def __init__(self, api: Api) -> None:
        billing = {"email": "victim@example.com", "name": "Vera Victim", "address": ADDRESS}
        self.customer = api.ok("POST", "/v1/customers", email="victim@example.com")["id"]
        method = api.ok("POST", "/v1/payment_methods", type="card", card=CARD, billing_details=billing)["id"]
        self.method = api.ok("POST", f"/v1/payment_methods/{method}/attach", customer=self.customer)["id"]
        self.card = api.ok("POST", f"/v1/customers/{self.customer}/sources", source="tok_visa")["id"]
        source = api.ok("POST", "/v1/sources", type="card", token="tok_mastercard", owner=billing)["id"]
        self.source = api.ok("POST", f"/v1/customers/{self.customer}/sources", source=source)["id"]

    def clones(self) -> list[tuple[str, dict[str, Any]]]:
        """Every request that would copy, or show, what the customer pays with."""
        mine = {"customer": self.customer}
        return [
            ("/v1/payment_methods", {**mine, "payment_method": self.method}),
            ("/v1/payment_methods", {"payment_method": self.method}),
            ("/v1/tokens", mine),
            ("/v1/tokens", {**mine, "card": self.card}),
            ("/v1/tokens", {"card": self.card}),
            ("/v1/tokens", {"bank_account": self.card}),
            ("/v1/tokens", {**mine, "bank_account": {"payment_method": self.method}}),
            ("/v1/sources", {"original_source": self.source}),
            ("/v1/sources", {**mine, "original_source": self.source}),
            ("/v1/sources", {**mine, "original_source": self.card, "usage": "reusable"}),
            ("/v1/sources", {
                "type": "three_d_secure", "amount": 100, "currency": "usd", "three_d_secure": {"card": self.card},
                "redirect": {"return_url": "https://example.com"},
            }),
            ("/v1/confirmation_tokens", {"payment_method": self.method}),
        ]  # fmt: skip

    def shown_in(self, answer: Answer) -> bool:
        """Whether an answer holds anything of the customer's."""
        return any(text.encode() in answer.body for text in ("victim@", "Vera", "Main Street", "last4"))


def card_intent(api: Api, **more: Any) -> Answer:
    return api.ok(
        "POST", "/v1/payment_intents", amount=500, currency="usd", allowed_payment_method_types=["card"], **more
    )
