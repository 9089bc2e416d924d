"""What bounds the charges of a source: its mandate, and the money that a receiver holds.

A mandate is the customer's consent to debits. Sources of other types have none. A receiver (``ach_credit_transfer``)
is charged for what has been paid into it and was not charged yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.processors import cards
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid, new_object
from tollkey.wire.errors import missing_param
from tollkey.wire.kinds import Kind
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredSource
    from tollkey.wire import api, operations

_NOTIFICATION: Kind[api.SourceMandateNotification] = Kind("source_mandate_notification")
#: The types of source that a mandate belongs to.
DEBITS = ("ach_debit", "acss_debit", "au_becs_debit", "sepa_debit")


def set_mandate(source: StoredSource, given: operations.Mandate | None) -> None:
    """Merge the parameter ``mandate`` into a source; None if it was not sent.

    Raises ApiError 400 for parts that contradict each other, and for a source of another type than bank debits.
    """
    if given is None:
        return
    acceptance: Mapping[str, Any] = given.get("acceptance") or {}
    for kind in ("online", "offline"):
        if acceptance.get(kind) and acceptance.get("type") not in (None, kind):
            param = f"mandate[acceptance][{kind}]"
            raise invalid(f"You may only specify `{param}` when `mandate[acceptance][type]` is `{kind}`.", param)
    if acceptance.get("type") == "offline" and not value_at(acceptance, "offline.contact_email"):
        raise missing_param("mandate[acceptance][offline][contact_email]")
    if source["type"] not in DEBITS:
        raise invalid(
            f"You may only specify `mandate` for sources of bank debits: {', '.join(DEBITS)}.", "mandate", guess=True
        )
    merged = cast("operations.Mandate", {**(source.get("_mandate") or {}), **given})
    if merged.get("amount") is not None:
        if not merged.get("currency"):
            raise missing_param("mandate[currency]")
        merged["currency"] = shared_currency.check_currency(merged["currency"], "mandate[currency]")
    source["_mandate"] = merged


def refusal(source: StoredSource, amount: int, currency: str) -> cards.Decline | None:
    """Return why a source cannot be charged with an amount (minor units), if it has a limit."""
    funds = available(source)
    if funds is not None and amount > funds:
        return cards.Decline(
            "insufficient_funds", None, f"The source has insufficient funds: {funds} of {amount} {currency}."
        )
    mandate = source.get("_mandate") or {}
    status = value_at(mandate, "acceptance.status") or "accepted"
    if status != "accepted":
        return cards.Decline("debit_not_authorized", None, f"The mandate of the source is not accepted, but {status}.")
    if mandate.get("interval") == "one_time" and source.get("_debited"):
        return cards.Decline("debit_not_authorized", None, "The mandate of the source was for one payment.")
    most = mandate.get("amount")
    if most is not None and (amount > most or currency != mandate.get("currency")):
        allowed = f"{most} {mandate.get('currency')}"
        return cards.Decline(
            "debit_not_authorized", None, f"The mandate of the source is for payments of up to {allowed}."
        )
    return None


def available(source: StoredSource) -> int | None:
    """Return what is left to charge of a receiver, in minor units; None for sources of other flows."""
    receiver = source.get("receiver")
    if receiver is None:
        return None
    return receiver["amount_received"] - receiver["amount_charged"] - receiver["amount_returned"]


def charged(call: Call, source: StoredSource, amount: int) -> None:
    """Record a charge of a source with a limit. amount: minor units.

    With ``notification_method=manual`` the merchant tells the payer about each debit; the event
    ``source.mandate_notification`` asks for it.
    """
    receiver, mandate = source.get("receiver"), source.get("_mandate")
    if receiver is not None:
        source["receiver"] = {**receiver, "amount_charged": receiver["amount_charged"] + amount}
        call.objects.save(source)
    if mandate is not None:
        source["_debited"] = source.get("_debited", 0) + 1
        call.objects.save(source)
        if mandate.get("notification_method") == "manual":
            call.emit("source.mandate_notification", _notification(call, source, amount))


def failed(call: Call, source: StoredSource) -> None:
    """Record that a pending debit of a source has failed: a mandate counts only payments."""
    debits = source.get("_debited", 0)
    if source.get("_mandate") is not None and debits:
        source["_debited"] = debits - 1
        call.objects.save(source)


def _notification(call: Call, source: StoredSource, amount: int) -> api.SourceMandateNotification:
    details: Mapping[str, Any] = cast("Mapping[str, Any]", source).get(source["type"]) or {}
    made = new_object(
        _NOTIFICATION,
        id=call.ids.new("srcmn"),
        amount=amount,
        created=call.now,
        livemode=call.livemode,
        reason="debit_initiated",
        source=call.objects.copy(source),
        status="pending",
        type=source["type"],
    )
    if source["type"] == "sepa_debit":
        made["sepa_debit"] = {"last4": details["last4"], "mandate_reference": details["mandate_reference"]}
    return made


def set_order(source: StoredSource, given: operations.SourceOrder | None) -> None:
    """Set ``source_order``, the goods that a source pays for; None if it was not sent.

    Its amount is the sum of the items, or the amount of the source. Raises ApiError 400 for an amount without currency.
    """
    if given is None:
        return
    items = [_item(item, place) for place, item in enumerate(given.get("items") or ())]
    amounts = [item["amount"] for item in items if item["amount"] is not None]
    order: api.SourceOrder = {
        "amount": sum(amounts) if amounts else source["amount"] or 0,
        "currency": next((item["currency"] for item in items if item["currency"]), None) or source["currency"] or "usd",
        "items": items,
    }
    owner = source["owner"]
    if owner is not None and owner["email"]:
        order["email"] = owner["email"]
    shipping = given.get("shipping")
    if shipping:
        order["shipping"] = cast("api.Shipping", fields.shipping(shipping))  # not None for what is not None
    source["source_order"] = order


def _item(given: Mapping[str, Any], place: int) -> api.SourceOrderItem:
    if given.get("amount") is not None and not given.get("currency"):
        raise missing_param(f"source_order[items][{place}][currency]")
    currency = given.get("currency")
    item: api.SourceOrderItem = {
        "amount": given.get("amount"),
        "currency": shared_currency.check_currency(currency, f"source_order[items][{place}][currency]")
        if currency
        else None,
        "description": given.get("description"),
        "parent": given.get("parent"),
        "type": given.get("type") or "sku",
    }
    if given.get("quantity") is not None:
        item["quantity"] = given["quantity"]
    return item
