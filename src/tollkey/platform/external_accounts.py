"""External accounts: the bank accounts and debit cards that an account is paid out to.

    new ──a payout comes back──▶ errored ──update──▶ new
     └──its owner cannot be verified──▶ verification_failed ──a document shows the owner──▶ new
    delete ──▶ gone   (never the default of the account's own currency)

The table of these states is in ``payments/processors/states.py``, and is reached through ``Services.external_status``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.platform._connect import load_account, save_account
from tollkey.platform._connect.documents import check_banks
from tollkey.platform._connect.external import (
    add_external,
    change_external,
    check_account_type,
    delete_external,
    external_of,
    read_external,
)
from tollkey.platform._connect.ownership import check_external, check_external_update
from tollkey.platform._connect.shape import merge_metadata
from tollkey.platform.accounts import PERMISSION
from tollkey.wire import Call, Endpoint, Json, Page, Resource
from tollkey.wire.errors import exclusive, missing_param
from tollkey.wire.live import records
from tollkey.wire.pages import page_of_list

if TYPE_CHECKING:
    from tollkey.wire import operations


def create(
    call: Call, params: operations.PostAccountsAccountBankAccounts | operations.PostAccountsAccountExternalAccounts
) -> Json:
    """Add an external account from a token or data."""
    loaded = load_account(call)
    check_external(loaded)
    if params.get("external_account") is not None and params.get("bank_account") is not None:
        raise exclusive("external_account", "bank_account", code="parameters_exclusive")
    name = "external_account" if params.get("external_account") is not None else "bank_account"
    given = params.get(name)
    if given is None:
        raise missing_param("external_account")
    given = read_external(loaded, given, name)
    value = add_external(loaded.home, loaded.account, given, name, default=params.get("default_for_currency"))
    if "metadata" in params:
        merge_metadata(value, params["metadata"])
    save_account(loaded)
    loaded.own.emit("account.external_account.created", value)
    return value


def update(
    call: Call, params: operations.PostAccountsAccountBankAccountsId | operations.PostAccountsAccountExternalAccountsId
) -> Json:
    """Update an external account."""
    loaded = load_account(call)
    value = external_of(loaded.account, call.path["id"])
    check_external_update(loaded, value)
    check_account_type(value, params.get("account_type"))
    check_banks(loaded, params)
    metadata = None
    if "metadata" in params:
        merged = {"metadata": dict(value["metadata"])}
        merge_metadata(merged, params.pop("metadata"))
        metadata = merged["metadata"]
    answer = change_external(loaded, value["id"], dict(params), metadata)
    save_account(loaded)
    return answer


def delete(
    call: Call,
    params: operations.DeleteAccountsAccountBankAccountsId | operations.DeleteAccountsAccountExternalAccountsId,
) -> Json:
    """Delete an external account."""
    loaded = load_account(call)
    check_external(loaded)
    answer = delete_external(loaded, call.path["id"])
    save_account(loaded)
    return answer


def list_external(call: Call, params: operations.GetAccountsAccountExternalAccounts) -> Page:
    """List an account's external accounts, newest first, by ``object``."""
    account = load_account(call).account
    kind = params.get("object")
    found = [value for value in account["external_accounts"]["data"] if kind in (None, value["object"])]
    return page_of_list(found, f"/v1/accounts/{account['id']}/external_accounts", params)


def retrieve_one(
    call: Call, params: operations.GetAccountsAccountBankAccountsId | operations.GetAccountsAccountExternalAccountsId
) -> Json:
    """Retrieve one external account."""
    return external_of(load_account(call).account, call.path["id"])


def _endpoints() -> tuple[Endpoint, ...]:
    made = []
    for word in ("external_accounts", "bank_accounts"):
        many, one = f"/v1/accounts/{{account}}/{word}", f"/v1/accounts/{{account}}/{word}/{{id}}"
        if word == "external_accounts":
            made.append(Endpoint("GET", many, list_external))
        made += [
            Endpoint("POST", many, create),
            Endpoint("GET", one, retrieve_one),
            Endpoint("POST", one, update),
            Endpoint("DELETE", one, delete),
        ]
    return tuple(made)


EXTERNAL_ACCOUNT = Resource(
    object="external_account",
    permission=PERMISSION,
    live=records(),
    endpoints=_endpoints(),
    title="External accounts",
    stored=False,
)
