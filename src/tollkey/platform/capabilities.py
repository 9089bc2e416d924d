"""Capabilities: what an account may do. They live in the account's hash and are shown as objects here.

unrequested ──request──▶ inactive ◀──requirements──▶ pending ──checks──▶ active
"""

from __future__ import annotations

from tollkey.platform._connect import find_held, save_held
from tollkey.platform._connect.held import capability
from tollkey.platform.accounts import PERMISSION, request
from tollkey.wire import Call, Endpoint, Json, Page, Params, Resource, of_list


def list_capabilities(call: Call, params: Params) -> Page:
    """List what an account has asked for."""
    account = find_held(call).account
    every = [capability(account, name) for name in account["capabilities"]]
    return of_list(every, f"/v1/accounts/{account['id']}/capabilities", {"limit": 100})


def retrieve_one(call: Call, params: Params) -> Json:
    """Retrieve one capability; one that was not asked for is ``unrequested``."""
    return capability(find_held(call).account, call.path["capability"])


def update(call: Call, params: Params) -> Json:
    """Ask for a capability, or give it back."""
    held, name = find_held(call), call.path["capability"]
    before = capability(held.account, name)["status"]
    if params.get("requested") is not None:
        request(held, {name: params["requested"]})
        save_held(held)
        if before == "unrequested":
            held.own.emit("capability.updated", capability(held.account, name), {"status": before})
    return capability(held.account, name)


CAPABILITY = Resource(
    object="capability",
    permission=PERMISSION,
    endpoints=(
        Endpoint("GET", "/v1/accounts/{account}/capabilities", list_capabilities),
        Endpoint("GET", "/v1/accounts/{account}/capabilities/{capability}", retrieve_one),
        Endpoint("POST", "/v1/accounts/{account}/capabilities/{capability}", update),
    ),
    title="Capabilities",
    stored=False,
)
