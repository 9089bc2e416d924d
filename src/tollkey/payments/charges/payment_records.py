"""Payment records: payments processed elsewhere and reported here, with all of their attempts.

report_payment ──▶ attempt under way ──guaranteed──▶ amount guaranteed ──report_refund──▶ refunded, wholly or in part
                          ├──failed──▶ amount failed ──┐
                          └──canceled──▶ canceled ─────┴──report_payment_attempt──▶ a new attempt under way

No money moves here: a record documents what another processor did. No field shows when; the times that are told must be
in order, and are kept with the attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.keys import Permission
from tollkey.payments.charges import kinds
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields
from tollkey.wire import Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.errors import missing_param, too_small
from tollkey.wire.live import records
from tollkey.wire.pages import list_page, retrieve
from tollkey.wire.resource import Handler

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import ReportedRefund, StoredAttempt
    from tollkey.wire import api, operations
    from tollkey.wire.api import PaymentsPrimitivesPaymentRecordsResourceAmount as Amount
    from tollkey.wire.api import PaymentsPrimitivesPaymentRecordsResourceBillingDetails as Billing
    from tollkey.wire.api import PaymentsPrimitivesPaymentRecordsResourceCustomerDetails as Person
    from tollkey.wire.api import PaymentsPrimitivesPaymentRecordsResourcePaymentMethodCustomDetails as Custom
    from tollkey.wire.api import PaymentsPrimitivesPaymentRecordsResourcePaymentMethodDetails as Method
    from tollkey.wire.api import PaymentsPrimitivesPaymentRecordsResourceProcessorDetails as Processor
    from tollkey.wire.api import PaymentsPrimitivesPaymentRecordsResourceShippingDetails as Shipping

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


def report_payment(call: Call, params: operations.PostPaymentRecordsReportPayment) -> api.PaymentRecord:
    """Create a payment record with its first attempt."""
    requested = params["amount_requested"]
    currency = shared_currency.check_currency(requested["currency"], "amount_requested[currency]")
    if requested["value"] < 1:
        raise too_small("amount_requested[value]")
    _check_customer(call, params)
    record = new_object(
        kinds.PAYMENT_RECORD,
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
        **_zeros(currency),
    )
    call.objects.insert(record)
    return _create_attempt(call, record, params)


def _money(value: int, currency: str) -> Amount:
    return {"currency": currency, "value": value}


def _zeros(currency: str) -> dict[str, Amount]:
    """Return an amount of 0 for each of ``_AMOUNTS``."""
    return {name: _money(0, currency) for name in _AMOUNTS}


def _person(given: operations.CustomerDetails | None) -> Person | None:
    if not given:
        return None
    return {
        "customer": given.get("customer"),
        "email": given.get("email"),
        "name": given.get("name"),
        "phone": given.get("phone"),
    }


def _shipping(given: operations.ShippingDetails | None) -> Shipping | None:
    if not given:
        return None
    return {
        "address": fields.full_address(given.get("address") or {}),
        "name": given.get("name"),
        "phone": given.get("phone"),
    }


def _processor(params: operations.PostPaymentRecordsReportPayment) -> Processor:
    details = params.get("processor_details")
    custom = details.get("custom") if details else None
    return {"custom": {"payment_reference": custom["payment_reference"] if custom else None}, "type": "custom"}


def _method(
    call: Call,
    params: operations.PostPaymentRecordsIdReportPaymentAttempt | operations.PostPaymentRecordsReportPayment,
) -> Method:
    """Return ``payment_method_details`` of a custom payment method, built from the parameters."""
    given = params.get("payment_method_details") or {}
    custom, id = given.get("custom") or {}, given.get("payment_method")
    if id:
        call.objects.get(methods_kinds.PAYMENT_METHOD, id, "payment_method_details[payment_method]")
    elif not custom.get("display_name") and not custom.get("type"):
        raise missing_param("payment_method_details[custom][display_name]")
    details = fields.billing_details(given.get("billing_details"))
    billing: Billing = {
        "address": details["address"] or fields.full_address({}),
        "email": details["email"],
        "name": details["name"],
        "phone": details["phone"],
    }
    described: Custom = {
        "display_name": custom.get("display_name") or custom.get("type") or "custom",
        "type": custom.get("type"),
    }
    return {"billing_details": billing, "custom": described, "payment_method": id, "type": "custom"}


def _create_attempt(
    call: Call,
    record: api.PaymentRecord,
    params: operations.PostPaymentRecordsIdReportPaymentAttempt | operations.PostPaymentRecordsReportPayment,
) -> api.PaymentRecord:
    """Store the attempt that the parameters report, and update the record with its outcome."""
    record["payment_method_details"] = _method(call, params)
    copied: Mapping[str, Any] = call.objects.copy(record)
    attempt = new_object(
        kinds.PAYMENT_ATTEMPT_RECORD,
        id=call.ids.new("par"),
        created=call.now,
        customer_presence=record["customer_presence"],
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        payment_record=record["id"],
        reported_by="self",
        shipping_details=record["shipping_details"],
        **{name: copied[name] for name in _SHARED},
    )
    fields.assign(attempt, _zeros(record["amount"]["currency"]), _AMOUNTS)
    call.objects.insert(attempt)
    fields.assign(record, _zeros(record["amount"]["currency"]), _AMOUNTS)
    record["latest_payment_attempt_record"] = attempt["id"]
    attempt["_initiated_at"] = params["initiated_at"]
    outcome, ended = params.get("outcome"), _ended(params)
    if ended is not None:
        _end(attempt, ended, f"{outcome}[{outcome}_at]")
    return _save_amount(call, record, attempt, f"amount_{outcome}" if outcome else None)


def _ended(
    params: operations.PostPaymentRecordsIdReportPaymentAttempt | operations.PostPaymentRecordsReportPayment,
) -> int | None:
    """Return when a reported attempt ended (UTC epoch seconds), or None while it is under way.

    Raises ApiError 400 when the details are missing, or are those of another outcome.
    """
    outcome, failed, guaranteed = params.get("outcome"), params.get("failed"), params.get("guaranteed")
    times = {
        "failed": failed["failed_at"] if failed else None,
        "guaranteed": guaranteed["guaranteed_at"] if guaranteed else None,
    }
    if outcome is not None and times[outcome] is None:
        raise missing_param(outcome)
    for name, time in times.items():
        if time is not None and name != outcome:
            raise invalid(f"`{name}` describes a payment whose `outcome` is `{name}`.", name)
    return times[outcome] if outcome else None


def _end(attempt: StoredAttempt, time: int, param: str) -> None:
    """Note when an attempt ended (UTC epoch seconds). Raises ApiError 400 for a time before its beginning."""
    if time < attempt.get("_initiated_at", time):
        raise invalid("A payment cannot end before it was initiated.", param)
    attempt["_ended_at"] = time


def _save_amount(
    call: Call,
    record: api.PaymentRecord,
    attempt: StoredAttempt,
    field: str | None,
    value: int | None = None,
) -> api.PaymentRecord:
    """Save attempt and record, with ``field`` set to a value (minor units; the requested amount when None)."""
    if field is not None:
        amount = _money(record["amount_requested"]["value"] if value is None else value, record["amount"]["currency"])
        fields.assign(attempt, {field: amount}, (field,))
        fields.assign(record, {field: amount.copy()}, (field,))
    call.objects.save(attempt)
    return call.objects.save(record)


def _latest(call: Call) -> tuple[api.PaymentRecord, StoredAttempt]:
    record = call.objects.get(kinds.PAYMENT_RECORD, call.path["id"])
    return record, call.objects.get(kinds.PAYMENT_ATTEMPT_RECORD, record["latest_payment_attempt_record"] or "")


def _final_outcome(attempt: api.PaymentAttemptRecord) -> str | None:
    """Return how an attempt ended, or None while it is under way."""
    amounts: Mapping[str, Any] = attempt
    return next((name for name in ("guaranteed", "failed", "canceled") if amounts[f"amount_{name}"]["value"]), None)


def report_attempt(call: Call, params: operations.PostPaymentRecordsIdReportPaymentAttempt) -> api.PaymentRecord:
    """Report another attempt after the previous ones failed or were canceled."""
    record, last = _latest(call)
    if _final_outcome(last) in (None, "guaranteed"):
        raise invalid(
            "A new payment attempt can only be reported if all other payment attempts are canceled or failed.",
            retry=False,
        )
    if "payment_method_details" not in params:
        method: Mapping[str, Any] = record["payment_method_details"] or {}
        kept = cast(  # the parameters have the names of its fields
            "operations.PaymentMethodDetails", {name: method[name] for name in ("custom", "payment_method")}
        )
        params = {**params, "payment_method_details": kept}
    if params.get("description") is not None:
        record["description"] = params["description"]
    if "shipping_details" in params:
        record["shipping_details"] = _shipping(params["shipping_details"])
    return _create_attempt(call, record, params)


def _report_outcome_handler(name: str, time: str) -> Handler:
    """Return the handler that reports how the current attempt ended. time: the parameter that says when."""

    def handler(
        call: Call,
        params: operations.PostPaymentRecordsIdReportPaymentAttemptCanceled
        | operations.PostPaymentRecordsIdReportPaymentAttemptFailed
        | operations.PostPaymentRecordsIdReportPaymentAttemptGuaranteed,
    ) -> api.PaymentRecord:
        record, attempt = _latest(call)
        ended = _final_outcome(attempt)
        if ended is not None:
            raise invalid(
                f"This payment attempt cannot be reported as {name} because it is {ended} already.", retry=False
            )
        given: Mapping[str, Any] = params  # the name of the time is computed
        _end(attempt, given[time], time)
        fields.merge_metadata(attempt, params)
        return _save_amount(call, record, attempt, f"amount_{name}")

    handler.__doc__ = f"Report that the attempt under way is {name}."
    return handler


def _check_customer(
    call: Call,
    params: operations.PostPaymentRecordsReportPayment
    | operations.PostPaymentRecordsIdReportPaymentAttemptInformational,
) -> None:
    """Raise ApiError 400 for a customer who is not the account's."""
    customer = (params.get("customer_details") or {}).get("customer")
    if customer:
        call.objects.get(methods_kinds.CUSTOMER, customer, "customer_details[customer]")


def report_informational(
    call: Call, params: operations.PostPaymentRecordsIdReportPaymentAttemptInformational
) -> api.PaymentRecord:
    """Update customer, shipping or description of the latest attempt."""
    record, attempt = _latest(call)
    _check_customer(call, params)
    for value in (record, attempt):
        if params.get("customer_details"):
            value["customer_details"] = _person(params["customer_details"])
        if "shipping_details" in params:
            value["shipping_details"] = _shipping(params["shipping_details"])
        if "description" in params:
            value["description"] = params["description"]
    fields.merge_metadata(attempt, params)
    return _save_amount(call, record, attempt, None)


def report_refund(call: Call, params: operations.PostPaymentRecordsIdReportRefund) -> api.PaymentRecord:
    """Report a refund: of an amount, or of all that is left. Raises ApiError 400 if less is left."""
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
    made, begun = params["refunded"]["refunded_at"], params.get("initiated_at")
    if made < (begun if begun is not None else attempt.get("_ended_at", made)):
        raise invalid(
            "A refund cannot be made before it was initiated or its payment was guaranteed.", "refunded[refunded_at]"
        )
    custom = params["processor_details"].get("custom")
    told: ReportedRefund = {
        "amount": wanted,
        "initiated_at": begun,
        "refunded_at": made,
        "reference": custom["refund_reference"] if custom else None,
    }
    attempt["_refunds"] = [*attempt.get("_refunds", []), told]
    fields.merge_metadata(attempt, params)
    return _save_amount(call, record, attempt, "amount_refunded", before + wanted)


def list_attempts(call: Call, params: operations.GetPaymentAttemptRecords) -> Page:
    """List the attempts of a payment record, newest first."""
    record = call.objects.get(kinds.PAYMENT_RECORD, params["payment_record"], "payment_record")
    return list_page(
        call, kinds.PAYMENT_ATTEMPT_RECORD, params, {"payment_record": record["id"]}, url="/v1/payment_attempt_records"
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
        Endpoint(
            "POST", _PATH + "/{id}/report_payment_attempt_canceled", _report_outcome_handler("canceled", "canceled_at")
        ),
        Endpoint("POST", _PATH + "/{id}/report_payment_attempt_failed", _report_outcome_handler("failed", "failed_at")),
        Endpoint(
            "POST",
            _PATH + "/{id}/report_payment_attempt_guaranteed",
            _report_outcome_handler("guaranteed", "guaranteed_at"),
        ),
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
