"""The events that notices are about, and their JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollkey.keys.key import Key

#: Type of an event to the sentence that an e-mail begins with.
EVENTS: Mapping[str, str] = {
    "key.created": "A key was created",
    "key.updated": "A key was changed",
    "key.rolled": "A key was rolled",
    "key.revoked": "A key was revoked",
    "key.disabled": "A key was paused",
    "key.enabled": "A key was resumed",
    "key.expiring": "A key expires soon",
    "key.expired": "A key has expired",
    "key.used_from_new_ip": "A key was used from a new address",
    "key.leaked": "A key was reported as leaked",
    "key.quota_reached": "A key has used up its quota",
}
#: Action of the audit log to the type of its event; other actions make none.
ACTIONS: Mapping[str, str] = {
    "created": "key.created",
    "imported": "key.created",
    "updated": "key.updated",
    "rolled": "key.rolled",
    "revoked": "key.revoked",
    "disabled": "key.disabled",
    "enabled": "key.enabled",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a key.

    id: ``evt_…``. type: one of ``EVENTS``. at: UTC epoch seconds. key: as it is now. about: what this type adds.
    """

    id: str
    type: str
    at: int
    key: Key
    about: Mapping[str, Any]

    def body(self) -> bytes:
        """Return the JSON that is sent. It contains no secret."""
        data: dict[str, Any] = {"object": shown(self.key)}
        if self.about:
            data["details"] = dict(self.about)
        value = {
            "id": self.id,
            "object": "event",
            "type": self.type,
            "created": self.at,
            "account": self.key.account,
            "livemode": self.key.livemode,
            "data": data,
        }
        return json.dumps(value).encode()


def shown(key: Key) -> dict[str, Any]:
    """Return a key as JSON, without its text."""
    return {
        "id": key.id,
        "object": "api_key",
        "account": key.account,
        "livemode": key.livemode,
        "type": key.kind,
        "name": key.name,
        "redacted": key.redacted,
        "permissions": sorted(key.permissions),
        "metadata": dict(key.metadata),
        "created": key.created,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "disabled_at": key.disabled_at,
        "rolled_from": key.rolled_from,
        "replaced_by": key.replaced_by,
    }


def check_types(types: tuple[str, ...]) -> None:
    """Raise ValueError for a name that is no event, nor ``*``."""
    for name in types:
        if name != "*" and name not in EVENTS:
            raise ValueError(f"there is no event {name[:60]!r}; there are {', '.join(EVENTS)}, and * for all")
