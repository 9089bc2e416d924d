"""Functions that every page of the customer portal uses: its session, its permissions, the redirect after a flow.

flow:  opened on its page ──completed──▶ the portal | a confirmation | the merchant's URL
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from tollkey.payments.documents import brand, parties
from tollkey.payments.portal import kinds
from tollkey.payments.shared import clock, receipt_links
from tollkey.wire import Call, Reply, invalid
from tollkey.wire.errors import missing_param
from tollkey.wire.hosted import redirect
from tollkey.wire.languages import Language
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.portal.stored import StoredPortalSession
    from tollkey.payments.subscriptions.stored import StoredSubscription
    from tollkey.wire import api, operations

_KINDS = ("subscription_cancel", "subscription_update", "subscription_update_confirm")
_FEATURES = {
    "payment_method_update": ("payment_method_update", "payment method update", "The payment method"),
    "subscription_cancel": ("subscription_cancel", "subscription cancellation", "This subscription"),
    "subscription_update": ("subscription_update", "subscription update", "This subscription"),
    "subscription_update_confirm": ("subscription_update", "subscription update", "This subscription"),
}


class Here(NamedTuple):
    """A request to the portal.

    call: at the time of the customer's test clock. features: of the configuration. path: of the portal's page.
    language: of the pages.
    """

    call: Call
    session: StoredPortalSession
    customer: StoredCustomer
    features: api.PortalFeatures
    path: str
    language: Language

    def page(self, title: str, body: str, *, status: int = 200, leads_to: str | None = None) -> Reply:
        """Return a page of the portal, headed by the business. body: HTML below the title."""
        return brand.page(self.call, self.language, title, body, status=status, leads_to=leads_to)


def here(call: Call) -> Here:
    """Return the session that the URL belongs to, with its customer and configuration."""
    session = call.objects.get(kinds.SESSION, call.path["id"])
    customer = call.objects.get(kinds.CUSTOMER, session["customer"], "customer")
    configuration = call.objects.get(kinds.CONFIGURATION, session["configuration"])
    if not configuration["active"]:
        raise invalid("This configuration is not active.")
    return Here(
        clock.for_customer(call, customer),
        session,
        customer,
        configuration["features"],
        f"/portal/{call.path['token']}",
        parties.language_of(call, customer["id"], session["locale"]),
    )


def own_subscription(at: Here, id: str) -> StoredSubscription:
    """Return a subscription of the session's customer. Raises ApiError 400 otherwise."""
    subscription = at.call.objects.find(kinds.SUBSCRIPTION, id)
    if subscription is None or subscription["customer"] != at.customer["id"]:
        raise invalid("There is no such subscription.", "subscription")
    return subscription


def completed(at: Here) -> Reply:
    """Redirect after an action: to where the flow ends, or back to the portal."""
    if not waiting(at.session):
        return redirect(at.path)
    at.session["_flow_done"] = True
    at.call.objects.save(at.session)
    return redirect(after(at))


def after(at: Here) -> str:
    """Return the URL to which a completed flow redirects."""
    flow = at.session["flow"]
    if flow is None:
        return at.path
    completion = flow["after_completion"]
    if completion["type"] == "redirect" and completion["redirect"] is not None:
        return completion["redirect"]["return_url"]
    return f"{at.path}/done" if completion["type"] == "hosted_confirmation" else at.path


def waiting(session: StoredPortalSession) -> bool:
    """Return whether the session has a flow that is not completed."""
    return session["flow"] is not None and not session.get("_flow_done")


def done_page(call: Call, params: operations.GetPortalTokenDone) -> Reply:
    """Show the confirmation of a completed flow."""
    at = here(call)
    text = value_at(at.session, "flow.after_completion.hosted_confirmation.custom_message")
    told = escape(text or at.language.say("Your change is saved."))
    return at.page(at.language.say("Done"), f"<p>{told}</p>\n{return_link(at)}")


def leads_to(session: StoredPortalSession) -> str | None:
    """Return the URL outside this server that a form of the portal may redirect to."""
    url = value_at(session, "flow.after_completion.redirect.return_url")
    return str(url) if url else None


def return_link(at: Here) -> str:
    """Return the link back to the merchant's site; empty without one."""
    url = at.session["return_url"]
    if url and url.lower().startswith(("http://", "https://")):
        told = at.language.say("Return to {business}", business=receipt_links.business_name(at.call))
        return f'<p><a href="{escape(url)}" rel="noreferrer">{escape(told)}</a></p>'
    return ""


# -- flows from parameters


def flow_of(
    call: Call, given: Mapping[str, Any] | None, customer: StoredCustomer, configuration: api.BillingPortalConfiguration
) -> api.PortalFlowsFlow | None:
    """Return ``flow`` of a session.

    Raises ApiError 400 for a flow that the configuration or the subscription does not allow.
    """
    if given is None:
        return None
    kind, after_completion = given["type"], given.get("after_completion") or {}
    feature, called, subject = _FEATURES[kind]
    features = configuration["features"]
    enabled = {
        "payment_method_update": features["payment_method_update"]["enabled"],
        "subscription_cancel": features["subscription_cancel"]["enabled"],
        "subscription_update": features["subscription_update"]["enabled"],
    }
    if not enabled[feature]:
        verb = "canceled" if feature == "subscription_cancel" else "updated"
        raise invalid(
            f"{subject} cannot be {verb} because the {called} feature in your portal configuration is disabled.",
            "flow_data[type]",
        )
    if kind in _KINDS:
        if not given.get(kind):
            raise missing_param(f"flow_data[{kind}]")
        _check_subscription(call, given, customer, configuration)
    other = next((name for name in _KINDS if name != kind and given.get(name)), None)
    if other is not None:
        raise invalid(f"You may only specify `{other}` when `type` is `{other}`.", f"flow_data[{other}]")
    if after_completion.get("type") == "redirect" and not after_completion.get("redirect"):
        raise missing_param("flow_data[after_completion][redirect]")
    return {
        "after_completion": _after_completion(after_completion),
        "subscription_cancel": _cancel_task(given[kind]) if kind == "subscription_cancel" else None,
        "subscription_update": given[kind] if kind == "subscription_update" else None,
        "subscription_update_confirm": _confirm_task(given[kind]) if kind == "subscription_update_confirm" else None,
        "type": kind,
    }


def _after_completion(given: Mapping[str, Any]) -> api.PortalFlowsFlowAfterCompletion:
    """Return ``after_completion`` with all of its keys."""
    confirmation: api.PortalFlowsAfterCompletionHostedConfirmation | None = None
    if given.get("type") == "hosted_confirmation":
        confirmation = {"custom_message": (given.get("hosted_confirmation") or {}).get("custom_message")}
    return {
        "hosted_confirmation": confirmation,
        "redirect": given.get("redirect"),
        "type": given.get("type") or "portal_homepage",
    }


def _cancel_task(given: Mapping[str, Any]) -> api.PortalFlowsFlowSubscriptionCancel:
    """Return ``subscription_cancel`` with all of its keys."""
    return {"retention": given.get("retention"), "subscription": given["subscription"]}


def _confirm_task(given: Mapping[str, Any]) -> api.PortalFlowsFlowSubscriptionUpdateConfirm:
    """Return ``subscription_update_confirm`` with all of its keys."""
    discounts: list[api.PortalFlowsSubscriptionUpdateConfirmDiscount] = [
        {"coupon": one.get("coupon"), "promotion_code": one.get("promotion_code")}
        for one in given.get("discounts") or []
    ]
    items: list[api.PortalFlowsSubscriptionUpdateConfirmItem] = [
        {"id": one.get("id"), "price": one.get("price"), "quantity": one.get("quantity")} for one in given["items"]
    ]
    return {"discounts": discounts or None, "items": items, "subscription": given["subscription"]}


def _check_subscription(
    call: Call, given: Mapping[str, Any], customer: StoredCustomer, configuration: api.BillingPortalConfiguration
) -> None:
    """Raise ApiError 400 if a flow's subscription belongs to another customer, or its state does not allow the flow."""
    kind = given["type"]
    param = f"flow_data[{kind}][subscription]"
    subscription = call.objects.get(kinds.SUBSCRIPTION, given[kind]["subscription"], param)
    if subscription["customer"] != customer["id"]:
        raise invalid(
            f"The subscription `{subscription['id']}` does not belong to the customer `{customer['id']}`.", param
        )
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise invalid(f"The subscription `{subscription['id']}` has ended and cannot be changed.", param)
    if kind == "subscription_cancel":
        if subscription["cancel_at_period_end"]:
            raise invalid(
                f"The subscription `{subscription['id']}` is already set to be canceled at period end.", param
            )
        coupon = value_at(given[kind], "retention.coupon_offer.coupon")
        if coupon:
            call.objects.get(kinds.COUPON, coupon, f"flow_data[{kind}][retention][coupon_offer][coupon]")
        return
    problem = not_changeable(subscription)
    if problem is not None:
        raise invalid(f"This subscription cannot be updated because {problem}.", param)
    if kind == "subscription_update_confirm":
        _check_items(call, given[kind], subscription, configuration)


def _check_items(
    call: Call,
    confirm: Mapping[str, Any],
    subscription: StoredSubscription,
    configuration: api.BillingPortalConfiguration,
) -> None:
    """Raise ApiError 400 for several items, or an item or a price that the flow does not allow."""
    offered = {
        price for one in configuration["features"]["subscription_update"]["products"] or [] for price in one["prices"]
    }
    if len(confirm["items"]) > 1:
        raise invalid("You may only specify one item.", "flow_data[subscription_update_confirm][items]")
    for place, entry in enumerate(confirm["items"]):
        param = f"flow_data[subscription_update_confirm][items][{place}]"
        item = call.objects.get(kinds.SUBSCRIPTION_ITEM, entry["id"], f"{param}[id]")
        if item["subscription"] != subscription["id"]:
            raise invalid(
                f"The item `{item['id']}` does not belong to the subscription `{subscription['id']}`.", f"{param}[id]"
            )
        if entry.get("price") and entry["price"] not in offered:
            raise invalid(
                f"The item `{item['id']}` cannot be updated to price `{entry['price']}` because the configuration"
                f" `{configuration['id']}`"
                " does not include the price in its `features[subscription_update][products]`.",
                f"{param}[price]",
            )


def recurring_of(price: api.Price) -> api.Recurring:
    """Return the interval at which a subscription's price recurs."""
    recurring = price["recurring"]
    assert recurring is not None, "subscriptions have recurring prices only"
    return recurring


def not_changeable(subscription: StoredSubscription) -> str | None:
    """Return why customers cannot change a subscription themselves; None if they can."""
    items = subscription["items"]["data"]
    if len(items) != 1:
        return "it has multiple items"
    if recurring_of(items[0]["price"])["usage_type"] == "metered":
        return "it bills what was used"
    if subscription["collection_method"] != "charge_automatically":
        return "its invoices are sent"
    if subscription["schedule"] is not None:
        return "it is managed by the subscription schedule"
    if subscription["pending_update"] is not None:
        return "it has a pending update"
    return (
        None
        if subscription["status"] in ("active", "trialing", "past_due")
        else f"its status is {subscription['status']}"
    )
