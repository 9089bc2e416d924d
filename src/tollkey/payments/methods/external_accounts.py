"""Bank accounts and debit cards as payout destinations, provided to ``platform`` as the service
``external_account``.

Private fields of the account: ``_failure`` (the failure code of payouts to it), ``_instant`` (whether it accepts
instant payouts), ``_owner`` (what the verification of its owner will find: ``match``, ``mismatch``, or None for none).
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.methods import kinds
from tollkey.payments.methods.bank_rules import (
    check_account_type,
    check_holder_type,
    check_number,
    check_routing,
    example_number,
)
from tollkey.payments.methods.instruments import redeem, test_card
from tollkey.payments.processors import banks, cards
from tollkey.payments.processors import states as bank_states
from tollkey.payments.shared import currency as shared_currency
from tollkey.wire import Call, invalid
from tollkey.wire.errors import card_error, missing_param

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredBankAccount, StoredCard
    from tollkey.wire import api

_OWNERS = {"owner_matches": "match", "owner_asked": "mismatch"}
_NOT_DEBIT = (
    "The card provided as an external account is not a supported card type. Provide a non-prepaid debit card instead."
)


def external_account(call: Call, account: api.Account, value: Any, param: str) -> StoredBankAccount | StoredCard:
    """Return an external account of ``account``; it is not stored.

    value: a token's id, the name of a test token (``btok_us``, ``tok_visa_debit``), or bank account data; None for the
        test bank account of the account's own country.
    Raises ApiError for an unknown or used token, a real account number in test mode, and a card that is not a debit
    card.
    """
    if value is None:
        value = {"account_number": example_number(account["country"]), "routing_number": banks.ROUTING_NUMBER}
    if isinstance(value, dict):
        return _of_data(call, account, value, param)
    if not isinstance(value, str):
        raise invalid("Invalid object", param)
    bank = None if call.livemode else banks.bank_by_name(value)
    if bank is not None:
        data = {
            "account_number": bank.number,
            "routing_number": bank.routing_number,
            "country": bank.country,
            "currency": bank.currency,
        }
        return _of_data(call, account, data, param)
    card = None if call.livemode else cards.by_token(value)
    if card is not None:
        return _of_card(call, account, card)
    return _of_token(call, account, value, param)


def _of_token(call: Call, account: api.Account, id: str, param: str) -> StoredBankAccount | StoredCard:
    """Return the instrument of a stored token, and mark the token as used."""
    inner = redeem(call, id, param)
    if kinds.is_bank_account(inner):
        return _finish(call, account, inner, banks.bank_by_key(inner.pop("_bank", None)), None)
    card = test_card(inner)
    if card is None:
        raise card_error("invalid_card_type", _NOT_DEBIT, param, keep=False)
    return _of_card(call, account, card)


def _of_data(call: Call, account: api.Account, data: Mapping[str, Any], param: str) -> StoredBankAccount:
    number = str(data.get("account_number") or "").replace(" ", "")
    if not number:
        raise missing_param(f"{param}[account_number]")
    country = str(data.get("country") or account["country"]).upper()
    currency = shared_currency.check_currency(
        str(data.get("currency") or account["default_currency"]), f"{param}[currency]"
    )
    routing = str(data.get("routing_number") or "").replace(" ", "") or None
    if country == "US":
        check_routing(routing, param)
    check_number(call, country, number, param)
    check_account_type(country, data.get("account_type"), f"{param}[account_type]")
    check_holder_type(data.get("account_holder_type"), f"{param}[account_holder_type]")
    details = banks.BankDetails(
        number,
        routing or (None if call.livemode else banks.ROUTING_NUMBER),
        country,
        currency,
        holder_name=data.get("account_holder_name"),
        holder_type=data.get("account_holder_type"),
        account_type=data.get("account_type"),
        bank_name=None if call.livemode else banks.BANK_NAME,
    )
    made = banks.bank_account(details, id=call.ids.new("ba"), account=call.account)
    return _finish(call, account, made, None if call.livemode else banks.bank_by_number(number), data.get("metadata"))


def _finish(
    call: Call,
    account: api.Account,
    made: StoredBankAccount,
    known: banks.TestBank | None,
    metadata: Mapping[str, str] | None,
) -> StoredBankAccount:
    value = banks.external_bank_account(made, account=account["id"], default=False, metadata=metadata)
    instant = not call.livemode and value["country"] == "US" and value["routing_number"] == banks.ROUTING_NUMBER
    if instant:
        value["available_payout_methods"] = ["standard", "instant"]
    owner = _OWNERS.get(known.mark or "") if known is not None and value["country"] == "US" else None
    failure = known.failure if known is not None else None
    status = bank_states.BANK_ACCOUNT.start("new")
    return {**value, "status": status, "_failure": failure, "_instant": instant, "_owner": owner}


def _of_card(call: Call, account: api.Account, card: cards.TestCard) -> StoredCard:
    if card.funding != "debit":
        raise card_error("invalid_card_type", _NOT_DEBIT, "external_account", keep=False)
    value = cards.legacy_card(
        cards.CardDetails(card, 12, 2034, call.account),
        id=call.ids.new("card"),
        currency=account["default_currency"],
        owner_account=account["id"],
        customer=None,
    )
    failure = "account_closed" if card.payout is cards.CardPayout.FAILS else None
    instant = card.payout is not cards.CardPayout.NO_INSTANT
    return {**value, "status": bank_states.CARD.start("new"), "_failure": failure, "_instant": instant}


def set_status(value: MutableMapping[str, Any], to: str) -> None:
    """Set the status of an external account; provided to other rooms as the service ``external_status``.

    Raises InvalidTransition for a step that its kind does not have.
    """
    table = bank_states.BANK_ACCOUNT if value["object"] == "bank_account" else bank_states.CARD
    table.set(value, to)
