"""What client libraries ask before they show their fields: which types of payment methods an intent takes, or would.

Stripe.js and the mobile SDKs ask for an "elements session" with the client secret of an intent, or, before there is
one, with its mode, amount and currency (``deferred_intent``). With a customer session or an ephemeral key, an app gets
the customer's saved payment methods too. Shapes: the mobile SDKs' models of ``elements_session`` and what they send.
Wallets, Link and co-branded cards are not offered here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, cast
from uuid import UUID

from tollkey.payments.charges import splitting
from tollkey.payments.intents import kinds, setup_intents, views
from tollkey.payments.intents.client_secrets import check_client_secret
from tollkey.payments.intents.payment_intents import PERMISSION
from tollkey.payments.methods import claims, method_types, payment_method_configurations
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.shared import fields
from tollkey.wire import Call, Endpoint, P, Resource
from tollkey.wire.access import publishable_access
from tollkey.wire.errors import exclusive, missing_param
from tollkey.wire.live import records
from tollkey.wire.objects import value_at
from tollkey.wire.params import OneOf

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import AnyIntent
    from tollkey.wire import operations

_DEFERRED = P.nested(
    mode=P.enum("payment", "setup", "subscription"),
    amount=P.integer(minimum=0),
    currency=P.string(),
    setup_future_usage=P.enum("off_session", "on_session"),
    capture_method=P.enum("automatic", "automatic_async", "manual"),
    on_behalf_of=P.string(),
    payment_method_types=P.array(P.string()),
    allowed_payment_method_types=P.array(P.string()),
    excluded_payment_method_types=P.array(P.string()),
    payment_method_configuration=OneOf([P.string(), P.nested(id=P.string())]),
    payment_method_options=P.any(),
)
_PARAMS = P.object(
    required=["type"],
    type=P.enum("payment_intent", "setup_intent", "deferred_intent"),
    client_secret=P.string(),
    customer_session_client_secret=P.string(),
    deferred_intent=_DEFERRED,
    legacy_customer_ephemeral_key=P.string(),
)
#: What the libraries say about themselves and about what is not offered here.
_IGNORED = (
    "locale expand referrer_host stripe_js_id top_level_referrer_host top_level_checkout_domain elements_init_source"
    " session_id client_betas external_payment_methods custom_payment_methods country_override mobile_app_id"
    " mobile_session_id mobile_sdk_version hosted_surface currency client_default_payment_method link"
    " payment_sheet_config seller_details deferred_intent{payment_method_options}"
)


def session(call: Call, params: operations.GetElementsSessions) -> Mapping[str, object]:
    """Return the types of payment methods that an intent takes, the intent itself, and what its customer has saved.

    Raises ApiError 400 or 404 for a client secret that is missing or wrong, of the intent or of a customer session.
    """
    return {**_of_intent(call, params), **_saved(call, params)}


def _saved(call: Call, params: operations.GetElementsSessions) -> Mapping[str, object]:
    """Return ``customer`` and ``legacy_customer``: the payment methods that a customer session or key lets an app see.

    Raises ApiError 400 for both, and for one that is wrong or has expired.
    """
    secret, key = params.get("customer_session_client_secret"), params.get("legacy_customer_ephemeral_key")
    if secret and key:
        raise exclusive(claims.PARAM, "legacy_customer_ephemeral_key", param=claims.PARAM)
    if secret:
        return {"customer": claims.shown(call, secret)}
    if not key:
        return {"customer": None}
    return {"customer": None, "legacy_customer": {"payment_methods": claims.saved_with_key(call, key)}}


def _of_intent(call: Call, params: operations.GetElementsSessions) -> Mapping[str, object]:
    kind = params["type"]
    if kind == "deferred_intent":
        return _answer(call, kind, _deferred_types(call, params), None)
    secret = params.get("client_secret")
    if not secret:
        raise missing_param("client_secret")
    id = secret.partition("_secret_")[0]
    intent: AnyIntent = (
        call.objects.get(kinds.PAYMENT_INTENT, id, "client_secret")
        if kind == "payment_intent"
        else call.objects.get(kinds.SETUP_INTENT, id, "client_secret")
    )
    check_client_secret(call, intent, secret)
    return _answer(call, kind, intent["payment_method_types"], intent)


def _deferred_types(call: Call, params: operations.GetElementsSessions) -> list[str]:
    """Return the types that the intent will have. Raises ApiError 400 for an unknown type or configuration."""
    given = params.get("deferred_intent") or {}
    if "mode" not in given:
        raise missing_param("deferred_intent[mode]")
    setup = given["mode"] == "setup"
    if not setup and not given.get("currency"):
        raise missing_param("deferred_intent[currency]")
    currency = None if setup else (given.get("currency") or "").lower()
    refused = splitting.refused_types(call, given.get("on_behalf_of"), currency)
    manual = given.get("capture_method") == "manual"
    saving = setup or given["mode"] == "subscription" or bool(given.get("setup_future_usage"))
    named = given.get("payment_method_types")
    if named:
        return method_types.check_types(named)
    allowed = given.get("allowed_payment_method_types")
    if allowed:
        return method_types.allowed_types(
            allowed, currency=currency, manual_capture=manual, reusable=setup, saving=saving, excluded=refused
        )
    configured = given.get("payment_method_configuration")
    configuration = payment_method_configurations.used_configuration(
        call, configured.get("id") if isinstance(configured, dict) else configured
    )
    types = method_types.automatic_types(
        payment_method_configurations.enabled_types(configuration),
        currency=currency,
        redirects=True,
        manual_capture=manual,
        reusable=setup,
        excluded=[*(given.get("excluded_payment_method_types") or ()), *refused],
    )
    return [name for name in types if not saving or method_types.TYPES[name].saves]


def _answer(call: Call, kind: str, types: Sequence[str], intent: AnyIntent | None) -> Mapping[str, object]:
    account = fields.acting_account(call) or {}
    country = fields.account_country(call)
    preference: dict[str, object] = {
        "object": "payment_method_preference",
        "country_code": country,
        "ordered_payment_method_types": list(types),
        "type": kind,
    }
    if intent is not None:
        view = views.client_view if intent["object"] == "payment_intent" else setup_intents.client_view
        shown: Any = view(call, cast("Any", call.objects.copy(intent)))
        method = call.objects.find(methods_kinds.PAYMENT_METHOD, intent["payment_method"] or "")
        if method is not None:  # the mobile SDKs expand it
            shown["payment_method"] = call.objects.copy(method)
        preference[kind] = shown
    return {
        "object": "elements_session",
        "id": call.ids.new("elements_session"),
        "session_id": call.ids.new("elements_session"),
        "account_id": call.account,
        "apple_pay_preference": "disabled",
        "business_name": value_at(account, "business_profile.name"),
        "card_brand_choice": {"eligible": False, "preferred_networks": [], "supported_cobranded_networks": {}},
        "config_id": str(UUID(int=call.ids.number(1 << 128), version=4)),
        "custom_payment_method_data": None,
        "experiments_data": None,
        "external_payment_method_data": None,
        "flags": {},
        "google_pay_preference": "disabled",
        "link_settings": None,
        "livemode": call.livemode,
        "merchant_country": country,
        "merchant_currency": account.get("default_currency") or "usd",
        "merchant_id": call.account,
        "merchant_logo_url": None,
        "ordered_payment_method_types_and_wallets": list(types),
        "passive_captcha": None,
        "payment_method_preference": preference,
        "payment_method_specs": [],
        "unactivated_payment_method_types": [],
    }


class Lookup(TypedDict):
    """Whether somebody has saved something with Link."""

    object: str
    consumer_session: None
    exists: bool
    error_message: None


def lookup(call: Call, params: operations.PostConsumersSessionsLookup) -> Lookup:
    """Say that nobody has saved anything with Link under an e-mail address: there is no Link here."""
    return {"object": "consumer_session_lookup", "consumer_session": None, "exists": False, "error_message": None}


ELEMENTS_SESSION = Resource(
    object="elements_session",
    permission=PERMISSION,
    stored=False,
    client_view=lambda call, value: value,
    endpoints=(
        Endpoint(
            "GET",
            "/v1/elements/sessions",
            session,
            params=_PARAMS,
            makes=True,
            live=records(),
            secret="customer.customer_session.api_key",
            publishable=publishable_access(
                takes="type client_secret customer_session_client_secret legacy_customer_ephemeral_key"
                " deferred_intent{mode amount currency setup_future_usage capture_method on_behalf_of"
                " payment_method_types allowed_payment_method_types excluded_payment_method_types"
                " payment_method_configuration payment_method_configuration{id}}",
                ignores=_IGNORED,
            ),
        ),
        Endpoint(
            "POST",
            "/v1/consumers/sessions/lookup",
            lookup,
            params=P.object(required=["email_address"], email_address=P.string()),
            level="read",
            live=records(),
            publishable=publishable_access(
                takes="email_address",
                ignores="request_surface session_id cookies locale email_source amount currency customer_id"
                " do_not_log_consumer_funnel_event country_inferring_method mobile_session_id app_id"
                " android_verification_token",
            ),
        ),
    ),
)
