"""Payments from a customer's cash balance: bank transfers fund it, and are applied to waiting intents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.ledger import Money
from tollkey.payments.customers import cash
from tollkey.payments.intents import kinds, payment_states
from tollkey.payments.intents.outcome import charge_and_record, refuse
from tollkey.payments.shared import fields
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.hosted import hosted_url
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.intents.stored import StoredPaymentIntent

TRANSFERS = {"eur": "eu", "gbp": "gb", "jpy": "jp", "mxn": "mx", "usd": "us"}
#: The types of addresses that a transfer in a currency has: its own, and what is another name for it.
_ADDRESSES = {"eur": ("iban", "sepa"), "gbp": ("sort_code",), "jpy": ("zengin",), "mxn": ("spei",), "usd": ("aba",)}
#: Where accounts for euros are (the description of ``eu_bank_transfer[country]``).
_EUROPE = ("BE", "DE", "ES", "FR", "IE", "NL")
#: Where the account is unless another country is asked for.
COUNTRIES = {"eur": "DE", "gbp": "GB", "jpy": "JP", "mxn": "MX", "usd": "US"}


def cash_of(call: Call, customer: str, currency: str) -> Money:
    """Return a customer's unused cash in a currency, in minor units."""
    return cash.cash_in(call.objects.get(kinds.CUSTOMER, customer), currency)


def reconcile(call: Call, customer: StoredCustomer, currency: str) -> None:
    """Apply the cash balance to the waiting intents, oldest first."""
    waiting = call.objects.query(
        kinds.PAYMENT_INTENT, {"customer": customer["id"], "status": "requires_action"}, oldest_first=True
    )
    for intent in waiting:
        if intent["currency"] == currency and _waits(intent) and cash_of(call, customer["id"], currency).is_positive:
            apply(call, intent, None)


def _waits(intent: StoredPaymentIntent) -> bool:
    return bool(value_at(intent, "next_action.type") == "display_bank_transfer_instructions")


def confirm(call: Call, intent: StoredPaymentIntent) -> ApiError | None:
    """Pay an intent from the cash balance, or return where to send the rest."""
    if intent["customer"] is None:
        raise invalid(
            "You must provide a customer when confirming a PaymentIntent with a customer_balance PaymentMethod.",
            "customer",
            "parameter_missing",
        )
    intent.setdefault("_funded", 0)
    available, amount = cash_of(call, intent["customer"], intent["currency"]), _amount_of(intent)
    if available >= amount:
        return _pay(call, intent, amount)
    if value_at(intent, "payment_method_options.customer_balance.funding_type") is None:
        method = payment_states.method_of(call, intent)
        message = "The customer's cash balance has insufficient funds to cover this payment."
        return refuse(call, intent, method, invalid(message, None, "payment_intent_payment_attempt_failed"))
    payment_states.move(intent, "requires_action")
    intent["next_action"] = _instructions(call, intent)
    call.objects.save(intent)
    call.emit("payment_intent.requires_action", intent)
    if available.is_positive:
        apply(call, intent, None)
    return None


def _amount_of(intent: StoredPaymentIntent) -> Money:
    return Money(intent["amount"], intent["currency"])


def apply(call: Call, intent: StoredPaymentIntent, amount: int | None) -> StoredPaymentIntent:
    """Apply cash to an intent that waits for it: all that is available, or ``amount`` minor units.

    Raises ApiError 400 if the intent does not wait for cash, or less is available.
    """
    if not _waits(intent):
        raise payment_states.unexpected(
            call,
            intent,
            f"This PaymentIntent's customer balance could not be applied because it has a status of {intent['status']}"
            f" and does not wait"
            " for a bank transfer.",
        )
    assert intent["customer"] is not None, "cash is a customer's"
    available = cash_of(call, intent["customer"], intent["currency"])
    funded = available.with_amount(intent.get("_funded", 0))
    remaining = _amount_of(intent) - funded
    usable = min(available, remaining)
    used = usable if amount is None else usable.with_amount(amount)
    if used > usable:
        raise invalid(
            "The amount is greater than what can be applied to this PaymentIntent.",
            "amount",
            "amount_too_large",
            retry=False,
        )
    if not used.is_positive:
        return intent
    intent["_funded"] = (funded + used).amount
    if used == remaining:
        _pay(call, intent, used)
        return intent
    _use(call, intent, used)
    value_at(intent, "next_action.display_bank_transfer_instructions")["amount_remaining"] = (remaining - used).amount
    call.objects.save(intent)
    call.emit("payment_intent.partially_funded", intent)
    return intent


def _use(call: Call, intent: StoredPaymentIntent, used: Money) -> None:
    assert intent["customer"] is not None, "cash is a customer's"
    customer = call.objects.get(kinds.CUSTOMER, intent["customer"], "customer")
    cash.move_cash(call, customer, -used, "applied_to_payment", {"payment_intent": intent["id"]})


def _pay(call: Call, intent: StoredPaymentIntent, used: Money) -> ApiError | None:
    _use(call, intent, used)
    method = payment_states.method_of(call, intent)
    return charge_and_record(call, intent, method, off_session=True, authenticated=True)


def asked_country(currency: str, asked: Mapping[str, Any], param: str) -> str:
    """Return the country of the bank account that is asked for.

    asked: ``bank_transfer`` of the parameters. param: its name. Raises ApiError 400 for a type of transfer, or types of
    addresses, that the currency does not have. ``jp_bank_account`` and its like are taken too: a
    fixture of the Stripe CLI sends it.
    """
    kind = f"{TRANSFERS[currency]}_bank_transfer"
    if asked.get("type") not in (None, kind, f"{TRANSFERS[currency]}_bank_account"):
        raise invalid(f"Bank transfers in {currency} have the type `{kind}`.", f"{param}[type]")
    if asked.get("eu_bank_transfer") and currency != "eur":
        raise invalid("`eu_bank_transfer` is only for transfers in eur.", f"{param}[eu_bank_transfer]")
    addresses, wanted = _ADDRESSES[currency], asked.get("requested_address_types")
    if wanted and not set(wanted) & set(addresses):
        text = f"Bank transfers in {currency} have addresses of the type `{addresses[0]}` only."
        raise invalid(text, f"{param}[requested_address_types]")
    country = value_at(asked, "eu_bank_transfer.country")
    if country is not None and country not in _EUROPE:
        raise invalid(f"The country must be one of {', '.join(_EUROPE)}.", f"{param}[eu_bank_transfer][country]")
    return country or COUNTRIES[currency]


def _instructions(call: Call, intent: StoredPaymentIntent) -> Any:
    currency, name = intent["currency"], "payment_method_options.customer_balance.bank_transfer"
    country = "US"
    if currency in TRANSFERS:
        asked = value_at(intent, name) or {}
        country = asked_country(currency, asked, "payment_method_options[customer_balance][bank_transfer]")
    inner = {
        "amount_remaining": intent["amount"] - intent["_funded"],
        "currency": currency,
        "financial_addresses": [transfer_address(call, currency, country)],
        "hosted_instructions_url": hosted_url(call, "bank-transfer", intent["id"]),
        "reference": call.ids.text(12).upper(),
        "type": f"{TRANSFERS.get(currency, 'us')}_bank_transfer",
    }
    return {"display_bank_transfer_instructions": inner, "type": "display_bank_transfer_instructions"}


def transfer_address(call: Call, currency: str, country: str) -> Mapping[str, Any]:
    """Return the test bank account for transfers in a currency. country: of an account for euros."""
    place = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}
    holder = str(value_at(fields.acting_account(call) or {}, "business_profile.name") or "Tollkey")
    base: Mapping[str, Any] = {"account_holder_address": place, "account_holder_name": holder, "bank_address": place}
    number = f"{call.ids.number(10**9):09d}"
    kind, networks, own = {
        "eur": ("iban", ["sepa"], {"bic": f"TEST{country}FF", "country": country, "iban": f"{country}89{number:0>18}"}),
        "gbp": ("sort_code", ["bacs", "fps"], {"account_number": number[:8], "sort_code": "108800"}),
        "jpy": ("zengin", ["zengin"], {
            "account_number": number[:7], "account_type": "futsu", "bank_code": "0001", "bank_name": "Test Bank",
            "branch_code": "001",
            "branch_name": "Test Branch",
        }),
        "mxn": ("spei", ["spei"], {"bank_code": "002", "bank_name": "Test Bank", "clabe": f"{number:0>18}"}),
    }.get(currency, ("aba", ["ach", "domestic_wire_us"], {
        "account_number": number, "account_type": "checking", "bank_name": "Test Bank", "routing_number": "110000000",
    }))  # fmt: skip
    return {"supported_networks": networks, "type": kind, kind: {**base, **own}}
