"""Mandates: a customer's permission to debit an account.

active ──paid with (single_use)──▶ inactive     active ──payment method detached──▶ inactive
"""

from __future__ import annotations

from html import escape

from tollkey.keys import Permission
from tollkey.payments.methods import states
from tollkey.payments.methods.method_types import TYPES
from tollkey.payments.processors import protocol
from tollkey.wire import Call, Endpoint, Json, P, Params, Reply, Resource, dig, hosted_url, html_page, invalid, retrieve

PERMISSION = Permission("mandate", "Mandates", "Core", levels=("read",))
_NONE_FOUND = (
    "This {kind} requires a mandate, but no existing mandate was found."
    " Collect mandate acceptance from the customer and try again,"
    " providing acceptance data in the mandate_data parameter."
)


def mandate_for(call: Call, intent: Json, method: Json, params: Params) -> str | None:
    """The mandate that a confirmation rests on: the one it names, a new one, or the payment method's own; None where
    none is needed.

    Raises ApiError 400: no such mandate, or one is needed and there is none.
    """
    kind = protocol.kind_of(method)
    options = dig(intent, f"payment_method_options.{kind}.mandate_options") if kind == "card" else None
    found: Json | None = None
    if params.get("mandate") is not None:
        found = call.objects.get("mandate", params["mandate"], "mandate")
    elif params.get("mandate_data"):
        data = _inferred(call, params["mandate_data"]) if call.client else params["mandate_data"]
        found = new_mandate(call, method, data, single_use=_single_use(intent, params))
    elif existing := call.objects.query("mandate", {"payment_method": method["id"], "status": "active"}, 1):
        found = existing[0]
    elif options and _saves(intent):
        found = new_mandate(call, method, {"customer_acceptance": {"type": "offline"}})
    elif kind in TYPES and TYPES[kind].mandate:
        if not call.client:
            payment = intent["object"] == "payment_intent"
            code = "payment_intent_mandate_invalid" if payment else "setup_intent_mandate_invalid"
            message = _NONE_FOUND.format(kind="PaymentIntent" if payment else "SetupIntent")
            raise invalid(message, "mandate_data", code)
        # The client library shows the mandate's text and sends the acceptance itself.
        data = _inferred(call, {"customer_acceptance": {"type": "online"}})
        found = new_mandate(call, method, data, single_use=_single_use(intent, params))
    return None if found is None else str(found["id"])


def _inferred(call: Call, data: Json) -> Json:
    """``mandate_data`` of a browser, with the address and the browser of the request where it does not say them."""
    given = data["customer_acceptance"]
    online = {"ip_address": call.origin.ip, "user_agent": call.origin.user_agent, **(given.get("online") or {})}
    return {"customer_acceptance": {**given, "online": online}}


def _saves(intent: Json) -> bool:
    usage: str | None = intent.get("usage") if intent["object"] == "setup_intent" else intent.get("setup_future_usage")
    wanted = dig(intent, "payment_method_options.card.setup_future_usage")
    return "off_session" in (usage, wanted)


def _single_use(intent: Json, params: Params) -> Json | None:
    if intent["object"] == "payment_intent":
        return None if _saves(intent) else {"amount": intent["amount"], "currency": intent["currency"]}
    given = params.get("single_use")
    return {"amount": given["amount"], "currency": given["currency"].lower()} if given else None


def new_mandate(call: Call, method: Json, data: Json, *, single_use: Json | None = None) -> Json:
    """A new active mandate. data: ``mandate_data`` as given. single_use: amount and currency that it is limited to."""
    given = data["customer_acceptance"]
    acceptance: Json = {"accepted_at": given.get("accepted_at", call.now), "type": given["type"]}
    acceptance[given["type"]] = dict(given.get(given["type"]) or {})
    id = call.ids.new("mandate")
    mandate: Json = {
        "id": id,
        "object": "mandate",
        "customer_acceptance": acceptance,
        "livemode": call.livemode,
        "payment_method": method["id"],
        "payment_method_details": _details(call, method, id),
        "status": states.MANDATE.start("active"),
        "type": "single_use" if single_use else "multi_use",
    }
    mandate["single_use" if single_use else "multi_use"] = single_use or {}
    return call.objects.insert(mandate)


def _details(call: Call, method: Json, id: str) -> Json:
    kind = protocol.kind_of(method)
    reference = call.ids.text(16).upper()
    inner: Json = {}
    if kind == "sepa_debit":
        inner = {"reference": reference, "url": hosted_url(call, "mandate", id)}
    elif kind == "bacs_debit":
        inner = {"network_status": "accepted", "reference": reference, "url": hosted_url(call, "mandate", id)}
    elif kind == "acss_debit":
        inner = {
            "default_for": [],
            "interval_description": None,
            "payment_schedule": "sporadic",
            "transaction_type": "personal",
        }
    return {kind: inner, "type": kind}


def spend(call: Call, mandate: str | None) -> None:
    """A payment was made on a mandate: one for a single payment is over (recorded)."""
    if mandate is None:
        return
    value = call.objects.get("mandate", mandate)
    if value["type"] == "single_use" and value["status"] == "active":
        states.MANDATE.set(value, "inactive")
        call.objects.save(value)


def withdraw(call: Call, method: str) -> None:
    """The payment method is gone: its mandates are inactive, and say so (``mandate.updated``)."""
    for value in call.objects.query("mandate", {"payment_method": method, "status": "active"}):
        states.MANDATE.set(value, "inactive")
        call.objects.save(value, "mandate.updated")


def show(call: Call, params: Params) -> Reply:
    """The page that a mandate's ``url`` leads to: what the customer agreed to."""
    mandate = call.objects.get("mandate", call.path["id"])
    kind = mandate["payment_method_details"]["type"]
    facts = {
        "Reference": mandate["payment_method_details"][kind].get("reference") or mandate["id"],
        "Status": mandate["status"],
    }
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    text = "The customer allowed this business to debit the account, and the bank to follow its instructions."
    return html_page("Mandate", f"<h1>Mandate</h1><dl>{rows}</dl><p>{text}</p>")


MANDATE = Resource(
    object="mandate",
    prefix="mandate",
    permission=PERMISSION,
    path_param="mandate",
    indexed=("payment_method", "status"),
    endpoints=(
        retrieve("mandate", "/v1/mandates/{mandate}"),
        Endpoint("GET", "/mandate/{token}", show, public=True, params=P.object()),
    ),
    title="Mandates",
    columns=("id", "payment_method", "status", "type"),
)
