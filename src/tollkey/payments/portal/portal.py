"""The customer portal: a page on which customers manage their subscriptions, payment methods and invoices.

configuration:  active ──update active=false──▶ inactive ──▶ active      (one is the default)
session:        created ──an hour──▶ its URL is refused
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.keys import Permission
from tollkey.payments.charges import splitting
from tollkey.payments.checkout import sessions
from tollkey.payments.portal import kinds
from tollkey.payments.portal.details import PAGES as DETAILS
from tollkey.payments.portal.pages import cancel_page, methods_page, offer, portal_page
from tollkey.payments.portal.plan_change import PAGES as CHANGES
from tollkey.payments.portal.plan_change import choice_page, confirm_page
from tollkey.payments.portal.session import (
    Here,
    after,
    completed,
    done_page,
    flow_of,
    here,
    leads_to,
    own_subscription,
    waiting,
)
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions import changes
from tollkey.wire import Call, Endpoint, P, Params, Reply, Resource, invalid, new_object
from tollkey.wire.errors import missing_param
from tollkey.wire.hosted import hosted_url, redirect
from tollkey.wire.live import records
from tollkey.wire.objects import value_at
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.payments.portal.stored import StoredPortalSession
    from tollkey.payments.subscriptions.stored import StoredSubscription
    from tollkey.wire import api, operations

PERMISSION = Permission("customer_portal", "Customer portal", "Billing")
_HOUR = 3600
_FEATURES: api.PortalFeatures = {
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
        "billing_cycle_anchor": None, "default_allowed_updates": [], "enabled": False, "proration_behavior": "none",
        "products": [],
        "schedule_at_period_end": {"conditions": []}, "trial_update_behavior": "end_trial",
    },
}  # fmt: skip


def _merge(call: Call, features: api.PortalFeatures, given: Mapping[str, Any]) -> None:
    """Change the features of a configuration. Raises ApiError 400 for plan changes without updates or products."""
    named = cast("Mapping[str, Params]", features)  # the parameters contain the features to change
    for name, change in given.items():
        for key, value in (change or {}).items():
            if isinstance(value, dict) and isinstance(named[name].get(key), dict):
                named[name][key].update(value)
            elif value is not None or key in ("billing_cycle_anchor", "products"):
                named[name][key] = value
    update = features["subscription_update"]
    update["default_allowed_updates"] = update["default_allowed_updates"] or []
    if not update["enabled"]:
        return
    if not update["default_allowed_updates"]:
        raise missing_param("features[subscription_update][default_allowed_updates]")
    if not update["products"]:
        raise missing_param("features[subscription_update][products]")
    update["products"] = [_product(call, one, place) for place, one in enumerate(update["products"])]


def _product(call: Call, given: Mapping[str, Any], place: int) -> api.PortalSubscriptionUpdateProduct:
    """Return a product that subscriptions can change to, with its prices.

    Raises ApiError 400 for prices of another product.
    """
    param = f"features[subscription_update][products][{place}]"
    product = call.objects.get(kinds.PRODUCT, given["product"], f"{param}[product]")
    for number, id in enumerate(given["prices"]):
        price = call.objects.get(kinds.PRICE, id, f"{param}[prices][{number}]")
        if price["product"] != product["id"] or not price["recurring"]:
            raise invalid(
                f"The price `{id}` is not a recurring price of the product `{product['id']}`.",
                f"{param}[prices][{number}]",
            )
    asked = given.get("adjustable_quantity") or {}
    limits: api.PortalSubscriptionUpdateProductAdjustableQuantity = {
        "enabled": asked.get("enabled", False),
        "maximum": asked.get("maximum"),
        "minimum": asked.get("minimum", 1),
    }
    return {"adjustable_quantity": limits, "prices": list(given["prices"]), "product": product["id"]}


def _check_login(params: Mapping[str, object]) -> None:
    """Raise ApiError 400 for a login page: it would send customers an e-mail, and this server sends them none."""
    if value_at(params, "login_page.enabled"):
        text = "Login pages are not available on this server; create a session and send the customer to its `url`."
        raise invalid(text, "login_page[enabled]")


def _new(call: Call, params: Mapping[str, Any], *, default: bool) -> api.BillingPortalConfiguration:
    """Return a new configuration, not stored."""
    _check_login(params)
    profile = params.get("business_profile") or {}
    features = copy.deepcopy(_FEATURES)
    _merge(call, features, params["features"])
    id = call.ids.new("bpc")
    configuration = new_object(
        kinds.CONFIGURATION,
        id=id,
        active=True,
        business_profile={
            name: profile.get(name) for name in ("headline", "privacy_policy_url", "terms_of_service_url")
        },
        created=call.now,
        default_return_url=params.get("default_return_url"),
        features=features,
        is_default=default,
        livemode=call.livemode,
        login_page={"enabled": False, "url": None},
        metadata=fields.new_metadata(params),
        name=params.get("name"),
        updated=call.now,
    )
    return configuration


def create_configuration(
    call: Call, params: operations.PostBillingPortalConfigurations
) -> api.BillingPortalConfiguration:
    """Create a portal configuration."""
    return call.objects.insert(_new(call, params, default=False), "billing_portal.configuration.created")


def update_configuration(
    call: Call, params: operations.PostBillingPortalConfigurationsConfiguration
) -> api.BillingPortalConfiguration:
    """Change a portal configuration."""
    configuration = call.objects.get(kinds.CONFIGURATION, call.path["configuration"])
    if params.get("active") is False and configuration["is_default"]:
        raise invalid("You cannot deactivate the default configuration.", "active")
    for name in ("active", "default_return_url", "name"):
        if name in params:
            configuration[name] = params[name]
    if params.get("business_profile"):
        configuration["business_profile"].update(params["business_profile"])
    if params.get("features"):
        _merge(call, configuration["features"], params["features"])
    _check_login(params)
    fields.merge_metadata(configuration, params)
    configuration["updated"] = call.now
    return call.objects.save(configuration, "billing_portal.configuration.updated")


def _used(call: Call, id: str | None) -> api.BillingPortalConfiguration:
    """Return the configuration of a session: the given one, or the default, which is created if there is none."""
    if id is not None:
        found = call.objects.get(kinds.CONFIGURATION, id, "configuration")
        if not found["active"]:
            raise invalid("This configuration is not active.", "configuration")
        return found
    default = call.objects.query(kinds.CONFIGURATION, {"is_default": "true"}, limit=1)
    if default:
        return default[0]
    features = {
        "invoice_history": {"enabled": True}, "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True},
        "customer_update": {"enabled": True, "allowed_updates": ["email", "tax_id"]},
    }  # fmt: skip
    return call.objects.insert(_new(call, {"features": features}, default=True))


def create_session(call: Call, params: operations.PostBillingPortalSessions) -> StoredPortalSession:
    """Create a session; its ``url`` is the portal page of the customer."""
    if not params.get("customer"):
        raise missing_param("customer")
    customer = call.objects.get(kinds.CUSTOMER, params["customer"], "customer")
    configuration = _used(call, params.get("configuration"))
    if params.get("on_behalf_of"):
        splitting.check_on_behalf_of(call, params["on_behalf_of"])
    id = call.ids.new("bps")
    session = new_object(
        kinds.SESSION,
        id=id,
        configuration=configuration["id"],
        created=call.now,
        customer=customer["id"],
        flow=flow_of(call, params.get("flow_data"), customer, configuration),
        livemode=call.livemode,
        locale=params.get("locale"),
        on_behalf_of=params.get("on_behalf_of"),
        return_url=params.get("return_url") or configuration["default_return_url"],
        url=hosted_url(call, "portal", id, expires_at=call.now + _HOUR, needs="customer_portal_write"),
    )
    return call.objects.insert(session, "billing_portal.session.created")


# -- pages and their actions


def show(call: Call, params: operations.GetPortalToken) -> Reply:
    """Show the portal page of the session's customer, or the page of its flow."""
    at = here(call)
    if waiting(at.session):
        return _task(at)
    return portal_page(at, at.call.objects.get(kinds.CONFIGURATION, at.session["configuration"]))


def _task(at: Here) -> Reply:
    """Return the page of the session's flow."""
    flow = at.session["flow"]
    assert flow is not None, "the session waits for its task"
    if flow["type"] == "payment_method_update":
        return methods_page(at)
    if flow["type"] == "subscription_update_confirm":
        return confirm_page(at)
    if flow["subscription_update"] is not None:
        return choice_page(at, own_subscription(at, flow["subscription_update"]["subscription"]))
    task = flow["subscription_cancel"]
    assert task is not None, "there is no other type of flow"
    subscription = own_subscription(at, task["subscription"])
    return cancel_page(
        at, subscription, at.features["subscription_cancel"], before=offer(at, task), goes=leads_to(at.session)
    )


def accept_retention_offer(call: Call, params: operations.PostPortalTokenStay) -> Reply:
    """Accept the offer of a cancellation flow: apply its coupon to the subscription."""
    at = here(call)
    flow = value_at(at.session, "flow.subscription_cancel") or {}
    coupon = value_at(flow, "retention.coupon_offer.coupon")
    if not coupon or not waiting(at.session) or not at.features["subscription_cancel"]["enabled"]:
        raise invalid("There is no offer.")
    changes.update(at.call, own_subscription(at, flow["subscription"]), {"discounts": [{"coupon": coupon}]})
    return completed(at)


def _cancellable(
    at: Here,
    params: operations.GetPortalTokenCancel | operations.PostPortalTokenCancel | operations.PostPortalTokenKeep,
) -> tuple[StoredSubscription, api.PortalSubscriptionCancel]:
    """Return the subscription and its cancellation settings. Raises ApiError 400 if it cannot be canceled."""
    rules = at.features["subscription_cancel"]
    subscription = own_subscription(at, params["subscription"])
    if not rules["enabled"]:
        raise invalid("Cancelling is not offered here.")
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise invalid("This subscription has ended already.")
    return subscription, rules


def ask_to_cancel(call: Call, params: operations.GetPortalTokenCancel) -> Reply:
    """Show the effect of a cancellation before the customer confirms it."""
    at = here(call)
    return cancel_page(at, *_cancellable(at, params))


def cancel_subscription(call: Call, params: operations.PostPortalTokenCancel) -> Reply:
    """Cancel a subscription as the configuration allows: immediately, or at the end of the period."""
    at = here(call)
    subscription, rules = _cancellable(at, params)
    reasons, feedback = rules["cancellation_reason"], params.get("feedback")
    details = (
        {"cancellation_details": {"feedback": feedback}}
        if reasons["enabled"] and feedback in reasons["options"]
        else {}
    )
    if rules["mode"] == "immediately":
        prorate, at_once = rules["proration_behavior"] != "none", rules["proration_behavior"] == "always_invoice"
        changes.cancel(at.call, subscription, {"prorate": prorate, "invoice_now": at_once, **details})
    else:
        _leave(at, subscription, details)
    return completed(at)


def _leave(at: Here, subscription: StoredSubscription, details: Params) -> None:
    """Cancel a subscription at the end of its period, unless the merchant ends it earlier; remember a later end."""
    ends = None if subscription["cancel_at_period_end"] else subscription["cancel_at"]
    if ends is not None and ends <= subscription["_period"][1]:
        changes.update(at.call, subscription, details)
        return
    before = subscription.get("_ends_anyway") if subscription["cancel_at_period_end"] else ends
    changed = changes.update(at.call, subscription, {"cancel_at_period_end": True, **details})
    if before is not None and changed["cancel_at_period_end"]:
        changed["_ends_anyway"] = before
        at.call.objects.save(changed)


def undo_cancellation(call: Call, params: operations.PostPortalTokenKeep) -> Reply:
    """Undo a pending cancellation at the end of the period; an end that the merchant had set returns."""
    at = here(call)
    subscription, _ = _cancellable(at, params)
    if subscription["cancel_at_period_end"]:
        ends = subscription.get("_ends_anyway")
        back = {"cancel_at_period_end": False} if ends is None or ends <= at.call.now else {"cancel_at": ends}
        changes.update(at.call, subscription, back)
    return redirect(at.path)


def add_method(call: Call, params: operations.PostPortalTokenAdd) -> Reply:
    """Redirect to a page that saves a new card as default payment method, and returns to the portal afterwards."""
    at = here(call)
    _check_methods(at)
    leads = after(at) if waiting(at.session) else at.path
    if leads.startswith("/"):
        leads = call.setup.base_url + leads
    given = {"mode": "setup", "customer": at.customer["id"], "payment_method_types": ["card"], "success_url": leads}
    return redirect(sessions.page_of(sessions.new_session(call, given, for_portal=True)))


def _check_methods(at: Here) -> None:
    """Raise ApiError 400 unless the configuration lets customers change payment methods."""
    if not at.features["payment_method_update"]["enabled"]:
        raise invalid("Changing payment methods is not offered here.")


def use_method(call: Call, params: operations.PostPortalTokenUse) -> Reply:
    """Make a saved payment method the default for invoices."""
    at = here(call)
    _check_methods(at)
    method = call.objects.find(kinds.PAYMENT_METHOD, params["payment_method"])
    if method is None or method.get("customer") != at.customer["id"]:
        raise invalid("There is no such payment method.", "payment_method")
    at.customer["invoice_settings"]["default_payment_method"] = method["id"]
    call.objects.save(at.customer, "customer.updated")
    return completed(at) if value_at(at.session, "flow.type") == "payment_method_update" else redirect(at.path)


_ONE = P.object(required=("subscription",), subscription=P.string())

CONFIGURATION = Resource(
    object="billing_portal.configuration",
    prefix="bpc",
    permission=PERMISSION,
    live=records(),
    label="configuration",
    path_param="configuration",
    indexed=("active", "is_default"),
    endpoints=(
        Endpoint("POST", "/v1/billing_portal/configurations", create_configuration),
        listing("billing_portal.configuration", "/v1/billing_portal/configurations"),
        retrieve("billing_portal.configuration", "/v1/billing_portal/configurations/{configuration}"),
        Endpoint("POST", "/v1/billing_portal/configurations/{configuration}", update_configuration),
    ),
    title="Portal configurations",
    columns=("name", "active", "is_default", "id", "created"),
)

SESSION = Resource(
    object="billing_portal.session",
    prefix="bps",
    permission=PERMISSION,
    reveals={"url": "write"},
    live=records(),
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
        Endpoint("GET", "/portal/{token}/done", done_page, public=True, params=P.object()),
        Endpoint("POST", "/portal/{token}/stay", accept_retention_offer, public=True, params=P.object()),
        *CHANGES,
        *DETAILS,
        Endpoint("POST", "/portal/{token}/keep", undo_cancellation, public=True, params=_ONE),
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
