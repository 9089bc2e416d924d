"""What becomes of payouts: who sends them, and how they end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tollkey.ledger import Money
from tollkey.ledger.books import PAYOUTS
from tollkey.payments.balance import jobs, kinds, states
from tollkey.payments.balance.transactions import Booking, book
from tollkey.payments.processors import asking, attempts
from tollkey.payments.shared import events, fields
from tollkey.wire import Call
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.balance.stored import PayoutTarget, StoredBalanceTransaction
    from tollkey.wire import api

#: The failure codes of payouts and their messages (https://docs.stripe.com/api/payouts/failures).
_FAILURES = {
    "account_closed": "The bank account has been closed.",
    "account_frozen": "The bank account has been frozen.",
    "bank_account_restricted": "The bank account has restrictions on the type, or the number, of payouts allowed.",
    "bank_ownership_changed": "The bank account is no longer valid because its branch has changed ownership.",
    "debit_not_authorized": (
        "Debit transactions are not approved on your bank account. Stripe requires bank accounts to be set up for both"
        " credit and"
        " debit payouts."
    ),
    "declined": "The bank has declined this transaction. Please contact the bank before retrying.",
    "incorrect_account_holder_address": "The bank says that the address of the account's holder is incorrect.",
    "incorrect_account_holder_name": "The bank says that the name of the account's holder is incorrect.",
    "incorrect_account_holder_tax_id": "The bank says that the tax ID of the account's holder is incorrect.",
    "insufficient_funds": "Your Stripe account has insufficient funds to cover the payout.",
    "invalid_account_number": "The routing number seems correct, but the account number is invalid.",
    "invalid_currency": (
        "The bank was unable to process this payout because of its currency."
        " This is probably because the bank account cannot accept"
        " payments in that currency."
    ),
    "no_account": "The bank account details on file are probably incorrect."
    " No bank account could be located with those details.",
    "unsupported_card": "The bank no longer supports payouts to this card.",
}
_COULD_NOT = "The bank could not process this payout."


def send(call: Call, payout: api.Payout, target: PayoutTarget) -> None:
    """Ask the account's processor to pay out, if that is on a network; otherwise the payout arrives by itself.

    The processor gets what is known of the bank account; its number is not kept with it, but apart and sealed
    (``backends.keep_destination``). Raises ApiError 400 for what it does not do.
    """
    backend = asking.backend_of(call)
    if backend is None:
        call.schedule.add(call.now + fields.settle_seconds(call), jobs.PAYOUT_ARRIVE, payout["id"])
        return
    known: Mapping[str, object] = target
    names = ("id", "country", "currency", "last4", "routing_number", "account_holder_name", "bank_name")
    destination = {name: str(known[name]) for name in names if known.get(name)}
    account = fields.acting_account(call) or {}
    destination["name"] = destination.get("account_holder_name") or str(
        value_at(account, "business_profile.name") or ""
    )
    asked = {"destination": destination, "statement_descriptor": payout["statement_descriptor"]}
    asking.ask(call, backend, attempts.Question("payout", payout["id"], payout["amount"], payout["currency"], asked))


def attempt_ended(call: Call, fact: events.AttemptEnded) -> None:
    """Let a payout be paid or fail, as its processor has decided."""
    attempt = fact.attempt
    payout = call.objects.find(kinds.PAYOUT, attempt.object) if attempt.operation == "payout" else None
    if payout is None or payout["status"] != "pending":
        return
    failed = attempt.state != "approved"
    _end(call, payout, str(attempt.answer.get("decline") or "could_not_process") if failed else None)


def came_back(call: Call, fact: events.MoneyTold) -> None:
    """Let a paid payout fail whose money came back, as the processor has told; ``difference`` says why not."""
    attempt, notice = fact.attempt, fact.notice
    if notice.kind != "returned" or attempt.operation != "payout":
        return
    payout = call.objects.find(kinds.PAYOUT, attempt.object)
    if payout is None or payout["status"] != "paid":
        fact.difference = f"the money came back of a payout that is {payout['status'] if payout else 'gone'} here"
    elif notice.amount != payout["amount"]:
        fact.difference = f"{notice.amount} came back of {payout['amount']}"
    else:
        _end(call, payout, notice.code or "could_not_process")
        fact.difference = ""


def complete_payout(call: Call, id: str) -> None:
    """Mark a payout as paid, or as failed for the test accounts that fail."""
    payout = call.objects.find(kinds.PAYOUT, id)
    if payout is None or payout["status"] != "pending":
        return
    account = fields.acting_account(call) or {}
    failure = ((account.get("_external") or {}).get(payout["destination"]) or {}).get("_failure")
    _end(call, payout, None if payout["original_payout"] else failure)


def _end(call: Call, payout: api.Payout, failure: str | None) -> None:
    """Mark a payout as paid, or as failed with that code; one that is not known is shown as ``could_not_process``."""
    payout["trace_id"] = {"status": "unsupported", "value": None}
    if failure is None:
        states.PAYOUT.set(payout, "paid")
        call.objects.save(payout)
        call.emit("payout.paid", payout)
        return
    transaction = book_payout(call, payout, amount_of(payout), "payout_failure", "payout_reversal")
    code = failure if failure in _FAILURES else "could_not_process"
    states.PAYOUT.set(payout, "failed")
    payout.update(
        {
            "failure_code": code,
            "failure_message": _FAILURES.get(code, _COULD_NOT),
            "failure_balance_transaction": transaction["id"],
        }
    )
    call.objects.save(payout)
    call.emit("payout.failed", payout)
    _mark_errored(call, destination_id(payout))


def _mark_errored(call: Call, id: str) -> None:
    """Set the external account of a failed payout to ``errored``; an update of its details resets it."""
    home = call if call.objects.find(fields.ACCOUNT, call.account) is not None else call.within(call.owner)
    account = home.objects.get(fields.ACCOUNT, call.account)
    every = account.get("external_accounts")
    for one in (every.get("data") or []) if every else []:
        before = one.get("status")
        if one["id"] == id and before is not None and before != "errored":
            call.services.external_status(one, "errored")
            home.objects.save(account)
            call.emit("account.external_account.updated", one, {"status": before})


def book_payout(call: Call, payout: api.Payout, amount: Money, type: str, category: str) -> StoredBalanceTransaction:
    """Move the amount of a payout out of the balance, or back into it. type, category: see ``Booking``."""
    return book(
        call,
        Booking(
            type=type,
            category=category,
            source=payout["id"],
            amount=amount,
            against=PAYOUTS,
            description=payout["description"] or "STRIPE PAYOUT",
            source_type=payout["source_type"],
        ),
    )


def amount_of(payout: api.Payout) -> Money:
    """Return the amount of a payout."""
    return Money(payout["amount"], payout["currency"])


def destination_id(payout: api.Payout) -> str:
    """Return the id of the external account that a payout goes to."""
    id = payout["destination"]
    assert id is not None, "every payout goes to an external account"
    return id
