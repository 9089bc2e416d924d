"""Steps that several tests of intents share."""

from __future__ import annotations

from typing import Any

from tests.support.api import Answer, Api

PAYMENT = {"amount": 2000, "currency": "usd", "allowed_payment_method_types": ["card"]}
BACK = "https://shop.example/done?order=7"


def pay(api: Api, method: str = "pm_card_visa", **params: Any) -> Answer:
    return api.post("/v1/payment_intents", **{**PAYMENT, "payment_method": method, "confirm": True, **params})


def saved_card(api: Api, method: str = "pm_card_visa", usage: str = "off_session") -> tuple[str, str]:
    """A customer, with a card saved through a SetupIntent; a challenge is passed."""
    customer = api.ok("POST", "/v1/customers")["id"]
    setup = api.ok(
        "POST",
        "/v1/setup_intents",
        customer=customer,
        payment_method=method,
        confirm=True,
        usage=usage,
        return_url=BACK,
    )
    if setup["status"] == "requires_action":
        challenge(api, setup, "complete")
    return customer, api.get(f"/v1/setup_intents/{setup['id']}")["payment_method"]


def challenge(api: Api, intent: Answer, answer: str = "") -> Answer:
    path = intent["next_action"]["redirect_to_url"]["url"].removeprefix(api.core.setup.base_url)
    return api.send("POST", f"{path}/{answer}", key=None) if answer else api.send("GET", path, key=None)


def types(api: Api) -> list[str]:
    return [event["type"] for event in api.events()]


SAVING = {"allowed_payment_method_types": ["card"]}


def setup(api: Api, method: str = "pm_card_visa", **params: object) -> Answer:
    return api.post("/v1/setup_intents", **{**SAVING, "payment_method": method, "confirm": True, **params})
