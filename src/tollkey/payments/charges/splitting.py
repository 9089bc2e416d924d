"""Connect charges: who may make them, the application fee of a direct charge, the transfer of a destination charge.

direct charge        connected account's balance ──application fee──▶ platform
destination charge   platform's balance ──transfer──▶ connected account (a payment, py_) ──application fee──▶ platform
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.ledger import Money, Posting
from tollkey.ledger.books import PLATFORM
from tollkey.payments.balance import kinds as balance_kinds
from tollkey.payments.balance import moving, platform_fees, receivers, settlement, transactions
from tollkey.payments.charges import kinds
from tollkey.payments.methods import method_capabilities, method_types
from tollkey.payments.processors import protocol
from tollkey.payments.shared import conversion, fields, rounding
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.errors import exclusive, in_brackets, missing_param
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge, StoredRefund
    from tollkey.payments.methods.stored import Instrument
    from tollkey.wire import api, operations


_DISABLED = "Your account cannot currently make charges."
_DIRECT = "You cannot create a charge on a connected account without the `card_payments` capability enabled."
_BEHALF = (
    "You cannot create a charge with the `on_behalf_of` parameter set to a connected account with `transfers` but"
    " without the `card_payments` capability enabled."
)
#: Countries whose accounts pay application fees only to platforms in the same country.
_WITHOUT_FEES = frozenset({"BR", "IN", "MX", "MY", "SG", "TH"})
#: Hashes that name this account or a connected one.
_REFERENCES = ("issuer", "liability")
_CHARGING = ("card_payments", "legacy_payments")


def application_of(call: Call) -> str | None:
    """Return the id of the Connect application that acts on this account; None without one."""
    return None if call.account == call.platform else platform_fees.application_id(call.platform)


def group_of(transfer_data: Mapping[str, Any] | None, payment_intent: str | None, charge: str) -> str | None:
    """Return the transfer group of a destination charge for which none was given (recorded)."""
    return f"group_{payment_intent or charge}" if transfer_data else None


def check_destination(
    call: Call, destination: str, on_behalf_of: str | None, param: str = "transfer_data[destination]"
) -> None:
    """Raise ApiError 400 if the connected account does not exist or cannot receive the money of a destination charge.

    on_behalf_of: the account that the charge settles for, or None.
    """
    receivers.check_destination(call, receivers.receiver_of(call, destination, param), on_behalf_of)


def check_may_charge(call: Call, on_behalf_of: str | None) -> None:
    """Raise ApiError 400 if the acting account, or the one that a charge is made on behalf of, may not charge.

    Nothing is checked before: an intent is created for any account, and refused when it is confirmed.
    """
    refused = charge_refusal(call, on_behalf_of)
    if refused is not None:
        raise refused


def check_method(call: Call, on_behalf_of: str | None, instrument: Instrument | None, currency: str) -> None:
    """Raise ApiError 400 if the merchant of record has not the capability for the type of a payment method."""
    refused = method_refusal(call, on_behalf_of, instrument, currency)
    if refused is not None:
        raise refused


def method_refusal(
    call: Call, on_behalf_of: str | None, instrument: Instrument | None, currency: str
) -> ApiError | None:
    """Return the error of a payment method whose type the merchant of record cannot accept, else None.

    The types of an intent are checked when it is created; here, a capability may have been lost since.
    """
    kind = protocol.kind_of(instrument)
    needed = method_capabilities.capabilities_of(kind, currency)
    account = merchant_of_record(call, on_behalf_of) if needed else None
    refused = account is not None and not fields.has_capability(call, account, needed)
    return method_types.not_activated(kind, "payment_method") if refused else None


def check_on_behalf_of(call: Call, account: str, param: str = "on_behalf_of") -> None:
    """Raise ApiError 400 if this is neither the acting account nor one that is connected. account: an id."""
    own = fields.acting_account(call) or {}
    if account != own.get("id") and call.within(call.platform).objects.find_read_only(fields.ACCOUNT, account) is None:
        raise invalid(f"No such on_behalf_of: '{account}'", param, "resource_missing")


def check_percents(given: Mapping[str, Any], *outer: str) -> None:
    """Check the parts of recurring payments that go to other accounts. given: a hash of parameters. outer: its path.

    Raises ApiError 400 for a percentage that there is not, and for a part of the receiver's beside a fee.
    """
    fee, share = given.get("application_fee_percent"), value_at(given, "transfer_data.amount_percent")
    for percent, path in ((fee, ("application_fee_percent",)), (share, ("transfer_data", "amount_percent"))):
        if percent in (None, ""):
            continue
        name, param = in_brackets(*path), in_brackets(*outer, *path)
        if not 0 <= float(percent) <= 100:
            raise invalid(f"Invalid {name}: must be between 0 and 100", param)
        if round(float(percent), 2) != float(percent):
            raise invalid(f"Invalid {name}: must have at most two decimal places", param)
    if fee and share is not None:
        raise exclusive("application_fee_percent", "transfer_data[amount_percent]")


def check_references(call: Call, given: Mapping[str, Any], *outer: str) -> None:
    """Check who issues an invoice and who is liable for its tax, wherever parameters say so.

    given: a hash of parameters. outer: its path. Raises ApiError 400 for an account that is named without
    ``type=account``, or is not connected, and for a type without it. Source: the descriptions of ``issuer`` and
    ``liability``; the texts are inferred.
    """
    for name, value in given.items():
        for place, inner in enumerate(value) if isinstance(value, list) else ((None, value),):
            path = (*outer, name) if place is None else (*outer, name, str(place))
            if isinstance(inner, dict) and name in _REFERENCES and "type" in inner:
                _check_reference(call, inner, in_brackets(*path))
            elif isinstance(inner, dict):
                check_references(call, inner, *path)


def _check_reference(call: Call, given: Mapping[str, Any], param: str) -> None:
    account = given.get("account")
    if given["type"] == "self" and account:
        raise invalid(
            f"You may only specify `{param}[account]` when `{param}[type]` is `account`.", f"{param}[account]"
        )
    if given["type"] == "account" and not account:
        raise missing_param(f"{param}[account]")
    if account and call.within(call.platform).objects.find_read_only(fields.ACCOUNT, account) is None:
        raise invalid(f"No such account: '{account}'", f"{param}[account]", "resource_missing")


def fee_of_nobody(name: str) -> ApiError:
    """Return the error of an application fee that no connected account pays. name: of its parameter."""
    return invalid(
        f"Can only apply an {name} when the request is made on behalf of another account"
        " (using an OAuth key, the Stripe-Account header, or the destination parameter).",
        name,
    )


def merchant_of_record(call: Call, on_behalf_of: str | None) -> Mapping[str, Any] | None:
    """Return the connected account that a payment is made for, or None when it is the platform's own."""
    account: Mapping[str, Any] | None = None
    if on_behalf_of and on_behalf_of not in (call.account, call.platform):
        account = call.within(call.platform).objects.find_read_only(fields.ACCOUNT, on_behalf_of)
    elif call.account != call.platform:
        account = fields.acting_account(call)
    return account


def refused_types(call: Call, on_behalf_of: str | None, currency: str | None = None) -> frozenset[str]:
    """Return the types of payment methods that the merchant of record cannot accept; none for a platform.

    currency: of the payment; None for a SetupIntent.
    """
    account = merchant_of_record(call, on_behalf_of)
    needed = method_capabilities.needed_for(currency) if account is not None else {}
    return frozenset(kind for kind, names in needed.items() if not fields.has_capability(call, account or {}, names))


def charge_refusal(call: Call, on_behalf_of: str | None) -> ApiError | None:
    """Return the error of a charge that the accounts concerned may not make, else None.

    A direct charge needs ``card_payments`` of the acting account, one with ``on_behalf_of`` that of the account named,
    whatever the payment method. Sources of the texts: Subscribie issue 408, stripe-node pull request 737.
    """
    concerned = []
    if call.account != call.platform:
        concerned.append((fields.acting_account(call), _DIRECT))
    if on_behalf_of is not None and on_behalf_of not in (call.account, call.platform):
        concerned.append((call.within(call.platform).objects.find_read_only(fields.ACCOUNT, on_behalf_of), _BEHALF))
    refused = (_refusal(call, account or {}, without) for account, without in concerned)
    return next((error for error in refused if error is not None), None)


def check_fee_country(call: Call, destination: str | None, param: str) -> None:
    """Raise ApiError 400 if a platform cannot take an application fee of an account in that country.

    destination: the account that a destination charge is for; None for a direct charge, of the acting account.
    Source: unlock-protocol/unlock issue 12594.
    """
    paying = call.within(destination) if destination is not None else call
    home, country = fields.account_country(call.within(call.platform)), fields.account_country(paying)
    if country in _WITHOUT_FEES and country != home:
        message = (
            f"Stripe doesn't currently support application fees for platforms in {home} with connected accounts in"
            f" {country}."
        )
        raise invalid(message, param, "charge_invalid_parameter", retry=False)


def _refusal(call: Call, account: Mapping[str, Any], without: str) -> ApiError | None:
    """Return the error of an account that may not charge. without: its text when ``card_payments`` alone is missing."""
    if account and fields.has_capability(call, account, _CHARGING) and not _blocked(account):
        return None
    enabled = account.get("charges_enabled") and not _blocked(account)
    return invalid(without if enabled else _DISABLED, None, retry=False)


def _blocked(account: Mapping[str, Any]) -> bool:
    """Return whether charges of an account were stopped: it was rejected, or a test card asked for a document."""
    return bool(account.get("_rejected")) or (account.get("_asked") or {}).get("blocks") == "charges"


def check_captured_share(share: operations.PostChargesChargeCaptureDestination | None, captured: int) -> None:
    """Raise ApiError 400 if the destination is to get more than is captured (minor units).

    share: ``transfer_data`` of the capture.
    """
    if share and (share.get("amount") or 0) > captured:
        name = "transfer_data[amount]"
        raise invalid(f"The {name} cannot be greater than the captured amount.", name, "parameter_invalid_integer")


def application_fee(call: Call, charge: StoredCharge, settles_in: str) -> tuple[tuple[Posting, ...], list[api.Fee]]:
    """Create the application fee of a direct charge in the platform's scope.

    Returns the ledger postings and the ``fee_details`` for the connected account.
    """
    asked = charge.get("application_fee_amount")
    if not asked or call.account == call.platform:
        return (), []
    amount = Money(asked, charge["currency"])
    available = transactions.available_on(call)
    fee = platform_fees.create_application_fee(call, call.account, charge["id"], amount, available, None)
    charge["application_fee"] = fee["id"]
    return platform_fees.application_fee_postings(call, conversion.convert(amount, settles_in))


def transfer_to_destination(call: Call, charge: StoredCharge) -> None:
    """Create the transfer of a destination charge: the full amount, or ``transfer_data[amount]``, if it is less."""
    data = charge.get("transfer_data")
    if data is None or not data.get("destination"):
        return
    part, captured = data.get("amount"), charge["amount_captured"]
    currency = charge["currency"]
    fee = None if part else charge.get("application_fee_amount")
    transfer = moving.create_transfer(
        call,
        data["destination"],
        settlement.to_settlement_currency(call, charge, Money(min(part or captured, captured), currency)),
        moving.TransferOptions(
            charge=charge,
            fee=Money(fee, currency) if fee else None,
            transfer_group=charge["transfer_group"],
            description=value_at(data, "description"),
            metadata=value_at(data, "metadata"),
            payment=value_at(data, "payment_data"),
        ),
    )
    charge["transfer"] = transfer["id"]
    if fee:
        payment = call.within(data["destination"]).objects.get(kinds.CHARGE, transfer["destination_payment"])
        charge["application_fee"] = payment["application_fee"]


def counter_book(charge: StoredCharge) -> str | None:
    """Return the ledger book that a payment comes from: the network, or the platform for a transfer's payment."""
    return PLATFORM if charge.get("source_transfer") else None


def reverse_shares(call: Call, charge: StoredCharge, refund: StoredRefund, *, reverse: bool, fee: bool) -> None:
    """Reverse a refund's share of the transfer and of the application fee, if requested.

    reverse: ``reverse_transfer``. fee: ``refund_application_fee``.
    """
    if reverse and charge.get("transfer"):
        _reverse(call, charge, refund)
    fee_id = charge.get("application_fee")
    if fee and fee_id:
        found = call.within(call.platform).objects.get(balance_kinds.APPLICATION_FEE, fee_id)
        amount = min(
            rounding.share_down(found["amount"], refund["amount"], charge["amount"]),
            found["amount"] - found["amount_refunded"],
        )
        if amount > 0:
            platform_fees.refund_application_fee(call, found, amount)


def _reverse(call: Call, charge: StoredCharge, refund: StoredRefund) -> None:
    transfer = call.objects.get(balance_kinds.TRANSFER, charge["transfer"])
    amount = min(
        rounding.share_down(transfer["amount"], refund["amount"], charge["amount"]),
        transfer["amount"] - transfer["amount_reversed"],
    )
    if amount > 0:
        refund["transfer_reversal"] = moving.reverse_transfer(
            call, transfer, Money(amount, transfer["currency"]), refund=refund
        )["id"]
