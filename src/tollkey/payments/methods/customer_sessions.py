"""CustomerSessions: access of a browser or an app to the saved payment methods of one customer, for 30 minutes.

created ──30 minutes──▶ expired

Who has its client secret claims it with ``/v1/elements/sessions``, and gets what its component grants (``claims.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from tollkey.keys import Permission
from tollkey.payments.methods import kinds
from tollkey.wire import Call, Endpoint, Resource, invalid, new_object
from tollkey.wire.errors import missing_param
from tollkey.wire.live import records

if TYPE_CHECKING:
    from tollkey.wire import api, operations

PERMISSION = Permission("customer_session", "Customer session", "Core")
LIVES_SECONDS = 1800
_PLAIN: tuple[Literal["buy_button", "pricing_table"], ...] = ("buy_button", "pricing_table")
_FEATURED: tuple[Literal["customer_sheet", "mobile_payment_element", "payment_element"], ...] = (
    "customer_sheet",
    "mobile_payment_element",
    "payment_element",
)
#: Component -> the features of one that is enabled, where the request does not set them.
_FEATURES: Mapping[str, Mapping[str, object]] = {
    "customer_sheet": {"payment_method_allow_redisplay_filters": ["always"], "payment_method_remove": None},
    "mobile_payment_element": {
        "payment_method_allow_redisplay_filters": ["always"],
        "payment_method_redisplay": None,
        "payment_method_remove": None,
        "payment_method_save": None,
        "payment_method_save_allow_redisplay_override": None,
    },
    "payment_element": {
        "payment_method_allow_redisplay_filters": ["always"],
        "payment_method_redisplay": "disabled",
        "payment_method_redisplay_limit": 3,
        "payment_method_remove": "disabled",
        "payment_method_save": "disabled",
        "payment_method_save_usage": None,
    },
}


def create(call: Call, params: operations.PostCustomerSessions) -> api.CustomerSession:
    """Create a session for a customer. Raises ApiError 400 for an unknown customer, or without an enabled component."""
    customer = params.get("customer")
    if customer is None:
        raise missing_param("customer")
    call.objects.get(kinds.CUSTOMER, customer, "customer")
    given = params["components"]
    components: dict[str, dict[str, object]] = {}
    for name in _PLAIN:
        plain = given.get(name)
        components[name] = {"enabled": plain is not None and plain["enabled"]}
    for part in _FEATURED:
        inner = given.get(part)
        if inner is not None and inner["enabled"]:
            components[part] = {"enabled": True, "features": {**_FEATURES[part], **inner.get("features", {})}}
        else:
            components[part] = {"enabled": False, "features": None}
    if not any(component["enabled"] for component in components.values()):
        raise invalid("At least one component must be enabled.", "components")
    secret = f"cuss_secret_{call.ids.text(40)}"
    session = new_object(
        kinds.CUSTOMER_SESSION,
        client_secret=secret,
        components={name: components[name] for name in sorted(components)},
        created=call.now,
        customer=customer,
        expires_at=call.now + LIVES_SECONDS,
        livemode=call.livemode,
    )
    # stored under an id that the API does not show, and without its secret
    call.objects.insert(
        {
            **session,
            "id": call.ids.new("cuss"),
            "client_secret": None,
            "_digest": digest(secret),
            "_maker": [call.platform, call.key.id] if call.key is not None else None,
        }
    )
    return session


def digest(secret: str) -> str:
    """Return what is stored of a client secret: its SHA-256, in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


CUSTOMER_SESSION = Resource(
    object="customer_session",
    prefix="cuss",
    permission=PERMISSION,
    reveals={"client_secret": "write"},
    indexed=("_digest", "customer"),
    live=records(),
    endpoints=(Endpoint("POST", "/v1/customer_sessions", create),),
    title="Customer sessions",
    columns=("customer", "created", "expires_at"),
)
