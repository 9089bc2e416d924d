"""What every room of payments uses."""

from tollkey.payments.shared import (
    client_access,
    clock,
    conversion,
    currency,
    events,
    fields,
    permissions,
    providers,
    receipt_links,
    rounding,
    states,
)
from tollkey.payments.shared.money import Money

__all__ = [
    "Money",
    "client_access",
    "clock",
    "conversion",
    "currency",
    "events",
    "fields",
    "permissions",
    "providers",
    "receipt_links",
    "rounding",
    "states",
]
