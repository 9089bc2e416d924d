"""Who changes keys, for the audit log."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SYSTEM", "Actor"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes a key, for the audit log.

    kind: ``api_key``, ``user``, ``cli``, ``leak_report`` or ``system``. id: of that key or user, or who reported.
    ip: the caller's address. request_id: ``req_…``.
    """

    kind: str
    id: str
    ip: str | None = None
    request_id: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


#: The program itself: the default where a method takes an actor.
SYSTEM = Actor("system", "tollkey")
