"""How tests make the objects of ``payments.methods`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.recipes import BANK, CARD, HOME, META, Body, CannotMake, Json, Maker, Visit


def attached_method(m: Maker) -> Json:
    made = m.post("/v1/payment_methods", type="card", card=CARD)
    return m.post(f"/v1/payment_methods/{made['id']}/attach", customer=m.post("/v1/customers")["id"])


def _removable(m: Maker) -> list[str]:
    """A saved card, with the customer session that allows an app to remove it."""
    method = attached_method(m)
    granted = {"payment_method_remove": "enabled", "payment_method_allow_redisplay_filters": ["unspecified"]}
    features = {"enabled": True, "features": granted}
    made = m.post("/v1/customer_sessions", customer=method["customer"], components={"customer_sheet": features})
    m.held["customer_session"] = made["client_secret"]
    return [method["id"]]


def _claiming(m: Maker) -> Json:
    return {"customer_session_client_secret": m.held.get("customer_session", "cuss_secret_1")}


def _customer_source(m: Maker, source: str) -> Json:
    customer = m.post("/v1/customers")["id"]
    return m.post(f"/v1/customers/{customer}/sources", source=source)


def card_token(m: Maker, number: str) -> str:
    found: str = m.post("/v1/tokens", card={**CARD, "number": number})["id"]
    return found


def _unverified(m: Maker) -> list[str]:
    token = m.post("/v1/tokens", bank_account=BANK)["id"]
    made = _customer_source(m, token)
    return [made["customer"], made["id"]]


def _mandate(m: Maker) -> Json:
    accepted = {"type": "online", "online": {"ip_address": "1.2.3.4", "user_agent": "x"}}
    done = m.post(
        "/v1/setup_intents", allowed_payment_method_types=["card"], payment_method="pm_card_visa", confirm=True,
        usage="off_session", mandate_data={"customer_acceptance": accepted},
    )  # fmt: skip
    if not done.get("mandate"):
        raise CannotMake("the setup intent has no mandate")
    return {"id": done["mandate"], "object": "mandate"}


def _ideal(m: Maker) -> Json:
    """A source that waits for its customer at a bank."""
    return m.post("/v1/sources", type="ideal", amount=2000, currency="eur", redirect={"return_url": HOME})


COLLECTIONS = {
    "/v1/customers/{}/sources": "card",
    "/v1/customers/{}/cards": "card",
    "/v1/customers/{}/bank_accounts": "bank_account",
    "/v1/customers/{}/payment_methods": "payment_method",
    "/v1/elements/payment_methods": "payment_method",
}


PARENT_FIELDS = {
    ("bank_account", "account"): "account",
}


def _redirected(m: Maker, card: Json) -> Visit:
    return Visit(_ideal(m)["id"], {})


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "bank_account": lambda m: _customer_source(m, "btok_us_verified"),
    "card": lambda m: _customer_source(m, "tok_visa"),
    "mandate": _mandate,
    "payment_method": attached_method,
}


BODIES: dict[str, Body] = {
    "POST /v1/apple_pay/domains": lambda m: {"domain_name": f"shop{m.next()}.example.com"},
    "POST /v1/customer_sessions": lambda m: {"customer": m.id("customer"),
    "components": {"pricing_table": {"enabled": True}}},
    "POST /v1/customers/{}/sources": {"source": "tok_visa"},
    "POST /v1/customers/{}/cards": {"source": "tok_visa"},
    "POST /v1/customers/{}/bank_accounts": {"source": "btok_us_verified"},
    "POST /v1/customers/{}/sources/{}": META,
    "POST /v1/customers/{}/cards/{}": META,
    "POST /v1/customers/{}/bank_accounts/{}": META,
    "POST /v1/customers/{}/sources/{}/verify": {"amounts": [32, 45]},
    "POST /v1/customers/{}/bank_accounts/{}/verify": {"amounts": [32, 45]},
    "GET /edge-internal/card-metadata": {"bin_prefix": "424242"},
    "POST /v1/elements/payment_methods/{}/detach": _claiming,
    "POST /v1/ephemeral_keys": lambda m: {"customer": m.id("customer")},
    "POST /v1/payment_method_configurations": {"name": "Mine"},
    "POST /v1/payment_method_configurations/{}": {"name": "Ours"},
    "POST /v1/payment_method_domains": lambda m: {"domain_name": f"shop{m.next()}.example.com"},
    "POST /v1/payment_method_domains/{}": {"enabled": False},
    "POST /v1/payment_methods": {"type": "card", "card": CARD},
    "POST /v1/payment_methods/{}": META,
    "POST /v1/payment_methods/{}/attach": lambda m: {"customer": m.id("customer")},
    "GET /v1/payment_methods": lambda m: {"customer": m.id("customer"), "type": "card"},
    "POST /v1/sources": {"type": "ach_credit_transfer", "currency": "usd", "owner": {"email": "jenny@example.com"}},
    "POST /v1/sources/{}": META,
    "POST /v1/sources/{}/verify": {"values": ["32", "45"]},
    "POST /v1/tokens": {"card": CARD},
}  # fmt: skip


PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "POST /v1/customers/{}/bank_accounts/{}/verify": lambda m: _unverified(m),
    "POST /v1/customers/{}/sources/{}/verify": lambda m: _unverified(m),
    "POST /v1/elements/payment_methods/{}/detach": _removable,
    "POST /v1/payment_methods/{}/attach": lambda m: [m.post("/v1/payment_methods", type="card", card=CARD)["id"]],
}


DUE: dict[str, Callable[[Maker], object]] = {
    "ephemeral_key.forget": lambda m: m.post("/v1/ephemeral_keys", customer=m.id("customer")),
    "source.expire": _ideal,
    "source.fill": lambda m: m.post(
        "/v1/sources", type="ach_credit_transfer", currency="usd", owner={"email": "amount_4242@example.com"}
    ),
}


VISITS: dict[str, tuple[Callable[[Maker, Json], Visit], ...]] = {
    "GET /source_redirect/{token}": (_redirected,),
    "POST /source_redirect/{token}/authorize": (_redirected,),
    "POST /source_redirect/{token}/fail": (_redirected,),
}
