"""Application fees: the part of a charge that a connected account pays its platform, and refunds of it.

account's balance ──fee──▶ platform's balance ──fee refund──▶ account's balance
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.ledger import Money, Posting
from tollkey.ledger.books import APPLICATION_FEES
from tollkey.payments.balance import kinds
from tollkey.payments.balance.settlement import record_exchange_rate
from tollkey.payments.balance.transactions import Booking, book, posting, transaction_of
from tollkey.payments.shared import conversion, fields
from tollkey.payments.shared import currency as shared_currency
from tollkey.wire import Call, invalid, new_object
from tollkey.wire.pages import nested_list

if TYPE_CHECKING:
    from tollkey.payments.balance.stored import StoredBalanceTransaction
    from tollkey.wire import api


def application_id(platform: str) -> str:
    """Return the id of a platform's Connect application."""
    return "ca_" + platform.removeprefix("acct_")


def pending_until(call: Call, transaction: str | None) -> int | None:
    """Return when a pending balance transaction becomes available, UTC epoch seconds; None if it already is."""
    found = call.objects.find(kinds.BALANCE_TRANSACTION, transaction or "")
    return found["available_on"] if found is not None and found["available_on"] > call.now else None


def create_application_fee(
    call: Call, account: str, paid_by: str, amount: Money, due: int | None, origin: str | None
) -> api.ApplicationFee:
    """Store an application fee in the platform's scope, with its balance transaction and event.

    account: the connected account that pays. paid_by: the charge or payment of that account. due: when the money
        becomes available, UTC epoch seconds. origin: the platform's charge that led to a payment.
    """
    platform = call.within(call.platform)
    id = call.ids.new("fee")
    transaction = book(
        platform,
        Booking(
            type="application_fee",
            category="platform_earning",
            source=id,
            amount=amount,
            against=APPLICATION_FEES,
            available=due,
            description=f"Application fee from application {application_id(call.platform)} ({account})",
        ),
    )
    fee = new_object(
        kinds.APPLICATION_FEE,
        id=id,
        account=account,
        amount=amount.amount,
        amount_refunded=0,
        application=application_id(call.platform),
        balance_transaction=transaction["id"],
        charge=paid_by,
        created=call.now,
        currency=amount.currency,
        fee_source={"charge": paid_by, "type": "charge"},
        livemode=call.livemode,
        originating_transaction=origin,
        refunded=False,
        refunds=nested_list([], f"/v1/application_fees/{id}/refunds", total_count=0),
    )
    return platform.objects.insert(fee, "application_fee.created")


def application_fee_postings(call: Call, amount: Money) -> tuple[tuple[Posting, ...], list[api.Fee]]:
    """Return the ledger posting and ``fee_details`` of an application fee, for the account that pays it."""
    detail: api.Fee = {
        "amount": amount.amount,
        "application": application_id(call.platform),
        "currency": amount.currency,
        "description": "application fee",
        "type": "application_fee",
    }
    return (posting(APPLICATION_FEES, amount),), [detail]


def refund_application_fee(
    call: Call, fee: api.ApplicationFee, amount: int | None = None, metadata: dict[str, str] | None = None
) -> api.FeeRefund:
    """Refund an application fee: ``amount`` minor units of it, or all that is left.

    Raises ApiError 400 if it was refunded in full before, or less is left.
    """
    left = fee["amount"] - fee["amount_refunded"]
    if left <= 0:
        raise invalid(
            f"Application fee {fee['id']} has already been refunded.", None, "charge_already_refunded", retry=False
        )
    wanted = left if amount is None else amount
    if wanted > left:
        message = (
            f"Refund amount ({shared_currency.show(wanted, fee['currency'])}) is greater than unrefunded amount on "
            f"application fee"
        )
        raise invalid(f"{message} ({shared_currency.show(left, fee['currency'])})", "amount", retry=False)
    return _create_fee_refund(call, fee, Money(wanted, fee["currency"]), metadata)


def _create_fee_refund(
    call: Call, fee: api.ApplicationFee, amount: Money, metadata: dict[str, str] | None
) -> api.FeeRefund:
    platform, payer = call.within(call.platform), call.within(fee["account"])
    id = call.ids.new("fr")
    taken = _book_fee_refund(platform, id, fee, -amount)
    settled = transaction_of(payer, payer.objects.get(kinds.PAYMENT, fee["charge"])["balance_transaction"])["currency"]
    returned = conversion.convert(amount, settled)
    record_exchange_rate(payer, _book_fee_refund(payer, id, fee, returned), amount.currency)
    record_exchange_rate(platform, taken, settled)
    back = new_object(
        kinds.FEE_REFUND, id=id, amount=returned.amount, balance_transaction=taken["id"],
        created=call.now,
        currency=settled, fee=fee["id"],
        metadata=metadata or {},
    )  # fmt: skip
    platform.objects.insert(back)
    fee["amount_refunded"] += amount.amount
    fee["refunded"] = fee["amount_refunded"] >= fee["amount"]
    fields.count_part(platform, fee["refunds"], "fee_refund", {"fee": fee["id"]})
    platform.objects.save(fee, "application_fee.refunded")
    return back


def _book_fee_refund(call: Call, id: str, fee: api.ApplicationFee, amount: Money) -> StoredBalanceTransaction:
    own = call.account == call.platform
    return book(
        call,
        Booking(
            type="application_fee_refund",
            category="platform_earning_refund",
            source=fee["id"] if own else id,
            amount=amount,
            against=APPLICATION_FEES,
            available=pending_until(call, fee["balance_transaction"]) if own else None,
            description="REFUND FOR APPLICATION FEE",
        ),
    )
