"""Applying billing credits: the order in which invoices use grants, and the return of credits of voided invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollkey.ledger import Money
from tollkey.payments.shared import fields
from tollkey.payments.usage import kinds
from tollkey.wire import Call, new_object

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.payments.usage.stored import StoredCreditGrant, StoredCreditTransaction
    from tollkey.wire import api

#: Maximum number of unused grants of one customer.
MOST = 100
#: Default priority of a grant; 0 is used first.
USUAL_PRIORITY = 50


def wire_amount(money: Money) -> api.BillingCreditGrantsResourceAmount:
    """Return an amount as grants and their transactions show it."""
    return {"monetary": {"currency": money.currency, "value": money.amount}, "type": "monetary"}


def granted(grant: StoredCreditGrant) -> Money:
    """Return the granted amount in minor units."""
    monetary = grant["amount"]["monetary"]
    assert monetary is not None, "the API knows no other kind of amount"
    return Money(monetary["value"], monetary["currency"])


def left_of(grant: StoredCreditGrant) -> Money:
    """Return the unused amount of a grant."""
    return granted(grant).with_amount(grant["_left"])


def change_left(grant: StoredCreditGrant, by: Money) -> None:
    """Add an amount to what is left of a grant; a negative one uses it up. The caller saves the grant."""
    grant["_left"] = (left_of(grant) + by).amount


def is_usable(grant: StoredCreditGrant, now: int) -> bool:
    """Return whether a grant can be applied at a time (UTC epoch seconds)."""
    started = grant["effective_at"] is not None and grant["effective_at"] <= now
    over = grant["voided_at"] is not None or (grant["expires_at"] is not None and grant["expires_at"] <= now)
    return bool(started and not over and grant["_left"] > 0)


def covers(grant: StoredCreditGrant, price: str) -> bool:
    """Return whether a grant applies to a metered price: to all of them, or to those that it lists."""
    scope = grant["applicability_config"]["scope"]
    return scope.get("price_type") == "metered" or any(one["id"] == price for one in scope.get("prices") or [])


def record(
    call: Call, grant: StoredCreditGrant, kind: str, amount: Money, invoice: str | None = None, line: str | None = None
) -> StoredCreditTransaction:
    """Store a change of the credit balance, with its event.

    kind: ``credits_granted``, ``credits_application_invoice_voided`` (credits), ``credits_applied``,
        ``credits_expired``, ``credits_voided`` (debits). amount: minor units, positive. invoice, line: what the credits
        were applied to.
    """
    gives = kind in ("credits_granted", "credits_application_invoice_voided")
    where = {"invoice": invoice, "invoice_line_item": line} if invoice else None
    change = "credits_application_invoice_voided" if gives else "credits_applied"
    detail: Any = {"amount": wire_amount(amount), "type": kind, change: where}
    made = new_object(
        kinds.TRANSACTION,
        id=call.ids.new("cbtxn_test" if not call.livemode else "cbtxn"),
        created=call.now,
        credit=detail if gives else None,
        credit_grant=grant["id"],
        debit=None if gives else detail,
        effective_at=max(grant["effective_at"] or call.now, call.now) if kind == "credits_granted" else call.now,
        livemode=call.livemode,
        test_clock=grant["test_clock"],
        type="credit" if gives else "debit",
    )
    made["_customer"] = grant["customer"]
    return call.objects.insert(made, "billing.credit_balance_transaction.created")


def grants_of(call: Call, customer: str) -> list[StoredCreditGrant]:
    """Return the grants of a customer in the order in which they are used.

    They are sorted by priority, then by expiry, then promotional before paid, then by creation.
    """
    grants = call.objects.query(kinds.GRANT, {"customer": customer}, limit=1_000, oldest_first=True)
    return sorted(
        grants,
        key=lambda grant: (
            USUAL_PRIORITY if grant["priority"] is None else grant["priority"],
            grant["expires_at"] or float("inf"),
            grant["category"] != "promotional",
            grant["effective_at"],
            grant["created"],
        ),
    )


def apply(call: Call, invoice: StoredInvoice) -> bool:
    """Apply a customer's credits to the metered lines of an invoice being finalized; return whether there were any.

    The invoice's ``_credits`` holds the applied amounts by line; computing its totals subtracts them before taxes.
    """
    customer = invoice["customer"] if fields.knows(call, kinds.GRANT) else None
    grants = [grant for grant in grants_of(call, customer) if is_usable(grant, call.now)] if customer else []
    grants = [grant for grant in grants if granted(grant).currency == invoice["currency"]]
    taken: dict[str, list[tuple[str, int]]] = {}
    for line in invoice["lines"]["data"] if grants else []:
        price = _metered_price(call, line)
        off = sum(entry["amount"] for entry in line["discount_amounts"] or [])
        open_amount = Money(line["amount"], line["currency"]) - Money(off, invoice["currency"])
        for grant in grants if price is not None else []:
            part = min(open_amount, left_of(grant))
            if part.is_positive and covers(grant, price or ""):
                change_left(grant, -part)
                open_amount -= part
                call.objects.save(grant)
                transaction = record(call, grant, "credits_applied", part, invoice["id"], line["id"])
                taken.setdefault(line["id"], []).append((transaction["id"], part.amount))
    if taken:
        invoice["_credits"] = taken
    return bool(taken)


def _metered_price(call: Call, line: api.LineItem) -> str | None:
    """Return the metered price with a meter that a line bills; credits pay no others."""
    details = line["pricing"]["price_details"] if line["pricing"] is not None else None
    id = details["price"] if details is not None else None
    price = call.objects.find(kinds.PRICE, id) if id else None
    terms = price["recurring"] if price is not None else None
    if price is None or terms is None or terms["usage_type"] != "metered" or terms["meter"] is None:
        return None
    return price["id"]


def return_credits(call: Call, invoice: StoredInvoice) -> None:
    """Return the credits that a voided invoice had used."""
    for line, parts in (invoice.get("_credits") or {}).items():
        for transaction, amount in parts:
            grant = call.objects.get(kinds.GRANT, call.objects.get(kinds.TRANSACTION, transaction)["credit_grant"])
            if grant["voided_at"] is None:
                returned = Money(amount, invoice["currency"])
                change_left(grant, returned)
                call.objects.save(grant)
                record(call, grant, "credits_application_invoice_voided", returned, invoice["id"], line)
                if grant["expires_at"] is not None and grant["expires_at"] <= call.now:
                    expire_rest(call, grant)


def expire_rest(call: Call, grant: StoredCreditGrant) -> None:
    """Expire the remaining credits of a grant."""
    left = left_of(grant)
    if left.is_positive:
        change_left(grant, -left)
        call.objects.save(grant)
        record(call, grant, "credits_expired", left)
