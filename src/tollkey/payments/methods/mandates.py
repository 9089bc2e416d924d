"""Mandates: a customer's permission to debit an account.

active ──paid with (single_use)──▶ inactive     active ──payment method detached, or refused by the bank──▶ inactive
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from tollkey.keys import Permission
from tollkey.payments.documents import brand
from tollkey.payments.methods import kinds, states
from tollkey.payments.methods.method_types import TYPES
from tollkey.payments.processors import banks, protocol, vault
from tollkey.payments.shared import events, fields
from tollkey.wire import Call, Endpoint, P, Reply, Resource, invalid, languages, new_object
from tollkey.wire.hosted import hosted_url
from tollkey.wire.languages import Text
from tollkey.wire.objects import value_at
from tollkey.wire.pages import retrieve

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from tollkey.payments.methods.stored import Instrument
    from tollkey.wire import api, operations

    Intent: TypeAlias = api.PaymentIntent | api.SetupIntent

PERMISSION = Permission("mandate", "Mandates", "Core", levels=("read",))
_NONE_FOUND = (
    "This {kind} requires a mandate, but no existing mandate was found."
    " Collect mandate acceptance from the customer and try again,"
    " providing acceptance data in the mandate_data parameter."
)


#: Options of a mandate that nobody gave.
EMPTY: Mapping[str, Any] = MappingProxyType({})
_REFUSED = {"network_status": "refused"}


def mandate_for(call: Call, intent: Intent, method: Instrument, params: Mapping[str, Any]) -> str | None:
    """Return the mandate for a confirmation: the given one, a new one, or the payment method's; None if not needed.

    Raises ApiError 400 for an unknown mandate, or if one is required and missing.
    """
    kind = protocol.kind_of(method)
    options: Mapping[str, Any] = value_at(intent, f"payment_method_options.{kind}.mandate_options") or {}
    found: api.Mandate | None = None
    if params.get("mandate") is not None:
        found = call.objects.get(kinds.MANDATE, params["mandate"], "mandate")
    elif params.get("mandate_data"):
        data = _inferred(call, params["mandate_data"]) if call.client else params["mandate_data"]
        found = new_mandate(call, method, data, options, single_use=_single_use(intent, params))
    elif existing := call.objects.query(kinds.MANDATE, {"payment_method": method["id"], "status": "active"}, 1):
        found = existing[0]
    elif kind == "card" and options and _saves(intent):
        found = new_mandate(call, method, {"customer_acceptance": {"type": "offline"}})
    elif kind in TYPES and TYPES[kind].mandate:
        if not call.client:
            payment = _is_payment(intent)
            code = "payment_intent_mandate_invalid" if payment else "setup_intent_mandate_invalid"
            message = _NONE_FOUND.format(kind="PaymentIntent" if payment else "SetupIntent")
            raise invalid(message, "mandate_data", code)
        # The client library shows the text of the mandate and sends the acceptance.
        data = _inferred(call, {"customer_acceptance": {"type": "online"}})
        found = new_mandate(call, method, data, options, single_use=_single_use(intent, params))
    return None if found is None else str(found["id"])


def _inferred(call: Call, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``mandate_data`` of a browser, completed with the IP address and user agent of the request."""
    given = data["customer_acceptance"]
    online = {"ip_address": call.origin.ip, "user_agent": call.origin.user_agent, **(given.get("online") or {})}
    return {"customer_acceptance": {**given, "online": online}}


def _is_payment(intent: Intent) -> TypeIs[api.PaymentIntent]:
    return intent["object"] == "payment_intent"


def _saves(intent: Intent) -> bool:
    usage = intent.get("setup_future_usage") if _is_payment(intent) else intent.get("usage")
    wanted = value_at(intent, "payment_method_options.card.setup_future_usage")
    return "off_session" in (usage, wanted)


def _single_use(intent: Intent, params: Mapping[str, Any]) -> api.MandateSingleUse | None:
    if _is_payment(intent):
        return None if _saves(intent) else {"amount": intent["amount"], "currency": intent["currency"]}
    given = params.get("single_use")
    return {"amount": given["amount"], "currency": given["currency"].lower()} if given else None


def new_mandate(
    call: Call,
    method: Instrument,
    data: Mapping[str, Any],
    options: Mapping[str, Any] = EMPTY,
    *,
    single_use: api.MandateSingleUse | None = None,
) -> api.Mandate:
    """Create an active mandate.

    data: ``mandate_data``. options: ``mandate_options`` of the intent's options for its type. single_use: the amount
    and currency it is limited to.
    """
    given = data["customer_acceptance"]
    acceptance: api.CustomerAcceptance = {"accepted_at": given.get("accepted_at", call.now), "type": given["type"]}
    fields.assign(acceptance, {given["type"]: dict(given.get(given["type"]) or {})}, (given["type"],))
    id = call.ids.new("mandate")
    mandate = new_object(
        kinds.MANDATE,
        id=id,
        customer_acceptance=acceptance,
        livemode=call.livemode,
        payment_method=method["id"],
        payment_method_details=_details(call, method, id, options),
        status=states.MANDATE.start("active"),
        type="single_use" if single_use else "multi_use",
    )
    if single_use:
        mandate["single_use"] = single_use
    else:
        mandate["multi_use"] = {}
    call.objects.insert(mandate)
    bank = banks.bank_by_key(method.get("_bank"))
    if bank is not None and bank.mark == "refuses_mandate":
        fields.assign(value_at(mandate, "payment_method_details.bacs_debit") or {}, _REFUSED, _REFUSED)
        states.MANDATE.set(mandate, "inactive")
        call.objects.save(mandate, "mandate.updated")
    return mandate


def _details(call: Call, method: Instrument, id: str, options: Mapping[str, Any]) -> api.MandatePaymentMethodDetails:
    kind = protocol.kind_of(method)
    reference = (options.get("reference_prefix") or "") + call.ids.text(16).upper()
    inner: Mapping[str, object] = {}
    if kind == "sepa_debit":
        inner = {"reference": reference, "url": hosted_url(call, "mandate", id)}
    elif kind == "bacs_debit":
        inner = {"network_status": "accepted", "reference": reference, "url": hosted_url(call, "mandate", id)}
    elif kind == "acss_debit":
        inner = {
            "default_for": options.get("default_for") or [],
            "interval_description": options.get("interval_description"),
            "payment_schedule": options.get("payment_schedule") or "sporadic",
            "transaction_type": options.get("transaction_type") or "personal",
        }
    elif kind == "payto":
        names = ("amount", "end_date", "payments_per_period", "purpose", "start_date")
        inner = {
            **{name: options.get(name) for name in names},
            "amount_type": options.get("amount_type") or "maximum",
            "payment_schedule": options.get("payment_schedule") or "adhoc",
        }
    return cast("api.MandatePaymentMethodDetails", {kind: inner, "type": kind})  # the key is the type's name


def spend(call: Call, mandate: str | None) -> None:
    """Record a payment with a mandate: a single-use mandate becomes inactive (recorded)."""
    value = call.objects.find(kinds.MANDATE, mandate) if mandate else None
    if value is not None and value["type"] == "single_use" and value["status"] == "active":
        states.MANDATE.set(value, "inactive")
        call.objects.save(value)


def withdraw(call: Call, method: str) -> None:
    """Make the mandates of a detached payment method inactive, with ``mandate.updated``."""
    for value in call.objects.query(kinds.MANDATE, {"payment_method": method, "status": "active"}):
        states.MANDATE.set(value, "inactive")
        call.objects.save(value, "mandate.updated")


def detach_from(call: Call, value: Instrument, owner: str) -> None:
    """Detach a payment method from its customer and withdraw its mandates. owner: id of the customer."""
    value["customer"] = None
    value["_used"] = True
    vault.end(call, value)
    call.objects.save(value)
    call.emit("payment_method.detached", value, {"customer": owner})
    withdraw(call, value["id"])
    customer = call.objects.find(kinds.CUSTOMER, owner)
    if customer is not None and (customer.get("invoice_settings") or {}).get("default_payment_method") == value["id"]:
        customer["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": None}
        call.objects.save(customer, "customer.updated")
    call.announce(events.MethodRemoved(owner, value["id"]))


_STATUSES = {"active": Text("Active"), "inactive": Text("Inactive"), "pending": Text("Pending")}


def show(call: Call, params: operations.GetMandateToken) -> Reply:
    """Show the page of a mandate's ``url``: what the customer agreed to."""
    mandate = call.objects.get(kinds.MANDATE, call.path["id"])
    kind = mandate["payment_method_details"]["type"]
    language = languages.choose(call)
    say = language.say
    facts = [
        (say("Reference"), value_at(mandate, f"payment_method_details.{kind}.reference") or mandate["id"]),
        (say("Status"), say(_STATUSES[mandate["status"]])),
    ]
    text = say("The customer allowed this business to debit the account, and the bank to follow its instructions.")
    return brand.page(call, language, say("Mandate"), f"{brand.rows(facts)}<p>{escape(text)}</p>")


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
