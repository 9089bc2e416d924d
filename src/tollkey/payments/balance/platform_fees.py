"""Application fees: what a connected account gives its platform of a charge, and what the platform gives back.

account's balance ──fee──▶ platform's balance ──fee refund──▶ account's balance
"""

from __future__ import annotations

from typing import Any

from tollkey.ledger import APPLICATION_FEES, Posting
from tollkey.payments.balance.settlement import exchanged
from tollkey.payments.balance.transactions import book
from tollkey.payments.shared import conversion, fields
from tollkey.payments.shared import currency as shared_currency
from tollkey.wire import Call, Json, blank, invalid, sublist


def application_id(platform: str) -> str:
    """The Connect application of a platform."""
    return "ca_" + platform.removeprefix("acct_")


def still_due(call: Call, transaction: str | None) -> int | None:
    """When money that is still pending becomes available; None when it already has."""
    found = call.objects.find("balance_transaction", transaction or "")
    return found["available_on"] if found is not None and found["available_on"] > call.now else None


def make_fee(
    call: Call, account: str, paid_by: str, amount: int, currency: str, due: int | None, origin: str | None
) -> Json:
    """The application fee object, in the platform's scope, with its balance transaction and event.

    account: who pays. paid_by: the charge or payment on that account. origin: the platform's charge behind a payment.
    """
    platform = call.within(call.platform)
    id = call.ids.new("fee")
    transaction = book(
        platform,
        type="application_fee",
        category="platform_earning",
        source=id,
        amount=amount,
        currency=currency,
        against=APPLICATION_FEES,
        available=due,
        description=f"Application fee from application {application_id(call.platform)} ({account})",
    )
    fee = blank(
        "application_fee",
        id=id,
        account=account,
        amount=amount,
        amount_refunded=0,
        application=application_id(call.platform),
        balance_transaction=transaction["id"],
        charge=paid_by,
        created=call.now,
        currency=currency,
        fee_source={"charge": paid_by, "type": "charge"},
        livemode=call.livemode,
        originating_transaction=origin,
        refunded=False,
        refunds=sublist([], f"/v1/application_fees/{id}/refunds", total_count=0),
    )
    return platform.objects.insert(fee, "application_fee.created")


def fee_parts(call: Call, amount: int, currency: str) -> tuple[tuple[Posting, ...], list[Json]]:
    """The ledger side and the ``fee_details`` of an application fee, in the scope of the account that pays it."""
    detail = {
        "amount": amount,
        "application": application_id(call.platform),
        "currency": currency,
        "description": "application fee",
        "type": "application_fee",
    }
    return (Posting(APPLICATION_FEES, currency, amount),), [detail]


def refund_application_fee(call: Call, fee: Json, amount: int | None = None, metadata: Json | None = None) -> Json:
    """Give an application fee back, or what is left of it up to ``amount``.

    Raises ApiError when it has been refunded, or less is left.
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
    return _give_back(call, fee, wanted, metadata)


def _give_back(call: Call, fee: Json, amount: int, metadata: Json | None) -> Json:
    platform, payer = call.within(call.platform), call.within(fee["account"])
    id, currency = call.ids.new("fr"), fee["currency"]
    taken = _book_fee_refund(platform, id, fee, -amount, currency)
    settled = payer.objects.get(
        "balance_transaction", payer.objects.get("charge", fee["charge"])["balance_transaction"]
    )["currency"]
    exchanged(payer, _book_fee_refund(payer, id, fee, conversion.convert(amount, currency, settled), settled), currency)
    exchanged(platform, taken, settled)
    back: Json = blank(
        "fee_refund", id=id, amount=conversion.convert(amount, currency, settled), balance_transaction=taken["id"],
        created=call.now,
        currency=settled, fee=fee["id"],
        metadata=metadata or {},
    )  # fmt: skip
    platform.objects.insert(back)
    fee["amount_refunded"] += amount
    fee["refunded"] = fee["amount_refunded"] >= fee["amount"]
    fields.count_part(platform, fee["refunds"], "fee_refund", {"fee": fee["id"]})
    platform.objects.save(fee, "application_fee.refunded")
    return back


def _book_fee_refund(call: Call, id: str, fee: Json, amount: int, currency: str) -> Json:
    own = call.account == call.platform
    more: dict[str, Any] = {"available": still_due(call, fee["balance_transaction"])} if own else {}
    return book(
        call,
        type="application_fee_refund",
        category="platform_earning_refund",
        source=fee["id"] if own else id,
        amount=amount,
        currency=currency,
        against=APPLICATION_FEES,
        description="REFUND FOR APPLICATION FEE",
        **more,
    )
