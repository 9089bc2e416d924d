"""Copying what a platform's customer has saved onto a connected account, as Connect's cloning does."""

from __future__ import annotations

from tollkey.keys import Permission
from tollkey.wire import Call, invalid


def shared_from(call: Call, param: str, permission: Permission) -> Call:
    """The platform's side of a call that copies an object of the platform onto the connected account it acts for.

    param: what names the object. permission: what protects it on the platform. Raises ApiError: 400 without a connected
    account (the rule is the specification's, of ``customer`` on ``POST /v1/tokens``; the text is ours), 403 when the
    key may not read the object.
    """
    if call.account == call.platform:
        raise invalid(f"You can only use `{param}` with an OAuth access token or the `Stripe-Account` header.", param)
    platform = call.within(call.platform)
    platform.needs(permission)
    return platform
