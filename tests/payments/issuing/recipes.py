"""How tests make the objects of ``payments.issuing`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.recipes import META, Body, Json, Maker


def _issued(m: Maker) -> Json:
    """A card that is issued and may spend."""
    m.post("/v1/test_helpers/issuing/fund_balance", amount=100_000, currency="usd")
    return m.post("/v1/issuing/cards", **m.body("POST /v1/issuing/cards"))


def _physical(m: Maker) -> list[str]:
    """A card that has to be sent."""
    address = {"line1": "1 Main Street", "city": "Colma", "state": "CA", "postal_code": "94111", "country": "US"}
    body = {**m.body("POST /v1/issuing/cards"), "type": "physical", "shipping": {"name": "Jo Li", "address": address}}
    return [m.post("/v1/issuing/cards", **body)["id"]]


def _authorized(m: Maker, **more: Any) -> Json:
    return m.post("/v1/test_helpers/issuing/authorizations", card=_issued(m)["id"], amount=500, **more)


def _asked(m: Maker) -> str:
    """An authorization that waits for its answer."""
    path = f"/v1/issuing/cards/{_issued(m)['id']}/test/authorizations"
    found: str = m.post(path, **m.body("POST /v1/issuing/cards/{}/test/authorizations"))["id"]
    return found


def _issuing_dispute(m: Maker) -> Json:
    spent = m.make("issuing.transaction")["id"]
    evidence = {"reason": "fraudulent", "fraudulent": {"explanation": "Stolen"}}
    return m.post("/v1/issuing/disputes", transaction=spent, evidence=evidence)


def _submitted(m: Maker) -> None:
    m.post(f"/v1/issuing/disputes/{m.make('issuing.dispute')['id']}/submit")


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "issuing.authorization": _authorized,
    "issuing.card": _issued,
    "issuing.dispute": _issuing_dispute,
    "issuing.transaction": lambda m: m.post(
        "/v1/test_helpers/issuing/transactions/create_force_capture", card=_issued(m)["id"], amount=500, currency="usd"
    ),
}


BODIES: dict[str, Body] = {
    "POST /v1/issuing/authorizations/{}": META,
    "POST /v1/issuing/cardholders": {
        "name": "Jenny Rosen", "type": "individual", "email": "jenny@example.com", "phone_number": "+18008675309",
        "individual": {"first_name": "Jenny", "last_name": "Rosen", "dob": {"day": 1, "month": 11, "year": 1981},
                       "card_issuing": {"user_terms_acceptance": {"date": 1_767_225_000, "ip": "8.8.8.8"}}},
        "billing": {"address": {"line1": "1 Main Street", "city": "Colma", "state": "CA", "postal_code": "94111",
        "country": "US"}}},
    "POST /v1/issuing/cardholders/{}": META,
    "POST /v1/issuing/cards": lambda m: {
        "cardholder": m.id("issuing.cardholder"), "currency": "usd", "type": "virtual", "status": "active"},
    "POST /v1/issuing/cards/{}": META,
    "POST /v1/issuing/disputes": lambda m: {
        "transaction": m.make("issuing.transaction")["id"],
        "evidence": {"reason": "fraudulent", "fraudulent": {"explanation": "Stolen"}}},
    "POST /v1/issuing/disputes/{}": META,
    "POST /v1/issuing/transactions/{}": META,
    "POST /v1/issuing/cards/{}/test/authorizations": {"held_amount": 100, "authorization_method": "online"},
    "POST /v1/test_helpers/issuing/authorizations": lambda m: {"card": _issued(m)["id"], "amount": 500},
    "POST /v1/test_helpers/issuing/authorizations/{}/increment": {"increment_amount": 100},
    "POST /v1/test_helpers/issuing/authorizations/{}/finalize_amount": {"final_amount": 400},
    "POST /v1/test_helpers/issuing/fund_balance": {"amount": 1000, "currency": "usd"},
    "POST /v1/test_helpers/issuing/transactions/create_force_capture": lambda m: {
        "card": _issued(m)["id"], "amount": 500, "currency": "usd"},
    "POST /v1/test_helpers/issuing/transactions/create_unlinked_refund": lambda m: {
        "card": _issued(m)["id"], "amount": 500, "currency": "usd"},
}  # fmt: skip


PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "POST /v1/issuing/authorizations/{}/approve": lambda m: [_asked(m)],
    "POST /v1/issuing/authorizations/{}/decline": lambda m: [_asked(m)],
    **{
        f"POST /v1/test_helpers/issuing/cards/{{}}/shipping/{name}": _physical
        for name in ("submit", "ship", "deliver", "return", "fail")
    },
}


DUE: dict[str, Callable[[Maker], object]] = {
    "issuing_dispute": _submitted,
    "issuing_request": _asked,
}
