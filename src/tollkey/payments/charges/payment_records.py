"""Payment records: payments that were made elsewhere and are reported here, with every attempt at them.

report_payment ──▶ attempt under way ──guaranteed──▶ amount guaranteed ──report_refund──▶ refunded, wholly or in part
                          ├──failed──▶ amount failed ──┐
                          └──canceled──▶ canceled ─────┴──report_payment_attempt──▶ a new attempt under way

Nothing here moves money: a record only says what another processor did.
"""

from __future__ import annotations

from typing import Any

from tollkey.keys import Permission
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields
from tollkey.wire import (
    Call,
    Endpoint,
    Json,
    Page,
    Params,
    Resource,
    blank,
    invalid,
    list_page,
    missing_param,
    records,
    retrieve,
    too_small,
)

PERMISSION = Permission("payment_records", "Payment Records", "Core")
_PATH = "/v1/payment_records"
_AMOUNTS = ("amount_authorized", "amount_canceled", "amount_failed", "amount_guaranteed", "amount_refunded")
_SHARED = (
    "amount",
    *_AMOUNTS,
    "amount_requested",
    "customer_details",
    "description",
    "payment_method_details",
    "processor_details",
)


def report_payment(call: Call, params: Params) -> Json:
    """Report a new payment with its first attempt."""
    requested = params["amount_requested"]
    currency = shared_currency.check_currency(requested["currency"], "amount_requested[currency]")
    if requested["value"] < 1:
        raise too_small("amount_requested[value]")
    customer = (params.get("customer_details") or {}).get("customer")
    if customer:
        call.objects.get("customer", customer, "customer_details[customer]")
    record = blank(
        "payment_record",
        id=call.ids.new("pr"),
        amount=_money(requested["value"], currency),
        amount_requested=_money(requested["value"], currency),
        created=call.now,
        customer_details=_person(params.get("customer_details")),
        customer_presence=params.get("customer_presence"),
        description=params.get("description"),
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        processor_details=_processor(params),
        reported_by="self",
        shipping_details=_shipping(params.get("shipping_details")),
        **{name: _money(0, currency) for name in _AMOUNTS},
    )
    call.objects.insert(record)
    return _create_attempt(call, record, params)


def _money(value: int, currency: str) -> Json:
    return {"currency": currency, "value": value}


def _person(given: Params | None) -> Json | None:
    return {name: given.get(name) for name in ("customer", "email", "name", "phone")} if given else None


def _shipping(given: Params | None) -> Json | None:
    return (
        {"address": fields.address(given.get("address") or {}), "name": given.get("name"), "phone": given.get("phone")}
        if given
        else None
    )


def _processor(params: Params) -> Json:
    custom = (params.get("processor_details") or {}).get("custom") or {}
    return {"custom": {"payment_reference": custom.get("payment_reference")}, "type": "custom"}


def _method(call: Call, params: Params) -> Json:
    """``payment_method_details``: a custom method, by what is told of it."""
    given = params.get("payment_method_details") or {}
    custom, id = given.get("custom") or {}, given.get("payment_method")
    if id:
        call.objects.get("payment_method", id, "payment_method_details[payment_method]")
    elif not custom.get("display_name") and not custom.get("type"):
        raise missing_param("payment_method_details[custom][display_name]")
    details = fields.billing_details(given.get("billing_details"))
    details.pop("tax_id")
    told = {"display_name": custom.get("display_name") or custom.get("type") or "custom", "type": custom.get("type")}
    return {"billing_details": details, "custom": told, "payment_method": id, "type": "custom"}


def _create_attempt(call: Call, record: Json, params: Params) -> Json:
    """Store the attempt that the parameters report, and update the record with its outcome."""
    record["payment_method_details"] = _method(call, params)
    attempt = blank(
        "payment_attempt_record",
        id=call.ids.new("par"),
        created=call.now,
        customer_presence=record["customer_presence"],
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        payment_record=record["id"],
        reported_by="self",
        shipping_details=record["shipping_details"],
        **{name: call.objects.copy(record)[name] for name in _SHARED},
    )
    attempt.update({name: _money(0, record["amount"]["currency"]) for name in _AMOUNTS})
    call.objects.insert(attempt)
    record.update({name: _money(0, record["amount"]["currency"]) for name in _AMOUNTS})
    record["latest_payment_attempt_record"] = attempt["id"]
    outcome = params.get("outcome")
    if outcome is not None and not params.get(outcome):
        raise missing_param(outcome)
    return _save_amount(call, record, attempt, f"amount_{outcome}" if outcome else None)


def _save_amount(call: Call, record: Json, attempt: Json, field: str | None, value: int | None = None) -> Json:
    """Save attempt and record, with ``field`` set to a value (minor units; the requested amount when None)."""
    if field is not None:
        amount = _money(record["amount_requested"]["value"] if value is None else value, record["amount"]["currency"])
        attempt[field], record[field] = dict(amount), dict(amount)
    call.objects.save(attempt)
    return call.objects.save(record)


def _latest(call: Call) -> tuple[Json, Json]:
    record = call.objects.get("payment_record", call.path["id"])
    return record, call.objects.get("payment_attempt_record", record["latest_payment_attempt_record"])


def _final_outcome(attempt: Json) -> str | None:
    """How an attempt ended, or None while it is under way."""
    return next((name for name in ("guaranteed", "failed", "canceled") if attempt[f"amount_{name}"]["value"]), None)


def report_attempt(call: Call, params: Params) -> Json:
    """Report another attempt, after the others failed or were canceled."""
    record, last = _latest(call)
    if _final_outcome(last) in (None, "guaranteed"):
        raise invalid(
            "A new payment attempt can only be reported if all other payment attempts are canceled or failed.",
            retry=False,
        )
    if "payment_method_details" not in params:
        kept = {name: record["payment_method_details"][name] for name in ("custom", "payment_method")}
        params = {**params, "payment_method_details": kept}
    if params.get("description") is not None:
        record["description"] = params["description"]
    return _create_attempt(call, record, params)


def _report_outcome_handler(name: str) -> Any:
    """The handler that reports how the attempt under way ended."""

    def handler(call: Call, params: Params) -> Json:
        record, attempt = _latest(call)
        ended = _final_outcome(attempt)
        if ended is not None:
            raise invalid(
                f"This payment attempt cannot be reported as {name} because it is {ended} already.", retry=False
            )
        fields.merge_metadata(attempt, params)
        return _save_amount(call, record, attempt, f"amount_{name}")

    handler.__doc__ = f"Report that the attempt under way is {name}."
    return handler


def report_informational(call: Call, params: Params) -> Json:
    """Add to what is known of the latest attempt: customer, shipping, description."""
    record, attempt = _latest(call)
    for value in (record, attempt):
        if params.get("customer_details"):
            value["customer_details"] = _person(params["customer_details"])
        if "shipping_details" in params:
            value["shipping_details"] = _shipping(params["shipping_details"])
        if "description" in params:
            value["description"] = params["description"]
    fields.merge_metadata(attempt, params)
    return _save_amount(call, record, attempt, None)


def report_refund(call: Call, params: Params) -> Json:
    """Report that money was given back: what is left, or an amount. Raises ApiError when there is not that much."""
    record, attempt = _latest(call)
    before = record["amount_refunded"]["value"]
    left = record["amount_guaranteed"]["value"] - before
    given = params.get("amount")
    if given and shared_currency.check_currency(given["currency"], "amount[currency]") != record["amount"]["currency"]:
        raise invalid("The refund must be in the currency of the payment record.", "amount[currency]")
    wanted = given["value"] if given else left
    if wanted < 1 or wanted > left:
        raise invalid(
            f"The refund ({wanted}) must be between 1 and what is left of the guaranteed amount ({left}).",
            "amount",
            retry=False,
        )
    fields.merge_metadata(attempt, params)
    return _save_amount(call, record, attempt, "amount_refunded", before + wanted)


def list_attempts(call: Call, params: Params) -> Page:
    """List the attempts of a payment record, newest first."""
    record = call.objects.get("payment_record", params["payment_record"], "payment_record")
    return list_page(
        call, "payment_attempt_record", params, {"payment_record": record["id"]}, url="/v1/payment_attempt_records"
    )


PAYMENT_RECORD = Resource(
    object="payment_record",
    prefix="pr",
    permission=PERMISSION,
    live=records(),
    endpoints=(
        Endpoint("POST", _PATH + "/report_payment", report_payment),
        retrieve("payment_record", _PATH + "/{id}"),
        Endpoint("POST", _PATH + "/{id}/report_payment_attempt", report_attempt),
        Endpoint("POST", _PATH + "/{id}/report_payment_attempt_canceled", _report_outcome_handler("canceled")),
        Endpoint("POST", _PATH + "/{id}/report_payment_attempt_failed", _report_outcome_handler("failed")),
        Endpoint("POST", _PATH + "/{id}/report_payment_attempt_guaranteed", _report_outcome_handler("guaranteed")),
        Endpoint("POST", _PATH + "/{id}/report_payment_attempt_informational", report_informational),
        Endpoint("POST", _PATH + "/{id}/report_refund", report_refund),
    ),
    title="Payment records",
    columns=("description", "id", "created"),
)
PAYMENT_ATTEMPT_RECORD = Resource(
    object="payment_attempt_record",
    prefix="par",
    permission=PERMISSION,
    indexed=("payment_record",),
    endpoints=(
        Endpoint("GET", "/v1/payment_attempt_records", list_attempts),
        retrieve("payment_attempt_record", "/v1/payment_attempt_records/{id}"),
    ),
    title="Payment attempt records",
    columns=("payment_record", "id", "created"),
)
