"""Usage records: usage of a metered price in versions before 2025-03-31, which have no meters.

set | increment ──▶ billed with the period that its timestamp falls in
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.payments.shared import clock, events
from tollkey.payments.subscriptions import kinds
from tollkey.payments.subscriptions.items import is_metered
from tollkey.payments.subscriptions.periods import period_of
from tollkey.payments.usage import quantities
from tollkey.wire import Call, Endpoint, Page, Resource, invalid
from tollkey.wire.errors import missing_param
from tollkey.wire.live import records
from tollkey.wire.pages import page_of_list

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import UsageRecord, UsageRecordObject
    from tollkey.wire import operations

PERMISSION = Permission("usage_record", "Usage Records", "Billing")


def create(call: Call, params: operations.PostSubscriptionItemsSubscriptionItemUsageRecords) -> UsageRecordObject:
    """Record usage at a time: add to the quantity recorded for it, or replace it."""
    item = call.objects.get(kinds.SUBSCRIPTION_ITEM, call.path["subscription_item"])
    subscription = call.objects.get(kinds.SUBSCRIPTION, item["subscription"])
    call = clock.for_customer(call, call.objects.find(kinds.CUSTOMER, subscription["customer"]))
    if not is_metered(item):
        raise invalid(
            f"Usage records can only be created for metered plans. {item['id']} is a licensed plan.",
            "subscription_item",
        )
    if params.get("quantity") is None:
        raise missing_param("quantity")
    wanted = params.get("timestamp") or "now"
    at = call.now if wanted == "now" else int(wanted)
    if at < period_of(subscription)[0]:
        raise invalid(
            "Cannot create the usage record with this timestamp because it is before the subscription's current"
            " period.",
            "timestamp",
        )
    records: list[UsageRecord] = [{**entry} for entry in item.get("_usage") or []]
    same = next((entry for entry in records if entry["timestamp"] == at), None)
    if same is None:
        same = {"id": "mbur_" + call.ids.text(24), "timestamp": at, "quantity": 0}
        records.append(same)
    same["quantity"] = params["quantity"] if params.get("action") == "set" else same["quantity"] + params["quantity"]
    item["_usage"] = records
    call.objects.save(item)
    call.announce(events.UsageReported(call.objects.get(kinds.SUBSCRIPTION, item["subscription"])["customer"]))
    return {
        "id": same["id"],
        "object": "usage_record",
        "livemode": call.livemode,
        "quantity": same["quantity"],
        "subscription_item": item["id"],
        "timestamp": at,
    }


def list_summaries(call: Call, params: operations.GetSubscriptionItemsSubscriptionItemUsageRecordSummaries) -> Page:
    """List the usage of the current period."""
    item = call.objects.get(kinds.SUBSCRIPTION_ITEM, call.path["subscription_item"])
    subscription = call.objects.get(kinds.SUBSCRIPTION, item["subscription"])
    period = period_of(subscription)
    summary = {
        "id": "sis_" + item["id"].removeprefix("si_"),
        "object": "usage_record_summary",
        "invoice": None,
        "livemode": call.livemode,
        "period": {"end": period[1], "start": period[0]},
        "subscription_item": item["id"],
        "total_usage": quantities.used(call, subscription, item, period),
    }
    return page_of_list([summary], f"/v1/subscription_items/{item['id']}/usage_record_summaries", params)


USAGE_RECORD = Resource(
    object="usage_record",
    permission=PERMISSION,
    live=records(),
    stored=False,
    endpoints=(
        Endpoint("POST", "/v1/subscription_items/{subscription_item}/usage_records", create, until="2025-03-31"),
        Endpoint(
            "GET",
            "/v1/subscription_items/{subscription_item}/usage_record_summaries",
            list_summaries,
            until="2025-03-31",
        ),
    ),
)
