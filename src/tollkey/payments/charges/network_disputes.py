"""Disputes that a processor on a network tells: what its notices mean for a charge and its dispute.

    disputed      ──▶ a dispute, and its money is withdrawn: needs_response
    dispute_won   ──▶ won, and the money comes back
    dispute_lost  ──▶ lost

    evidence is submitted ──contest──▶ approved: under_review
    it is accepted        ──accept───▶ approved: lost

What does not fit what is known here is not guessed: the notice says why (``MoneyTold.difference``), and a person looks.

``dispute_reasons.tsv`` has the reason of each network code: of Visa as in Stripe's page of dispute categories, of the
other networks by the names of their codes (inferred).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from tollkey.payments.charges import details, kinds, states
from tollkey.payments.charges.dispute_rules import Chargeback, end, open_chargeback
from tollkey.payments.charges.through_network import ask_about
from tollkey.payments.processors import asking, attempts
from tollkey.payments.shared import events
from tollkey.wire import ApiError, Call

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge, StoredDispute
    from tollkey.payments.processors.network import Operation

_DAY: Final = 86_400
#: Days until evidence is due when the processor does not say it, by brand (inferred: what networks give a merchant).
_DUE_DAYS: Final[Mapping[str, int]] = {"visa": 30, "mastercard": 45, "discover": 30, "amex": 20}
_FEWEST_DAYS: Final = 20
_ENDS: Final = {"dispute_won": "won", "dispute_lost": "lost"}
_ASKED: Final[Mapping[str, str]] = {"contest": "the evidence of this dispute", "accept": "to accept this dispute"}
_PAYMENTS: Final = ("authorize", "capture")


@cache
def _reasons() -> Mapping[str, str]:
    text = files("tollkey.payments.charges").joinpath("dispute_reasons.tsv").read_text(encoding="utf-8")
    return dict(line.split("\t") for line in text.splitlines()[1:])


def reason_of(code: str | None) -> str:
    """Return the reason of a network's code; ``general`` for one that is not known."""
    return _reasons().get(code or "", "general")


def told(call: Call, fact: events.MoneyTold) -> None:
    """Open or end a dispute, as the account's processor has told."""
    if fact.attempt.operation not in _PAYMENTS or fact.notice.kind == "returned":
        return
    charge = _charge_of(call, fact)
    if charge is None:
        return
    fact.difference = _opened(call, fact, charge) if fact.notice.kind == "disputed" else _ended(call, fact, charge)


def check_free(dispute: StoredDispute) -> None:
    """Raise ApiError 429 while the processor has not answered what it was asked about a dispute."""
    if dispute.get("_attempt"):
        raise asking.busy()


def ask(call: Call, dispute: StoredDispute, operation: Operation) -> bool:
    """Ask the account's processor, if that is on a network, to take the evidence or to let the dispute be accepted.

    The dispute is saved, and changes when that has approved. Returns whether it was asked. Raises ApiError 400 for what
    the processor does not do.
    """
    backend = asking.backend_of(call)
    if backend is None:
        return False
    charge, more = call.objects.get(kinds.CHARGE, dispute["charge"]), {"case": dispute.get("_case", "")}
    dispute["_attempt"] = ask_about(call, backend, charge, operation, dispute["id"], dispute["amount"], more)
    call.objects.save(dispute)
    return True


def answered(call: Call, fact: events.AttemptEnded) -> None:
    """Change a dispute as its processor has answered; one that it has ended meanwhile stays as it is."""
    attempt = fact.attempt
    dispute = call.objects.find(kinds.DISPUTE, attempt.object) if attempt.operation in _ASKED else None
    if dispute is None or dispute.get("_attempt") != attempt.reference:
        return
    del dispute["_attempt"]
    if attempt.state != "approved" or dispute["status"] in _ENDS.values():
        call.objects.save(dispute)
    elif attempt.operation == "accept":
        end(call, dispute, won=False)
    else:
        details = dispute["evidence_details"]
        late = call.now > (details["due_by"] or call.now)
        count = details["submission_count"] + 1
        dispute["evidence_details"] = {**details, "submission_count": count, "past_due": late}
        states.DISPUTE.set(dispute, "under_review")
        call.objects.save(dispute, "charge.dispute.updated")


def refusal(call: Call, dispute: StoredDispute, reference: str) -> ApiError | None:
    """Return the error of a request whose processor has not approved; None if it has, or has not answered yet."""
    attempt = attempts.find(call.tx, reference)
    if attempt is None or attempt.state == "approved" or not attempt.applied:
        return None
    return asking.refused(attempt, _ASKED[attempt.operation])


def _charge_of(call: Call, fact: events.MoneyTold) -> StoredCharge | None:
    """Return the charge whose money an attempt has taken, or None."""
    id: str | None = fact.attempt.object
    intent = call.objects.find(kinds.PAYMENT_INTENT, fact.attempt.object)
    if intent is not None:
        charge = intent.get("latest_charge")
        id = charge if isinstance(charge, str) else None
    charge_found = call.objects.find(kinds.CHARGE, id or "")
    return charge_found if charge_found is not None and charge_found["amount_captured"] else None


def _opened(call: Call, fact: events.MoneyTold, charge: StoredCharge) -> str:
    """Open a dispute; return why not, or nothing."""
    notice, case = fact.notice, fact.notice.case or ""
    known = _disputes_of(call, charge)
    if any(one.get("_case") == case for one in known if case or one["status"] not in _ENDS.values()):
        return f"disputed again ({notice.code or '-'})"
    taken = sum(one["amount"] for one in known if one["status"] != "won")
    if not 0 < -notice.amount <= charge["amount_captured"] - taken:
        return f"{-notice.amount} was disputed of {charge['amount_captured'] - taken}"
    card = details.of_charge(charge).get("card")
    brand = card["brand"] if card else None
    due_by = notice.due_by or call.now + _DUE_DAYS.get(brand or "", _FEWEST_DAYS) * _DAY
    open_chargeback(
        call, charge, Chargeback(-notice.amount, notice.fee, reason_of(notice.code), notice.code, due_by, case)
    )
    return ""


def _ended(call: Call, fact: events.MoneyTold, charge: StoredCharge) -> str:
    """End a dispute; return why not, or nothing."""
    notice = fact.notice
    to = _ENDS[notice.kind]
    found = [one for one in _disputes_of(call, charge) if one.get("_case") == (notice.case or "")]
    still = [one for one in found if one["status"] not in _ENDS.values()]
    if not still and found and {one["status"] for one in found} == {to}:
        return "" if not notice.amount else f"told as {to} again, with {notice.amount}"
    if len(still) != 1:
        return (
            f"told as {to}, and here it is {found[-1]['status']}" if found else f"told as {to} before it was disputed"
        )
    dispute = still[0]
    moved = dispute["amount"] if to == "won" else 0
    if notice.amount != moved:
        return f"told as {to} with {notice.amount}, and {moved} was expected"
    end(call, dispute, won=to == "won", fee=notice.fee)
    return ""


def _disputes_of(call: Call, charge: StoredCharge) -> list[StoredDispute]:
    """Return the disputes of a charge, oldest first."""
    if not charge["disputed"]:
        return []
    return list(call.objects.query(kinds.DISPUTE, {"charge": charge["id"]}, oldest_first=True))
