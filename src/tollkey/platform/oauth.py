"""Connect's OAuth endpoints (connect.stripe.com in the real system): disconnecting a connected account.

connected ──deauthorize──▶ gone; account.application.deauthorized

Errors have OAuth's form (RFC 6749, section 5.2), not the API's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.platform._connect.loading import LoadedAccount, application_of, deauthorize
from tollkey.platform.accounts import PERMISSION
from tollkey.wire import Call, Endpoint, Json, P, Reply, Resource
from tollkey.wire.live import records
from tollkey.wire.objects import encode

if TYPE_CHECKING:
    from tollkey.wire import operations


def _refused(error: str, description: str, status: int = 401) -> Reply:
    headers = {"Www-Authenticate": 'Bearer realm="Stripe"'} if status == 401 else {}
    return Reply(encode({"error": error, "error_description": description}) + b"\n", status=status, headers=headers)


def revoke(call: Call, params: operations.PostOauthDeauthorize) -> Reply:
    """Disconnect an account from the platform whose application is named."""
    client, id = params.get("client_id"), params.get("stripe_user_id")
    if client is None or id is None:
        return _refused("invalid_request", f"No {'client_id' if client is None else 'stripe_user_id'} given", 400)
    platform = call.objects.find("account", call.account)
    if platform is None or application_of(platform)["id"] != client:  # a connected account has no application
        return _refused("invalid_client", f"No such application: '{client}'")
    account = call.objects.find("account", id)
    if account is None or id == call.account:
        return _refused(
            "invalid_client",
            f"This application is not connected to stripe account {id}, or that account does not exist.",
        )
    deauthorize(LoadedAccount(call, account, call.objects.copy(account)))
    return Reply(encode({"stripe_user_id": id}))


def token(call: Call, params: operations.PostOauthToken) -> Reply:
    """Exchange an authorization code. Accounts are made through the API here, so that no code was ever given out."""
    kind = params.get("grant_type")
    if kind not in ("authorization_code", "refresh_token"):
        return _refused("unsupported_grant_type", "grant_type must be authorization_code or refresh_token", 400)
    if kind == "refresh_token":
        return _refused("invalid_grant", f"Refresh token does not exist: {params.get('refresh_token') or ''}", 400)
    return _refused("invalid_grant", f"Authorization code does not exist: {params.get('code') or ''}", 400)


def named(call: Call, id: str) -> Json | None:
    """The application with that id: the name of the platform that has it."""
    account = "acct_" + id.removeprefix("ca_")
    platform = call.within(account).objects.find_read_only("account", account)
    return None if platform is None else application_of(platform)


_TOKEN = {
    name: P.string(blank=True)
    for name in ("client_secret", "code", "grant_type", "refresh_token", "scope", "assert_capabilities")
}

APPLICATION = Resource(
    object="application",
    prefix="ca",
    named_by=named,
    permission=PERMISSION,
    live=records(),
    endpoints=(
        Endpoint(
            "POST",
            "/oauth/deauthorize",
            revoke,
            unrestricted=True,
            params=P.object(client_id=P.string(), stripe_user_id=P.string()),
        ),
        Endpoint("POST", "/oauth/token", token, unrestricted=True, params=P.object(required=(), **_TOKEN)),
    ),
    title="Connect applications",
    stored=False,
)
