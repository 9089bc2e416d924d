"""The shipping cost of an invoice, from an existing shipping rate or from the data of a new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import shipping_rates
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import api


def shipping_cost(
    call: Call, invoice: StoredInvoice, given: Mapping[str, Any] | None
) -> api.InvoicesResourceShippingCost | None:
    """Return ``shipping_cost`` of an invoice, or None to remove it.

    Raises ApiError 400 for an unknown rate, neither or both of rate and data, or a rate that is archived or in another
    currency.
    """
    if not given:
        return None
    if bool(given.get("shipping_rate")) == bool(given.get("shipping_rate_data")):
        raise invalid("You must provide exactly one of `shipping_rate` or `shipping_rate_data`.", "shipping_cost")
    if given.get("shipping_rate"):
        rate = shipping_rates.rate_in_use(call, given["shipping_rate"], "shipping_cost[shipping_rate]")
    else:
        rate = shipping_rates.create_shipping_rate(
            call, given["shipping_rate_data"], "shipping_cost[shipping_rate_data]"
        )
    amount = shipping_rates.amount_in(rate, invoice["currency"], "shipping_cost")
    return {"amount_subtotal": amount, "amount_tax": 0, "amount_total": amount, "shipping_rate": rate["id"]}
