"""Amounts of credit notes: the part that reduces the amount due, and the part that is refunded, credited or settled
outside of Stripe.

Sources: the description of ``POST /v1/credit_notes``, and the guide "Issue credit notes" of docs.stripe.com/invoicing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tollkey.ledger import Money
from tollkey.payments.charges import refund_rules
from tollkey.payments.invoices import kinds
from tollkey.payments.shared import currency, fields
from tollkey.wire import Call, invalid
from tollkey.wire.errors import missing_object, missing_param

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import api, operations


class Credited(NamedTuple):
    """The amount of a credit note. pre: reduces the amount due. post: is given back of what was paid."""

    total: Money
    pre: Money
    post: Money

    @property
    def kind(self) -> str:
        """Return the ``type`` of the note."""
        if self.post.is_zero:
            return "pre_payment"
        return "post_payment" if self.pre.is_zero else "mixed"


def split(
    invoice: StoredInvoice,
    lines: Sequence[api.CreditNoteLineItem],
    shipping: api.InvoicesResourceShippingCost | None,
    params: operations.PostCreditNotes | operations.GetCreditNotesPreview | operations.GetCreditNotesPreviewLines,
    refunds: Iterable[api.CreditNoteRefund],
) -> Credited:
    """Return what a note of these lines and this shipping cost, or of ``amount``, credits.

    refunds: those that it links. Raises ApiError 400 if nothing is credited, or more than is left, or if refunds,
    balance credit and outside credit do not add up to the part that was paid.
    """
    amount = params.get("amount")
    if lines or shipping is not None:
        amount = sum(_gross(line) for line in lines) + (shipping["amount_total"] if shipping is not None else 0)
        if params.get("amount") not in (None, amount):  # our text; the amount would otherwise do nothing
            raise invalid("The `amount` must equal the sum of the lines and the shipping cost.", "amount")
    if amount is None:
        raise invalid(
            "You must specify at least one of `amount`, `lines`, or `shipping_cost` when creating a credit note.",
            "amount",
            "parameter_missing",
        )
    total = Money(amount, invoice["currency"])
    if not total.is_positive:
        raise invalid("The total amount of a credit note must be positive.", "lines" if lines else "amount")
    _check_left(invoice, total)
    pre = min(total, total.with_amount(invoice["amount_remaining"]))
    post = total - pre
    sent = [params.get("refund_amount"), params.get("credit_amount"), params.get("out_of_band_amount")]
    where = sum(amount or 0 for amount in sent) + sum(one["amount_refunded"] for one in refunds)
    if where != post.amount:
        what = "credit note" if pre.is_zero else "post payment"
        raise invalid(
            f"The sum of credit amount, refund amount and out of band amount ({_show(total.with_amount(where))}) must"
            f" equal the {what} amount ({_show(post)}).",
            "refund_amount",
        )
    return Credited(total, pre, post)


def _gross(line: api.CreditNoteLineItem) -> int:
    """Return the amount of a line with the taxes that it does not include, in minor units."""
    return line["amount"] + sum(tax["amount"] for tax in line["taxes"] or () if tax["tax_behavior"] == "exclusive")


def _check_left(invoice: StoredInvoice, total: Money) -> None:
    already = invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"]
    left = total.with_amount(invoice["total"] - already)
    if total > left:
        raise invalid(
            f"The credit note amount ({_show(total)}) cannot be greater than the amount remaining to be credited on the"
            f" invoice ({_show(left)}).",
            "amount",
        )


def _show(amount: Money) -> str:
    return currency.show(amount.amount, amount.currency)


def linked_refunds(
    call: Call,
    invoice: StoredInvoice,
    params: operations.PostCreditNotes | operations.GetCreditNotesPreview | operations.GetCreditNotesPreviewLines,
    earlier: Iterable[api.CreditNote],
) -> list[api.CreditNoteRefund]:
    """Return the existing refunds that a note links: ``refunds``, or ``refund`` before 2025-03-31.

    earlier: the credit notes that the invoice has. Raises ApiError 400 for a refund of another charge, or more than is
    left of it.
    """
    entries = [(entry, f"refunds[{place}]") for place, entry in enumerate(params.get("refunds") or ())]
    if params.get("refund"):
        entries.append(({"refund": params["refund"]}, ""))
    used: dict[str, int] = {}
    for note in earlier:
        for one in note["refunds"]:
            used[one["refund"]] = used.get(one["refund"], 0) + one["amount_refunded"]
    made: list[api.CreditNoteRefund] = []
    for entry, named in entries:
        made.append(_linked(call, invoice, entry, named, used))
        used[made[-1]["refund"]] = used.get(made[-1]["refund"], 0) + made[-1]["amount_refunded"]
    return made


def _linked(
    call: Call, invoice: StoredInvoice, entry: Mapping[str, Any], named: str, used: Mapping[str, int]
) -> api.CreditNoteRefund:
    """Return the link to one refund. named: the entry in messages. used: minor units of each refund in other links."""

    def param(name: str) -> str:
        return f"{named}[{name}]" if named else name

    if entry.get("type") == "payment_record_refund" or entry.get("payment_record_refund"):
        wanted = entry.get("payment_record_refund")
        if not wanted:
            raise missing_param(param("payment_record_refund"))
        place = f"{param('payment_record_refund')}[payment_record]"
        raise missing_object("payment_record", wanted["payment_record"], place, in_path=False)
    if not entry.get("refund"):
        raise missing_param(param("refund"))
    refund = call.objects.get(kinds.REFUND, entry["refund"], param("refund"))
    if refund["charge"] not in [charge["id"] for charge in _charges(call, invoice)]:
        raise invalid("The refund must be a refund of a payment of the invoice.", param("refund"))
    amount = fields.given(entry, "amount_refunded", refund["amount"])
    left = refund["amount"] - used.get(refund["id"], 0)
    if not 0 < amount <= left:
        raise invalid(
            f"The amount of the refund that applies to this credit note must be positive, and at most what is left of"
            f" the refund ({currency.show(left, refund['currency'])}).",
            param("amount_refunded" if "amount_refunded" in entry else "refund"),
        )
    return {"amount_refunded": amount, "payment_record_refund": None, "refund": refund["id"], "type": "refund"}


def _charges(call: Call, invoice: StoredInvoice) -> list[StoredCharge]:
    """Return the charges that paid an invoice."""
    found = []
    for payment in call.objects.query(kinds.INVOICE_PAYMENT, {"invoice": invoice["id"]}, limit=100):
        intent = call.objects.find(kinds.PAYMENT_INTENT, payment["payment"].get("payment_intent") or "")
        charge = call.objects.find(kinds.CHARGE, (intent["latest_charge"] if intent else None) or "")
        if charge is not None and payment["status"] == "paid":
            found.append(charge)
    return found


def refund(call: Call, invoice: StoredInvoice, amount: int) -> api.CreditNoteRefund:
    """Refund an amount (minor units) of what was paid. Raises ApiError 400 if no charge paid the invoice."""
    charges = _charges(call, invoice)
    if not charges:
        raise invalid("This invoice was not paid with a charge that can be refunded.", "refund_amount", retry=False)
    enough = [charge for charge in charges if charge["amount"] - charge["amount_refunded"] >= amount]
    made = refund_rules.refund(call.at(call.real), (enough or charges)[0], {"amount": amount})
    return {"amount_refunded": amount, "payment_record_refund": None, "refund": made["id"], "type": "refund"}
