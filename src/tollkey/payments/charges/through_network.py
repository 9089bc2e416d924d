"""Charges without a PaymentIntent whose processor is on a network: it is asked after the transaction that stores the
charge as pending, and answers in another one.

    pending ──authorize──▶ succeeded │ failed
    succeeded, not captured ──capture──▶ captured
                            ──void─────▶ expired, after seven days (a refund: ``refund_rules``)

What it has not answered is named by ``_attempt``; until then nothing else may change the charge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from tollkey.payments.balance import settlement
from tollkey.payments.charges import details, jobs, kinds, lifecycle, states
from tollkey.payments.charges.attempts import Attempt, decline_facts, new_charge
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.processors import answers, asking, attempts, protocol
from tollkey.payments.shared import events, providers, receipt_links
from tollkey.wire import ApiError, Call, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollkey.payments.charges.stored import StoredCharge
    from tollkey.payments.methods.stored import Instrument
    from tollkey.payments.processors.backends import Backend
    from tollkey.payments.processors.network import Operation

_WHAT: Final[Mapping[str, str]] = {"capture": "to capture this charge", "void": "to release this charge"}
#: Seconds until an authorization whose capture is on its way is looked at again.
_LATER: Final = 3_600


def check_free(charge: StoredCharge) -> None:
    """Raise ApiError 429 while the processor has not answered what it was asked about a charge."""
    if charge.get("_attempt"):
        raise asking.busy()


def authorize(call: Call, backend: Backend, made: Attempt) -> StoredCharge:
    """Store a pending charge, and ask the processor to authorize it, and to take the money if ``made.capture``.

    Raises ApiError for what the processor, or this server without another provider, does not do.
    """
    method = made.payment_method
    assert method is not None, "a charge without an intent has a source"
    described = asking.described(method)
    if settlement.settlement_currency(call, made.currency) != made.currency:
        call.require(providers.RATES)
    if made.on_behalf_of or made.transfer_data or made.application_fee_amount:
        call.require(providers.TRANSFERS)
    charge = new_charge(call, made, protocol.Verdict("pending", risk_level="not_assessed"))
    descriptor = made.statement_descriptor or made.statement_descriptor_suffix
    asked = {**described, "capture": made.capture, "off_session": False, "statement_descriptor": descriptor}
    question = attempts.Question("authorize", charge["id"], made.amount, made.currency, asked)
    charge["_attempt"] = asking.ask(call, backend, question, protocol.kind_of(method))
    return call.objects.insert(charge)


def capture(
    call: Call, backend: Backend, charge: StoredCharge, amount: int | None, given: Mapping[str, Any]
) -> StoredCharge:
    """Ask the processor to capture a charge, which is captured when that approves.

    amount: minor units; None for the full amount. given: see ``lifecycle.capture``. Raises ApiError 400 as that does,
    before anybody is asked.
    """
    check_free(charge)
    if given.get("application_fee_amount") or given.get("transfer_data"):
        call.require(providers.TRANSFERS)
    id = charge["id"]
    try:
        with call.tx.savepoint():
            lifecycle.capture(call, charge, amount, **given)
            raise _Rehearsed
    except _Rehearsed:
        call.forget()
    charge = call.objects.get(kinds.CHARGE, id)
    taken = charge["amount"] if amount is None else amount
    if taken < charge["amount"] and not backend.features.partial_capture:
        raise invalid("The processor of this account captures only the full amount.", "amount", retry=False)
    charge["_attempt"] = ask_about(
        call, backend, charge, "capture", id, taken, {"amount": amount, "given": dict(given)}
    )
    return call.objects.save(charge)


class _Rehearsed(Exception):
    """A capture would succeed; it is rolled back until the processor has made it."""


def ask_about(
    call: Call,
    backend: Backend,
    charge: StoredCharge,
    operation: Operation,
    object: str,
    amount: int,
    more: Mapping[str, Any],
) -> str:
    """Ask the processor for something about the authorization of a charge. Returns the reference.

    object: the id of what shows the answer. Raises ApiError 400 when the authorization is not the processor's own.
    """
    about = asking.authorization_of(call, charge["payment_intent"] or charge["id"])
    if about is None or about.provider != backend.provider:
        raise invalid(f"The processor of this account has not made the charge {charge['id']}.", retry=False)
    question = attempts.Question(operation, object, amount, charge["currency"], more, about.reference)
    return asking.ask(call, backend, question)


def expire(call: Call, id: str) -> None:
    """Run the job ``charge.expire``: release an authorization that was not captured within seven days.

    A processor on a network that releases authorizations is asked to do so first.
    """
    charge = call.objects.find(kinds.CHARGE, id)
    if charge is None or charge["captured"] or charge["refunded"]:
        return
    backend = asking.backend_of(call)
    if charge.get("_attempt"):
        call.schedule.add(call.now + _LATER, jobs.CHARGE_EXPIRE, id)
    elif backend is None or not backend.features.takes("void", charge["currency"]):
        lifecycle.release(call, charge, "charge.expired")
    else:
        charge["_attempt"] = ask_about(call, backend, charge, "void", id, charge["amount"], {})
        call.objects.save(charge)


def attempt_ended(call: Call, fact: events.AttemptEnded) -> None:
    """Change a charge as its processor has decided."""
    attempt = fact.attempt
    charge = call.objects.find(kinds.CHARGE, attempt.object) if attempt.object.startswith(("ch_", "py_")) else None
    if charge is None or charge.get("_attempt") != attempt.reference:
        return
    del charge["_attempt"]
    if attempt.operation == "authorize":
        _decide(call, charge, attempt)
    elif attempt.state != "approved":
        call.objects.save(charge)
    elif attempt.operation == "capture":
        lifecycle.capture(call, charge, attempt.asked["amount"], **attempt.asked["given"])
    else:
        lifecycle.release(call, charge, "charge.expired")


def _decide(call: Call, charge: StoredCharge, attempt: attempts.Attempt) -> None:
    """Let a pending charge succeed or fail."""
    verdict = answers.verdict_of(attempt)
    charge["outcome"] = details.outcome(verdict)
    charge["payment_method_details"] = details.payment_method_details(
        call, _instrument(call, charge), charge["amount"], verdict,
        capture=bool(attempt.asked["capture"]), authenticated=False, mandate=None,
    )  # fmt: skip
    states.CHARGE.set(charge, verdict.status)
    if verdict.decline is not None:
        charge.update({
            "failure_code": verdict.decline.code, "failure_message": verdict.decline.message, "amount_captured": 0,
            "captured": False,
        })  # fmt: skip
        charge["_decline"] = decline_facts(verdict.decline)
        call.objects.save(charge, "charge.failed")
        return
    charge.update({"paid": True, "receipt_url": receipt_links.receipt_url(call, charge["id"])})
    lifecycle.take(call, charge)
    call.objects.save(charge, "charge.succeeded")


def attempt_waits(call: Call, fact: events.AttemptWaits) -> None:
    """Tell that a charge is pending: its processor has not said what became of it."""
    attempt = fact.attempt
    charge = call.objects.find(kinds.CHARGE, attempt.object) if attempt.operation == "authorize" else None
    if charge is not None and charge.get("_attempt") == attempt.reference:
        call.emit("charge.pending", charge)


def refusal(call: Call, charge: StoredCharge, reference: str) -> ApiError | None:
    """Return the error of a request whose processor has not approved; None if it has, or has not answered yet.

    A refund that was not approved has failed, which is no error.
    """
    attempt = attempts.find(call.tx, reference)
    if attempt is None or attempt.state == "approved" or not attempt.applied or attempt.operation == "refund":
        return None
    if attempt.operation == "authorize":
        return lifecycle.decline(call, charge, _instrument(call, charge))
    return asking.refused(attempt, _WHAT[attempt.operation])


def _instrument(call: Call, charge: StoredCharge) -> Instrument | None:
    """Return what a charge was made with, as it is stored, or as the charge has it."""
    stored = call.objects.find(methods_kinds.PAYMENT_METHOD, charge["payment_method"] or "")
    return stored if stored is not None else cast("Instrument | None", charge.get("source"))
