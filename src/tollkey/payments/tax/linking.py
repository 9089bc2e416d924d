"""PaymentIntents with a tax calculation: their success and their refunds are recorded as tax transactions.

A PaymentIntent refers to the calculation in ``hooks[inputs][tax][calculation]``. Each attempt to record is stored
with the intent, and shown by its tax association.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.shared import events
from tollkey.payments.tax import kinds
from tollkey.payments.tax.calculations import expired, unexpired
from tollkey.payments.tax.transactions import record, reverse
from tollkey.wire import ApiError, Call
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.tax.stored import (
        Attempt,
        StoredCalculation,
        StoredTaxTransaction,
        TaxedIntent,
    )
    from tollkey.wire import api, operations

PARAM = "hooks[inputs][tax][calculation]"


def calculation_of(intent: api.PaymentIntent) -> str | None:
    """Return the id of an intent's tax calculation."""
    found: str | None = value_at(intent, "hooks.inputs.tax.calculation")
    return found


def link(call: Call, intent: api.PaymentIntent, hooks: Mapping[str, Any] | None) -> None:
    """Set or remove the tax calculation of an intent.

    Raises ApiError 400 for an unknown calculation.
    """
    id = value_at(hooks or {}, "inputs.tax.calculation")
    if not id:
        intent.pop("hooks", None)
        return
    unexpired(call, id, PARAM)
    intent["hooks"] = {"inputs": {"tax": {"calculation": id}}}


def paid(call: Call, fact: events.IntentSucceeded) -> None:
    """Record a successful payment as a tax transaction with the intent's id as reference, or record why it failed."""
    intent = cast("TaxedIntent", fact.intent)  # this room's private field may stand in it
    id = calculation_of(intent)
    if id is not None and not intent.get("_tax_attempts"):
        intent["_tax_attempts"] = [_attempt(call, intent, id)]
        call.objects.save(intent)


def _attempt(call: Call, intent: TaxedIntent, id: str) -> Attempt:
    """Make a tax transaction of a calculation for a payment, or tell why there is none."""
    calculation = call.objects.get(kinds.CALCULATION, id)
    reason = _refused(call, intent, calculation)
    if reason is not None:
        return _errored(reason, intent["id"])
    calculation["_payment"] = intent["id"]
    call.objects.save(calculation)
    return _committed(record(call, {"calculation": id, "reference": intent["id"]}), intent["id"])


def _refused(call: Call, intent: TaxedIntent, calculation: StoredCalculation) -> str | None:
    if calculation.get("_payment"):
        return "another_payment_associated_with_calculation"
    if expired(calculation, call.now):
        return "calculation_expired"
    if calculation["currency"] != intent["currency"]:
        return "currency_mismatch"
    if call.objects.query(kinds.TRANSACTION, {"reference": intent["id"]}, limit=1):
        return "unique_reference_violation"
    return None


def refunded(call: Call, fact: events.Refunded) -> None:
    """Record a refund of such a payment as a reversal with the refund's id as reference."""
    refund = fact.refund
    intent = call.objects.find(kinds.PAYMENT_INTENT, refund["payment_intent"] or "")
    attempts = intent.get("_tax_attempts") if intent is not None else None
    if intent is None or not attempts or attempts[0]["status"] != "committed":
        return
    asked: operations.PostTaxTransactionsCreateReversal = {
        "mode": "full" if fact.whole else "partial",
        "original_transaction": attempts[0]["committed"]["transaction"],
        "reference": refund["id"],
    }
    if not fact.whole:
        asked["flat_amount"] = -refund["amount"]
    try:
        attempt = _committed(reverse(call, asked), refund["id"])
    except ApiError as error:
        reason = "unique_reference_violation" if error.param == "reference" else "original_transaction_voided"
        attempt = _errored(reason, refund["id"])
    intent["_tax_attempts"] = [*attempts, attempt]
    call.objects.save(intent)


def _committed(transaction: StoredTaxTransaction, source: str) -> Attempt:
    return {"committed": {"transaction": transaction["id"]}, "source": source, "status": "committed"}


def _errored(reason: str, source: str) -> Attempt:
    return {"errored": {"reason": reason}, "source": source, "status": "errored"}
