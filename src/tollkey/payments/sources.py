"""Sources, and the cards and bank accounts that customers have saved (the older way to keep what one pays with)."""

from __future__ import annotations

from tollkey.keys import Permission
from tollkey.wire import Resource

PERMISSION = Permission("source", "Sources", "Core")

SOURCE = Resource(object="source", prefix="src", permission=PERMISSION, indexed=("customer", "type"), path_param="source")
CARD = Resource(object="card", prefix="card", permission=PERMISSION, indexed=("customer", "account"), label="source")
BANK_ACCOUNT = Resource(object="bank_account", prefix="ba", permission=PERMISSION, indexed=("customer", "account"), label="source")
