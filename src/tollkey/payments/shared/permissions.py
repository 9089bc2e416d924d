"""Permissions that several packages use."""

from __future__ import annotations

from tollkey.keys import Permission

CUSTOMER = Permission("customer", "Customers", "Core")
INVOICE = Permission("invoice", "Invoices", "Billing")
SOURCE = Permission("source", "Sources", "Core")
