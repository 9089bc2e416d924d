"""Accounts: the merchant that a key belongs to, and the connected accounts of a platform.

An account's own object lives in its own scope; a connected account's in its platform's.
"""

from __future__ import annotations

from tollkey.keys import Permission
from tollkey.wire import Call, Endpoint, Json, Params, Resource, blank

PERMISSION = Permission("connected_account", "Accounts", "Connect")

_CURRENCY = {"US": "usd", "GB": "gbp", "CA": "cad", "AU": "aud", "JP": "jpy", "CH": "chf"}


def own_account(call: Call, *, name: str, email: str | None, country: str) -> Json:
    """The object of a merchant of this server, ready to charge in test mode."""
    return blank(
        "account",
        id=call.account,
        type="standard",
        business_profile=blank("account_business_profile", name=name),
        capabilities={"card_payments": "active", "transfers": "active"},
        charges_enabled=not call.livemode,
        payouts_enabled=not call.livemode,
        details_submitted=not call.livemode,
        country=country,
        default_currency=_CURRENCY.get(country, "eur"),
        email=email,
        created=call.now,
    )


def retrieve_own(call: Call, params: Params) -> Json:
    """Retrieve the account that the key belongs to, or that ``Stripe-Account`` names."""
    found = call.objects.find("account", call.account)
    return found if found is not None else call.within(call.platform).objects.get("account", call.account)


ACCOUNT = Resource(
    object="account",
    prefix="acct",
    permission=PERMISSION,
    endpoints=(Endpoint("GET", "/v1/account", retrieve_own),),
    title="Connected accounts",
    columns=("email", "id", "type", "created"),
)
