"""The permission of invoices and of what hangs on them, declared once."""

from __future__ import annotations

from tollkey.keys import Permission

PERMISSION = Permission("invoice", "Invoices", "Billing")
