"""Seal secrets that an object needs later: encrypted with the keyring and stored in the object's private fields."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.db import Scope
from tollkey.keys.errors import SealBroken
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealing import seal, unseal
from tollkey.wire.errors import invalid

if TYPE_CHECKING:
    from tollkey.wire.call import Call


def _bound(scope: Scope, id: str) -> str:
    return f"{scope.account}/{'live' if scope.livemode else 'test'}/{id}"


def sealed(call: Call, id: str, secret: str) -> str:
    """Return a secret sealed, in base64. id: the object it is bound to; it cannot be unsealed for another one."""
    return sealed_for(call.services.authority.keyring, call.scope, id, secret)


def sealed_for(keyring: Keyring, scope: Scope, id: str, secret: str) -> str:
    """Return a secret sealed, in base64, for use without a call; see ``sealed``."""
    return base64.b64encode(seal(secret, _bound(scope, id), keyring)).decode()


def unsealed(keyring: Keyring, scope: Scope, id: str, text: str) -> str:
    """Return the secret in a text of ``sealed``. id: the object it is bound to.

    Raises SealBroken when it was changed, is bound to another object or its key is not in the keyring.
    """
    return unseal(base64.b64decode(text), _bound(scope, id), keyring)


def seal_params(call: Call, id: str, params: Mapping[str, Any]) -> str:
    """Return parameters sealed, such as the numbers of a card or person. id: the object they are bound to."""
    return sealed(call, id, json.dumps(params))


def unseal_params(call: Call, id: str, text: str | None) -> dict[str, Any]:
    """Return the parameters in a text of ``seal_params``; {} for None.

    Raises ApiError 400 when they cannot be unsealed, as after the sealing key was removed from the keyring.
    """
    if text is None:
        return {}
    try:
        opened = unsealed(call.services.authority.keyring, call.scope, id, text)
    except SealBroken:
        raise invalid(f"What {id} holds can no longer be read. Create a new one.", retry=False) from None
    found: dict[str, Any] = json.loads(opened)
    return found
