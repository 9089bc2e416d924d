"""Transfers: payments from a platform's balance to a connected account's, and their reversals.

created ──update──▶ created ──reversal──▶ reversed in part ──reversal──▶ reversed
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.ledger import Money
from tollkey.payments.balance import kinds as balance_kinds
from tollkey.payments.balance import moving, receivers, settlement
from tollkey.payments.charges import kinds
from tollkey.payments.charges.lifecycle import with_balance_transaction
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields, providers
from tollkey.wire import Action, Call, Endpoint, Page, Resource, invalid
from tollkey.wire.errors import missing_param
from tollkey.wire.live import needs, records
from tollkey.wire.pages import list_page, listing
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge
    from tollkey.wire import api, operations

PERMISSION = Permission("transfer", "Transfers", "Connect")


def create(call: Call, params: operations.PostTransfers) -> api.Transfer:
    """Send money to a connected account: from the balance, or from one charge (``source_transaction``)."""
    receiver = receivers.receiver_of(call, params["destination"], "destination")
    charge = None
    if params.get("source_transaction"):
        charge = with_balance_transaction(
            call, call.objects.get(kinds.CHARGE, params["source_transaction"], "source_transaction")
        )
    elif not params.get("currency"):
        raise missing_param("currency")
    currency = shared_currency.check_currency(
        str(
            params.get("currency")
            or (settlement.charge_settlement_currency(call, charge) if charge is not None else "")
        )
    )
    amount = Money(params["amount"], currency)
    receivers.check_transfer(call, receiver)
    source_type = params.get("source_type") or "card"
    group = params.get("transfer_group")
    if charge is None:
        if receiver.account != call.platform:  # a platform may take from its accounts what they do not have yet
            moving.check_funds(call, amount, source_type)
    else:
        group = _check_source(call, charge, amount, group)
    return moving.create_transfer(
        call,
        params["destination"],
        amount,
        moving.TransferOptions(
            charge=charge,
            description=params.get("description"),
            metadata=fields.new_metadata(params),
            source_type=source_type,
            transfer_group=group,
        ),
    )


def _check_source(call: Call, charge: StoredCharge, amount: Money, group: str | None) -> str:
    """Check that a charge can be the source of this amount; return the transfer group of both.

    The transfer must be in the settlement currency of the charge. The charge's own currency is accepted too, and
    converted, as the real API does for platforms with a balance in it.
    """
    if charge["status"] == "failed":
        raise invalid(
            f"The charge {charge['id']} has failed and cannot be the source of a transfer.",
            "source_transaction",
            retry=False,
        )
    if not charge["captured"]:  # it is captured first, and then transferred (stripe-node issue 590)
        raise invalid(
            f"The charge {charge['id']} has not been captured and cannot be the source of a transfer.",
            "source_transaction",
            retry=False,
        )
    whole = Money(charge["amount"], charge["currency"])
    if amount.currency != charge["currency"]:
        whole = settlement.to_settlement_currency(call, charge, whole)
    if whole.currency != amount.currency:
        message = (
            f"The currency of source_transaction's balance transaction ({whole.currency}) must be the same as the"
            f" transfer currency ({amount.currency})"
        )
        raise invalid(message, "currency", "transfer_source_balance_parameters_mismatch", retry=False)
    earlier = call.objects.query(balance_kinds.TRANSFER, {"source_transaction": charge["id"]})
    before = amount.with_amount(sum(one["amount"] for one in earlier))
    if before + amount > whole:
        most = shared_currency.show(whole.amount, whole.currency)
        message = f"Transfers using this transaction as a source must not exceed the source amount of {most}."
        if not before.is_zero:
            message += (
                f" (There is already a transfer using this source, amounting to "
                f"{shared_currency.show(before.amount, before.currency)}.)"
            )
        raise invalid(message, "amount", retry=False)
    wanted = group or charge["transfer_group"] or f"group_{charge['payment_intent'] or charge['id']}"
    if charge["transfer_group"] is None:
        charge["transfer_group"] = wanted
        call.objects.save(charge, "charge.updated")
    return str(wanted)


def update(call: Call, params: operations.PostTransfersTransfer) -> api.Transfer:
    """Change a transfer's description or metadata."""
    transfer = call.objects.get(balance_kinds.TRANSFER, call.path["transfer"])
    fields.assign(transfer, params, ("description",))
    fields.merge_metadata(transfer, params)
    return call.objects.save(transfer, "transfer.updated")


def retrieve_one(call: Call, params: operations.GetTransfersTransfer) -> api.Transfer:
    """Retrieve a transfer."""
    return call.objects.get(balance_kinds.TRANSFER, call.path["transfer"])


def payment_of(call: Call, transfer: api.Transfer) -> StoredCharge | None:
    """Return the payment that a transfer created in the receiving account; None if that has left the platform."""
    destination = transfer["destination"]
    if destination is None or call.within(call.platform).objects.find_read_only(fields.ACCOUNT, destination) is None:
        return None
    found = call.within(destination).objects.find(kinds.CHARGE, transfer["destination_payment"] or "")
    return call.objects.copy(found) if found is not None else None


def create_reversal(call: Call, params: operations.PostTransfersIdReversals) -> api.TransferReversal:
    """Reverse a transfer, in full or in part."""
    transfer = call.objects.get(balance_kinds.TRANSFER, call.path["id"])
    left = transfer["amount"] - transfer["amount_reversed"]
    if left <= 0:
        raise invalid(f"Transfer {transfer['id']} is already fully reversed.", None, retry=False)
    amount = params.get("amount") or left
    if amount > left:
        shown = shared_currency.show(amount, transfer["currency"])
        unreversed = shared_currency.show(left, transfer["currency"])
        message = f"Reversal amount ({shown}) is greater than unreversed amount on transfer ({unreversed})"
        raise invalid(message, "amount", retry=False)
    moving.check_reversible(call, transfer, Money(amount, transfer["currency"]))
    return moving.reverse_transfer(
        call,
        transfer,
        Money(amount, transfer["currency"]),
        refund_fee=bool(params.get("refund_application_fee")),
        description=params.get("description"),
        metadata=fields.new_metadata(params),
    )


def _reversal(call: Call) -> api.TransferReversal:
    return fields.part_of(call, "transfer", balance_kinds.TRANSFER_REVERSAL, "transfer reversal")


def retrieve_reversal(call: Call, params: operations.GetTransfersTransferReversalsId) -> api.TransferReversal:
    """Retrieve one reversal of a transfer."""
    return _reversal(call)


def update_reversal(call: Call, params: operations.PostTransfersTransferReversalsId) -> api.TransferReversal:
    """Change a reversal's metadata."""
    reversal = _reversal(call)
    fields.merge_metadata(reversal, params)
    return call.objects.save(reversal)


def list_reversals(call: Call, params: operations.GetTransfersIdReversals) -> Page:
    """List the reversals of a transfer."""
    transfer = call.objects.get(balance_kinds.TRANSFER, call.path["id"])
    return list_page(
        call,
        balance_kinds.TRANSFER_REVERSAL,
        params,
        {"transfer": transfer["id"]},
        url=f"/v1/transfers/{transfer['id']}/reversals",
    )


def _as_payout(call: Call, transfer: MutableMapping[str, Any]) -> None:
    """Before 2017-04-06 transfers and payouts were one object, so a transfer has the fields of a payout."""
    nothing = dict.fromkeys(("application_fee", "failure_code", "failure_message", "recipient", "statement_descriptor"))
    transfer.update(nothing, date=transfer["created"], method="standard", status="paid", type="stripe_account")


TRANSFER = Resource(
    object="transfer",
    prefix="tr",
    permission=PERMISSION,
    live=records(),
    path_param="transfer",
    indexed=("destination", "transfer_group", "source_transaction"),
    endpoints=(
        listing("transfer", "/v1/transfers"),
        Endpoint("POST", "/v1/transfers", create, live=needs(providers.TRANSFERS)),
        Endpoint("GET", "/v1/transfers/{transfer}", retrieve_one, raw=True),
        Endpoint("POST", "/v1/transfers/{transfer}", update),
    ),
    changes=(Change("2017-04-06", _as_payout),),
    expands={"destination_payment": payment_of},
    title="Transfers",
    columns=("amount", "destination", "id", "created"),
    actions=(Action("Reverse", "/v1/transfers/{id}/reversals", ("amount",)),),
)
TRANSFER_REVERSAL = Resource(
    object="transfer_reversal",
    prefix="trr",
    permission=PERMISSION,
    live=records(),
    indexed=("transfer",),
    endpoints=(
        Endpoint("GET", "/v1/transfers/{id}/reversals", list_reversals),
        Endpoint("POST", "/v1/transfers/{id}/reversals", create_reversal, live=needs(providers.TRANSFERS)),
        Endpoint("GET", "/v1/transfers/{transfer}/reversals/{id}", retrieve_reversal),
        Endpoint("POST", "/v1/transfers/{transfer}/reversals/{id}", update_reversal),
    ),
    title="Transfer reversals",
    columns=("amount", "transfer", "id", "created"),
)
