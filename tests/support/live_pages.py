"""How each page that needs no key is called so that, were live mode to pretend, something would become true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.support import recipes
from tests.support.recipes import Maker

Json = dict[str, Any]
RETURN = "https://example.com/back"


class Visit(NamedTuple):
    """id: of the object that the page is about. params: what its form sends."""

    id: str
    params: Json


def _challenged(m: Maker, what: str) -> str:
    found: str = m.post(
        f"/v1/{what}", payment_method_types=["card"], payment_method="pm_card_authenticationRequired", confirm=True,
        return_url=RETURN,
        **({"amount": 2000, "currency": "usd"} if what == "payment_intents" else {}),
    )["id"]  # fmt: skip
    return found


def _subscribed(m: Maker) -> tuple[Json, str, str]:
    """A customer's subscription, the portal session in which it can be changed, and a price it can change to."""
    subscription = recipes.MAKERS["subscription"](m)
    dear = m.post(
        "/v1/prices", currency="usd", unit_amount=9000, recurring={"interval": "month"}, product_data={"name": "Dear"}
    )
    features = {
        "subscription_update": {
            "enabled": True, "default_allowed_updates": ["price"], "proration_behavior": "always_invoice",
            "products": [{"product": dear["product"], "prices": [dear["id"]]}]},
        "subscription_cancel": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "customer_update": {"enabled": True, "allowed_updates": ["name", "tax_id"]},
    }  # fmt: skip
    made = m.post("/v1/billing_portal/configurations", features=features)
    session = m.post(
        "/v1/billing_portal/sessions", customer=subscription["customer"], configuration=made["id"], return_url=RETURN
    )
    return subscription, session["id"], dear["id"]


def _portal(**params: Any) -> Callable[[Maker, Json], Visit]:
    def visit(m: Maker, card: Json) -> Visit:
        subscription, session, dear = _subscribed(m)
        known = {
            "subscription": subscription["id"],
            "price": dear,
            "payment_method": _own_method(m, subscription["customer"]),
        }
        return Visit(session, {name: known.get(value, value) for name, value in params.items()})

    return visit


def _own_method(m: Maker, customer: str) -> str:
    found: str = m.get(f"/v1/customers/{customer}/payment_methods")["data"][0]["id"]
    return found


def _checkout(**more: Any) -> Callable[[Maker, Json], Visit]:
    def visit(m: Maker, card: Json) -> Visit:
        given = {"mode": "payment", "success_url": RETURN, **more}
        if given["mode"] == "payment":
            given["line_items"] = [{"price": m.make("price")["id"], "quantity": 1}]
        else:
            given |= {"currency": "usd", "payment_method_types": ["card"]}
        session = m.post("/v1/checkout/sessions", **given)["id"]
        typed = {
            "email": "jenny@example.com",
            "name": "Jenny",
            "number": card["number"],
            "expiry": "12 / 34",
            "cvc": "123",
        }
        return Visit(session, {**typed, "country": "US", "postal_code": "94111"})

    return visit


def _source(m: Maker, card: Json) -> Visit:
    return Visit(
        m.post("/v1/sources", type="ideal", amount=2000, currency="eur", redirect={"return_url": RETURN})["id"], {}
    )


def _of(object: str, **params: Any) -> Callable[[Maker, Json], Visit]:
    return lambda m, card: Visit(m.make(object)["id"], params)


_DEPOSIT = {"descriptor_code": "SM11AA"}

#: Path of a page -> the visits that are made to it.
VISITS: dict[str, tuple[Callable[[Maker, Json], Visit], ...]] = {
    "GET /3ds/{token}": (lambda m, card: Visit(_challenged(m, "payment_intents"), {}),),
    "POST /3ds/{token}/complete": (lambda m, card: Visit(_challenged(m, "payment_intents"), {}),),
    "POST /3ds/{token}/fail": (lambda m, card: Visit(_challenged(m, "payment_intents"), {}),),
    "GET /3ds-setup/{token}": (lambda m, card: Visit(_challenged(m, "setup_intents"), {}),),
    "POST /3ds-setup/{token}/complete": (lambda m, card: Visit(_challenged(m, "setup_intents"), {}),),
    "POST /3ds-setup/{token}/fail": (lambda m, card: Visit(_challenged(m, "setup_intents"), {}),),
    "GET /bank-transfer/{token}": (_of("payment_intent"),),
    "GET /microdeposit/{token}": (lambda m, card: Visit(recipes.microdeposit(m, "payment"), {}),),
    "POST /microdeposit/{token}/verify": (lambda m, card: Visit(recipes.microdeposit(m, "payment"), _DEPOSIT),),
    "GET /microdeposit-setup/{token}": (lambda m, card: Visit(recipes.microdeposit(m, "setup"), {}),),
    "POST /microdeposit-setup/{token}/verify": (lambda m, card: Visit(recipes.microdeposit(m, "setup"), _DEPOSIT),),
    "GET /source_redirect/{token}": (_source,),
    "POST /source_redirect/{token}/authorize": (_source,),
    "POST /source_redirect/{token}/fail": (_source,),
    "GET /verify/{token}": (_of("identity.verification_session"),),
    "POST /verify/{token}": (_of("identity.verification_session", outcome="verified"),),
    "GET /connect/onboarding/{token}": (_of("account"),),
    "POST /connect/onboarding/{token}/submit": (_of("account"),),
    "POST /i/{token}/pay": (lambda m, card: Visit(recipes.open_invoice(m)["id"], card),),
    "POST /pay/{token}": (_checkout(), _checkout(mode="setup")),
    "POST /pay/{token}/address": (_checkout(),),
    "POST /pay/{token}/promotion": (_checkout(),),
    "POST /pay/{token}/order": (_checkout(),),
    "POST /recover/{token}": (_checkout(after_expiration={"recovery": {"enabled": True}}),),
    "POST /buy/{token}": (_of("payment_link"),),
    "POST /portal/{token}/cancel": (_portal(subscription="subscription"),),
    "POST /portal/{token}/stay": (_portal(),),
    "POST /portal/{token}/review": (_portal(subscription="subscription", price="price", quantity="1"),),
    "POST /portal/{token}/update": (_portal(subscription="subscription", price="price", quantity="1"),),
    "POST /portal/{token}/details": (_portal(name="Jenny Rosen", tax_id="eu_vat DE123456789"),),
    "POST /portal/{token}/keep": (_portal(subscription="subscription"),),
    "POST /portal/{token}/add": (_portal(),),
    "POST /portal/{token}/use": (_portal(payment_method="payment_method"),),
}
