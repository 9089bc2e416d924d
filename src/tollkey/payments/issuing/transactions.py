"""Issuing transactions: money that has left the issuing balance, or come back to it.

capture (negative amount) ──refund──▶ refund (positive amount), an object of its own
"""

from __future__ import annotations

from tollkey.keys import Permission
from tollkey.payments.issuing._book import available, move
from tollkey.payments.issuing._merchant import merchant
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields, providers
from tollkey.wire import (
    Call,
    Endpoint,
    Json,
    P,
    Params,
    Resource,
    blank,
    invalid,
    listing,
    needs,
    only_in_test,
    retrieve,
)

PERMISSION = Permission("issuing_transaction", "Transactions", "Issuing")
_NAME = "issuing.transaction"


def _details(given: Json | None) -> Json | None:
    if not given:
        return None
    receipt = given.get("receipt")
    return {
        "fleet": None, "flight": given.get("flight"), "fuel": None, "lodging": given.get("lodging"),
        "receipt": [
            {"description": line.get("description"),
            "quantity": float(line["quantity"]) if line.get("quantity") is not None else None,
             "total": line.get("total"), "unit_cost": line.get("unit_cost")} for line in receipt
        ] if receipt else None,
        "reference": given.get("reference"),
    }  # fmt: skip


def record(call: Call, origin: Json, kind: str, amount: int, details: Json | None, authorization: bool = True) -> Json:
    """Move the issuing balance and store the transaction, with its events.

    origin: the authorization, or a value with the same fields. amount: minor units; negative for what was spent.
    """
    id = call.ids.new("ipi")
    moved = move(call, "issuing_transaction", amount, origin["currency"], id)
    transaction = blank(
        _NAME,
        id=id,
        amount=amount,
        amount_details={"atm_fee": None, "cashback_amount": None},
        authorization=origin["id"] if authorization else None,
        balance_transaction=moved["id"],
        card=origin["card"],
        cardholder=origin["cardholder"],
        created=call.now,
        currency=origin["currency"],
        livemode=call.livemode,
        merchant_amount=amount,
        merchant_currency=origin["currency"],
        merchant_data=origin["merchant_data"],
        network_data={"authorization_code": None, "processing_date": None, "transaction_id": None},
        purchase_details=_details(details),
        type=kind,
        wallet=origin.get("wallet"),
    )
    call.objects.insert(transaction, "issuing_transaction.created")
    if transaction["purchase_details"] and transaction["purchase_details"]["receipt"]:
        call.emit("issuing_transaction.purchase_details_receipt_updated", transaction)
    return transaction


def _origin(call: Call, params: Params) -> Json:
    card = call.objects.get("issuing.card", params["card"], "card")
    currency = shared_currency.check_currency(params.get("currency") or card["currency"], "currency")
    return {"id": None, "card": card["id"], "cardholder": card["cardholder"], "currency": currency,
            "merchant_data": merchant(params.get("merchant_data"))}  # fmt: skip


def force_capture(call: Call, params: Params) -> Json:
    """A merchant takes money without having asked."""
    return record(
        call, _origin(call, params), "capture", -params["amount"], params.get("purchase_details"), authorization=False
    )


def unlinked_refund(call: Call, params: Params) -> Json:
    """A merchant gives money that was never taken."""
    return record(
        call, _origin(call, params), "refund", params["amount"], params.get("purchase_details"), authorization=False
    )


def refund(call: Call, params: Params) -> Json:
    """A merchant gives back a capture, or part of it."""
    transaction = call.objects.get(_NAME, call.path["transaction"])
    if transaction["type"] != "capture":
        raise invalid("Only a capture can be refunded.", retry=False)
    left = -transaction["amount"] - transaction.get("_refunded", 0)
    amount = params.get("refund_amount") or left
    if amount > left:
        raise invalid(f"refund_amount must not be above what is left of the capture ({left}).", "refund_amount")
    transaction["_refunded"] = transaction.get("_refunded", 0) + amount
    call.objects.save(transaction)
    origin = {**transaction, "id": transaction["authorization"]}
    return record(call, origin, "refund", amount, None)


def update(call: Call, params: Params) -> Json:
    """Change the metadata."""
    transaction = call.objects.get(_NAME, call.path["transaction"])
    fields.merge_metadata(transaction, params)
    return call.objects.save(transaction, "issuing_transaction.updated")


def fund(call: Call, params: Params) -> Json:
    """Put test money into the issuing balance."""
    currency = shared_currency.check_currency(params["currency"], "currency")
    move(call, "topup", params["amount"], currency, call.account)
    return {"object": "balance", "livemode": call.livemode, "available": [], "pending": [],
            "issuing": {"available": [{"amount": available(call, currency), "currency": currency}]}}  # fmt: skip


_HELP = "/v1/test_helpers/issuing/transactions"

TRANSACTION = Resource(
    object=_NAME,
    prefix="ipi",
    permission=PERMISSION,
    live=needs(providers.ISSUING),
    label="issuing transaction",
    path_param="transaction",
    indexed=("card", "cardholder", "type"),
    endpoints=(
        listing(_NAME, "/v1/issuing/transactions"),
        retrieve(_NAME, "/v1/issuing/transactions/{transaction}"),
        Endpoint("POST", "/v1/issuing/transactions/{transaction}", update),
        Endpoint("POST", _HELP + "/create_force_capture", force_capture, live=only_in_test()),
        Endpoint("POST", _HELP + "/create_unlinked_refund", unlinked_refund, live=only_in_test()),
        Endpoint("POST", _HELP + "/{transaction}/refund", refund, live=only_in_test()),
        Endpoint(
            "POST",
            "/v1/test_helpers/issuing/fund_balance",
            fund,
            object="balance",
            params=P.object(required=("amount", "currency"), amount=P.integer(1), currency=P.string()),
            live=only_in_test(),
        ),
    ),
    title="Issuing transactions",
    columns=("amount", "type", "id", "created"),
)
