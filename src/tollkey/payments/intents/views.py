"""Views of a PaymentIntent for browsers and older API versions."""

from __future__ import annotations

from tollkey.wire import Call, Json
from tollkey.wire.objects import first_page
from tollkey.wire.pages import nested_list
from tollkey.wire.versions import Change

#: Exactly the fields a publishable key receives (reference section 3, recorded).
_CLIENT = (
    "id", "object", "amount", "amount_details", "automatic_payment_methods", "canceled_at", "cancellation_reason",
    "capture_method",
    "client_secret", "confirmation_method", "created", "currency", "description", "last_payment_error", "livemode",
    "next_action",
    "payment_method", "payment_method_configuration_details", "payment_method_options", "payment_method_types",
    "processing",
    "receipt_email", "setup_future_usage", "shipping", "source", "status",
)  # fmt: skip
#: Fields that were renamed on 2019-02-11 -> the names that they had.
_RENAMED = {"next_action": "next_source_action", "payment_method_types": "allowed_source_types"}


def client_view(call: Call, intent: Json) -> Json:
    """Return the fields that a publishable key may see: not the customer, the metadata or the transfers."""
    old = {name: was for name, was in _RENAMED.items() if was in intent}
    shown = {old.get(name, name): intent.get(old.get(name, name)) for name in _CLIENT}
    shown["amount_details"] = {"tip": {}}
    return shown


def _charges(call: Call, intent: Json) -> None:
    """Before 2022-11-15 an intent contained its charges."""
    charges = call.objects.query("charge", {"payment_intent": intent["id"]}) if "charge" in call.setup.tables.of else []
    url = f"/v1/charges?payment_intent={intent['id']}"
    listed = nested_list([call.objects.copy(charge) for charge in charges], url, total_count=len(charges))
    intent["charges"] = first_page(listed)


def _invoice(call: Call, intent: Json) -> None:
    """Before 2025-03-31 an intent contained the id of its invoice."""
    stored = call.objects.find("payment_intent", intent["id"])
    intent["invoice"] = (stored or {}).get("_invoice")


_OLD_STATUS = {"requires_payment_method": "requires_source", "requires_action": "requires_source_action"}


def _old_names(call: Call, intent: Json) -> None:
    """Before 2019-02-11 two statuses, two fields and the redirect had other names."""
    intent["status"] = _OLD_STATUS.get(intent["status"], intent["status"])
    for name, was in _RENAMED.items():
        intent[was] = intent.pop(name, None)
    action = intent["next_source_action"]
    if action is not None and action["type"] == "redirect_to_url":
        url = action["redirect_to_url"]
        intent["next_source_action"] = {"authorize_with_url": url, "type": "authorize_with_url"}


CHANGES = (
    Change("2025-03-31", _invoice),
    Change("2022-11-15", _charges),
    Change("2019-02-11", _old_names),
)
