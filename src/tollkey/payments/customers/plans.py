"""``plan`` of customers: before 2020-08-27 a customer was created, or changed, together with its subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.customers import kinds
from tollkey.payments.shared import events
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.wire import operations

    Given = operations.PostCustomers | operations.PostCustomersCustomer

#: Parameters of the subscription, which require ``plan``.
_TERMS = ("billing", "prorate", "quantity", "tax_percent", "trial_end")


def check(params: Given) -> None:
    """Raise ApiError 400 for terms of a subscription without its ``plan``, as for a parameter that is not known.

    Source for ``tax_percent``: changelog 2015-10-16; for ``trial_end``: public reports.
    """
    if params.get("plan"):
        return
    for name in _TERMS:
        if name in params:
            raise invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")


def subscribe(call: Call, customer: StoredCustomer, params: Given) -> StoredCustomer:
    """Subscribe a stored customer to ``plan`` if it is given; return the customer as it is stored then.

    A customer with one subscription that has not ended is moved to the plan. Raises ApiError 403 for a key that may not
    write subscriptions, else as subscriptions do.
    """
    if not params.get("plan"):
        return customer
    given = cast("Mapping[str, Any]", params)
    terms = {name: given[name] for name in ("plan", *_TERMS) if name in given}
    call.announce(events.CustomerSubscribed(customer, terms))
    return call.objects.get(kinds.CUSTOMER, customer["id"])
