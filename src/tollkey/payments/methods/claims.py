"""What an app gets for the client secret of a customer session: the saved payment methods, and a key for them.

    client secret ──claimed──▶ ephemeral key that may do what the session's component grants, until the session expires

``mobile_payment_element`` (PaymentSheet) and ``customer_sheet`` are the components of the mobile SDKs, and
``payment_element`` is that of Stripe.js. Names of the
features and their defaults: the specification, and for ``payment_method_remove_last``,
``payment_method_set_as_default`` and ``payment_method_sync_default`` the SDKs' models of a customer session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from tollkey.keys import Key
from tollkey.payments.methods import ephemeral_keys, instruments, kinds
from tollkey.payments.methods.customer_sessions import digest
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import Instrument, StoredCustomerSession

#: What a key of a session may do. Every such key reads its customer.
CUSTOMER = "customer"
REMOVE = "payment_method_remove"
REMOVE_LAST = "payment_method_remove_last"
SET_DEFAULT = "payment_method_set_as_default"
UPDATE = "payment_method_update"
_REDISPLAYS = {f"payment_method_redisplay:{value}": value for value in ("always", "limited", "unspecified")}
#: One of these lets a key list saved payment methods: those that are marked with that value of ``allow_redisplay``.
REDISPLAYS = frozenset(_REDISPLAYS)
_MOST = 100
#: Authenticates an app: with the key of a claimed session, or with one that the server made for it.
verify = ephemeral_keys.verify
PARAM = "customer_session_client_secret"
#: Component -> the features of one that is enabled, as the SDKs read them, where the session leaves them open.
_OPEN: Mapping[str, Mapping[str, str]] = {
    "customer_sheet": {
        "payment_method_remove": "disabled",
        "payment_method_remove_last": "enabled",
        "payment_method_sync_default": "disabled",
    },
    "mobile_payment_element": {
        "payment_method_redisplay": "disabled",
        "payment_method_remove": "disabled",
        "payment_method_remove_last": "enabled",
        "payment_method_save": "disabled",
        "payment_method_set_as_default": "disabled",
    },
    "payment_element": {
        "payment_method_redisplay": "disabled",
        "payment_method_remove": "disabled",
        "payment_method_remove_last": "enabled",
        "payment_method_save": "disabled",
    },
}


def session_of(call: Call, secret: str) -> StoredCustomerSession:
    """Return the customer session with a client secret. Raises ApiError 400 when there is none, or it has expired."""
    found = call.objects.query(kinds.CUSTOMER_SESSION, {"_digest": digest(secret)}, limit=1)
    if not found or call.objects.find(kinds.CUSTOMER, found[0]["customer"]) is None:
        raise invalid(f"No such CustomerSession for this `{PARAM}`.", PARAM, "resource_missing", guess=True)
    if call.now >= found[0]["expires_at"]:
        raise invalid(
            f"The CustomerSession of this `{PARAM}` has expired. Create a new one.", PARAM, "customer_session_expired"
        )
    return found[0]


def grants(session: StoredCustomerSession) -> frozenset[str]:
    """Return what a session grants to a key."""
    granted: set[str] = {CUSTOMER}
    for name in _OPEN:
        features = _features(session, name)
        if features is None:
            continue
        if name != "payment_element":  # it shows and removes, and changes nothing
            granted.add(UPDATE)
        granted |= {feature for feature in (REMOVE, SET_DEFAULT) if features.get(feature) == "enabled"}
        if features.get("payment_method_sync_default") == "enabled":
            granted.add(SET_DEFAULT)
        if features["payment_method_remove_last"] == "enabled":
            granted.add(REMOVE_LAST)
        if features.get("payment_method_redisplay", "enabled") == "enabled":
            shown = features["payment_method_allow_redisplay_filters"] or ["always"]
            granted |= {name for name, value in _REDISPLAYS.items() if value in shown}
    return frozenset(granted)


def granted_to(call: Call, customer: str, feature: str) -> bool:
    """Return whether a customer session that has not expired grants something to apps of a customer."""
    sessions = call.objects.query(kinds.CUSTOMER_SESSION, {"customer": customer}, limit=_MOST)
    return any(call.now < session["expires_at"] and feature in grants(session) for session in sessions)


def _features(session: StoredCustomerSession, component: str) -> Mapping[str, Any] | None:
    """Return the features of a session's component; None when it is not enabled."""
    if not value_at(session, f"components.{component}.enabled"):
        return None
    given = cast("Mapping[str, Any]", value_at(session, f"components.{component}.features") or {})
    return {**_OPEN[component], **{name: value for name, value in given.items() if value is not None}}


def redisplayed(granted: frozenset[str]) -> list[str] | None:
    """Return the values of ``allow_redisplay`` that a key may list; None for a key that was not narrowed."""
    return [value for name, value in _REDISPLAYS.items() if name in granted] if granted else None


def shown(call: Call, secret: str) -> Mapping[str, Any]:
    """Claim a session: return its customer's saved payment methods, and the key that manages them.

    Raises ApiError 400 for a client secret that is wrong or has expired.
    """
    session = session_of(call, secret)
    granted = grants(session)
    customer = call.objects.get(kinds.CUSTOMER, session["customer"])
    told = cast("Mapping[str, Mapping[str, object]]", session.get("components") or {})
    components: dict[str, object] = {name: {"enabled": component["enabled"]} for name, component in told.items()}
    for name in _OPEN:
        features = _features(session, name)
        components[name] = {"enabled": features is not None, "features": features}
    return {
        "customer_session": {
            "id": session["id"],
            "api_key": ephemeral_keys.create_for(call, session, granted),
            "api_key_expiry": session["expires_at"],
            "components": components,
            "customer": session["customer"],
            "livemode": session["livemode"],
        },
        "default_payment_method": value_at(customer, "invoice_settings.default_payment_method")
        if SET_DEFAULT in granted
        else None,
        "payment_methods": _shown(call, saved(call, session["customer"], redisplayed(granted))),
    }


def saved_with_key(call: Call, text: str) -> list[Instrument]:
    """Return what a key's customer has saved, as far as the key may list it.

    Raises ApiError 400 for a text that is no valid ephemeral key of a customer of this account and mode.
    """
    key = verify(call.setup.tables, call.services.authority, call.tx, text, call.real)
    if not isinstance(key, Key) or key.scope != call.scope or key.subject is None:
        raise invalid("Invalid ephemeral key.", "legacy_customer_ephemeral_key", guess=True)
    if call.objects.find(kinds.CUSTOMER, key.subject) is None:
        raise invalid("This ephemeral key is not one of a customer.", "legacy_customer_ephemeral_key")
    return _shown(call, saved(call, key.subject, redisplayed(key.permissions)))


def _shown(call: Call, methods: list[Instrument]) -> list[Instrument]:
    return [call.objects.copy(method) for method in methods]


def saved(call: Call, customer: str, values: list[str] | None) -> list[Instrument]:
    """Return a customer's saved payment methods, newest first.

    values: of ``allow_redisplay``; None for all, and the cards of the old kind with them.
    """
    equal: dict[str, str | Sequence[str]] = {"customer": customer}
    if values is not None:
        methods = call.objects.query(kinds.PAYMENT_METHOD, {**equal, "allow_redisplay": values}, limit=_MOST)
        return [*methods] if values else []
    methods = call.objects.query(kinds.PAYMENT_METHOD, equal, limit=_MOST)
    cards = call.objects.query(kinds.CARD, equal, limit=_MOST)
    return [*methods, *(instruments.as_payment_method(call, card) for card in cards)][:_MOST]


def check_listed(call: Call, method: Instrument, granted: frozenset[str], param: str | None = None) -> None:
    """Raise ApiError for a saved payment method that is not for who has these grants: nothing may be done with it.

    They have what they may list, or, without a list, what the customer lets be shown again. granted: empty for a key
    that was not narrowed. param: the name of the method in the error; None when the path has it.
    """
    values = redisplayed(granted)
    if values is not None and method.get("allow_redisplay") not in (values or ["always"]):
        raise instruments.no_payment_method(call, method["id"], param)


def of_caller(call: Call) -> frozenset[str]:
    """Return what the key of a claimed session was granted; empty for every other caller."""
    return call.key.permissions if call.key is not None and call.key.kind == "ephemeral" else frozenset()


def check_removal(call: Call, method: Instrument, granted: frozenset[str]) -> None:
    """Raise ApiError unless what is granted allows to remove a saved payment method.

    The last one is the only one that the key would still list.
    """
    if REMOVE not in granted:
        raise not_granted("remove a saved payment method", REMOVE)
    if REMOVE_LAST in granted:
        return
    left = saved(call, str(method.get("customer")), redisplayed(granted))
    if all(one["id"] == method["id"] for one in left):
        raise not_granted("remove the last saved payment method", REMOVE_LAST)


def not_granted(what: str, feature: str) -> ApiError:
    """Return the error for what a customer session does not grant. what: as in "to …"."""
    return ApiError(
        403, message=f"The CustomerSession does not allow to {what}: its feature `{feature}` is not enabled."
    )
