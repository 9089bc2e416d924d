"""Secrets that are needed again, kept sealed beside the object they belong to: of webhooks, of apps.

``tollkey keyring rotate`` leaves them under the key that sealed them, so a retired one stays in the file.
"""

from __future__ import annotations

import base64

from tollkey.db import Scope
from tollkey.keys import Keyring, seal, unseal
from tollkey.wire import Call


def _bound(scope: Scope, id: str) -> str:
    return f"{scope.account}/{'live' if scope.livemode else 'test'}/{id}"


def sealed(call: Call, id: str, secret: str) -> str:
    """A secret as it is stored. id: of the object that it belongs to; copied into another one it does not open."""
    keyring: Keyring = call.service("authority").keyring
    return base64.b64encode(seal(secret, _bound(call.scope, id), keyring)).decode()


def unsealed(keyring: Keyring, scope: Scope, id: str, text: str) -> str:
    """The secret that ``sealed`` has made this text of, for the object with that id. Raises SealBroken."""
    return unseal(base64.b64decode(text), _bound(scope, id), keyring)
