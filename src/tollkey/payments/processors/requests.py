"""Makes the request of an attempt, as its processor gets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.db import Tx
from tollkey.keys.errors import SealBroken
from tollkey.keys.keyring import Keyring
from tollkey.payments.processors import attempts, backends
from tollkey.payments.processors.attempts import Attempt
from tollkey.payments.processors.network import (
    Accept,
    Authorize,
    Capture,
    Contest,
    Method,
    Payout,
    Refund,
    Request,
    Verify,
    Void,
)
from tollkey.wire.sealing import unsealed
from tollkey.wire.tables import Tables


class CannotAsk(Exception):
    """What a request is made of is gone. The message is for people."""


def request_of(tx: Tx, tables: Tables, keyring: Keyring, attempt: Attempt, *, with_token: bool = True) -> Request:
    """Return the request of an attempt. with_token: it is about to be sent, and not only asked about or undone.

    Raises CannotAsk.
    """
    if attempt.operation in ("authorize", "verify"):
        return _authorize(attempt, _token(tx, tables, keyring, attempt) if with_token else "")
    head = (attempt.reference, attempt.trace, attempt.made_at, attempt.amount, attempt.currency, attempt.object)
    asked = attempt.asked
    if attempt.operation == "payout":
        known = _destination(tx, keyring, attempt) if with_token else asked["destination"]
        return Payout(*head, known, asked.get("statement_descriptor"), repeats=attempt.repeats)
    about = attempts.find(tx, attempt.about)
    if about is None:
        raise CannotAsk(f"the authorization {attempt.about} is gone")
    original = _authorize(about, "")
    if attempt.operation == "capture":
        return Capture(*head, original, about.data, asked.get("last", True), repeats=attempt.repeats)
    if attempt.operation == "accept":
        return Accept(*head, original, about.data, asked["case"], repeats=attempt.repeats)
    if attempt.operation == "contest":
        evidence = _evidence(tx, tables, attempt)
        return Contest(*head, original, about.data, asked["case"], evidence, repeats=attempt.repeats)
    of_kind = Void if attempt.operation == "void" else Refund
    return of_kind(*head, original, about.data, repeats=attempt.repeats)


def _authorize(attempt: Attempt, token: str) -> Authorize:
    asked: Mapping[str, Any] = attempt.asked
    of_kind = Verify if attempt.operation == "verify" else Authorize
    return of_kind(
        attempt.reference, attempt.trace, attempt.made_at, attempt.amount, attempt.currency, attempt.object,
        Method(
            asked["type"], token, asked.get("brand"), asked.get("last4"), asked.get("exp_month"), asked.get("exp_year")
        ),
        asked["capture"], asked.get("off_session", False), asked.get("statement_descriptor"), repeats=attempt.repeats,
        authenticate=asked.get("authenticate", False), return_url=asked.get("return_url"),
    )  # fmt: skip


def _evidence(tx: Tx, tables: Tables, attempt: Attempt) -> Mapping[str, str]:
    """Return the texts of a dispute's evidence, which do not change while the processor is asked."""
    dispute = tables.load(tx, attempt.scope, "dispute", attempt.object)
    if dispute is None:
        raise CannotAsk(f"the dispute {attempt.object} is gone")
    return {name: value for name, value in dispute["evidence"].items() if isinstance(value, str) and value}


def _destination(tx: Tx, keyring: Keyring, attempt: Attempt) -> Mapping[str, str]:
    """Return all that is known of the bank account that a payout goes to."""
    shown: Mapping[str, str] = attempt.asked["destination"]
    try:
        return {**shown, **backends.destination(tx, keyring, attempt.scope, shown.get("id", ""))}
    except SealBroken:
        raise CannotAsk("the bank account can no longer be read") from None


def kept_number(tx: Tx, attempt: Attempt) -> str | None:
    """Return where the card vault has the number that an attempt is about; None for one without."""
    about = attempts.find(tx, attempt.about) if attempt.about else attempt
    found: str | None = about.asked.get("vault") if about is not None else None
    return found


def _token(tx: Tx, tables: Tables, keyring: Keyring, attempt: Attempt) -> str:
    if attempt.asked.get("vault"):
        return ""  # its number is added when it is sent
    id = attempt.asked["method"]
    method = tables.load(tx, attempt.scope, "payment_method", id)
    if method is None or not method.get("_token"):
        raise CannotAsk(f"the payment method {id} is gone")
    try:
        return unsealed(keyring, attempt.scope, id, method["_token"])
    except SealBroken:
        raise CannotAsk(f"the token of {id} can no longer be read") from None
