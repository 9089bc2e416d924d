"""Issuing transactions: changes of the issuing balance by captures and refunds.

capture (negative amount) ──refund──▶ refund (positive amount), an object of its own
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from tollkey.keys import Permission
from tollkey.ledger import Money
from tollkey.payments.issuing import cards, kinds
from tollkey.payments.issuing._book import available, move
from tollkey.payments.issuing._merchant import merchant
from tollkey.payments.issuing._purchases import details as purchase_details
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields, providers
from tollkey.wire import Call, Endpoint, P, Resource, invalid, new_object
from tollkey.wire.live import needs, only_in_test
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.payments.issuing.stored import StoredIssuingTransaction
    from tollkey.wire import api, operations

PERMISSION = Permission("issuing_transaction", "Transactions", "Issuing")
_NAME = "issuing.transaction"


class TransactionOrigin(TypedDict):
    """The origin of a transaction.

    id: of the authorization; None without one. card, cardholder: ids. wallet: the wallet that was used, or None.
    """

    id: str | None
    card: str
    cardholder: str | None
    currency: str
    merchant_data: api.IssuingAuthorizationMerchantData
    wallet: str | None


def record(
    call: Call, origin: TransactionOrigin, kind: str, amount: Money, details: Mapping[str, Any] | None
) -> StoredIssuingTransaction:
    """Change the issuing balance and store the transaction, with its events.

    kind: ``capture`` or ``refund``. amount: minor units; negative for a capture. details: ``purchase_details``.
    """
    id = call.ids.new("ipi")
    moved = move(call, "issuing_transaction", amount, id)
    transaction = new_object(
        kinds.TRANSACTION,
        id=id,
        amount=amount.amount,
        amount_details={"atm_fee": None, "cashback_amount": None},
        authorization=origin["id"],
        balance_transaction=moved["id"],
        card=origin["card"],
        cardholder=origin["cardholder"],
        created=call.now,
        currency=amount.currency,
        livemode=call.livemode,
        merchant_amount=amount.amount,
        merchant_currency=amount.currency,
        merchant_data=origin["merchant_data"],
        network_data={"authorization_code": None, "processing_date": None, "transaction_id": None},
        purchase_details=purchase_details(details),
        type=kind,
        wallet=origin["wallet"],
    )
    call.objects.insert(transaction, "issuing_transaction.created")
    if transaction["purchase_details"] and transaction["purchase_details"]["receipt"]:
        call.emit("issuing_transaction.purchase_details_receipt_updated", transaction)
    return transaction


def origin_of(
    value: api.IssuingAuthorization | StoredIssuingTransaction, authorization: str | None
) -> TransactionOrigin:
    """Return the origin for a transaction of an authorization, or of an earlier transaction. authorization: its id."""
    return {
        "id": authorization,
        "card": value["card"],
        "cardholder": value["cardholder"],
        "currency": value["currency"],
        "merchant_data": value["merchant_data"],
        "wallet": value["wallet"],
    }


def _origin(
    call: Call,
    params: operations.PostTestHelpersIssuingTransactionsCreateForceCapture
    | operations.PostTestHelpersIssuingTransactionsCreateUnlinkedRefund,
) -> TransactionOrigin:
    card = call.objects.get(kinds.CARD, params["card"], "card")
    currency = shared_currency.check_currency(params.get("currency") or card["currency"], "currency")
    return {"id": None, "card": card["id"], "cardholder": card["cardholder"], "currency": currency,
            "merchant_data": merchant(params.get("merchant_data")), "wallet": None}  # fmt: skip


def force_capture(
    call: Call, params: operations.PostTestHelpersIssuingTransactionsCreateForceCapture
) -> StoredIssuingTransaction:
    """Simulate a capture without an authorization."""
    origin = _origin(call, params)
    spent = Money(params["amount"], origin["currency"])
    made = record(call, origin, "capture", -spent, params.get("purchase_details"))
    cards.count_payment(call, call.objects.get(kinds.CARD, origin["card"]), spent)
    return made


def unlinked_refund(
    call: Call, params: operations.PostTestHelpersIssuingTransactionsCreateUnlinkedRefund
) -> StoredIssuingTransaction:
    """Simulate a refund without a capture."""
    origin = _origin(call, params)
    returned = Money(params["amount"], origin["currency"])
    return record(call, origin, "refund", returned, params.get("purchase_details"))


def refund(
    call: Call, params: operations.PostTestHelpersIssuingTransactionsTransactionRefund
) -> StoredIssuingTransaction:
    """Refund a capture, in full or in part."""
    transaction = call.objects.get(kinds.TRANSACTION, call.path["transaction"])
    if transaction["type"] != "capture":
        raise invalid("Only a capture can be refunded.", retry=False)
    captured = Money(-transaction["amount"], transaction["currency"])
    refunded = captured.with_amount(transaction.get("_refunded", 0))
    left = captured - refunded
    amount = left.with_amount(params.get("refund_amount") or left.amount)
    if amount > left:
        raise invalid(f"refund_amount must not be above what is left of the capture ({left.amount}).", "refund_amount")
    transaction["_refunded"] = (refunded + amount).amount
    call.objects.save(transaction)
    return record(call, origin_of(transaction, transaction["authorization"]), "refund", amount, None)


def update(call: Call, params: operations.PostIssuingTransactionsTransaction) -> StoredIssuingTransaction:
    """Change the metadata of a transaction."""
    transaction = call.objects.get(kinds.TRANSACTION, call.path["transaction"])
    fields.merge_metadata(transaction, params)
    return call.objects.save(transaction, "issuing_transaction.updated")


def fund(call: Call, params: operations.PostTestHelpersIssuingFundBalance) -> api.Balance:
    """Add test money to the issuing balance."""
    currency = shared_currency.check_currency(params["currency"], "currency")
    move(call, "topup", Money(params["amount"], currency), call.account)
    return {"object": "balance", "livemode": call.livemode, "available": [], "pending": [],
            "issuing": {"available": [{"amount": available(call, currency).amount, "currency": currency}]}}  # fmt: skip


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
