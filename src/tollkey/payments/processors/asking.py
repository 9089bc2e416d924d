"""Asks the account's processor for something: stores the attempt, within the transaction of the request or job.

What is stored here is sent once the transaction is durable (``sending``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tollkey.payments.processors import attempts, backends
from tollkey.payments.processors.attempts import Attempt, Question
from tollkey.payments.processors.backends import Backend
from tollkey.payments.processors.network import Operation
from tollkey.payments.processors.vault import holding
from tollkey.wire import ApiError, Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import Instrument

_CODE = "security code that was asked for again"
_BUSY = (
    "This object cannot be accessed right now because another API request or Stripe process is currently accessing it."
    " If you see this error intermittently, retry the request. If you see this error frequently and are making multiple"
    " concurrent requests to a single object, make your requests serially or at a lower rate."
)

_DOES: Mapping[str, str] = {"contest": "take evidence of disputes", "accept": "let a dispute be accepted"}


def backend_of(call: Call) -> Backend | None:
    """Return the processor on a network that payments of the call's account go through; None in test mode."""
    return backends.of(call.tx, call.scope) if call.livemode else None


def busy() -> ApiError:
    """Return the 429 ``lock_timeout`` for an object whose processor has not answered yet."""
    return ApiError(429, code="lock_timeout", message=_BUSY, retry=True)


def refused(attempt: Attempt, what: str) -> ApiError:
    """Return the error of a request whose attempt was not approved: 400 if it was declined, else 503.

    what: completes the sentence "the processor refused …".
    """
    if attempt.state == "declined":
        why = f" ({attempt.answer['decline']})" if attempt.answer.get("decline") else ""
        return invalid(f"The processor of this account refused {what}{why}. Nothing was changed.", retry=False)
    message = "The processor of this account could not be reached. Nothing was done; send the request again."
    return ApiError(503, "api_error", message=message, retry=True, headers={"Retry-After": "1"})


def check(backend: Backend, operation: Operation, currency: str, method: str | None = None) -> None:
    """Raise ApiError 400 for what a processor does not do. method: the type of payment method, or None for any."""
    if not backend.features.takes(operation, currency, method):
        what = (
            f"{operation} payments by {method}" if method is not None else _DOES.get(operation, f"take a {operation}")
        )
        raise invalid(f"The processor of this account ({backend.provider}) does not {what} in {currency}.", retry=False)


def ask(call: Call, backend: Backend, question: Question, method: str | None = None) -> str:
    """Store an attempt, to be sent after this transaction, and return its reference.

    method: the type of payment method of an authorization. Raises ApiError 400 for what the processor does not do.
    """
    check(backend, question.operation, question.currency, method)
    reference, code = attempts.new_reference(call.ids), call.memo.pop(_CODE, None)
    if code is not None:
        question = replace(question, asked={**question.asked, "code": code})
    attempts.add(call.tx, call.scope, reference, question, backend.provider, call.real)
    holding.hold_for_attempt(call, question.asked.get("vault"), reference)
    call.outside.append(reference)
    return reference


def recollected(call: Call, code: str | None) -> None:
    """Let what this call asks next be sent with a security code that was asked for again.

    code: under what the card vault holds it, None for none.
    """
    if code is not None:
        call.memo[_CODE] = code


def described(method: Instrument) -> Mapping[str, Any]:
    """Return what an attempt stores of a payment method: everything but its token, or the number of its card.

    Raises ApiError 400 for one that was not made from a token of the processor, nor of a number in the card vault.
    """
    reference = method.get("_vault")
    if not method.get("_token") and reference is None:
        raise invalid(
            "This payment method cannot be charged in live mode: it was not made from a token of the account's"
            " processor (`card[token]`). The numbers of cards are not kept.",
            "payment_method",
            retry=False,
        )
    stored: Mapping[str, Any] = method
    card = stored.get("card") or (stored if stored["object"] == "card" else {})
    names = ("brand", "last4", "exp_month", "exp_year")
    kept = {"vault": reference} if reference is not None else {}
    return {
        "method": stored["id"],
        "type": stored.get("type", "card"),
        **{name: card.get(name) for name in names},
        **kept,
    }


def authorization_of(call: Call, object: str) -> Attempt | None:
    """Return the approved authorization of an object, the newest if there are several. object: its id."""
    found = [
        one
        for one in attempts.of_object(call.tx, call.scope, object)
        if one.operation == "authorize" and one.state == "approved"
    ]
    return found[-1] if found else None
