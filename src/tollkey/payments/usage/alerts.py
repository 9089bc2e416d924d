"""Billing alerts: an event when a customer's usage of a meter reaches a threshold, once for each customer.

active ──deactivate──▶ inactive ──activate──▶ active   (may trigger again)
   └──────archive────────┴──────▶ archived             (for good: it is not shown any more)

Only usage after the creation of the alert counts. As documented, alerts ignore test clocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.payments.shared import events
from tollkey.payments.usage import alert_rules, kinds, states
from tollkey.payments.usage.alert_rules import MIGRATION, usage_reported
from tollkey.wire import Action, Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.errors import missing_param, too_small
from tollkey.wire.live import records
from tollkey.wire.pages import list_page
from tollkey.wire.resource import Reaction

if TYPE_CHECKING:
    from tollkey.payments.usage.stored import StoredAlert
    from tollkey.wire import operations

__all__ = ["ALERT", "MIGRATION"]

PERMISSION = Permission("billing_alert", "Alerts", "Billing")
_MOST = 25


def create(call: Call, params: operations.PostBillingAlerts) -> StoredAlert:
    """Create an alert. Raises ApiError for an unknown meter or customer, and for the 26th alert of a meter."""
    given = params.get("usage_threshold")
    if given is None:
        raise missing_param("usage_threshold")
    meter = call.objects.get(kinds.METER, given["meter"], "usage_threshold[meter]")
    if given["gte"] < 1:
        raise too_small("usage_threshold[gte]")
    filters = given.get("filters") or []
    if len(filters) > 1:
        raise invalid("You can only specify up to one filter.", "usage_threshold[filters]")
    customer = None
    if filters:
        named = "usage_threshold[filters][0][customer]"
        if not filters[0].get("customer"):
            raise missing_param(named)
        customer = call.objects.get(kinds.CUSTOMER, filters[0]["customer"], named)["id"]
    if len(alert_rules.of_meter(call, meter["id"], customer)) >= _MOST:
        raise invalid(
            f"You can have at most {_MOST} alerts for a meter and customer.", "usage_threshold[meter]", retry=False
        )
    alert = new_object(
        kinds.ALERT,
        id=call.ids.new("alrt"),
        livemode=call.livemode,
        status=states.ALERT.start("active"),
        title=params["title"],
        usage_threshold={
            "filters": [{"customer": customer, "type": "customer"}] if customer else [],
            "gte": given["gte"],
            "meter": meter["id"],
            "recurrence": given["recurrence"],
        },
    )
    alert.update({"_customer": customer or "", "_since": call.now})
    return call.objects.insert(alert)


def _shown(call: Call) -> StoredAlert:
    """Return the alert in the path. Raises ApiError 404 if it does not exist or is archived."""
    alert = call.objects.get(kinds.ALERT, call.path["id"])
    if alert["status"] == "archived":
        raise call.objects.missing(kinds.ALERT, alert["id"])
    return alert


def retrieve_one(call: Call, params: operations.GetBillingAlertsId) -> StoredAlert:
    """Retrieve an alert that is not archived."""
    return _shown(call)


def list_alerts(call: Call, params: operations.GetBillingAlerts) -> Page:
    """List alerts that are not archived, optionally by meter."""
    equal: dict[str, str | list[str]] = {"status": alert_rules.SHOWN}
    if params.get("meter"):
        equal["usage_threshold.meter"] = params["meter"]
    return list_page(call, "billing.alert", params, equal, url="/v1/billing/alerts")


def _switch(call: Call, status: str) -> StoredAlert:
    alert = _shown(call)
    if alert["status"] == status:
        raise invalid(f"This alert is already {status}.", retry=False)
    states.ALERT.set(alert, status)
    return call.objects.save(alert)


def activate(call: Call, params: operations.PostBillingAlertsIdActivate) -> StoredAlert:
    """Activate an alert. It can trigger again for every customer."""
    alert = _switch(call, "active")
    alert_rules.rearm(call, alert)
    return alert


def deactivate(call: Call, params: operations.PostBillingAlertsIdDeactivate) -> StoredAlert:
    """Deactivate an alert."""
    return _switch(call, "inactive")


def archive(call: Call, params: operations.PostBillingAlertsIdArchive) -> StoredAlert:
    """Archive an alert permanently."""
    alert = _switch(call, "archived")
    alert_rules.rearm(call, alert)
    return alert


ALERT = Resource(
    object="billing.alert",
    prefix="alrt",
    permission=PERMISSION,
    live=records(),
    label="alert",
    indexed=("status", "usage_threshold.meter", "_customer"),
    on=(Reaction(events.UsageReported, usage_reported),),
    endpoints=(
        Endpoint("GET", "/v1/billing/alerts", list_alerts),
        Endpoint("POST", "/v1/billing/alerts", create),
        Endpoint("GET", "/v1/billing/alerts/{id}", retrieve_one),
        Endpoint("POST", "/v1/billing/alerts/{id}/activate", activate),
        Endpoint("POST", "/v1/billing/alerts/{id}/archive", archive),
        Endpoint("POST", "/v1/billing/alerts/{id}/deactivate", deactivate),
    ),
    on_due={alert_rules.JOB: alert_rules.check},
    title="Billing alerts",
    columns=("title", "id", "status"),
    actions=(
        Action("Activate", "/v1/billing/alerts/{id}/activate", when=("inactive",)),
        Action("Deactivate", "/v1/billing/alerts/{id}/deactivate", when=("active",)),
        Action("Archive", "/v1/billing/alerts/{id}/archive", when=("active", "inactive")),
    ),
)
