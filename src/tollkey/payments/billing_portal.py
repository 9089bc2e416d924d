"""The customer portal: a page on which customers see and change their subscriptions, cards and invoices.

configuration:  active ──update active=false──▶ inactive ──▶ active      (one is the default)
session:        made ──an hour──▶ its address is refused
"""

from __future__ import annotations

import copy

from tollkey.keys import Permission
from tollkey.payments import _subscribing
from tollkey.payments._common import merge_metadata, new_metadata
from tollkey.payments._portal import cancel_page, portal_page
from tollkey.payments.checkout_sessions import new_session
from tollkey.wire import (
    Call,
    Endpoint,
    Json,
    P,
    Params,
    Reply,
    Resource,
    blank,
    hosted_url,
    invalid,
    listing,
    missing_param,
    redirect,
    retrieve,
)

PERMISSION = Permission("customer_portal", "Customer portal", "Billing")
_CONFIGURATION, _SESSION = "billing_portal.configuration", "billing_portal.session"
_HOUR = 3600
_FEATURES: Json = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {
            "enabled": False,
            "options": ["too_expensive", "missing_features", "switched_service", "unused", "other"],
        },
        "enabled": False, "mode": "at_period_end", "proration_behavior": "none",
    },
    "subscription_update": {
        "billing_cycle_anchor": None, "default_allowed_updates": [], "enabled": False, "proration_behavior": "none", "products": [],
        "schedule_at_period_end": {"conditions": []}, "trial_update_behavior": "end_trial",
    },
}  # fmt: skip


def _merge(features: Json, given: Json) -> None:
    for name, change in given.items():
        for key, value in (change or {}).items():
            if isinstance(value, dict) and isinstance(features[name].get(key), dict):
                features[name][key].update(value)
            elif value is not None or key in ("billing_cycle_anchor", "products"):
                features[name][key] = value


def _new(call: Call, params: Params, *, default: bool) -> Json:
    profile = params.get("business_profile") or {}
    features = copy.deepcopy(_FEATURES)
    _merge(features, params["features"])
    id = call.ids.new("bpc")
    configuration = blank(
        _CONFIGURATION,
        id=id,
        active=True,
        business_profile={name: profile.get(name) for name in ("headline", "privacy_policy_url", "terms_of_service_url")},
        created=call.now,
        default_return_url=params.get("default_return_url"),
        features=features,
        is_default=default,
        livemode=call.livemode,
        login_page={"enabled": bool((params.get("login_page") or {}).get("enabled")), "url": None},
        metadata=new_metadata(params),
        name=params.get("name"),
        updated=call.now,
    )
    return configuration


def create_configuration(call: Call, params: Params) -> Json:
    """Say what customers may do in the portal."""
    return call.objects.insert(_new(call, params, default=False), "billing_portal.configuration.created")


def update_configuration(call: Call, params: Params) -> Json:
    """Change a configuration."""
    configuration = call.objects.get(_CONFIGURATION, call.path["configuration"])
    if params.get("active") is False and configuration["is_default"]:
        raise invalid("You cannot deactivate the default configuration.", "active")
    for name in ("active", "default_return_url", "name"):
        if name in params:
            configuration[name] = params[name]
    if params.get("business_profile"):
        configuration["business_profile"].update(params["business_profile"])
    if params.get("features"):
        _merge(configuration["features"], params["features"])
    if params.get("login_page"):
        configuration["login_page"]["enabled"] = params["login_page"]["enabled"]
    merge_metadata(configuration, params)
    configuration["updated"] = call.now
    return call.objects.save(configuration, "billing_portal.configuration.updated")


def _used(call: Call, id: str | None) -> Json:
    """The configuration of a session: the one that is named, or the default, which is made when there is none yet."""
    if id is not None:
        found = call.objects.get(_CONFIGURATION, id, "configuration")
        if not found["active"]:
            raise invalid("This configuration is not active.", "configuration")
        return found
    default = call.objects.query(_CONFIGURATION, {"is_default": "true"}, limit=1)
    if default:
        return default[0]
    features = {
        "invoice_history": {"enabled": True}, "payment_method_update": {"enabled": True}, "subscription_cancel": {"enabled": True},
        "customer_update": {"enabled": True, "allowed_updates": ["email", "tax_id"]},
    }  # fmt: skip
    return call.objects.insert(_new(call, {"features": features}, default=True))


def create_session(call: Call, params: Params) -> Json:
    """Make a session; its ``url`` is the portal's page of that customer."""
    if not params.get("customer"):
        raise missing_param("customer")
    customer = call.objects.get("customer", params["customer"], "customer")
    configuration = _used(call, params.get("configuration"))
    id = call.ids.new("bps")
    session = blank(
        _SESSION,
        id=id,
        configuration=configuration["id"],
        created=call.now,
        customer=customer["id"],
        flow=_flow(params.get("flow_data")),
        livemode=call.livemode,
        locale=params.get("locale"),
        on_behalf_of=params.get("on_behalf_of"),
        return_url=params.get("return_url") or configuration["default_return_url"],
        url=hosted_url(call, "portal", id, expires_at=call.now + _HOUR),
    )
    return call.objects.insert(session, "billing_portal.session.created")


def _flow(given: Json | None) -> Json | None:
    if given is None:
        return None
    kinds = ("subscription_cancel", "subscription_update", "subscription_update_confirm")
    after = given.get("after_completion") or {}
    done = {"hosted_confirmation": after.get("hosted_confirmation"), "redirect": after.get("redirect"),
            "type": after.get("type") or "portal_homepage"}  # fmt: skip
    flow: Json = {"after_completion": done, **{kind: given.get(kind) for kind in kinds}, "type": given["type"]}
    if flow["subscription_cancel"]:
        flow["subscription_cancel"] = {"retention": None, **flow["subscription_cancel"]}
    return flow


# -- the page


def _here(call: Call) -> tuple[Json, Json, Json]:
    session = call.objects.get(_SESSION, call.path["id"])
    return session, call.objects.get("customer", session["customer"]), call.objects.get(_CONFIGURATION, session["configuration"])


def show(call: Call, params: Params) -> Reply:
    """The portal: subscriptions, payment methods and invoices of the session's customer."""
    return portal_page(call, *_here(call))


def _own(call: Call, customer: Json, id: str) -> Json:
    subscription = call.objects.find("subscription", id)
    if subscription is None or subscription["customer"] != customer["id"]:
        raise invalid("There is no such subscription.", "subscription")
    return subscription


def _cancellable(call: Call, params: Params) -> tuple[Json, Json]:
    """The subscription, and how the configuration lets it be cancelled. Raises ApiError (400) when it does not."""
    _, customer, configuration = _here(call)
    rules = configuration["features"]["subscription_cancel"]
    subscription = _own(call, customer, params["subscription"])
    if not rules["enabled"]:
        raise invalid("Cancelling is not offered here.")
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise invalid("This subscription has ended already.")
    return subscription, rules


def ask_to_cancel(call: Call, params: Params) -> Reply:
    """Before a subscription is cancelled: what will happen, and when?"""
    return cancel_page(call, *_cancellable(call, params))


def cancel_subscription(call: Call, params: Params) -> Reply:
    """Cancel a subscription as the configuration allows: at once, or at the end of what is paid."""
    subscription, rules = _cancellable(call, params)
    reasons, feedback = rules["cancellation_reason"], params.get("feedback")
    told = {"cancellation_details": {"feedback": feedback}} if reasons["enabled"] and feedback in reasons["options"] else {}
    if rules["mode"] == "immediately":
        prorate, at_once = rules["proration_behavior"] != "none", rules["proration_behavior"] == "always_invoice"
        _subscribing.cancel(call, subscription, {"prorate": prorate, "invoice_now": at_once, **told})
    else:
        _subscribing.update(call, subscription, {"cancel_at_period_end": True, **told})
    return _back(call)


def keep_subscription(call: Call, params: Params) -> Reply:
    """Take back a cancellation that has not come yet."""
    subscription = _own(call, _here(call)[1], params["subscription"])
    _subscribing.update(call, subscription, {"cancel_at_period_end": False})
    return _back(call)


def add_method(call: Call, params: Params) -> Reply:
    """Go to a page that saves a new card; then back to the portal."""
    session, customer, configuration = _here(call)
    if not configuration["features"]["payment_method_update"]["enabled"]:
        raise invalid("Changing payment methods is not offered here.")
    given = {"mode": "setup", "customer": customer["id"], "payment_method_types": ["card"], "success_url": session["url"]}
    return redirect(new_session(call, given)["url"])


def use_method(call: Call, params: Params) -> Reply:
    """Make a saved payment method the one that invoices are paid with."""
    customer = _here(call)[1]
    method = call.objects.find("payment_method", params["payment_method"])
    if method is None or method.get("customer") != customer["id"]:
        raise invalid("There is no such payment method.", "payment_method")
    customer["invoice_settings"]["default_payment_method"] = method["id"]
    call.objects.save(customer, "customer.updated")
    return _back(call)


def _back(call: Call) -> Reply:
    return redirect(f"/portal/{call.path['token']}")


_ONE = P.object(required=("subscription",), subscription=P.string())

CONFIGURATION = Resource(
    object=_CONFIGURATION,
    prefix="bpc",
    permission=PERMISSION,
    label="configuration",
    path_param="configuration",
    indexed=("active", "is_default"),
    endpoints=(
        Endpoint("POST", "/v1/billing_portal/configurations", create_configuration),
        listing(_CONFIGURATION, "/v1/billing_portal/configurations"),
        retrieve(_CONFIGURATION, "/v1/billing_portal/configurations/{configuration}"),
        Endpoint("POST", "/v1/billing_portal/configurations/{configuration}", update_configuration),
    ),
    title="Portal configurations",
    columns=("name", "active", "is_default", "id", "created"),
)

SESSION = Resource(
    object=_SESSION,
    prefix="bps",
    permission=PERMISSION,
    endpoints=(
        Endpoint("POST", "/v1/billing_portal/sessions", create_session),
        Endpoint("GET", "/portal/{token}", show, public=True, params=P.object()),
        Endpoint("GET", "/portal/{token}/cancel", ask_to_cancel, public=True, params=_ONE),
        Endpoint(
            "POST",
            "/portal/{token}/cancel",
            cancel_subscription,
            public=True,
            params=P.object(required=("subscription",), subscription=P.string(), feedback=P.string(blank=True)),
        ),
        Endpoint("POST", "/portal/{token}/keep", keep_subscription, public=True, params=_ONE),
        Endpoint("POST", "/portal/{token}/add", add_method, public=True, params=P.object()),
        Endpoint(
            "POST",
            "/portal/{token}/use",
            use_method,
            public=True,
            params=P.object(required=("payment_method",), payment_method=P.string()),
        ),
    ),
    title="Portal sessions",
)
