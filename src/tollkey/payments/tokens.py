"""Tokens: card, bank or personal data, exchanged for something that may be passed around, once.

created ──used──▶ used
"""

from __future__ import annotations

from typing import Any

from tollkey.keys import Permission
from tollkey.payments._instruments import resolve_payment_method
from tollkey.payments._sourcing import inline_bank, inline_card
from tollkey.wire import ApiError, Call, Change, Endpoint, Json, Params, Resource, blank, invalid, missing_object, public, records

PERMISSION = Permission("token", "Tokens", "Core")
#: What can be made a token of: parameter -> the id's prefix and the token's type.
_KINDS = {
    "card": ("tok", "card"),
    "bank_account": ("btok", "bank_account"),
    "pii": ("pii", "pii"),
    "account": ("ct", "account"),
    "person": ("cpt", "person"),
    "cvc_update": ("cvctok", "cvc_update"),
}
_NOTHING = "You must supply either a card, customer, PII data, bank account, account or person to create a token."


def create(call: Call, params: Params) -> Json:
    """Create a token of card, bank, account, person or other personal data. A publishable key may."""
    given = [name for name in _KINDS if params.get(name)]
    if not given and params.get("customer"):
        return _of_customer(call, params["customer"])
    if not given:
        raise invalid(_NOTHING)
    if len(given) > 1:
        raise invalid(f"You may only specify one of these parameters: {', '.join(given)}.", None, "parameters_exclusive")
    name = given[0]
    if name in ("card", "bank_account"):
        inner = _instrument(call, name, params)
        return _store(call, name, inner)
    return _store(call, name, None, {f"_{name}": params[name]})


def _instrument(call: Call, name: str, params: Params) -> Json:
    """The card or bank account inside: of data, or of one that the (platform's) customer has saved."""
    data = params[name]
    if isinstance(data, str):
        home = call.within(call.platform) if params.get("customer") else call
        saved = resolve_payment_method(home, data, name)
        return {**saved, "id": call.ids.new("card" if name == "card" else "ba")}
    if name == "bank_account":
        return inline_bank(call, data)
    currency = data.get("currency")
    more: dict[str, Any] = {"currency": str(currency).lower()} if currency else {}
    return inline_card(call, data, "card", **more)


def _of_customer(call: Call, customer: str) -> Json:
    """A token of a platform's customer's default card, for use on the connected account."""
    home = call.within(call.platform)
    found = home.objects.get("customer", customer, "customer")
    if not found.get("default_source"):
        raise invalid(f"Customer {customer} does not have a source to make a token of.", "customer", "missing")
    saved = resolve_payment_method(home, found["default_source"], "customer")
    return _store(call, "card", {**saved, "id": call.ids.new("card")})


def _store(call: Call, name: str, inner: Json | None, private: Json | None = None) -> Json:
    prefix, type = _KINDS[name]
    token = blank(
        "token", id=call.ids.new(prefix), client_ip=call.origin.ip, created=call.now, livemode=call.livemode, type=type, used=False
    )
    if inner is not None:
        token[name] = public(inner)
        token.update({field: value for field, value in inner.items() if field.startswith("_") and field != "_created"})
    token.update(private or {})
    return call.objects.insert(token)


def retrieve_token(call: Call, params: Params) -> Json:
    """Retrieve a token. One that is not there is a 400, as if a parameter had named it (reference section 2.2)."""
    found = call.objects.find("token", call.path["token"])
    if found is None:
        raise _missing(call)
    return found


def _missing(call: Call) -> ApiError:
    return missing_object("token", call.path["token"], "token", in_path=False)


def client_view(call: Call, value: Json) -> Json:
    """What a publishable key sees: no fingerprints."""
    for name in ("card", "bank_account"):
        if isinstance(value.get(name), dict):
            value[name] = {field: inner for field, inner in value[name].items() if field != "fingerprint"}
    return value


def _customer(call: Call, token: Json) -> None:
    """Before 2015-02-18 a token's card named its customer, which it has not (recorded)."""
    if token.get("card"):
        token["card"]["customer"] = None


TOKEN = Resource(
    object="token",
    prefix="tok",
    prefixes=("btok", "ct", "cpt", "cvctok", "pii"),
    permission=PERMISSION,
    live=records(),
    path_param="token",
    endpoints=(
        Endpoint("POST", "/v1/tokens", create, publishable=True),
        Endpoint("GET", "/v1/tokens/{token}", retrieve_token, raw=True, publishable=True),
    ),
    client_view=client_view,
    changes=(Change("2015-02-18", _customer),),
)
