"""Sources, and the cards and bank accounts that customers have saved (the older way to keep what one pays with).

source    chargeable ──charge──▶ consumed (single use)           (flow ``none``: cards, debits)
          pending ──customer authorizes or pays──▶ chargeable │ failed │ canceled   (``redirect``, ``receiver``)
bank account   new ──verify──▶ verified │ verification_failed
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence

from tollkey.keys import Permission
from tollkey.payments import _banks, _src
from tollkey.payments._common import merge_metadata
from tollkey.payments._providers import SETUPS, SOURCES
from tollkey.payments._sourcing import add_source, remove_source, source_of, sources_of
from tollkey.payments.customers import PERMISSION as CUSTOMER
from tollkey.wire import Call, Endpoint, Json, P, Page, Params, Resource, invalid, missing_object, missing_param, needs, of_list, records

PERMISSION = Permission("source", "Sources", "Core")
_ATTEMPTS = 10
_CARD_FIELDS = (
    "address_city",
    "address_country",
    "address_line1",
    "address_line2",
    "address_state",
    "address_zip",
    "exp_month",
    "exp_year",
    "name",
)
_BANK_FIELDS = ("account_holder_name", "account_holder_type")


def _customer(call: Call) -> Json:
    return call.objects.get("customer", call.path["customer"])


def add(call: Call, params: Params) -> Json:
    """Save a token, a source or data to a customer."""
    customer = _customer(call)
    for name in ("source", "card", "bank_account"):
        if params.get(name):
            return add_source(call, customer, params[name], name, params.get("metadata"))
    raise missing_param("source")


def list_sources(call: Call, params: Params) -> Page:
    """List what a customer has saved; ``object`` chooses cards or bank accounts."""
    customer = _customer(call)["id"]
    wanted = params.get("object")
    kind = wanted if wanted in ("card", "bank_account", "source") else None
    return of_list(sources_of(call, customer, kind), f"/v1/customers/{customer}/sources", params)


def list_cards(call: Call, params: Params) -> Page:
    """List a customer's cards."""
    customer = _customer(call)["id"]
    return of_list(sources_of(call, customer, "card"), f"/v1/customers/{customer}/cards", params)


def list_bank_accounts(call: Call, params: Params) -> Page:
    """List a customer's bank accounts."""
    customer = _customer(call)["id"]
    return of_list(sources_of(call, customer, "bank_account"), f"/v1/customers/{customer}/bank_accounts", params)


def retrieve_one(call: Call, params: Params) -> Json:
    """Retrieve one thing that a customer has saved."""
    return source_of(call, _customer(call)["id"], call.path["id"])


def update(call: Call, params: Params) -> Json:
    """Change name, address, expiry or metadata of a saved card or bank account."""
    value = source_of(call, _customer(call)["id"], call.path["id"])
    merge_metadata(value, params)
    names: Sequence[str] = _BANK_FIELDS if value["object"] == "bank_account" else _CARD_FIELDS if value["object"] == "card" else ()
    value.update({name: params[name] for name in names if name in params})
    if value["object"] == "source":
        _src.set_owner(value, params)
    return call.objects.save(value, "customer.source.updated")


def remove(call: Call, params: Params) -> Json:
    """Delete a saved card or bank account; a source is detached and cannot be used any more."""
    customer = _customer(call)
    return remove_source(call, customer, source_of(call, customer["id"], call.path["id"]))


def verify(call: Call, params: Params) -> Json:
    """Verify a bank account by its two deposits: 32 and 45 in test mode."""
    value = source_of(call, _customer(call)["id"], call.path["id"])
    if value["object"] != "bank_account":
        raise invalid("Only bank accounts can be verified.", None, retry=False)
    if value["status"] == "verified":
        raise invalid("This bank account has already been verified.", None, retry=False)
    amounts = tuple(int(amount) for amount in params.get("amounts") or ())
    if len(amounts) != 2:
        raise missing_param("amounts")
    if sorted(amounts) == sorted(_banks.VERIFIED_AMOUNTS):
        value["status"] = "verified"
        return call.objects.save(value, "customer.source.updated")
    value["_attempts"] = value.get("_attempts", 0) + 1
    if value["_attempts"] >= _ATTEMPTS or sorted(amounts) == sorted(_banks.ATTEMPTS_EXCEEDED_AMOUNTS):
        value["status"] = "verification_failed"
    call.objects.save(value, "customer.source.updated")
    message = "The amounts provided do not match the amounts that were sent to the bank account."
    raise invalid(message, None, "bank_account_verification_failed", keep=True, retry=False)


# -- sources on their own


def create(call: Call, params: Params) -> Json:
    """Create a source. A publishable key may."""
    return _src.create(call, params)


def retrieve_source(call: Call, params: Params) -> Json:
    """Retrieve a source; a publishable key shows its ``client_secret``. One that is not there is a 400 (section 2.2)."""
    source = call.objects.find("source", call.path["source"])
    if source is None:
        raise missing_object("source", call.path["source"], "source", in_path=False)
    if call.client and not hmac.compare_digest(str(params.get("client_secret")).encode(), str(source["client_secret"]).encode()):
        raise invalid("The client_secret provided does not match the client_secret associated with the Source.", "client_secret")
    return source


def update_source(call: Call, params: Params) -> Json:
    """Change a source's owner, mandate or metadata."""
    source = call.objects.get("source", call.path["source"])
    merge_metadata(source, params)
    _src.set_owner(source, params)
    if params.get("amount") and source["status"] == "pending":
        source["amount"] = params["amount"]
    return call.objects.save(source, "source.updated")


def transactions(call: Call, params: Params) -> Page:
    """List what has been paid into a receiver source."""
    source = call.objects.get("source", call.path["source"])
    return of_list(list(source.get("_transactions") or []), f"/v1/sources/{source['id']}/source_transactions", params)


def _saved(path: str, listing: Callable[[Call, Params], Page]) -> tuple[Endpoint, ...]:
    """The endpoints under one of the three names that a customer's sources have had."""
    one = path + "/{id}"
    return (
        Endpoint("GET", path, listing, permission=CUSTOMER, ephemeral=True),
        Endpoint("POST", path, add, permission=CUSTOMER, ephemeral=True),
        Endpoint("GET", one, retrieve_one, permission=CUSTOMER, ephemeral=True),
        Endpoint("POST", one, update, permission=CUSTOMER),
        Endpoint("DELETE", one, remove, permission=CUSTOMER, ephemeral=True),
    )


SOURCE = Resource(
    object="source",
    prefix="src",
    permission=PERMISSION,
    reveals={"client_secret": "read", "redirect.url": "read"},
    live=records(),
    indexed=("customer", "type"),
    path_param="source",
    endpoints=(
        Endpoint("POST", "/v1/sources", create, publishable=True, live=needs(SOURCES)),
        Endpoint("GET", "/v1/sources/{source}", retrieve_source, publishable=True),
        Endpoint("POST", "/v1/sources/{source}", update_source),
        Endpoint("POST", "/v1/sources/{source}/verify", update_source, live=needs(SOURCES)),
        Endpoint("GET", "/v1/sources/{source}/source_transactions", transactions),
        Endpoint("GET", "/source_redirect/{token}", _src.page, public=True, params=P.object(), live=needs(SOURCES)),
        Endpoint("POST", "/source_redirect/{token}/authorize", _src.authorize, public=True, params=P.object(), live=needs(SOURCES)),
        Endpoint("POST", "/source_redirect/{token}/fail", _src.refuse, public=True, params=P.object(), live=needs(SOURCES)),
    ),
    due_live={"source.expire": needs(SOURCES), "source.fill": needs(SOURCES)},
    on_due={"source.expire": _src.expire, "source.fill": _src.fill},
    title="Sources",
    columns=("type", "status", "amount", "id", "created"),
)

CARD = Resource(
    object="card",
    prefix="card",
    permission=PERMISSION,
    live=records(),
    indexed=("customer", "account"),
    label="source",
    endpoints=(
        *_saved("/v1/customers/{customer}/sources", list_sources),
        *_saved("/v1/customers/{customer}/cards", list_cards),
        Endpoint("POST", "/v1/customers/{customer}/sources/{id}/verify", verify, permission=CUSTOMER, live=needs(SETUPS)),
    ),
)

BANK_ACCOUNT = Resource(
    object="bank_account",
    prefix="ba",
    permission=PERMISSION,
    live=records(),
    indexed=("customer", "account"),
    label="source",
    endpoints=(
        *_saved("/v1/customers/{customer}/bank_accounts", list_bank_accounts),
        Endpoint("POST", "/v1/customers/{customer}/bank_accounts/{id}/verify", verify, permission=CUSTOMER, live=needs(SETUPS)),
    ),
)
