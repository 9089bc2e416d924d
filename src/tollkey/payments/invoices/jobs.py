"""The names of the jobs of this package; ``on_due`` of its resources has their functions."""

from __future__ import annotations

from tollkey.wire.kinds import Job

INVOICE_ADVANCE = Job("invoice.advance")
INVOICE_OVERDUE = Job("invoice.overdue")
INVOICE_RETRY = Job("invoice.retry")
