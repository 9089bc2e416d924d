"""Billing credits at work: which grants an invoice uses up, in which order, and what comes back when it is voided."""

from __future__ import annotations

from tollkey.wire import Call, Json, blank

GRANT = "billing.credit_grant"
TRANSACTION = "billing.credit_balance_transaction"
#: Most unused grants of one customer.
MOST = 100
#: The priority of a grant that names none; 0 is used first.
USUAL_PRIORITY = 50


def money(value: int, currency: str) -> Json:
    """An amount as grants and their transactions show it."""
    return {"monetary": {"currency": currency, "value": value}, "type": "monetary"}


def currency_of(grant: Json) -> str:
    """The currency of a grant."""
    return str(grant["amount"]["monetary"]["currency"])


def usable(grant: Json, now: int) -> bool:
    """Whether something of the grant can be applied at that time."""
    started = grant["effective_at"] is not None and grant["effective_at"] <= now
    over = grant["voided_at"] is not None or (grant["expires_at"] is not None and grant["expires_at"] <= now)
    return bool(started and not over and grant["_left"] > 0)


def covers(grant: Json, price: str) -> bool:
    """Whether the grant is for that metered price: for all of them, or for those that it names."""
    scope = grant["applicability_config"]["scope"]
    return scope.get("price_type") == "metered" or any(one["id"] == price for one in scope.get("prices") or [])


def record(
    call: Call, grant: Json, kind: str, amount: int, invoice: str | None = None, line: str | None = None
) -> Json:
    """One change of the credit balance, with its event.

    kind: ``credits_granted``, ``credits_application_invoice_voided`` (credits), ``credits_applied``,
        ``credits_expired``, ``credits_voided`` (debits). amount: minor units, positive. invoice, line: which they were
        applied to.
    """
    gives = kind in ("credits_granted", "credits_application_invoice_voided")
    where = {"invoice": invoice, "invoice_line_item": line}
    detail: Json = {"amount": money(amount, currency_of(grant)), "type": kind}
    if gives:
        detail["credits_application_invoice_voided"] = where if invoice else None
    else:
        detail["credits_applied"] = where if invoice else None
    made = blank(
        TRANSACTION,
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


def grants_of(call: Call, customer: str) -> list[Json]:
    """The grants of a customer in the order in which they are used.

    By priority; then those that expire first; then promotional before paid; then the oldest.
    """
    grants = call.objects.query(GRANT, {"customer": customer}, limit=1_000, oldest_first=True)
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


def apply(call: Call, invoice: Json) -> bool:
    """Use a customer's credits up for the metered lines of an invoice that is being finalized; whether there were any.

    What was taken stands in ``_credits`` of the invoice, by line; adding the invoice up again takes it off before
    taxes.
    """
    if not invoice["customer"] or GRANT not in call.setup.tables.of:
        return False
    grants = [grant for grant in grants_of(call, invoice["customer"]) if usable(grant, call.now)]
    grants = [grant for grant in grants if currency_of(grant) == invoice["currency"]]
    taken: dict[str, list[list[str | int]]] = {}
    for line in invoice["lines"]["data"] if grants else []:
        price = _metered_price(call, line)
        open_amount = line["amount"] - sum(entry["amount"] for entry in line["discount_amounts"])
        for grant in grants if price is not None else []:
            part = min(open_amount, grant["_left"])
            if part > 0 and covers(grant, price or ""):
                grant["_left"] -= part
                open_amount -= part
                call.objects.save(grant)
                transaction = record(call, grant, "credits_applied", part, invoice["id"], line["id"])
                taken.setdefault(line["id"], []).append([transaction["id"], part])
    if taken:
        invoice["_credits"] = taken
    return bool(taken)


def _metered_price(call: Call, line: Json) -> str | None:
    id = ((line["pricing"] or {}).get("price_details") or {}).get("price")
    price = call.objects.find("price", id) if id else None
    metered = price is not None and (price["recurring"] or {}).get("usage_type") == "metered"
    return str(id) if metered else None


def give_back(call: Call, invoice: Json) -> None:
    """A voided invoice gives the credits back that it had used."""
    for line, parts in (invoice.get("_credits") or {}).items():
        for transaction, amount in parts:
            grant = call.objects.get(GRANT, call.objects.get(TRANSACTION, transaction)["credit_grant"])
            if grant["voided_at"] is None:
                grant["_left"] += amount
                call.objects.save(grant)
                record(call, grant, "credits_application_invoice_voided", amount, invoice["id"], line)
                if grant["expires_at"] is not None and grant["expires_at"] <= call.now:
                    expire_rest(call, grant)


def expire_rest(call: Call, grant: Json) -> None:
    """What is left of a grant whose time is over goes."""
    if grant["_left"] > 0:
        left, grant["_left"] = grant["_left"], 0
        call.objects.save(grant)
        record(call, grant, "credits_expired", left)
