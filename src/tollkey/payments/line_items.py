"""Invoice lines: they live inside their invoice; here is how older versions saw them."""

from __future__ import annotations

from tollkey.payments._invoice_permission import PERMISSION
from tollkey.payments._invoice_versions import LINE_CHANGES
from tollkey.wire import Resource

LINE_ITEM = Resource(object="line_item", permission=PERMISSION, stored=False, changes=LINE_CHANGES, title="Invoice lines")
