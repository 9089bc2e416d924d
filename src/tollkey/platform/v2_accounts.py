"""Accounts of the v2 API: another form of the connected accounts of v1, with the same ids.

An account that is made by one API is seen, changed and closed by the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from tollkey.platform import accounts, thin_events, v2_tokens
from tollkey.platform._connect import load_v2_account
from tollkey.platform._connect.loading import LoadedAccount, connected_accounts, deauthorize
from tollkey.platform._connect.v2_account import INCLUDES, v1_params, v2_account, without_rejection
from tollkey.wire import ApiError, Call, Endpoint, Json, Resource, invalid
from tollkey.wire.live import records
from tollkey.wire.v2_pages import V2Page, v2_page
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.wire import operations

_PATH = "/v2/core/accounts"


def create(call: Call, params: operations.PostV2CoreAccounts) -> Json:
    """Create a connected account. Without a dashboard and responsibilities, it is like a standard account of v1."""
    given = v2_tokens.spend(call, params, "account")
    account = accounts.create(call, cast("operations.PostAccounts", v1_params(given, creates=True)), v2=True)
    shown = _shown(LoadedAccount(call, account, account), params.get("include"))
    thin_events.emit(call.within(account["id"]), "v2.core.account.created", shown)
    return shown


def update(call: Call, params: operations.PostV2CoreAccountsId) -> Json:
    """Update a connected account."""
    loaded = load_v2_account(call, call.path["id"])
    given = v2_tokens.spend(call, params, "account")
    accounts.change(loaded, cast("operations.PostAccountsAccount", v1_params(given, creates=False)))
    shown = _shown(loaded, params.get("include"))
    thin_events.emit(loaded.own, "v2.core.account.updated", shown)
    return shown


def retrieve_one(call: Call, params: operations.GetV2CoreAccountsId) -> Json:
    """Retrieve a connected account; ``include`` asks for its larger parts."""
    return _shown(load_v2_account(call, call.path["id"]), params.get("include"))


def list_accounts(call: Call, params: operations.GetV2CoreAccounts) -> V2Page:
    """List the connected accounts, newest first, by the configurations that all of them have."""
    if params.get("closed"):
        return v2_page(_PATH, params, lambda count: [])
    wanted = set(params.get("applied_configurations") or ())

    def newest(count: int) -> list[Json]:
        found = (_shown(LoadedAccount(call, one, one), None) for one in connected_accounts(call))
        return [one for one in found if wanted <= set(one["applied_configurations"])][:count]

    return v2_page(_PATH, params, newest)


def close(call: Call, params: operations.PostV2CoreAccountsIdClose) -> Json:
    """Close a connected account. All of its configurations must be named."""
    loaded = load_v2_account(call, call.path["id"])
    if loaded.is_own:
        raise invalid("You cannot close your own account through the API.")
    shown = _shown(loaded, None)
    if set(params.get("applied_configurations") or ()) != set(shown["applied_configurations"]):
        message = f"Name all configurations of the account: {', '.join(shown['applied_configurations'])}."
        raise ApiError(400, code="configs_must_match_to_close", message=message)
    deauthorize(loaded)
    closed = {**shown, "closed": True}
    thin_events.emit(call, "v2.core.account.closed", closed)
    return closed


def _shown(loaded: LoadedAccount, include: Iterable[str] | None) -> Json:
    account = accounts.shown(loaded.home, {**loaded.home.objects.copy(loaded.account), **_private(loaded)})
    individual = None
    if account["business_type"] == "individual":
        individual = next((one for one in loaded.people() if one["relationship"]["representative"]), None)
    return v2_account(account, individual, INCLUDES.intersection(include or ()))


def _private(loaded: LoadedAccount) -> Json:
    return {name: loaded.account.get(name) for name in ("_capabilities", "_locales")} | {
        "_livemode": loaded.home.livemode
    }


ACCOUNT = Resource(
    object="v2.core.account",
    permission=accounts.PERMISSION,
    live=records(),
    stored=False,
    changes=(Change("2026-09-30", without_rejection),),
    endpoints=(
        Endpoint("GET", _PATH, list_accounts),
        Endpoint("POST", _PATH, create),
        Endpoint("GET", _PATH + "/{id}", retrieve_one),
        Endpoint("POST", _PATH + "/{id}", update),
        Endpoint("POST", _PATH + "/{id}/close", close),
    ),
)
