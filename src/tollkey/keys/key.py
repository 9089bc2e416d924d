"""What a key is, and what a refused request is: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from tollkey.db.engine import Scope
from tollkey.keys.token import Kind

Status = Literal["active", "expired"]


class Reason(StrEnum):
    """Why a request was refused. The log may know it; what the caller is told is the host's choice."""

    missing = "missing"
    unusable_header = "unusable_header"
    unknown = "unknown"
    expired = "expired"
    revoked = "revoked"
    ip_not_allowed = "ip_not_allowed"
    rate_limited = "rate_limited"
    unavailable = "unavailable"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an account in one mode. Never holds the text of a secret.

    id: ``mk_…``. version: counts up with each change.
    permissions: as granted, for example ``customer_read``; empty unless restricted.
    effective: those and all that they imply. connect_permissions, effective_connect: the same two, on connected
        accounts.
    ip_allowlist: addresses and networks; empty means from anywhere.
    created, expires_at, revoked_at, revealed_at, hidden_at: UTC epoch seconds. From the second ``expires_at`` on it is
        refused.
    own_expires_at: the expiry the key was made with, to which cancelling a roll goes back.
    created_by: who made it, ``kind:id``.
    redacted, masked: what may be shown of it. token: the text, of a publishable key only.
    revealable: a sealed copy is there. hides_after_reveal: the first reveal destroys that copy.
    is_default: one of the account's four. imported: made elsewhere, so without our checksum.
    rolled_from, replaced_by: ids of the keys before and after it.
    subject: the one object that an ephemeral key is for; the host makes such keys, they are not stored here.
    """

    id: str
    account: str
    livemode: bool
    kind: Kind
    name: str
    note: str
    permissions: frozenset[str]
    effective: frozenset[str]
    connect_permissions: frozenset[str]
    ip_allowlist: tuple[str, ...]
    created: int
    created_by: str
    expires_at: int | None
    own_expires_at: int | None
    revoked_at: int | None
    redacted: str
    masked: str
    token: str | None
    revealable: bool
    hides_after_reveal: bool
    revealed_at: int | None
    hidden_at: int | None
    is_default: bool
    imported: bool
    version: int
    rolled_from: str | None
    replaced_by: str | None
    subject: str | None = None
    effective_connect: frozenset[str] = frozenset()

    @property
    def scope(self) -> Scope:
        """The account and mode whose objects this key may touch."""
        return Scope(self.account, self.livemode)

    def allows(self, permission: str, *, connected: bool = False) -> bool:
        """Whether the key may do this. A secret key may do all, a publishable one nothing that needs a permission.

        connected: it acts for another account, where a restricted key has its ``connect_permissions`` and no others.
        """
        return self.kind == "secret" or permission in (self.effective_connect if connected else self.effective)

    def ended(self, now: int) -> bool:
        """Whether it is revoked or past its expiry at ``now`` (UTC epoch seconds)."""
        return self.revoked_at is not None or (self.expires_at is not None and now >= self.expires_at)

    def status(self, now: int) -> Status:
        """``active`` or ``expired``; a revoked key counts as expired, as on the wire."""
        return "expired" if self.ended(now) else "active"


@dataclass(frozen=True, slots=True)
class Denied:
    """A request that is refused, and why. False where a truth value is asked for; a ``Key`` is true.

    masked: what may be shown back of the text that was presented; of an unusable header, its value with keys masked.
    key: the key it belongs to, when it is known. ip: the caller's address, when it is what failed.
    """

    reason: Reason
    masked: str = ""
    key: Key | None = None
    ip: str | None = None

    def __bool__(self) -> Literal[False]:
        """False, so that ``if keys.verify(text):`` lets nobody in who was refused."""
        return False


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes a key, for the audit log.

    kind: ``api_key``, ``user``, ``cli`` or ``system``. id: of that key or user.
    """

    kind: str
    id: str
    ip: str | None = None
    request_id: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


SYSTEM = Actor("system", "tollkey")
