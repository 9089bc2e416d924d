"""Tax transactions, which tax reports are made of: created from calculations, and reversed by further transactions.

transaction ──create_reversal──▶ a reversal with negative amounts
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tollkey.payments.shared import fields
from tollkey.payments.tax import kinds
from tollkey.payments.tax.calculations import TRANSACTIONS, unexpired
from tollkey.payments.tax.rates import spread
from tollkey.wire import Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.live import records
from tollkey.wire.pages import nested_list, page_of_list, retrieve

if TYPE_CHECKING:
    from tollkey.payments.tax.stored import (
        ReversedLine,
        ReversedParts,
        StoredTaxTransaction,
    )
    from tollkey.wire import api, operations


def _unused(call: Call, reference: str) -> None:
    if call.objects.query(kinds.TRANSACTION, {"reference": reference}, limit=1):
        raise invalid(f"A transaction with the reference {reference} already exists.", "reference")


def record(call: Call, params: operations.PostTaxTransactionsCreateFromCalculation) -> StoredTaxTransaction:
    """Create a tax transaction from a calculation.

    Raises ApiError 400 if the calculation does not exist or has expired, or the reference was used before.
    """
    calculation = unexpired(call, params["calculation"], "calculation")
    _unused(call, params["reference"])
    posted, date = params.get("posted_at"), calculation["tax_date"]
    if posted is not None and date <= call.now and not date <= posted <= call.now:
        raise invalid("The `posted_at` timestamp must be between the `tax_date` and the current time.", "posted_at")
    transaction = new_object(
        kinds.TRANSACTION,
        id=call.ids.new("tax"),
        created=call.now,
        currency=calculation["currency"],
        customer=calculation["customer"],
        customer_details=calculation["customer_details"],
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        posted_at=params.get("posted_at") or call.now,
        reference=params["reference"],
        ship_from_details=calculation["ship_from_details"],
        shipping_cost=calculation["shipping_cost"],
        tax_date=calculation["tax_date"],
        type="transaction",
    )
    transaction["_lines"] = [_transaction_line(line) for line in calculation["_lines"]]
    return call.objects.insert(transaction)


def _transaction_line(line: api.TaxCalculationLineItem) -> api.TaxTransactionLineItem:
    left = ("performance_location", "tax_breakdown")
    made = new_object(kinds.TRANSACTION_LINE, **{name: value for name, value in line.items() if name not in left})
    made.update({"object": "tax.transaction_line_item", "type": "transaction", "reversal": None})
    return made


def _reversed_lines(
    call: Call, original: StoredTaxTransaction, parts: Sequence[ReversedLine]
) -> list[api.TaxTransactionLineItem]:
    """Return the negative lines of a reversal."""
    lines = {line["id"]: line for line in original["_lines"]}
    made: list[api.TaxTransactionLineItem] = []
    for index, part in enumerate(parts):
        line = lines.get(part["original_line_item"])
        if line is None:
            where = f"line_items[{index}][original_line_item]"
            raise invalid(f"No such line item: '{part['original_line_item']}'", where, "resource_missing")
        for name, given, most in (
            ("amount", part["amount"], line["amount"]),
            ("amount_tax", part["amount_tax"], line["amount_tax"]),
        ):
            if given > 0 or -given > most:
                raise invalid(f"A reversal's {name} must be between {-most} and 0.", f"line_items[{index}][{name}]")
        made.append(
            {
                **line,
                "id": call.ids.new("tax_li"),
                "amount": part["amount"],
                "amount_tax": part["amount_tax"],
                "quantity": part.get("quantity") or line["quantity"],
                "reference": part["reference"],
                "type": "reversal",
                "metadata": part.get("metadata") or {},
                "reversal": {"original_line_item": line["id"]},
            }
        )
    return made


def _flat(original: StoredTaxTransaction, flat: int) -> ReversedParts:
    """Return the parts of a reversal of a flat amount, including tax, across the whole transaction."""
    cost = original["shipping_cost"]
    shares = spread([*original["_lines"], *([cost] if cost else [])], flat)
    parts: list[ReversedLine] = [
        {
            "original_line_item": line["id"],
            "reference": line["reference"],
            "amount": share["amount"],
            "amount_tax": share["amount_tax"],
        }
        for line, share in zip(original["_lines"], shares, strict=False)
    ]
    return {"line_items": parts, "shipping_cost": shares[-1] if cost else None}


def _parts(original: StoredTaxTransaction, params: operations.PostTaxTransactionsCreateReversal) -> ReversedParts:
    """Return what a reversal reverses: everything, a proportion of everything, or the given lines."""
    if params["mode"] == "full":
        cost = original["shipping_cost"]
        parts: list[ReversedLine] = [
            {
                "original_line_item": line["id"],
                "amount": -line["amount"],
                "amount_tax": -line["amount_tax"],
                "reference": line["reference"],
            }
            for line in original["_lines"]
        ]
        return {
            "line_items": parts,
            "shipping_cost": {"amount": -cost["amount"], "amount_tax": -cost["amount_tax"]} if cost else None,
        }
    if params.get("flat_amount") is not None:
        return _flat(original, params["flat_amount"])
    return {"line_items": params.get("line_items") or [], "shipping_cost": params.get("shipping_cost")}


def reverse(call: Call, params: operations.PostTaxTransactionsCreateReversal) -> StoredTaxTransaction:
    """Reverse a transaction, in full or in part.

    params: ``mode`` is ``full`` or ``partial``; a partial reversal has ``line_items`` or a ``flat_amount`` (minor
        units, negative).
    Returns the reversal, a transaction with negative amounts.
    Raises ApiError 400 if the transaction is a reversal or was reversed in full, if the reference was used before, or
    if a part exceeds its line.
    """
    original = call.objects.get(kinds.TRANSACTION, params["original_transaction"], "original_transaction")
    if original["type"] == "reversal":
        raise invalid("A reversal cannot be reversed.", "original_transaction")
    if original.get("_reversed"):
        raise invalid(f"The transaction {original['id']} has already been fully reversed.", "original_transaction")
    _unused(call, params["reference"])
    parts = _parts(original, params)
    lines = _reversed_lines(call, original, parts["line_items"])
    if params["mode"] == "full":
        original["_reversed"] = True
        call.objects.save(original)
    cost, given = original["shipping_cost"], parts["shipping_cost"]
    made: StoredTaxTransaction = {
        **call.objects.copy(original),
        "id": call.ids.new("tax"),
        "created": call.now,
        "metadata": fields.new_metadata(params),
        "posted_at": call.now,
        "reference": params["reference"],
        "type": "reversal",
        "reversal": {"original_transaction": original["id"]},
        "shipping_cost": {**cost, **given} if cost and given else None,
        "_lines": lines,
    }
    return call.objects.insert(made)


def transaction_lines(call: Call, params: operations.GetTaxTransactionsTransactionLineItems) -> Page:
    """List the line items of a transaction."""
    found = call.objects.get(kinds.TRANSACTION, call.path["transaction"])
    return page_of_list(found["_lines"], f"/v1/tax/transactions/{found['id']}/line_items", params)


def _line_items(call: Call, transaction: StoredTaxTransaction) -> api.TaxTransactionLineItems:
    """Return ``line_items``, which are only expandable."""
    copies = [call.objects.copy(line) for line in transaction["_lines"]]
    listed: api.TaxTransactionLineItems = nested_list(copies, f"/v1/tax/transactions/{transaction['id']}/line_items")
    return listed


TRANSACTION = Resource(
    object="tax.transaction",
    prefix="tax",
    permission=TRANSACTIONS,
    live=records(),
    label="tax transaction",
    path_param="transaction",
    indexed=("reference",),
    expands={"line_items": _line_items},
    endpoints=(
        Endpoint("POST", "/v1/tax/transactions/create_from_calculation", record),
        Endpoint("POST", "/v1/tax/transactions/create_reversal", reverse),
        retrieve("tax.transaction", "/v1/tax/transactions/{transaction}"),
        Endpoint("GET", "/v1/tax/transactions/{transaction}/line_items", transaction_lines),
    ),
    title="Tax transactions",
)
