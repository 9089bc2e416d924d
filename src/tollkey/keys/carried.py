"""What an accepted request carries to the application: entries of its ASGI scope, WSGI environ or Django's ``META``.

``tollkey.key`` is the ``Key``. The others let a second gate or adapter of the same keys find the first one's check.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from tollkey.keys.accepted import Accepted
from tollkey.keys.checks import Checks
from tollkey.keys.key import Key

KEY = "tollkey.key"
_SERVICE, ACCEPTED = "tollkey.service", "tollkey.accepted"


def carry(entries: MutableMapping[str, Any], keys: Checks, accepted: Accepted) -> None:
    """Store an accepted check. entries: of the request. keys: which checked it."""
    entries[KEY], entries[_SERVICE], entries[ACCEPTED] = accepted.key, keys, accepted


def carried(entries: Mapping[str, Any], keys: Checks) -> Accepted | None:
    """Return the check that a request carries, or None if these keys have not accepted it."""
    found: Accepted | None = entries.get(ACCEPTED) if entries.get(_SERVICE) is keys else None
    return found


def carried_key(entries: Mapping[str, Any], keys: Checks) -> Key | None:
    """Return the key that a request carries, or None if these keys have not accepted one."""
    found = carried(entries, keys)
    return None if found is None else found.key


def variable_of(header: str) -> str:
    """Return the name of a header in a WSGI environ (PEP 3333, RFC 3875 section 4.1.18), such as ``HTTP_X_API_KEY``."""
    return f"HTTP_{header.upper().replace('-', '_')}"
