"""Capabilities: what an account may do. They are stored in the account and shown as objects.

unrequested ──request──▶ inactive ◀──requirements──▶ pending ──checks──▶ active
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.platform._connect import load_account, save_account
from tollkey.platform._connect.agreements import known_capabilities
from tollkey.platform._connect.business import INACTIVE
from tollkey.platform._connect.loading import capability
from tollkey.platform.accounts import PERMISSION, request
from tollkey.wire import Call, Endpoint, Json, Page, Resource
from tollkey.wire.errors import missing_object
from tollkey.wire.live import records
from tollkey.wire.pages import page_of_list
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.wire import operations


def list_capabilities(call: Call, params: operations.GetAccountsAccountCapabilities) -> Page:
    """List the capabilities that an account has requested."""
    account = load_account(call).account
    every = [capability(account, name) for name in account["capabilities"]]
    return page_of_list(every, f"/v1/accounts/{account['id']}/capabilities", {"limit": 100})


def _named(call: Call, account: Json) -> str:
    """The capability that the path names. Raises ApiError 404 when there is none of that name, for any account."""
    name = call.path["capability"]
    if name not in known_capabilities() and name not in account["capabilities"]:
        raise missing_object("capability", name, "capability", in_path=True)
    return name


def retrieve_one(call: Call, params: operations.GetAccountsAccountCapabilitiesCapability) -> Json:
    """Retrieve a capability. One that was not requested is ``unrequested``."""
    account = load_account(call).account
    return capability(account, _named(call, account))


def update(call: Call, params: operations.PostAccountsAccountCapabilitiesCapability) -> Json:
    """Request a capability, or cancel the request."""
    loaded = load_account(call)
    name = _named(call, loaded.account)
    before = capability(loaded.account, name)["status"]
    if params.get("requested") is not None:
        request(loaded, {name: params["requested"]})
        save_account(loaded)
        if before == "unrequested":
            loaded.own.emit("capability.updated", capability(loaded.account, name), {"status": before})
    return capability(loaded.account, name)


def _rejected_for_inactivity(_call: Call, value: Json) -> None:
    """Before 2024-06-20 a capability that is paused for inactivity was shown as rejected."""
    if value["requirements"]["disabled_reason"] == INACTIVE:
        value["requirements"]["disabled_reason"] = "rejected.other"


CAPABILITY = Resource(
    object="capability",
    permission=PERMISSION,
    live=records(),
    endpoints=(
        Endpoint("GET", "/v1/accounts/{account}/capabilities", list_capabilities),
        Endpoint("GET", "/v1/accounts/{account}/capabilities/{capability}", retrieve_one),
        Endpoint("POST", "/v1/accounts/{account}/capabilities/{capability}", update),
    ),
    changes=(Change("2024-06-20", _rejected_for_inactivity),),
    title="Capabilities",
    stored=False,
)
