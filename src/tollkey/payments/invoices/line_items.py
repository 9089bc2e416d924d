"""Invoice lines, which are stored inside their invoice, in older API versions."""

from __future__ import annotations

from tollkey.payments.invoices.versions import LINE_CHANGES
from tollkey.payments.shared import permissions
from tollkey.wire import Resource

LINE_ITEM = Resource(
    object="line_item", permission=permissions.INVOICE, stored=False, changes=LINE_CHANGES, title="Invoice lines"
)
