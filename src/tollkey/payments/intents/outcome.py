"""The outcome of a confirmation: the charge, and the resulting status of the intent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from tollkey.payments.charges import lifecycle
from tollkey.payments.intents import defaults, jobs, payment_states, through_network
from tollkey.payments.intents.method_choice import attach, consume, spend
from tollkey.payments.methods import mandates
from tollkey.payments.processors import asking, protocol
from tollkey.payments.shared import events, fields
from tollkey.wire import ApiError, Call
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge
    from tollkey.payments.intents.stored import Instrument, StoredPaymentIntent
    from tollkey.wire import api

#: How long an authorization is valid, in seconds.
HOLDS_SECONDS = 7 * 86_400
#: ``capture_method`` of a payment method type that leaves the capture to the merchant; a reader can always hold money.
_BY_HAND = ("manual", "manual_preferred")


def charge_and_record(
    call: Call,
    intent: StoredPaymentIntent,
    method: Instrument,
    *,
    off_session: bool,
    authenticated: bool,
    answered: protocol.Verdict | None = None,
) -> ApiError | None:
    """Charge the payment method and record the result on the intent: status, latest charge, error.

    answered: the verdict of a processor on a network; without it that is asked first, and the intent is processing
    until it has answered. Returns the error of a declined charge, else None.
    """
    backend = asking.backend_of(call) if answered is None else None
    if backend is not None:
        through_network.authorize(
            call, backend, intent, method, off_session=off_session, captures=_captures(intent, method)
        )
        return None
    made = lifecycle.charge(
        call,
        lifecycle.Attempt(
            amount=intent["amount"],
            currency=intent["currency"],
            payment_method=method,
            customer=intent["customer"],
            capture=_captures(intent, method),
            payment_intent=intent["id"],
            description=intent["description"],
            metadata=intent["metadata"],
            statement_descriptor=intent["statement_descriptor"],
            statement_descriptor_suffix=intent["statement_descriptor_suffix"],
            receipt_email=intent["receipt_email"],
            shipping=intent["shipping"],
            on_behalf_of=intent["on_behalf_of"],
            transfer_group=intent["transfer_group"],
            transfer_data=cast("api.ChargeTransferData | None", intent["transfer_data"]),
            application_fee_amount=intent["application_fee_amount"],
            off_session=off_session,
            authenticated=authenticated,
            radar_options=intent.get("_radar_options"),
            mandate=intent.get("_mandate"),
            invoice=intent.get("_invoice"),
            asynchronous=intent["capture_method"] == "automatic_async",
            not_before=_target_date(intent, method),
            parts=answered is None
            and value_at(intent, "payment_method_options.card.request_multicapture") == "if_available",
        ),
        answered,
    )
    error = lifecycle.decline(call, made, method) if made["status"] == "failed" else None
    if error is None or "charge" in error.extra:
        intent["latest_charge"] = made["id"]
    if error is None:
        accepted(call, intent, made, method, off_session)
    else:
        consume(call, method)
        refuse(call, intent, method, error)
    return error


def _captures(intent: StoredPaymentIntent, method: Instrument) -> bool:
    """Return whether the money is taken at once, and not only reserved."""
    asked = value_at(intent, f"payment_method_options.{protocol.kind_of(method)}.capture_method")
    return intent["capture_method"] != "manual" and asked not in _BY_HAND


def _target_date(intent: StoredPaymentIntent, method: Instrument) -> int:
    """Return the start of the day for which a debit was asked (``target_date``), UTC epoch seconds; 0 without one."""
    text = value_at(intent, f"payment_method_options.{protocol.kind_of(method)}.target_date")
    return int(datetime.fromisoformat(str(text)).replace(tzinfo=UTC).timestamp()) if text else 0


def accepted(
    call: Call, intent: StoredPaymentIntent, made: StoredCharge, method: Instrument, off_session: bool
) -> None:
    """Record a charge that was not declined: pending, authorized or succeeded."""
    intent["last_payment_error"] = None
    intent["transfer_group"] = intent["transfer_group"] or made["transfer_group"]
    mandates.spend(call, intent.get("_mandate"))
    usage = intent["setup_future_usage"] or value_at(
        intent, f"payment_method_options.{protocol.kind_of(method)}.setup_future_usage"
    )
    if usage in ("on_session", "off_session") or intent.get("_save"):
        attach(call, method, intent["customer"], off_session=usage == "off_session" and not off_session)
    spend(call, method)
    if made["status"] == "pending":
        payment_states.move(intent, "processing")
        call.objects.save(intent)
        call.emit("payment_intent.processing", intent)
    elif not made["captured"]:
        payment_states.move(intent, "requires_capture")
        intent["amount_capturable"] = made["amount"]
        call.schedule.add(
            call.now + HOLDS_SECONDS,
            jobs.PAYMENT_INTENT_EXPIRE,
            intent["id"],
            fields.clock_of(call, intent["customer"]),
        )
        call.objects.save(intent)
        call.emit("payment_intent.amount_capturable_updated", intent)
    else:
        succeed(call, intent, made["amount_captured"])
    call.announce(events.IntentChanged(intent))


def succeed(call: Call, intent: StoredPaymentIntent, received: int) -> None:
    """Record a successful payment. received: minor units."""
    payment_states.move(intent, "succeeded")
    intent.update({"amount_capturable": 0, "amount_received": received, "_authenticated": None})
    defaults.apply(call, intent)
    call.objects.save(intent)
    call.emit("payment_intent.succeeded", intent)
    call.announce(events.IntentSucceeded(intent))
    call.announce(events.IntentChanged(intent))


def refuse(call: Call, intent: StoredPaymentIntent, method: Instrument | None, error: ApiError) -> ApiError:
    """Record a declined payment: another payment method is required. The error contains the intent."""
    if method is not None and method["object"] == "payment_method":
        error.extra.setdefault("payment_method", call.objects.copy(method))
    stored_error = error.body()["error"]
    stored_error.pop("payment_intent", None)
    payment_states.move(intent, "requires_payment_method")
    intent.update({"last_payment_error": stored_error, "payment_method": None, "source": None, "_authenticated": None})
    call.objects.save(intent)
    call.emit("payment_intent.payment_failed", intent)
    call.announce(events.IntentChanged(intent))
    error.extra["payment_intent"] = call.objects.copy(intent)
    return error
