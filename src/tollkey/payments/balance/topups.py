"""Top-ups: money from a bank account into the balance.

pending ──▶ succeeded
   │  └──▶ failed
   └──cancel──▶ canceled
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.ledger import Money
from tollkey.ledger.books import TOPUPS
from tollkey.payments.balance import jobs, kinds, states
from tollkey.payments.balance.transactions import Booking, book
from tollkey.payments.processors import banks
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields, permissions, providers
from tollkey.wire import Action, Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.kinds import Kind
from tollkey.wire.live import needs, records
from tollkey.wire.pages import list_page, retrieve

if TYPE_CHECKING:
    from tollkey.payments.balance.stored import StoredTopup
    from tollkey.payments.methods.stored import StoredSource, StoredToken
    from tollkey.wire import operations

_SOURCE: Kind[StoredSource] = Kind("source")
_TOKEN: Kind[StoredToken] = Kind("token")
PERMISSION = Permission("topup", "Top-ups", "Connect")

_FAILURE = "The bank account could not be debited."


def create(call: Call, params: operations.PostTopups) -> StoredTopup:
    """Create a top-up: money from a bank account. The test accounts for bank debits determine whether it succeeds."""
    topup = _new(call, params["amount"], shared_currency.check_currency(params["currency"]), params)
    given = params.get("source")
    bank = banks.bank_by_name(given) if given and not call.livemode else None
    if given and bank is None:
        source = call.objects.find(_SOURCE, given)
        stored = call.objects.find(_TOKEN, given)
        if source is None and stored is None:
            raise invalid(f"No such source: '{given}'", "source", "resource_missing")
        if source is not None:
            call.needs(permissions.SOURCE)
            topup["source"] = call.objects.copy(source)
        known = stored or source
        bank = banks.bank_by_key(known.get("_bank") if known else None)
    topup["_failure"] = bank.failure if bank is not None else None
    call.objects.insert(topup, "topup.created")
    call.schedule.add(call.now + fields.settle_seconds(call), jobs.TOPUP_SETTLE, topup["id"])
    return topup


def _new(call: Call, amount: int, currency: str, params: Mapping[str, Any]) -> StoredTopup:
    made = new_object(
        kinds.TOPUP,
        id=call.ids.new("tu"),
        amount=amount,
        created=call.now,
        currency=currency,
        description=params.get("description"),
        expected_availability_date=call.now,
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        statement_descriptor=params.get("statement_descriptor"),
        status=states.TOPUP.start("pending"),
        transfer_group=params.get("transfer_group"),
    )
    made["initiated_by"] = None
    return made


def complete_topup(call: Call, id: str) -> None:
    """Mark a top-up as succeeded, or as failed if the bank refuses the debit."""
    topup = call.objects.find(kinds.TOPUP, id)
    if topup is None or topup["status"] != "pending":
        return
    if topup.get("_failure"):
        states.TOPUP.set(topup, "failed")
        topup.update({"failure_code": topup["_failure"], "failure_message": _FAILURE})
        call.objects.save(topup)
        call.emit("topup.failed", topup)
        return
    _credit_topup(call, topup)
    call.objects.save(topup)
    call.emit("topup.succeeded", topup)


def _credit_topup(call: Call, topup: StoredTopup) -> None:
    transaction = book(
        call,
        Booking(
            type="topup",
            category="topup",
            source=topup["id"],
            amount=Money(topup["amount"], topup["currency"]),
            against=TOPUPS,
            description=topup["description"] or "Topup",
        ),
    )
    states.TOPUP.set(topup, "succeeded")
    topup["balance_transaction"] = transaction["id"]


def grant_test_funds(call: Call, amount: int) -> None:
    """Give a new test account a balance, as a top-up that has succeeded.

    amount: minor units of the account's default currency. No effect if it is 0, and in live mode.
    """
    if amount <= 0 or call.livemode:
        return
    currency = str((fields.acting_account(call) or {}).get("default_currency") or "usd")
    topup = _new(call, amount, currency, {"description": "Test funds"})
    _credit_topup(call, topup)
    call.objects.insert(topup)


def update(call: Call, params: operations.PostTopupsTopup) -> StoredTopup:
    """Change a top-up's description or metadata."""
    topup = call.objects.get(kinds.TOPUP, call.path["topup"])
    fields.assign(topup, params, ("description",))
    fields.merge_metadata(topup, params)
    return call.objects.save(topup)


def cancel(call: Call, params: operations.PostTopupsTopupCancel) -> StoredTopup:
    """Cancel a top-up that is pending."""
    topup = call.objects.get(kinds.TOPUP, call.path["topup"])
    if topup["status"] != "pending":
        raise invalid(
            f"Top-up {topup['id']} cannot be canceled because it has a status of {topup['status']}.", None, retry=False
        )
    states.TOPUP.set(topup, "canceled")
    call.schedule.cancel(jobs.TOPUP_SETTLE, topup["id"])
    call.objects.save(topup)
    call.emit("topup.canceled", topup)
    return topup


def list_topups(call: Call, params: operations.GetTopups) -> Page:
    """List top-ups by ``status`` and ``amount``."""
    equal = {"status": params["status"]} if params.get("status") else {}
    amount = params.get("amount")
    if amount is None:
        return list_page(call, "topup", params, equal, url="/v1/topups")
    wanted: Mapping[str, Any] = {"gte": amount, "lte": amount} if isinstance(amount, int) else amount
    compare = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}

    def keep(topup: StoredTopup) -> bool:
        return all(compare[name](topup["amount"], bound) for name, bound in wanted.items())

    return list_page(call, "topup", params, equal, url="/v1/topups", keep=keep)


TOPUP = Resource(
    object="topup",
    prefix="tu",
    permission=PERMISSION,
    live=records(),
    path_param="topup",
    indexed=("status",),
    endpoints=(
        Endpoint("GET", "/v1/topups", list_topups),
        Endpoint("POST", "/v1/topups", create, live=needs(providers.TOPPING_UP)),
        retrieve("topup", "/v1/topups/{topup}"),
        Endpoint("POST", "/v1/topups/{topup}", update),
        Endpoint("POST", "/v1/topups/{topup}/cancel", cancel, live=needs(providers.TOPPING_UP)),
    ),
    due_live={jobs.TOPUP_SETTLE: needs(providers.TOPPING_UP)},
    on_due={jobs.TOPUP_SETTLE: complete_topup},
    title="Top-ups",
    columns=("amount", "status", "id", "created"),
    actions=(Action("Cancel", "/v1/topups/{topup}/cancel", (), ("pending",)),),
)
