"""What every room of payments uses."""

from tollkey.payments.shared import (
    client_access,
    clock,
    conversion,
    currency,
    events,
    fields,
    pdf,
    permissions,
    providers,
    receipt_links,
)

__all__ = [
    "client_access",
    "clock",
    "conversion",
    "currency",
    "events",
    "fields",
    "pdf",
    "permissions",
    "providers",
    "receipt_links",
]
