"""Authorization: which endpoints a key may call, by its kind and by the permissions of a restricted key."""

from __future__ import annotations

from tollkey.keys import Key
from tollkey.keys.observing import joined
from tollkey.wire import refusals
from tollkey.wire.resource import Endpoint
from tollkey.wire.router import Route


def check_permission(key: Key, route: Route, account: str | None, dashboard_url: str) -> None:
    """Raise ApiError 403 unless the key's kind and permissions allow the endpoint. Parameters are not looked at.

    account: named by ``Stripe-Account``, or None. dashboard_url: where the error says permissions can be edited.
    """
    endpoint, resource = route.endpoint, route.resource
    connected = account is not None and account != key.account
    if endpoint.session or key.kind == "session":
        _check_session(key, endpoint, account)
        return
    if key.kind == "secret":
        return
    if key.kind == "publishable":
        if endpoint.publishable is None:
            raise refusals.secret_key_required()
        return
    if key.kind == "ephemeral":
        if endpoint.ephemeral is None or not endpoint.ephemeral.admits(key.permissions):
            raise refusals.not_for_ephemeral(key)
        if connected:  # an ephemeral key is for a customer of its own account
            raise refusals.account_invalid(key, account or "")
        return
    if endpoint.unrestricted:
        raise refusals.unrestricted_only(key)
    if not key.allows(route.grant, connected=connected):
        permission = endpoint.permission or resource.permission
        raise refusals.lacks_permission(key, [(permission, endpoint.needs)], dashboard_url)


def needed_permissions(key: Key, route: Route, account: str | None, further: set[str]) -> str | None:
    """Return the grants that a request needed, as they are counted (``UsageCounter.count``); None for none.

    account: named by ``Stripe-Account``, or None: a key needs these grants for connected accounts. further: grants
    besides that of the endpoint.
    """
    endpoint = route.endpoint
    if key.kind not in ("secret", "restricted") or endpoint.unrestricted or endpoint.session:
        return None
    connected = account is not None and account != key.account
    if not further and not connected:
        return route.grant
    return joined({route.grant, *further}, connected)


def _check_session(key: Key, endpoint: Endpoint, account: str | None) -> None:
    """Raise ApiError 403 unless the token of a session calls an endpoint for sessions, in the session's account."""
    if not endpoint.session:
        raise refusals.not_for_sessions(key)
    if key.kind != "session":
        raise refusals.session_required()
    if account not in (None, key.account):
        raise refusals.account_invalid(key, account or "")
