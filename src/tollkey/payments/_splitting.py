"""What of a charge goes to others: a platform's application fee, and the transfer of a destination charge.

direct charge        connected account's balance ──application fee──▶ platform
destination charge   platform's balance ──transfer──▶ connected account (a payment, py_) ──application fee──▶ platform
"""

from __future__ import annotations

from typing import Any

from tollkey.ledger import APPLICATION_FEES, CONNECTED, PLATFORM, Posting
from tollkey.payments._common import knows
from tollkey.payments._money import book
from tollkey.wire import Call, Json, blank, invalid, sublist


def application_of(call: Call) -> str | None:
    """The Connect application that acts on this account, or None on one's own."""
    return None if call.account == call.platform else "ca_" + call.platform.removeprefix("acct_")


def group_of(transfer_data: Json | None, payment_intent: str | None, charge: str) -> str | None:
    """The transfer group that a destination charge gets when none was given (recorded)."""
    return f"group_{payment_intent or charge}" if transfer_data else None


def check_destination(call: Call, destination: str, param: str = "transfer_data[destination]") -> None:
    """Raise ApiError resource_missing when there is no such connected account."""
    if call.within(call.platform).objects.find("account", destination) is None:
        raise invalid(f"No such destination: '{destination}'", param, "resource_missing")


def application_fee(call: Call, charge: Json) -> tuple[tuple[Posting, ...], list[Json]]:
    """The application fee of a direct charge: made in the platform's scope; answers the postings and fee details for this one."""
    amount = charge.get("application_fee_amount")
    if not amount or call.account == call.platform or not knows(call, "application_fee"):
        return (), []
    fee = make_fee(call, charge, call.account, charge["id"], amount)
    charge["application_fee"] = fee["id"]
    return _fee_parts(call, amount, charge["currency"])


def _fee_parts(call: Call, amount: int, currency: str) -> tuple[tuple[Posting, ...], list[Json]]:
    detail = {
        "amount": amount,
        "application": "ca_" + call.platform.removeprefix("acct_"),
        "currency": currency,
        "description": "application fee",
        "type": "application_fee",
    }
    return (Posting(APPLICATION_FEES, currency, amount),), [detail]


def make_fee(call: Call, charge: Json, account: str, paid_by: str, amount: int) -> Json:
    """The ApplicationFee object, in the platform's scope, with its balance transaction and event.

    account: the connected account that pays. paid_by: the charge (or destination payment) on it.
    """
    platform = call.within(call.platform)
    id = call.ids.new("fee")
    transaction = book(
        platform,
        type="application_fee",
        category="platform_earning",
        source=id,
        amount=amount,
        currency=charge["currency"],
        against=APPLICATION_FEES,
        description=f"Application fee from application {account} ({account})",
    )
    fee = blank(
        "application_fee",
        id=id,
        account=account,
        amount=amount,
        amount_refunded=0,
        application="ca_" + call.platform.removeprefix("acct_"),
        balance_transaction=transaction["id"],
        charge=paid_by,
        created=call.now,
        currency=charge["currency"],
        livemode=call.livemode,
        originating_transaction=charge["id"] if paid_by != charge["id"] else None,
        refunded=False,
        refunds=sublist([], f"/v1/application_fees/{id}/refunds", total_count=0),
    )
    return platform.objects.insert(fee, "application_fee.created")


def pass_on(call: Call, charge: Json) -> None:
    """The transfer of a destination charge: the whole amount, or the part that ``transfer_data[amount]`` names."""
    data: dict[str, Any] = charge.get("transfer_data") or {}
    if not data.get("destination") or not knows(call, "transfer"):
        return
    amount = data.get("amount") or charge["amount_captured"]
    receiver = call.within(data["destination"])
    id, payment_id = call.ids.new("tr"), call.ids.new("py")
    currency = charge["currency"]
    due = call.objects.get("balance_transaction", charge["balance_transaction"])["available_on"]
    sent = book(call, type="transfer", category="transfer", source=id, amount=-amount, currency=currency, against=CONNECTED, available=due)
    transfer = blank(
        "transfer",
        id=id,
        amount=amount,
        amount_reversed=0,
        balance_transaction=sent["id"],
        created=call.now,
        currency=currency,
        destination=data["destination"],
        destination_payment=payment_id,
        livemode=call.livemode,
        reversals=sublist([], f"/v1/transfers/{id}/reversals", total_count=0),
        reversed=False,
        source_transaction=charge["id"],
        source_type="card",
        transfer_group=charge["transfer_group"],
    )
    charge["transfer"] = id
    _receive(call, receiver, charge, transfer, due)
    call.objects.insert(transfer, "transfer.created")


def _receive(call: Call, receiver: Call, charge: Json, transfer: Json, due: int) -> None:
    """The connected account's side: a payment whose source is the platform."""
    amount, currency, id = transfer["amount"], transfer["currency"], transfer["destination_payment"]
    fee_amount = charge.get("application_fee_amount") if not (charge.get("transfer_data") or {}).get("amount") else None
    parts: tuple[Posting, ...] = ()
    details: list[Json] = []
    fee = None
    if fee_amount and knows(call, "application_fee"):
        fee = make_fee(call, charge, transfer["destination"], id, fee_amount)
        parts, details = _fee_parts(call, fee_amount, currency)
        charge["application_fee"] = fee["id"]
    got = book(
        receiver,
        type="payment",
        category="charge",
        source=id,
        amount=amount,
        currency=currency,
        against=PLATFORM,
        fee=sum(part.amount for part in parts),
        fee_details=details,
        available=due,
        postings=parts,
    )
    receiver.objects.insert(destination_payment(receiver, transfer, got["id"], call.account, fee), "payment.created")


def destination_payment(receiver: Call, transfer: Json, transaction: str, sender: str, fee: Json | None = None) -> Json:
    """The ``py_`` charge that a transfer makes in the connected account, not stored yet."""
    amount = transfer["amount"]
    payment = blank(
        "charge",
        id=transfer["destination_payment"],
        amount=amount,
        amount_captured=amount,
        amount_refunded=0,
        application="ca_" + sender.removeprefix("acct_"),
        application_fee=fee["id"] if fee else None,
        application_fee_amount=fee["amount"] if fee else None,
        balance_transaction=transaction,
        billing_details={
            "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        captured=True,
        created=receiver.now,
        currency=transfer["currency"],
        disputed=False,
        livemode=receiver.livemode,
        paid=True,
        payment_method_details={"stripe_account": {}, "type": "stripe_account"},
        receipt_url=f"{receiver.setup.base_url}/receipts/{transfer['destination_payment']}",
        refunded=False,
        source_transfer=transfer["id"],
        status="succeeded",
    )
    payment.update(destination=None, dispute=None, invoice=None, order=None)
    payment["source"] = {
        "id": sender,
        "object": "account",
        "application_icon": None,
        "application_logo": None,
        "application_name": None,
        "application_url": None,
    }
    return payment


def other_side(charge: Json) -> str | None:
    """The ledger book that a payment came from when it was not the network: a transfer's payment comes from the platform."""
    return PLATFORM if charge.get("source_transfer") else None


def take_back(call: Call, charge: Json, refund: Json, *, reverse: bool, fee: bool) -> None:
    """Undo a refund's share of the transfer (``reverse_transfer``) and of the application fee (``refund_application_fee``)."""
    if reverse and charge.get("transfer"):
        _reverse(call, charge, refund)
    if fee and charge.get("application_fee"):
        _refund_fee(call, charge, refund)


def _share(whole: int, part: int, of: int) -> int:
    return whole * part // of if of else 0


def _reverse(call: Call, charge: Json, refund: Json) -> None:
    transfer = call.objects.get("transfer", charge["transfer"])
    amount = min(_share(transfer["amount"], refund["amount"], charge["amount"]), transfer["amount"] - transfer["amount_reversed"])
    if amount <= 0:
        return
    receiver = call.within(transfer["destination"])
    payment = receiver.objects.get("charge", transfer["destination_payment"])
    id, refund_id = call.ids.new("trr"), call.ids.new("pyr")
    back = book(
        call,
        type="transfer_refund",
        category="transfer_reversal",
        source=id,
        amount=amount,
        currency=transfer["currency"],
        against=CONNECTED,
        description="REFUND FOR TRANSFER",
    )
    given = book(
        receiver,
        type="payment_refund",
        category="refund",
        source=refund_id,
        amount=-amount,
        currency=transfer["currency"],
        against=PLATFORM,
        description="REFUND FOR PAYMENT",
    )
    reversal = blank(
        "transfer_reversal",
        id=id,
        amount=amount,
        balance_transaction=back["id"],
        created=call.now,
        currency=transfer["currency"],
        destination_payment_refund=refund_id,
        source_refund=refund["id"],
        transfer=transfer["id"],
    )
    mirror = blank(
        "refund",
        id=refund_id,
        amount=amount,
        balance_transaction=given["id"],
        charge=payment["id"],
        created=call.now,
        currency=transfer["currency"],
        source_transfer_reversal=id,
        status="succeeded",
        transfer_reversal=id,
    )
    receiver.objects.insert(mirror)
    payment["amount_refunded"] += amount
    payment["refunded"] = payment["amount_refunded"] >= payment["amount"]
    receiver.objects.save(payment, "charge.refunded")
    if knows(call, "transfer_reversal"):
        call.objects.insert(reversal)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] >= transfer["amount"]
    call.objects.save(transfer, "transfer.reversed")
    refund["transfer_reversal"] = id


def _refund_fee(call: Call, charge: Json, refund: Json) -> None:
    platform = call.within(call.platform)
    fee = platform.objects.get("application_fee", charge["application_fee"])
    amount = min(_share(fee["amount"], refund["amount"], charge["amount"]), fee["amount"] - fee["amount_refunded"])
    if amount <= 0:
        return
    payer = call.within(fee["account"])
    id = call.ids.new("fr")
    taken = book(
        platform,
        type="application_fee_refund",
        category="platform_earning_refund",
        source=id,
        amount=-amount,
        currency=fee["currency"],
        against=APPLICATION_FEES,
        description=f"REFUND FOR APPLICATION FEE {fee['id']}",
    )
    book(
        payer,
        type="application_fee_refund",
        category="platform_earning_refund",
        source=id,
        amount=amount,
        currency=fee["currency"],
        against=APPLICATION_FEES,
        description="REFUND FOR APPLICATION FEE",
    )
    back = blank(
        "fee_refund", id=id, amount=amount, balance_transaction=taken["id"], created=call.now, currency=fee["currency"], fee=fee["id"]
    )
    if knows(call, "fee_refund"):
        platform.objects.insert(back)
    fee["amount_refunded"] += amount
    fee["refunded"] = fee["amount_refunded"] >= fee["amount"]
    platform.objects.save(fee, "application_fee.refunded")
