"""What came of an attempt, as it is stored, and what its objects are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from tollkey.payments.processors import attempts
from tollkey.payments.processors.attempts import Attempt
from tollkey.payments.processors.cards import PROCESSING_ERROR, Decline
from tollkey.payments.processors.network import Approved, Declined, Outcome, Pending, Unknown
from tollkey.payments.processors.protocol import Verdict
from tollkey.payments.shared import events
from tollkey.wire import Call

#: Decline codes that are codes of errors of their own; all others come with ``card_declined``.
_OWN_CODES = {
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "incorrect_number": "Your card number is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}
#: The decline of an authorization whose customer was sent to authenticate, and did not.
NOT_AUTHENTICATED: Final = "authentication_failed"
_LONGEST_URL: Final = 2_048
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_MESSAGES = {"insufficient_funds": "Your card has insufficient funds."}


def stored(outcome: Approved | Declined | Pending) -> Mapping[str, Any]:
    """Return an answer as an attempt stores it."""
    if isinstance(outcome, Approved):
        return {"code": outcome.code, "data": dict(outcome.data), "network_reference": outcome.network_reference}
    if isinstance(outcome, Declined):
        return {"decline": outcome.code, "advice": outcome.advice, "network_code": outcome.network_code}
    redirect = {"redirect": outcome.next_action["redirect_to_url"]} if outcome.next_action else {}
    return {"data": dict(outcome.data), **redirect}


def understood(outcome: Outcome, attempt: Attempt) -> Outcome:
    """Return an outcome; unknown for one that sends the customer elsewhere than to a page of https or this machine.

    It is unknown too, and so undone, where nobody can be sent: off session, and for a charge without an intent.
    """
    if not isinstance(outcome, Pending) or outcome.next_action is None:
        return outcome
    if attempt.asked.get("off_session") or attempt.object.startswith("ch_"):
        return Unknown("it sends a customer away who is not there")
    url = outcome.next_action.get("redirect_to_url")
    if set(outcome.next_action) == {"redirect_to_url"} and isinstance(url, str) and _may_be_shown(url):
        return outcome
    return Unknown("it sends the customer to no page of https")


def _may_be_shown(url: str) -> bool:
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))


def decline_of(attempt: Attempt) -> Decline:
    """Return why an attempt was not approved, in the terms of the API.

    What was never sent, or was undone, is an error of processing: the card may be tried again.
    """
    code = attempt.answer.get("decline") if attempt.state == "declined" else None
    if code is None:
        return PROCESSING_ERROR
    if code in _OWN_CODES:
        error, decline_code, message = code, None, _OWN_CODES[code]
    else:
        error, decline_code = "card_declined", code
        message = _MESSAGES.get(code, "Your card was declined.")
    return Decline(
        error, decline_code, message,
        advice_code=attempt.answer.get("advice"), network_decline_code=attempt.answer.get("network_code"),
    )  # fmt: skip


def verdict_of(attempt: Attempt) -> Verdict:
    """Return the verdict of an authorization that has ended."""
    if attempt.state == "approved":
        code, network = attempt.answer.get("code") or None, attempt.answer.get("network_reference")
        return Verdict("succeeded", risk_level="not_assessed", authorization_code=code, network_reference=network)
    return Verdict("failed", decline_of(attempt), risk_level="not_assessed")


def conclude(call: Call, attempt: Attempt) -> None:
    """Tell the objects of an attempt that has ended, once."""
    now = attempts.find(call.tx, attempt.reference)
    if now is None or now.applied:
        return
    call.announce(events.AttemptEnded(now))
    attempts.mark_applied(call.tx, now)
