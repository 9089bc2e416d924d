"""The immutable values of this package: a key, an accepted and a refused request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, NamedTuple

from tollkey.db import Scope
from tollkey.keys.token import Kind, mask_unknown

__all__ = ["Checked", "Denied", "Key", "LimitState", "Reason"]

SERVICE_ACCOUNT = "tollkey"  # reserved: its keys are the callers of the key service (``tollkey keys serve``)
Status = Literal["active", "disabled", "expired"]
NO_METADATA: Mapping[str, str] = MappingProxyType({})


class Reason(StrEnum):
    """Why a request was refused. Log it; how much of it the response reveals is the host's decision.

    ``missing``: no key was sent. ``unusable_header``: the header contains no key. ``unknown``: no such key.
    ``expired``, ``revoked``: the key has ended; one with ``max_uses`` expires when they are used up.
    ``disabled``: it is paused. ``ip_not_allowed``: the caller's address is not in the allow-list.
    ``forbidden``: it lacks the permission. ``rate_limited``: too many requests. ``quota_exceeded``: the quota of its
    period is used up. ``unavailable``: the database or the rate limiter failed.
    """

    missing = "missing"
    unusable_header = "unusable_header"
    unknown = "unknown"
    expired = "expired"
    revoked = "revoked"
    disabled = "disabled"
    ip_not_allowed = "ip_not_allowed"
    forbidden = "forbidden"
    rate_limited = "rate_limited"
    quota_exceeded = "quota_exceeded"
    unavailable = "unavailable"


@dataclass(frozen=True, slots=True)
class Key:
    """An API key of an account in one mode. Never contains the text of a secret key.

    id: ``mk_…``. version: incremented by each change. name, note: texts for people.
    permissions: as granted, for example ``customer_read``; empty unless restricted, or narrowed by the host.
    effective: those and all they imply. connect_permissions, effective_connect: the same for requests on behalf of a
        connected account.
    ip_allowlist: addresses and networks it may be used from; empty allows all.
    created, expires_at, revoked_at, revealed_at, hidden_at: UTC epoch seconds. It is refused from ``expires_at`` on.
    disabled_at: since when it is paused, UTC epoch seconds; it is refused until it is enabled. None if it is not.
    own_expires_at: the expiry it was created with, restored when a roll is cancelled.
    created_by: the actor, ``kind:id``.
    redacted: for lists, ``sk_live_...abcd``. masked: for error messages. token: the text, for a publishable key only.
    revealable: a sealed copy is stored. hides_after_reveal: the first reveal destroys it.
    is_default: one of the account's default keys. imported: created elsewhere, without our checksum.
    rolled_from, replaced_by: ids of its predecessor and successor.
    metadata: up to 50 names and values of the host's own, for example the id of a machine; read-only, no secrets.
    max_uses: how many requests it is for; None for any number. uses_left: how many of them are left.
    rotate_every: seconds between scheduled rotations; None for none. rotate_at: the next one, UTC epoch seconds.
    subject: id of the object that an ephemeral key is for; the host creates such keys, they are not stored here.
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
    metadata: Mapping[str, str] = field(default_factory=lambda: NO_METADATA, hash=False)
    disabled_at: int | None = None
    max_uses: int | None = None
    uses_left: int | None = None
    rotate_every: int | None = None
    rotate_at: int | None = None

    @classmethod
    def of_host(
        cls,
        kind: Kind,
        scope: Scope,
        id: str,
        name: str,
        text: str,
        *,
        created: int,
        expires: int,
        subject: str = "",
        permissions: frozenset[str] = frozenset(),
    ) -> Key:
        """Return a key that the host creates and stores itself.

        kind: ``ephemeral`` or ``session``. name: for people. text: the secret, of which only the mask is kept.
        created, expires: UTC epoch seconds. subject: the id of the object that it is for. permissions: what the host
        has narrowed it to, in the host's words; empty for a key that is not narrowed.
        """
        nothing: frozenset[str] = frozenset()
        shown = mask_unknown(text)
        return cls(
            id=id, account=scope.account, livemode=scope.livemode, kind=kind, name=name, note="",
            permissions=permissions, effective=permissions, connect_permissions=nothing, ip_allowlist=(),
            created=created, created_by="",
            expires_at=expires, own_expires_at=expires, revoked_at=None, redacted=shown, masked=shown, token=None,
            revealable=False, hides_after_reveal=False, revealed_at=None, hidden_at=None, is_default=False,
            imported=False, version=0, rolled_from=None, replaced_by=None, subject=subject or None,
        )  # fmt: skip

    @property
    def scope(self) -> Scope:
        """The account and mode whose objects this key gives access to."""
        return Scope(self.account, self.livemode)

    def allows(self, permission: str, *, connected: bool = False) -> bool:
        """Return whether the key has a permission. A secret key has all, a publishable key none.

        permission: its declared name, for example ``customer_read`` or ``project:42:write``.
        connected: for a request on behalf of a connected account, where only ``connect_permissions`` count.
        """
        return self.kind == "secret" or holds(self.effective_connect if connected else self.effective, permission)

    def ended(self, now: int) -> bool:
        """Return whether it is revoked, used up, or has expired at ``now`` (UTC epoch seconds)."""
        expired = self.expires_at is not None and now >= self.expires_at
        return expired or self.revoked_at is not None or self.uses_left == 0

    def status(self, now: int) -> Status:
        """Return ``active``, ``disabled`` or ``expired`` at ``now`` (UTC epoch seconds).

        A revoked key is ``expired``, as in the API.
        """
        if self.ended(now):
            return "expired"
        return "active" if self.disabled_at is None else "disabled"


def holds(held: frozenset[str], grant: str) -> bool:
    """Return whether a grant is among those of a key, which include all they imply.

    held: the grants of the key. ``project:*:read`` in it covers ``project:42:read``, for every parameter.
    """
    if grant in held:
        return True
    name, separator, rest = grant.partition(":")
    return separator != "" and f"{name}:*:{rest.rpartition(':')[2]}" in held


class LimitState(NamedTuple):
    """Where a key, account or route stands in one limit; what ``RateLimit`` headers are made of.

    policy: the name of the limit. limit: how much it allows in a full window. remaining: how much is left.
    reset: seconds until it is full again. window: its length in seconds, None if it has none.
    """

    policy: str
    limit: int
    remaining: int
    reset: float
    window: float | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """A refused request. Its truth value is False; that of a ``Key`` is True.

    reason: why. masked: the key that was sent, masked so that the response may repeat it; for an unusable header, its
    value with keys masked. key: the key, if it exists. ip: the caller's address, for ``ip_not_allowed``.
    limit: the limit that is used up, for ``rate_limited`` and ``quota_exceeded``. limits: the states of all.
    retry_after: seconds until the same request can be accepted, for these two; None if it never can be.
    """

    reason: Reason
    masked: str = ""
    key: Key | None = None
    ip: str | None = None
    limit: LimitState | None = None
    retry_after: float | None = None
    limits: tuple[LimitState, ...] = ()

    def __bool__(self) -> Literal[False]:
        """Return False, so that ``if keys.verify(text):`` does not accept a refused request."""
        return False


class Checked(NamedTuple):
    """The result of checking a request: key, permission and limits. Its truth value is whether it is accepted.

    key: the key of an accepted request; None if it is refused. reason: why it is refused; None if it is accepted.
    permission: the permission that the key lacks, for ``forbidden``; None for a publishable key where none is accepted,
        and for a request that no declared route matches.
    limit: the state of the limit with the least left, if there are limits. limits: the states of all, it first.
    retry_after: seconds until the same request can be accepted, for ``rate_limited`` and ``quota_exceeded``; None if it
        never can be, because it costs more than the limit allows at once.
    masked: the key that was sent, masked. known: the key that was recognised, also if the request is refused: for logs.
    """

    key: Key | None
    reason: Reason | None = None
    permission: str | None = None
    limit: LimitState | None = None
    retry_after: float | None = None
    masked: str = ""
    known: Key | None = None
    limits: tuple[LimitState, ...] = ()

    def __bool__(self) -> bool:
        """Return whether the request is accepted."""
        return self.key is not None
