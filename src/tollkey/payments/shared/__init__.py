"""What every room of payments uses."""

from tollkey.payments.shared import (
    client_access,
    clock,
    conversion,
    currency,
    events,
    fields,
    naming,
    permissions,
    providers,
    receipt_links,
    rounding,
    states,
)

__all__ = [
    "client_access",
    "clock",
    "conversion",
    "currency",
    "events",
    "fields",
    "naming",
    "permissions",
    "providers",
    "receipt_links",
    "rounding",
    "states",
]
