"""The addresses that SEPA Direct Debit asks of accounts outside the European Economic Area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.wire import Call
from tollkey.wire.errors import missing_param

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredPaymentMethod

#: Country codes of such accounts, the first two letters of their IBAN. Source: Stripe's guide to SEPA Direct Debit.
OUTSIDE = frozenset(["AD", "BL", "CH", "GB", "GG", "GI", "IM", "JE", "MC", "NC", "PF", "PM", "SM", "TF", "VA", "WF"])
#: From this version on the town is asked for, too.
TOWN_SINCE = "2026-09-30"


def check_method(call: Call, value: StoredPaymentMethod) -> None:
    """Raise ApiError parameter_missing (400) for a ``sepa_debit`` method without the address that it needs."""
    if value["type"] == "sepa_debit":
        check(call, value["sepa_debit"]["country"], value["billing_details"].get("address"), "billing_details")


def check(call: Call, country: str | None, address: Mapping[str, Any] | None, param: str) -> None:
    """Raise ApiError parameter_missing (400) when an address lacks what an account of a country needs.

    country: of the IBAN. param: the parameter that has the address, in error messages.
    """
    if country not in OUTSIDE:
        return
    for name in ("country", "line1", *(("city", "postal_code") if call.version >= TOWN_SINCE else ())):
        if not (address or {}).get(name):
            raise missing_param(f"{param}[address][{name}]")
