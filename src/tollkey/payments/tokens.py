"""Tokens: card, bank or personal data, exchanged for something that may be passed around, once.

    created ──used──▶ used
"""

from __future__ import annotations

from tollkey.keys import Permission
from tollkey.wire import Resource, retrieve

PERMISSION = Permission("token", "Tokens", "Core")

TOKEN = Resource(
    object="token",
    prefix="tok",
    prefixes=("btok", "ct", "cvctok", "pii"),
    permission=PERMISSION,
    path_param="token",
    endpoints=(retrieve("token", "/v1/tokens/{token}", publishable=True),),
)
