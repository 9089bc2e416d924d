"""What the API derives from the data of a new PaymentMethod."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from tollkey.payments.methods.new_cards import fingerprint_owner
from tollkey.payments.processors import banks
from tollkey.payments.processors import cards as processors_cards
from tollkey.wire import Call

#: Types whose account number is typed in; it is not kept.
NUMBERED = ("acss_debit", "au_becs_debit", "bacs_debit", "nz_bank_account")
#: The BIC of each iDEAL bank.
_BIC = {
    "abn_amro": "ABNANL2A", "asn_bank": "ASNBNL21", "bunq": "BUNQNL2A", "handelsbanken": "HANDNL2A", "ing": "INGBNL2A",
    "knab": "KNABNL2H", "n26": "NTSBDEB1", "rabobank": "RABONL2U", "regiobank": "RBRBNL21", "revolut": "REVOLT21",
    "sns_bank": "SNSBNL2A", "triodos_bank": "TRIONL2U", "van_lanschot": "FVLBNL22", "yoursafe": "BITSNL2A",
}  # fmt: skip


def complete(call: Call, kind: str, inner: MutableMapping[str, Any], data: Mapping[str, Any]) -> None:
    """Add the properties that the real API derives from the given ones (recorded)."""
    number = str(data.get("account_number") or data.get("tax_id") or "")
    print_of_number = processors_cards.fingerprint(number, fingerprint_owner(call)) if number else None
    if kind == "ideal":
        inner["bic"] = _BIC.get(str(data.get("bank")))
    elif kind in NUMBERED:
        inner.update({"fingerprint": print_of_number, "last4": number[-4:] or None})
        if kind == "acss_debit":
            inner["bank_name"] = None if call.livemode else banks.BANK_NAME
    elif kind == "boleto":
        inner["fingerprint"] = print_of_number
    elif kind == "payto":
        inner["last4"] = number[-4:] or None
    elif kind == "fpx":
        inner["account_holder_type"] = data.get("account_holder_type") or "individual"
