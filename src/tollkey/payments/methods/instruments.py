"""Instruments: payment methods, cards and bank accounts as they are stored, with private fields.

Private fields of an instrument: ``_card`` (the test card's key), ``_bank`` (a test account's ``TestBank.key``),
``_cvc``, ``_zip`` and ``_line1`` (whether it was given), ``_set_up`` (prepared for off-session use), ``_used`` (paid
with once, unattached).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.methods import kinds
from tollkey.payments.methods.new_cards import NewCard, fingerprint_owner
from tollkey.payments.processors import banks, cards, protocol, vault
from tollkey.payments.shared import fields
from tollkey.wire import ApiError, Call, invalid, new_object
from tollkey.wire.errors import missing_object

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import (
        Instrument,
        SavedSource,
        StoredBankAccount,
        StoredCard,
        StoredPaymentMethod,
        StoredToken,
    )
    from tollkey.wire import api

_ELSEWHERE = (
    "; It's possible this PaymentMethod exists on one of your connected accounts,"
    " in which case you should retry this request"
    " on that connected account. Learn more at https://stripe.com/docs/connect/authentication"
)
_PLATFORM_OWNED = (
    "; OAuth key or Stripe-Account header was used but API request was provided with a platform-owned payment method"
    " ID."
    " Please ensure that the provided payment method matches the specified account."
)
#: From this version on the error mentions connected accounts.
_BEFORE_HINT = "2021-01-01"
USED = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment,"
    " shared with a connected"
    " account without Customer attachment, or was detached from a Customer. It may not be used again."
    " To use a PaymentMethod"
    " multiple times, you must attach it to a Customer first."
)


#: What is told to a request that takes a source of nobody for a payment method (stripe-node issue 934).
_LOOSE = "A source must be attached to a customer to be used as a `payment_method`."


def card_payment_method(
    call: Call, new: NewCard, billing: Mapping[str, Any] | None = None, *, preferred_network: str | None = None
) -> StoredPaymentMethod:
    """Return a PaymentMethod of type card; it is not stored."""
    value = new_object(
        kinds.PAYMENT_METHOD,
        id=call.ids.new("pm"),
        allow_redisplay="unspecified",
        billing_details=fields.billing_details(billing),
        card=cards.payment_method_card(new.details(call), preferred_network=preferred_network),
        created=call.now,
        livemode=call.livemode,
        type="card",
    )
    new.remember(call, value)
    return value


def bank_payment_method(
    call: Call, bank: banks.TestBank, billing: Mapping[str, Any] | None = None
) -> StoredPaymentMethod:
    """Return a PaymentMethod of a test bank account; it is not stored."""
    value = new_object(
        kinds.PAYMENT_METHOD,
        id=call.ids.new("pm"),
        allow_redisplay="unspecified",
        billing_details=fields.billing_details(billing),
        created=call.now,
        livemode=call.livemode,
        type=bank.kind,
    )
    fields.assign(value, {bank.kind: banks.details_of(bank, account=fingerprint_owner(call))}, (bank.kind,))
    value["_bank"] = bank.key
    return value


def wire_card(
    call: Call,
    new: NewCard,
    details: Mapping[str, Any] | None = None,
    *,
    currency: str | None = None,
) -> StoredCard:
    """Return a legacy ``card`` object; it is not stored. details: ``name`` and ``address_*`` as given.

    currency: that of a debit card for payouts; None leaves the field out.
    """
    details = details or {}
    where = {
        "city": details.get("address_city"),
        "country": details.get("address_country"),
        "line1": details.get("address_line1"),
        "line2": details.get("address_line2"),
        "state": details.get("address_state"),
        "postal_code": details.get("address_zip"),
    }
    value = cards.legacy_card(
        new.details(call),
        id=call.ids.new("card"),
        address=where,
        name=details.get("name"),
    )
    if currency is not None:
        value["currency"] = currency
    new.remember(call, value)
    return value


def billing_of(instrument: Instrument | None) -> api.BillingDetails:
    """Return the ``billing_details`` of a charge with this instrument."""
    if instrument is None:
        return fields.billing_details(None)
    if kinds.is_payment_method(instrument):
        return fields.billing_details(instrument.get("billing_details"))
    if kinds.is_card(instrument):
        place: dict[str, object] = {
            name: instrument.get(f"address_{name}") for name in ("city", "country", "line1", "line2", "state")
        }
        place["postal_code"] = instrument.get("address_zip")
        return fields.billing_details({"address": fields.address(place), "name": instrument.get("name")})
    owner = instrument.get("owner") if kinds.is_source(instrument) else None
    return fields.billing_details(owner and {name: owner.get(name) for name in ("address", "email", "name", "phone")})


def as_payment_method(call: Call, value: Instrument) -> Instrument:
    """Return an instrument as a payment method: a legacy card is converted."""
    return shown_card(call, value) if kinds.is_card(value) else value


def shown_card(call: Call, value: StoredCard) -> StoredPaymentMethod:
    """Return a legacy card as a payment method that is not stored."""
    known = NewCard.saved(value)
    card: api.PaymentMethodCard | None = None
    if known is not None:
        card = cards.payment_method_card(known.details(call))
        card["fingerprint"] = value["fingerprint"]
        card["checks"] = {
            "address_line1_check": value["address_line1_check"],
            "address_postal_code_check": value["address_zip_check"],
            "cvc_check": value["cvc_check"],
        }
    return new_object(
        kinds.PAYMENT_METHOD,
        id=value["id"],
        allow_redisplay="unspecified",
        billing_details=billing_of(value),
        card=card or {},
        created=value.get("_created") or call.now,
        customer=value.get("customer"),
        livemode=call.livemode,
        metadata=dict(value.get("metadata") or {}),
        type="card",
    )


def resolve_payment_method(call: Call, text: str, param: str | None = "payment_method") -> Instrument:
    """Return the stored payment method, card, bank account or source with an id.

    text: ``pm_…``, ``card_…``, ``ba_…``, ``src_…``, or the name of a test payment method (``pm_card_visa``), which is
        then created.
    param: the parameter that contained it; None for the path.
    Raises ApiError ``resource_missing`` with the real texts (reference section 1.6).
    """
    made = named_payment_method(call, text) if not call.livemode else None  # no stored id is such a name (``Ids.new``)
    found: Instrument | None
    if made is not None:
        found = call.objects.insert(made)
    else:
        found = call.objects.find(kinds.PAYMENT_METHOD, text) if text.startswith("pm_") else saved(call, text)
    if found is None:
        raise no_payment_method(call, text, param)
    return found


def named_method(call: Call, text: str, param: str | None) -> Instrument:
    """Return the instrument that a request names as its payment method.

    Raises ApiError 400 like ``resolve_payment_method``, and for a source or a card that no customer has saved.
    """
    found = resolve_payment_method(call, text, param)
    if not kinds.is_payment_method(found) and not found.get("customer"):
        raise invalid(_LOOSE, "payment_method", retry=False)
    return found


def saved(call: Call, id: str) -> SavedSource | None:
    """Return the stored card, source or bank account with that id, or None."""
    if id.startswith("card_"):
        return call.objects.find(kinds.CARD, id)
    if id.startswith("src_"):
        return call.objects.find(kinds.SOURCE, id)
    return call.objects.find(kinds.BANK_ACCOUNT, id) if id.startswith("ba_") else None


def named_payment_method(call: Call, name: str) -> StoredPaymentMethod | None:
    """Return a new PaymentMethod of a named test card or account, not stored; None for other names."""
    card, made = cards.by_payment_method(name), None
    bank = banks.bank_by_name(name) if card is None and name.startswith("pm_") else None
    if card is not None:
        made = card_payment_method(call, NewCard.named(call, card))
    elif bank is not None and bank.outcome != "unusable":
        made = bank_payment_method(call, bank, {"name": "Jenny Rosen", "email": "jenny.rosen@example.com"})
    return made


def not_attached(id: str, param: str) -> ApiError:
    """Return the 400 for a payment method that is not attached to the customer. id: its id."""
    message = f"The customer does not have a payment method with the ID {id}."
    return invalid(f"{message} The payment method must be attached to the customer.", param, "resource_missing")


def no_payment_method(call: Call, text: str, param: str | None) -> ApiError:
    """Return the error for an unknown payment method, with hints where it may exist, which an app does not get."""
    table = call.objects.table(kinds.PAYMENT_METHOD)
    name = param or "payment_method"
    if call.key is not None and call.key.kind == "ephemeral":
        return missing_object("PaymentMethod", text, name, in_path=param is None)
    if table.exists_in_other_mode(call.tx, call.scope, text):
        other = "test" if call.livemode else "live"
        return missing_object("PaymentMethod", text, name, in_path=param is None, other_mode=other)
    error = missing_object("PaymentMethod", text, name, in_path=param is None)
    if call.account != call.platform:
        if call.within(call.platform).objects.find(kinds.PAYMENT_METHOD, text) is not None:
            error.message += _PLATFORM_OWNED
    elif call.version >= _BEFORE_HINT:
        error.message += _ELSEWHERE
    return error


def token_card(call: Call, text: str) -> NewCard | None:
    """Return the test card of a ``tok_…`` name of the testing page, or None."""
    card = None if call.livemode else cards.by_token(text)
    return NewCard.named(call, card) if card is not None else None


def redeem(call: Call, text: str, param: str) -> StoredCard | StoredBankAccount:
    """Return the ``card`` or ``bank_account`` of a token, not stored, and mark the token as used.

    Raises ApiError if the token does not exist or was used (``token_already_used``).
    """
    named = token_card(call, text)
    if named is not None:
        return wire_card(call, named)
    bank = None if call.livemode else banks.bank_by_name(text)
    if bank is not None and text.startswith("btok_"):
        return token_bank(call, bank, verified="_verified" in text)
    token = call.objects.find(kinds.TOKEN, text)
    if token is None:
        raise call.objects.missing(kinds.TOKEN, text, param)
    if token["used"] or not vault.may_be_used(call, token):
        raise invalid(f"You cannot use a Stripe token more than once: {text}.", param, "token_already_used")
    if not (token.get("card") or token.get("bank_account")):
        raise invalid(f"The token {text} holds neither a card nor a bank account.", param, retry=False)
    token["used"] = True
    call.objects.save(token)
    return _inside(token)


def _inside(token: StoredToken) -> StoredCard | StoredBankAccount:
    inside: dict[str, object] = dict(token.get("card") or token.get("bank_account") or {})
    inside.update(
        {name: token.get(name) for name in ("_card", "_bank", "_cvc", "_zip", "_line1", "_vault") if name in token}
    )
    return cast("StoredCard | StoredBankAccount", inside)  # a copy, with what is known beside it


def token_bank(call: Call, bank: banks.TestBank, verified: bool = False) -> StoredBankAccount:
    """Return a ``bank_account`` object of a test account; it is not stored."""
    details = banks.BankDetails(
        bank.number,
        bank.routing_number,
        bank.country,
        bank.currency,
        holder_name="Jane Austen",
        holder_type="individual",
    )
    value = banks.bank_account(
        details,
        id=call.ids.new("ba"),
        account=fingerprint_owner(call),
        status="verified" if verified else "new",
    )
    value["_bank"] = bank.key
    return value


def test_card(instrument: Instrument | None) -> cards.TestCard | None:
    """Return the test card of an instrument, or None."""
    return protocol.card_of_instrument(instrument)
