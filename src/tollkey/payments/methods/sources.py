"""Sources, and legacy cards and bank accounts saved to customers.

source    chargeable ──charge──▶ consumed (single use)           (flow ``none``: cards, debits)
          pending ──customer authorizes or pays──▶ chargeable │ failed │ canceled   (``redirect``, ``receiver``)
bank account   new ──verify──▶ verified │ verification_failed
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tollkey.payments.methods import jobs, kinds, source_flows, source_limits, source_pages
from tollkey.payments.methods.copying import shared_from
from tollkey.payments.methods.customer_sources import add_source, given_source, remove_source, source_of, sources_of
from tollkey.payments.methods.new_cards import changed_expiry
from tollkey.payments.processors import banks
from tollkey.payments.processors import states as bank_accounts
from tollkey.payments.shared import client_access, fields, permissions, providers
from tollkey.wire import Call, Endpoint, P, Page, Resource, invalid
from tollkey.wire.access import Access, publishable_access
from tollkey.wire.errors import exclusive, missing_object, missing_param
from tollkey.wire.live import needs, records
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import page_of_list
from tollkey.wire.resource import Handler

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import SavedSource, StoredBankAccount, StoredSource
    from tollkey.wire import api, operations

_ATTEMPTS = 10
_CARD_FIELDS = (
    "address_city",
    "address_country",
    "address_line1",
    "address_line2",
    "address_state",
    "address_zip",
    "name",
)
_BANK_FIELDS = ("account_holder_name", "account_holder_type")
#: What a shared source takes besides the source that it copies.
_SHARED = ("original_source", "customer", "expand", "metadata", "owner", "usage")
#: What can be changed besides ``metadata``, by type of object.
_CHANGES = {"card": (*_CARD_FIELDS, "exp_month", "exp_year"), "bank_account": _BANK_FIELDS, "source": ("owner",)}


def _customer(call: Call) -> api.Customer:
    return call.objects.get(kinds.CUSTOMER, call.path["customer"])


def add(
    call: Call,
    params: operations.PostCustomersCustomerSources
    | operations.PostCustomersCustomerCards
    | operations.PostCustomersCustomerBankAccounts,
) -> SavedSource:
    """Save a token, a source, or card or bank account data to a customer."""
    customer = _customer(call)
    given, name = given_source(params)
    if given is None:
        raise missing_param("source")
    return add_source(call, customer, given, name, params.get("metadata"))


def list_sources(call: Call, params: operations.GetCustomersCustomerSources) -> Page:
    """List a customer's saved sources; ``object`` selects cards or bank accounts."""
    customer = _customer(call)["id"]
    wanted = params.get("object")
    kind = wanted if wanted in ("card", "bank_account", "source") else None
    return page_of_list(sources_of(call, customer, kind), f"/v1/customers/{customer}/sources", params)


def list_cards(call: Call, params: operations.GetCustomersCustomerCards) -> Page:
    """List a customer's cards."""
    customer = _customer(call)["id"]
    return page_of_list(sources_of(call, customer, "card"), f"/v1/customers/{customer}/cards", params)


def list_bank_accounts(call: Call, params: operations.GetCustomersCustomerBankAccounts) -> Page:
    """List a customer's bank accounts."""
    customer = _customer(call)["id"]
    return page_of_list(sources_of(call, customer, "bank_account"), f"/v1/customers/{customer}/bank_accounts", params)


def retrieve_one(
    call: Call,
    params: operations.GetCustomersCustomerSourcesId
    | operations.GetCustomersCustomerCardsId
    | operations.GetCustomersCustomerBankAccountsId,
) -> SavedSource:
    """Retrieve a saved source of a customer."""
    return source_of(call, _customer(call)["id"], call.path["id"])


def update(
    call: Call,
    params: operations.PostCustomersCustomerSourcesId
    | operations.PostCustomersCustomerCardsId
    | operations.PostCustomersCustomerBankAccountsId,
) -> SavedSource:
    """Change name, address, expiry, owner or metadata of what a customer has saved.

    Raises ApiError 400 for a parameter of another type of source, and 402 for an invalid expiry.
    """
    value = source_of(call, _customer(call)["id"], call.path["id"])
    for name in params:
        if name not in ("metadata", *_CHANGES[value["object"]]):
            raise invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")
    fields.merge_metadata(value, params)
    if kinds.is_source(value):
        source_flows.set_owner(value, params.get("owner"))
    else:
        fields.assign(value, params, _CARD_FIELDS if kinds.is_card(value) else _BANK_FIELDS)
    if kinds.is_card(value) and ("exp_month" in params or "exp_year" in params):
        value["exp_month"], value["exp_year"] = changed_expiry(
            call, params.get("exp_month", value["exp_month"]), params.get("exp_year", value["exp_year"])
        )
    return call.objects.save(value, "customer.source.updated")


def remove(
    call: Call,
    params: operations.DeleteCustomersCustomerSourcesId
    | operations.DeleteCustomersCustomerCardsId
    | operations.DeleteCustomersCustomerBankAccountsId,
) -> SavedSource | Deleted:
    """Delete a saved card or bank account; a source is detached and becomes unusable."""
    customer = _customer(call)
    return remove_source(call, customer, source_of(call, customer["id"], call.path["id"]))


def verify(
    call: Call,
    params: operations.PostCustomersCustomerSourcesIdVerify | operations.PostCustomersCustomerBankAccountsIdVerify,
) -> StoredBankAccount:
    """Verify a bank account with the amounts of two micro-deposits: 32 and 45 in test mode."""
    value = source_of(call, _customer(call)["id"], call.path["id"])
    if not kinds.is_bank_account(value):
        raise invalid("Only bank accounts can be verified.", None, retry=False)
    if value["status"] == "verified":
        raise invalid("This bank account has already been verified.", None, retry=False)
    if value["status"] == "verification_failed":
        message = "You have exceeded the number of allowed verification attempts."
        raise invalid(message, None, "bank_account_verification_failed", retry=False)
    amounts = tuple(int(amount) for amount in params.get("amounts") or ())
    if len(amounts) != 2:
        raise missing_param("amounts")
    if sorted(amounts) == sorted(banks.VERIFIED_AMOUNTS):
        bank_accounts.BANK_ACCOUNT.set(value, "verified")
        return call.objects.save(value, "customer.source.updated")
    value["_attempts"] = value.get("_attempts", 0) + 1
    if value["_attempts"] >= _ATTEMPTS or sorted(amounts) == sorted(banks.ATTEMPTS_EXCEEDED_AMOUNTS):
        bank_accounts.BANK_ACCOUNT.set(value, "verification_failed")
    call.objects.save(value, "customer.source.updated")
    message = "The amounts provided do not match the amounts that were sent to the bank account."
    raise invalid(message, None, "bank_account_verification_failed", keep=True, retry=False, guess=True)


# -- sources on their own


def create(call: Call, params: operations.PostSources) -> StoredSource:
    """Create a source, or share one with a connected account. Allowed with a publishable key.

    Raises ApiError 400 for a parameter that does not apply to what is asked for.
    """
    if params.get("customer") and not params.get("original_source"):
        raise invalid("You may only specify `customer` together with `original_source`.", "customer")
    if params.get("original_source"):
        for name in params:
            if name not in _SHARED:
                raise exclusive("original_source", name, param=name)
        return source_flows.again(call, shared_from(call, "original_source", permissions.SOURCE), params)
    return source_flows.create(call, params)


def retrieve_source(call: Call, params: operations.GetSourcesSource) -> StoredSource:
    """Retrieve a source; a publishable key must send its ``client_secret``.

    An unknown id is a 400 (section 2.2).
    """
    source = call.objects.find(kinds.SOURCE, call.path["source"])
    if source is None:
        raise missing_object("source", call.path["source"], "source", in_path=False)
    if call.client and not hmac.compare_digest(
        str(params.get("client_secret")).encode(), str(source["client_secret"]).encode()
    ):
        message = "The client_secret provided does not match the client_secret associated with the Source."
        raise invalid(message, "client_secret", guess=True)
    return source


def update_source(call: Call, params: operations.PostSourcesSource) -> StoredSource:
    """Change a source's owner, amount, mandate, order or metadata. Raises ApiError 400 for what its type has not."""
    source = call.objects.get(kinds.SOURCE, call.path["source"])
    fields.merge_metadata(source, params)
    source_flows.set_owner(source, params.get("owner"))
    source_limits.set_mandate(source, params.get("mandate"))
    source_limits.set_order(source, params.get("source_order"))
    if params.get("amount") and source["status"] == "pending":
        source["amount"] = params["amount"]
    return call.objects.save(source, "source.updated")


def verify_source(call: Call, params: operations.PostSourcesSourceVerify) -> StoredSource:
    """Refuse a verification code: the flow ``code_verification`` is of no type of source that this server makes."""
    source = call.objects.get(kinds.SOURCE, call.path["source"])
    raise invalid(f"This source cannot be verified: its flow is {source['flow']}, not code_verification.", retry=False)


def transactions(call: Call, params: operations.GetSourcesSourceSourceTransactions) -> Page:
    """List the payments to a receiver source."""
    source = call.objects.get(kinds.SOURCE, call.path["source"])
    return page_of_list(
        list(source.get("_transactions") or []), f"/v1/sources/{source['id']}/source_transactions", params
    )


def client_view(call: Call, value: SavedSource) -> Mapping[str, object]:
    """Return the fields of a source, card or bank account that browsers and apps may see."""
    shown = {name: inner for name, inner in value.items() if name not in ("metadata", "fingerprint", "account")}
    for inner in shown.values():
        if isinstance(inner, dict):
            inner.pop("fingerprint", None)
    return shown


_PAGE, _LISTED = (Access(takes=f"limit starting_after ending_before{more}") for more in ("", " object"))
#: Apps send a token or a source; card numbers are sent to ``/v1/tokens`` with the publishable key.
_ADDED = Access(takes="source", refuses="source alipay_account bank_account card metadata")
_OWNER = f"owner{{{client_access.ADDRESS} email name phone}}"
#: Sources of data that the customer enters. ``customer`` and ``original_source`` would copy saved sources.
_MADE_BY_CLIENT = publishable_access(
    takes=f"type amount currency flow {_OWNER} redirect{{return_url}} receiver{{refund_attributes_method}}"
    f" statement_descriptor token usage"
    " metadata=any mandate{acceptance{date ip online{date ip user_agent} status type user_agent} interval"
    " notification_method}"
    " source_order{items{amount currency description parent quantity type}"
    f" shipping{{{client_access.ADDRESS} carrier name phone tracking_number}}}}"
    " card card{address_city address_country address_line1 address_line2 address_state address_zip cvc exp_month"
    " exp_year name number}"
    " three_d_secure{card} sepa_debit{iban} ideal{bank statement_descriptor} eps{statement_descriptor}"
    " giropay{statement_descriptor}"
    " sofort{country preferred_language statement_descriptor} bancontact{preferred_language statement_descriptor}"
    " alipay{statement_descriptor} klarna=any p24{} multibanco{} wechat{statement_descriptor} ach_credit_transfer{}"
    " ach_debit=any"
    " acss_debit=any au_becs_debit{account_number bsb_number}",
    ignores="radar_options",
    refuses="customer original_source mandate{acceptance{offline} amount currency}",
)


_READ_BY_CLIENT = publishable_access(takes="client_secret", ignores="is_stripe_sdk")


def _saved(path: str, listing: Handler) -> tuple[Endpoint, ...]:
    """Return the endpoints below one of the three path names of a customer's sources."""
    one = path + "/{id}"
    return (
        Endpoint(
            "GET",
            path,
            listing,
            permission=permissions.CUSTOMER,
            ephemeral=_LISTED if path.endswith("sources") else _PAGE,
        ),
        Endpoint("POST", path, add, permission=permissions.CUSTOMER, ephemeral=_ADDED),
        Endpoint("GET", one, retrieve_one, permission=permissions.CUSTOMER, ephemeral=Access()),
        Endpoint("POST", one, update, permission=permissions.CUSTOMER),
        Endpoint("DELETE", one, remove, permission=permissions.CUSTOMER, ephemeral=Access()),
    )


SOURCE = Resource(
    object="source",
    rewrites=(banks.without_number,),
    prefix="src",
    permission=permissions.SOURCE,
    reveals={"client_secret": "read", "redirect.url": "read"},
    live=records(),
    indexed=("customer", "type"),
    path_param="source",
    endpoints=(
        Endpoint("POST", "/v1/sources", create, publishable=_MADE_BY_CLIENT, live=needs(providers.SOURCES)),
        Endpoint("GET", "/v1/sources/{source}", retrieve_source, publishable=_READ_BY_CLIENT),
        Endpoint("POST", "/v1/sources/{source}", update_source),
        Endpoint("POST", "/v1/sources/{source}/verify", verify_source, live=needs(providers.SOURCES)),
        Endpoint("GET", "/v1/sources/{source}/source_transactions", transactions),
        Endpoint(
            "GET",
            "/source_redirect/{token}",
            source_pages.page,
            public=True,
            params=P.object(),
            live=needs(providers.SOURCES),
        ),
        Endpoint(
            "POST",
            "/source_redirect/{token}/authorize",
            source_pages.authorize,
            public=True,
            params=P.object(),
            live=needs(providers.SOURCES),
        ),
        Endpoint(
            "POST",
            "/source_redirect/{token}/fail",
            source_pages.refuse,
            public=True,
            params=P.object(),
            live=needs(providers.SOURCES),
        ),
    ),
    due_live={jobs.SOURCE_EXPIRE: needs(providers.SOURCES), jobs.SOURCE_FILL: needs(providers.SOURCES)},
    client_view=client_view,
    on_due={jobs.SOURCE_EXPIRE: source_flows.expire, jobs.SOURCE_FILL: source_flows.receive_test_funds},
    title="Sources",
    columns=("type", "status", "amount", "id", "created"),
)

CARD = Resource(
    object="card",
    prefix="card",
    permission=permissions.SOURCE,
    live=records(),
    indexed=("customer", "account"),
    label="source",
    client_view=client_view,
    endpoints=(
        *_saved("/v1/customers/{customer}/sources", list_sources),
        *_saved("/v1/customers/{customer}/cards", list_cards),
        Endpoint(
            "POST",
            "/v1/customers/{customer}/sources/{id}/verify",
            verify,
            permission=permissions.CUSTOMER,
            live=needs(providers.SETUPS),
        ),
    ),
)

BANK_ACCOUNT = Resource(
    object="bank_account",
    rewrites=(banks.without_number,),
    prefix="ba",
    permission=permissions.SOURCE,
    live=records(),
    indexed=("customer", "account"),
    label="source",
    client_view=client_view,
    endpoints=(
        *_saved("/v1/customers/{customer}/bank_accounts", list_bank_accounts),
        Endpoint(
            "POST",
            "/v1/customers/{customer}/bank_accounts/{id}/verify",
            verify,
            permission=permissions.CUSTOMER,
            live=needs(providers.SETUPS),
        ),
    ),
)
