"""What of a charge goes to others: a platform's application fee, and the transfer of a destination charge.

direct charge        connected account's balance ──application fee──▶ platform
destination charge   platform's balance ──transfer──▶ connected account (a payment, py_) ──application fee──▶ platform
"""

from __future__ import annotations

from typing import Any

from tollkey.ledger import PLATFORM, Posting
from tollkey.payments.balance import moving, platform_fees, settlement, transactions
from tollkey.payments.shared import conversion, rounding
from tollkey.wire import Call, Json


def application_of(call: Call) -> str | None:
    """The Connect application that acts on this account, or None on one's own."""
    return None if call.account == call.platform else platform_fees.application_id(call.platform)


def group_of(transfer_data: Json | None, payment_intent: str | None, charge: str) -> str | None:
    """The transfer group that a destination charge gets when none was given (recorded)."""
    return f"group_{payment_intent or charge}" if transfer_data else None


def check_destination(call: Call, destination: str, param: str = "transfer_data[destination]") -> None:
    """Raise ApiError when there is no such connected account, or it cannot receive money."""
    moving.check_receiver(moving.receiver_of(call, destination, param))


def application_fee(call: Call, charge: Json, settles_in: str) -> tuple[tuple[Posting, ...], list[Json]]:
    """The application fee of a direct charge: made in the platform's scope; answers the postings and fee details for
    this one.
    """
    amount = charge.get("application_fee_amount")
    if not amount or call.account == call.platform:
        return (), []
    fee = platform_fees.make_fee(
        call, call.account, charge["id"], amount, charge["currency"], transactions.available_on(call), None
    )
    charge["application_fee"] = fee["id"]
    return platform_fees.fee_parts(call, conversion.convert(amount, charge["currency"], settles_in), settles_in)


def pass_on(call: Call, charge: Json) -> None:
    """The transfer of a destination charge: the whole amount, or the part that ``transfer_data[amount]`` names."""
    data: dict[str, Any] = charge.get("transfer_data") or {}
    if not data.get("destination"):
        return
    part = data.get("amount")
    fee = None if part else charge.get("application_fee_amount")
    amount, currency = settlement.settled(call, charge, part or charge["amount_captured"])
    transfer = moving.make_transfer(
        call,
        data["destination"],
        amount,
        currency,
        charge=charge,
        fee_amount=fee,
        transfer_group=charge["transfer_group"],
    )
    charge["transfer"] = transfer["id"]
    if fee:
        payment = call.within(data["destination"]).objects.get("charge", transfer["destination_payment"])
        charge["application_fee"] = payment["application_fee"]


def other_side(charge: Json) -> str | None:
    """The ledger book that a payment came from when it was not the network: a transfer's payment comes from the
    platform.
    """
    return PLATFORM if charge.get("source_transfer") else None


def take_back(call: Call, charge: Json, refund: Json, *, reverse: bool, fee: bool) -> None:
    """Undo a refund's share of the transfer (``reverse_transfer``) and of the application fee
    (``refund_application_fee``).
    """
    if reverse and charge.get("transfer"):
        _reverse(call, charge, refund)
    if fee and charge.get("application_fee"):
        found = call.within(call.platform).objects.get("application_fee", charge["application_fee"])
        amount = min(
            rounding.share_down(found["amount"], refund["amount"], charge["amount"]),
            found["amount"] - found["amount_refunded"],
        )
        if amount > 0:
            platform_fees.refund_application_fee(call, found, amount)


def _reverse(call: Call, charge: Json, refund: Json) -> None:
    transfer = call.objects.get("transfer", charge["transfer"])
    amount = min(
        rounding.share_down(transfer["amount"], refund["amount"], charge["amount"]),
        transfer["amount"] - transfer["amount_reversed"],
    )
    if amount > 0:
        refund["transfer_reversal"] = moving.reverse(call, transfer, amount, refund=refund)["id"]
