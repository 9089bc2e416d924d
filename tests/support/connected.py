"""A platform with a connected account that can receive money, for tests of what moves between them."""

from __future__ import annotations

from typing import Any

from tests.support.api import Answer, Api
from tollkey import ledger
from tollkey.db import Scope

#: Parameters of an account link.
LINK = {"type": "account_onboarding", "refresh_url": "https://p.example/f", "return_url": "https://p.example/r"}

BYPASS = "tok_bypassPending"


#: Who passes every check.
PERSON = {
    "first_name": "Jenny",
    "last_name": "Rosen",
    "email": "jenny@example.com",
    "phone": "0000000000",
    "dob": {"day": 1, "month": 1, "year": 1901},
    "address": {"line1": "address_full_match", "city": "San Francisco", "state": "CA", "postal_code": "94107"},
    "id_number": "000000000",
}


#: The same in Japan, where names and addresses are told in two scripts, and a document is asked for at once.
JAPANESE = {
    **{name: value for name, value in PERSON.items() if name not in ("address", "first_name", "last_name")},
    "first_name_kana": "ジェニー", "last_name_kana": "ローゼン", "first_name_kanji": "恵", "last_name_kanji": "薔薇",
    "address_kana": {"line1": "1-1", "postal_code": "100-0000"},
    "address_kanji": {"line1": "１−１"},
    "verification": {"document": {"front": "file_identity_document_success"}},
}  # fmt: skip
JAPANESE_BANK = {"object": "bank_account", "country": "JP", "currency": "jpy", "account_number": "000123456789"}
JAPANESE_PROFILE = {"url": "https://accessible.stripe.com", "product_description": "Tea"}


def everything(api: Api) -> dict[str, Any]:
    """What a custom account tells so that nothing is asked for any more."""
    return {
        "type": "custom",
        "country": "US",
        "business_type": "individual",
        "business_profile": {"url": "https://accessible.stripe.com"},
        "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
        "individual": PERSON,
        "external_account": "btok_us",
        "tos_acceptance": {"date": api.now, "ip": "203.0.113.12"},
    }


def connected(api: Api, **params: Any) -> Answer:
    """A connected account that has told everything and was checked; its money stays until it is paid out by hand."""
    manual = {"payouts": {"schedule": {"interval": "manual"}}}
    account = api.ok("post", "/v1/accounts", **{**everything(api), "settings": manual, **params})
    api.advance(10)
    return account


def in_state(api: Api, state: str) -> Answer:
    """An account whose capability ``transfers`` has a state, or that is rejected."""
    if state in ("unrequested", "inactive"):
        wanted = everything(api)["capabilities"] if state == "inactive" else {}
        return api.ok("post", "/v1/accounts", type="custom", country="US", capabilities=wanted)
    if state == "pending":
        return api.ok("post", "/v1/accounts", **everything(api))
    account = connected(api)
    if state == "rejected":
        return api.ok("post", f"/v1/accounts/{account['id']}/reject", reason="fraud_other")
    if state == "canceled":
        api.ok("post", f"/v1/accounts/{account['id']}/capabilities/transfers", requested=False)
    return account


def korean_recipient(api: Api) -> Answer:
    """A connected account in Korea under the recipient agreement: it receives transfers in won, and cannot charge."""
    bank = {"object": "bank_account", "country": "KR", "currency": "krw", "account_number": "000123456789"}
    bank["routing_number"] = "SGSEKRSLXXX"
    terms = {"date": api.now, "ip": "203.0.113.12", "service_agreement": "recipient"}
    wanted = {"transfers": {"requested": True}}
    given = {
        "capabilities": wanted,
        "tos_acceptance": terms,
        "external_account": bank,
    }
    return connected(api, country="KR", default_currency="krw", **given)


def acting(account: Answer) -> dict[str, str]:
    """The header with which a platform acts for a connected account."""
    return {"Stripe-Account": account["id"]}


def fund(api: Api, amount: int, account: Answer | None = None) -> Answer:
    """A charge whose money is available at once."""
    headers = acting(account) if account is not None else None
    return api.ok("post", "/v1/charges", amount=amount, currency="usd", source=BYPASS, headers=headers)


def available(api: Api, account: Answer | None = None, currency: str = "usd") -> int:
    """The available balance in one currency."""
    balance = api.get("/v1/balance", headers=acting(account) if account is not None else None)
    return next((line["amount"] for line in balance["available"] if line["currency"] == currency), 0)


def audit(api: Api, *accounts: Answer) -> None:
    """Assert that the books of the platform and of these accounts are sound and sum to zero."""
    for id in (api.account, *(account["id"] for account in accounts)):
        scope = Scope(id, False)
        assert api.core.database.read(lambda tx, scope=scope: ledger.audit(tx, scope)) == []
        for currency in ("usd", "eur", "cad", "krw"):
            assert (
                api.core.database.read(lambda tx, scope=scope, currency=currency: ledger.total(tx, scope, currency))
                == 0
            )
