"""Changes of a stored PaymentMethod."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.methods import sepa_addresses
from tollkey.payments.methods.new_cards import changed_expiry, check_network
from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredPaymentMethod
    from tollkey.wire import api, operations


def change(call: Call, value: StoredPaymentMethod, params: operations.PostPaymentMethodsPaymentMethod) -> None:
    """Change billing details, expiry, network, account or account holder of a PaymentMethod; the caller stores it.

    Raises ApiError 400 for data of another type of PaymentMethod, and 402 for an invalid expiry of a card.
    """
    for name in ("card", "payto", "us_bank_account"):
        if params.get(name) and value["type"] != name:
            raise invalid(f"You cannot set `{name}` on a PaymentMethod of type {value['type']}.", name, retry=False)
    if params.get("billing_details"):
        given = params["billing_details"]
        old = value["billing_details"]
        merged: dict[str, object] = {**old, **given}
        address = given.get("address")
        if address:
            merged["address"] = {**(old.get("address") or {}), **address}
        value["billing_details"] = fields.billing_details(merged)
        sepa_addresses.check_method(call, value)
    if params.get("card"):
        _change_card(call, value["card"], params["card"])
    if params.get("allow_redisplay"):
        value["allow_redisplay"] = params["allow_redisplay"]
    account = params.get("us_bank_account")
    if account:
        fields.assign(value["us_bank_account"], account, account)
    if params.get("payto"):
        payto = params["payto"]
        fields.assign(value["payto"], payto, ("bsb_number", "pay_id"))
        if "account_number" in payto:
            value["payto"]["last4"] = payto["account_number"][-4:]


def _change_card(
    call: Call, card: api.PaymentMethodCard, given: operations.PostPaymentMethodsPaymentMethodCard
) -> None:
    if "exp_month" in given or "exp_year" in given:
        month, year = given.get("exp_month", card["exp_month"]), given.get("exp_year", card["exp_year"])
        card["exp_month"], card["exp_year"] = changed_expiry(call, month, year)
    networks = given.get("networks")
    if networks and card["networks"]:
        preferred = networks.get("preferred")
        check_network(preferred, card["networks"]["available"], "card[networks][preferred]")
        card["networks"]["preferred"] = preferred
