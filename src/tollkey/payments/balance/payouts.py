"""Payouts: money from the balance to a bank account or debit card.

created by hand, or by the account's schedule (daily, weekly, monthly; ``settings.payouts.schedule``) at midnight UTC

pending ──▶ paid ──reverse──▶ paid, and a second payout that brings it back
   │  └──▶ failed   (the money is back in the balance; the bank account is errored)
   └──cancel──▶ canceled
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey import ledger
from tollkey.db.table import Range
from tollkey.keys import Permission
from tollkey.ledger import Money
from tollkey.payments.balance import jobs, kinds, states
from tollkey.payments.balance.moving import available
from tollkey.payments.balance.payout_outcomes import (
    amount_of,
    attempt_ended,
    book_payout,
    came_back,
    complete_payout,
    destination_id,
    send,
)
from tollkey.payments.balance.payout_schedule import PLAN, RUN, next_payout, payouts_of, plan, schedule_of
from tollkey.payments.processors import asking
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import events, fields, providers
from tollkey.wire import Action, Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.live import needs, records
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import created_ranges, list_page, retrieve
from tollkey.wire.resource import Reaction

if TYPE_CHECKING:
    from tollkey.payments.balance.stored import ExternalFacts, PayoutTarget, StoredBalanceTransaction
    from tollkey.wire import api, operations

PERMISSION = Permission("payout", "Payouts", "Core")

_DAY = 86_400
#: Limits of the balance transactions listed for an automatic payout: their age in seconds, and their number.
_LOOKS_BACK = 45 * _DAY
_MOST_TOGETHER = 10_000
#: Maximum of one instant payout to a bank account, in whole dollars (recorded).
_MOST_INSTANT = 9_999
_INSUFFICIENT = (
    "You have insufficient funds in your Stripe account for this transfer. Your {kind} balance is too low."
    "  You can use the /v1/balance"
    " endpoint to view your Stripe balance (for more details, see stripe.com/docs/api#balance)."
)
_NOT_ALLOWED = (
    "Payouts have been disabled on the connected account. Check the connected account's status to see if any"
    " additional information"
    " needs to be provided, or if payouts have been disabled for another reason."
)
#: Countries whose bank accounts a payout can be taken back from.
_REVERSIBLE = ("US", "CA")


def create(call: Call, params: operations.PostPayouts) -> api.Payout:
    """Create a payout from the available balance; an instant payout can also use the pending balance."""
    amount = Money(params["amount"], shared_currency.check_currency(params["currency"]))
    if amount.currency in shared_currency.WHOLE_PAYOUTS:
        shared_currency.check_step(amount.amount, amount.currency, 100)
    method, kind = params.get("method") or "standard", params.get("source_type") or "card"
    target, known = _destination(call, params.get("destination"), amount.currency)
    _check_allowed(call, fields.acting_account(call) or {})
    if method == "instant" and not known.get("_instant"):
        message = "The external account specified for this payout does not support instant payouts."
        raise invalid(message, "method", "instant_payouts_unsupported", retry=False)
    funds = _instant_funds(call, amount.currency) if method == "instant" else available(call, amount.currency, kind)
    if amount > funds:
        raise invalid(_INSUFFICIENT.format(kind=kind), None, "balance_insufficient", retry=False)
    if method == "instant" and target["object"] == "bank_account" and amount.amount > _MOST_INSTANT * 100:
        raise invalid(
            f"Instant Payouts to bank accounts are only supported for amounts less than or equal to ${_MOST_INSTANT}",
            retry=False,
        )
    payout = _new(call, amount, target, params)
    transaction = book_payout(call, payout, -amount, "payout", "payout")
    payout["balance_transaction"] = transaction["id"]
    call.objects.insert(payout, "payout.created")
    send(call, payout, target)
    return payout


def _check_allowed(call: Call, account: Mapping[str, Any]) -> None:
    """Raise ApiError if payouts of an account are disabled: rejected, blocked by a test card, or requirements are due.

    In test mode, payouts are made while what was given is still being verified.
    """
    due = call.account != call.platform and account["requirements"]["disabled_reason"] == "requirements.past_due"
    blocked = account.get("_rejected") or (account.get("_asked") or {}).get("blocks") == "payouts"
    if blocked or (due and not account["payouts_enabled"]):
        raise invalid(_NOT_ALLOWED, None, "payouts_not_allowed", retry=False)


def _instant_funds(call: Call, currency: str) -> Money:
    found = ledger.balance(call.tx, call.scope, call.now).get(currency)
    return Money(found.available + max(found.pending, 0) if found is not None else 0, currency)


def _destination(call: Call, id: str | None, currency: str) -> tuple[PayoutTarget, ExternalFacts]:
    """Return the external account to pay out to, with its private fields.

    Raises ApiError: unknown, in another currency, or none for that currency.
    """
    account = fields.acting_account(call) or {}
    every = (account.get("external_accounts") or {}).get("data") or []
    private: Mapping[str, ExternalFacts] = account.get("_external") or {}
    if id is not None:
        for one in every:
            if one["id"] == id:
                if one["currency"] != currency:
                    raise invalid(
                        f"Cannot create payouts in {currency} to an external account in {one['currency']}.",
                        "destination",
                    )
                return one, private.get(id, {})
        raise invalid(f"No such external account: '{id}'", "destination", "resource_missing")
    for one in every:
        if one["currency"] == currency and one["default_for_currency"]:
            return one, private.get(one["id"], {})
    raise invalid(f"Sorry, you don't have any external accounts in that currency ({currency}).", retry=False)


def _new(call: Call, amount: Money, target: PayoutTarget, params: Mapping[str, Any]) -> api.Payout:
    method = params.get("method") or "standard"
    return new_object(
        kinds.PAYOUT,
        id=call.ids.new("po"),
        amount=amount.amount,
        arrival_date=call.now if method == "instant" else call.now // _DAY * _DAY,
        automatic=False,
        created=call.now,
        currency=amount.currency,
        description=params.get("description"),
        destination=target["id"],
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        method=method,
        reconciliation_status="not_applicable",
        source_type=params.get("source_type") or "card",
        statement_descriptor=params.get("statement_descriptor"),
        status=states.PAYOUT.start("pending"),
        trace_id={"status": "pending", "value": None},
        type=target["object"],
    )


def run_schedule(call: Call, id: str) -> None:
    """Create the automatic payouts of one day: the available balance of each currency, to its bank account.

    id: the beginning of that day, UTC epoch seconds as text.
    No payout is created while payouts are disabled, for a currency without bank account, or after a failed payout to
    it.
    """
    account = fields.acting_account(call) or {}
    schedule = schedule_of(account)
    if schedule["interval"] == "manual" or not account.get("payouts_enabled") or account.get("_rejected"):
        return
    if next_payout(account, int(id)) != int(id):  # the schedule was changed meanwhile
        plan(call, call.now)
        return
    minimums = payouts_of(account).get("_minimum_balances") or {}
    for currency, found in sorted(ledger.balance(call.tx, call.scope, call.now).items()):
        kept = minimums.get(currency, 0)
        for kind, (amount, _) in sorted(found.by_source.items()):
            held = max(min(kept, amount), 0)
            kept -= held
            if amount > held:
                _create_scheduled(call, account, Money(amount - held, currency), kind, held)


def _create_scheduled(call: Call, account: Mapping[str, Any], amount: Money, kind: str, held: int) -> None:
    """Create an automatic payout. held: minor units that it leaves in the balance, as the least that is to stay there.

    These leave the balance with the payout's transactions and are back in it at once ("Minimum balances for automatic
    payouts" in Stripe's documentation: the payout's report has a transaction of the retained amount).
    """
    currency = amount.currency
    every = (account.get("external_accounts") or {}).get("data") or []
    target = next((one for one in every if one["currency"] == currency and one["default_for_currency"]), None)
    if target is None or target.get("status") in ("errored", "verification_failed"):
        return
    payout = _new(call, amount, target, {"source_type": kind})
    payout.update({"automatic": True, "reconciliation_status": "completed"})
    for one in _paid_out_with(call, currency):
        one["_payout"] = payout["id"]
        call.objects.save(one)
    payout["description"] = "STRIPE PAYOUT"
    if held:
        back = amount.with_amount(held)
        hold = book_payout(call, payout, -back, "payout_minimum_balance_hold", "payout_minimum_balance_hold")
        hold["_payout"] = payout["id"]
        call.objects.save(hold)
        book_payout(call, payout, back, "payout_minimum_balance_release", "payout_minimum_balance_release")
    transaction = book_payout(call, payout, -amount, "payout", "payout")
    transaction["_payout"] = payout["id"]
    call.objects.save(transaction)
    payout["balance_transaction"] = transaction["id"]
    call.objects.insert(payout, "payout.created")
    send(call, payout, target)


def _paid_out_with(call: Call, currency: str) -> list[StoredBalanceTransaction]:
    """Return the balance transactions of an automatic payout: those available now and not paid out before."""
    recent = call.objects.query(
        kinds.BALANCE_TRANSACTION,
        {"currency": currency},
        limit=_MOST_TOGETHER,
        ranges=[Range("created", ">=", call.now - _LOOKS_BACK)],
    )
    return [
        one for one in recent if one["available_on"] <= call.now and not one.get("_payout") and one["type"] != "payout"
    ]


def update(call: Call, params: operations.PostPayoutsPayout) -> api.Payout:
    """Change a payout's metadata."""
    payout = call.objects.get(kinds.PAYOUT, call.path["payout"])
    fields.merge_metadata(payout, params)
    return call.objects.save(payout, "payout.updated")


def cancel(call: Call, params: operations.PostPayoutsPayoutCancel) -> api.Payout:
    """Cancel a pending payout and return its amount to the balance."""
    payout = call.objects.get(kinds.PAYOUT, call.path["payout"])
    if payout["status"] == "pending" and asking.backend_of(call) is not None:
        raise asking.busy()  # the processor has it, and has not answered
    if payout["status"] != "pending" or payout["automatic"]:
        raise invalid(
            f"Payout {payout['id']} cannot be canceled because it has a status of {payout['status']}.",
            None,
            retry=False,
        )
    transaction = book_payout(call, payout, amount_of(payout), "payout_cancel", "payout_reversal")
    states.PAYOUT.set(payout, "canceled")
    payout["failure_balance_transaction"] = transaction["id"]
    call.schedule.cancel(jobs.PAYOUT_ARRIVE, payout["id"])
    call.objects.save(payout)
    call.emit("payout.canceled", payout)
    return payout


def reverse(call: Call, params: operations.PostPayoutsPayoutReverse) -> api.Payout:
    """Reverse a paid payout: creates a second payout of the negative amount."""
    original = call.objects.get(kinds.PAYOUT, call.path["payout"])
    if asking.backend_of(call) is not None:
        raise invalid("The processor of this account does not bring back what it has paid out.", retry=False)
    if original["status"] != "paid" or original["reversed_by"] or original["original_payout"]:
        raise invalid(
            f"Payout {original['id']} cannot be reversed because it is not a paid payout that is left to reverse.",
            retry=False,
        )
    if _country_of(call, destination_id(original)) not in _REVERSIBLE:
        raise invalid("Only payouts to US and Canadian bank accounts can be reversed.", retry=False)
    target: PayoutTarget = {"id": destination_id(original), "object": original["type"]}
    back = _new(call, -amount_of(original), target, {**params, "source_type": original["source_type"]})
    back["original_payout"] = original["id"]
    transaction = book_payout(call, back, amount_of(original), "payout", "payout_reversal")
    back["balance_transaction"] = transaction["id"]
    call.objects.insert(back, "payout.created")
    call.schedule.add(call.now + fields.settle_seconds(call), jobs.PAYOUT_ARRIVE, back["id"])
    original["reversed_by"] = back["id"]
    call.objects.save(original, "payout.updated")
    return back


def _country_of(call: Call, id: str) -> str | None:
    """Return the country of an external account of the acting account; None if it was deleted."""
    every = ((fields.acting_account(call) or {}).get("external_accounts") or {}).get("data") or []
    return next((str(one["country"]) for one in every if one["id"] == id), None)


def list_payouts(call: Call, params: operations.GetPayouts) -> Page:
    """List payouts by ``status``, ``destination`` or ``arrival_date``."""
    equal = {name: params[name] for name in ("status", "destination") if params.get(name)}
    bounds = created_ranges(params.get("arrival_date"), "arrival_date")

    def keep(payout: api.Payout) -> bool:
        compare = {">": int.__gt__, ">=": int.__ge__, "<": int.__lt__, "<=": int.__le__}
        return all(compare[bound.operator](payout["arrival_date"], bound.value) for bound in bounds)

    return list_page(call, "payout", params, equal, url="/v1/payouts", keep=keep if bounds else None)


def destination_of(call: Call, payout: api.Payout) -> api.BankAccount | api.Card | Deleted:
    """Return the external account of a payout."""
    account = fields.acting_account(call) or {}
    for one in (account.get("external_accounts") or {}).get("data") or []:
        if one["id"] == payout["destination"]:
            copied: api.BankAccount | api.Card = call.objects.copy(one)
            return copied
    return {"id": destination_id(payout), "object": payout["type"], "deleted": True}


PAYOUT = Resource(
    object="payout",
    prefix="po",
    permission=PERMISSION,
    live=records(),
    path_param="payout",
    indexed=("status", "destination"),
    endpoints=(
        Endpoint("GET", "/v1/payouts", list_payouts),
        Endpoint("POST", "/v1/payouts", create, live=needs(providers.PAYING_OUT)),
        retrieve("payout", "/v1/payouts/{payout}"),
        Endpoint("POST", "/v1/payouts/{payout}", update),
        Endpoint("POST", "/v1/payouts/{payout}/cancel", cancel, live=needs(providers.PAYING_OUT)),
        Endpoint("POST", "/v1/payouts/{payout}/reverse", reverse, live=needs(providers.PAYING_OUT)),
    ),
    expands={"destination": destination_of},
    due_live={jobs.PAYOUT_ARRIVE: needs(providers.PAYING_OUT), RUN: needs(providers.PAYING_OUT)},
    on=(Reaction(events.AttemptEnded, attempt_ended), Reaction(events.MoneyTold, came_back)),
    on_due={jobs.PAYOUT_ARRIVE: complete_payout, RUN: run_schedule, PLAN: lambda call, id: plan(call, call.now)},
    title="Payouts",
    columns=("amount", "status", "destination", "id", "created"),
    actions=(
        Action("Cancel", "/v1/payouts/{payout}/cancel", (), ("pending",)),
        Action("Reverse", "/v1/payouts/{payout}/reverse", (), ("paid",)),
    ),
)
