"""What is needed again but must not lie in clear: sealed with the keyring, beside the object that it belongs to."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.db import Scope
from tollkey.keys import Keyring, SealBroken, seal, unseal
from tollkey.wire.errors import invalid

if TYPE_CHECKING:
    from tollkey.wire.call import Call


def _bound(scope: Scope, id: str) -> str:
    return f"{scope.account}/{'live' if scope.livemode else 'test'}/{id}"


def sealed(call: Call, id: str, secret: str) -> str:
    """A secret as it is stored. id: of the object that it belongs to; copied into another one it does not open."""
    return sealed_for(call.services.authority.keyring, call.scope, id, secret)


def sealed_for(keyring: Keyring, scope: Scope, id: str, secret: str) -> str:
    """The same without a call."""
    return base64.b64encode(seal(secret, _bound(scope, id), keyring)).decode()


def unsealed(keyring: Keyring, scope: Scope, id: str, text: str) -> str:
    """The secret that ``sealed`` has made this text of, for the object with that id. Raises SealBroken."""
    return unseal(base64.b64decode(text), _bound(scope, id), keyring)


def seal_params(call: Call, id: str, params: Mapping[str, Any]) -> str:
    """Numbers of people and cards by name, sealed until the object with that id is used or shown."""
    return sealed(call, id, json.dumps(params))


def unseal_params(call: Call, id: str, text: str | None) -> dict[str, Any]:
    """The parameters that ``seal_params`` has made this text of; none of None.

    Raises ApiError 400 when the key that sealed them is gone from the keyring.
    """
    if text is None:
        return {}
    try:
        opened = unsealed(call.services.authority.keyring, call.scope, id, text)
    except SealBroken:
        raise invalid(f"What {id} holds can no longer be read. Create a new one.", retry=False) from None
    found: dict[str, Any] = json.loads(opened)
    return found
