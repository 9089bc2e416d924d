"""What a token says (an access token of RFC 9068), and why one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tollkey.keys.key import holds
from tollkey.keys.limits import ip_allowed, networks_of
from tollkey.keys.tokens.jws import ALLOWLIST

TYPE = "at+jwt"

#: Why a token is refused. ``unknown_key``: none in the key set has made it; fetch the set anew and retry once.
Why = Literal[
    "malformed", "unknown_key", "signature", "expired", "not_yet_valid", "audience", "issuer",
    "forbidden", "revoked", "ip_not_allowed", "unavailable",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """An accepted token. Its truth value is True.

    id: unique (``jti``). key_id: the key it was derived from. account, livemode: of that key.
    permissions: its grants, with all they imply. audience: for whom it is. issuer: who issued it.
    issued_at, expires_at: UTC epoch seconds. ip_allowlist: addresses and networks that it may be used from; empty
    allows all.
    """

    id: str
    key_id: str
    account: str
    livemode: bool
    permissions: frozenset[str]
    audience: str
    issuer: str
    issued_at: int
    expires_at: int
    ip_allowlist: tuple[str, ...] = ()

    def header(self) -> dict[str, object]:
        """Return what the header says beside algorithm and key.

        An allow-list is critical (RFC 7515 section 4.1.11): a verifier that does not know it refuses the token.
        """
        limits = {"crit": [ALLOWLIST], ALLOWLIST: list(self.ip_allowlist)} if self.ip_allowlist else {}
        return {"typ": TYPE, **limits}

    def usable_from(self, ip: str | None) -> bool:
        """Return whether its allow-list has an address; None is in no list. Raises ValueError for an invalid list."""
        return ip_allowed(networks_of(self.ip_allowlist), ip)

    def allows(self, permission: str) -> bool:
        """Return whether the token has a grant, for example ``report_read`` or ``project:42:write``."""
        return holds(self.permissions, permission)

    def claims(self) -> dict[str, object]:
        """Return the claims of RFC 9068, and ``livemode``."""
        return {
            "iss": self.issuer,
            "sub": self.account,
            "aud": self.audience,
            "client_id": self.key_id,
            "jti": self.id,
            "iat": self.issued_at,
            "exp": self.expires_at,
            "scope": " ".join(sorted(self.permissions)),
            "livemode": self.livemode,
        }


@dataclass(frozen=True, slots=True)
class InvalidToken:
    """A refused token. Its truth value is False. reason: why."""

    reason: Why

    def __bool__(self) -> Literal[False]:
        """Return False, so that ``if verify_token(…):`` does not accept a refused token."""
        return False


def token_of(header: Mapping[str, object], claims: Mapping[str, object], audience: str) -> Token | InvalidToken:
    """Return the token that has these claims.

    header: its own. audience: the one that it must be for (RFC 7519 section 4.1.3).
    """
    texts = [claims.get(name) for name in ("jti", "client_id", "sub", "scope", "iss")]
    times = [claims.get(name) for name in ("iat", "exp")]
    livemode, given = claims.get("livemode"), claims.get("aud")
    if not isinstance(livemode, bool) or not all(type(time) is int for time in times):
        return InvalidToken("malformed")
    if not all(isinstance(text, str) for text in texts):
        return InvalidToken("malformed")
    if audience not in (given if isinstance(given, list) else [given]):
        return InvalidToken("audience")
    id, key_id, account, scope, issuer = (str(text) for text in texts)
    issued_at, expires_at = (int(str(time)) for time in times)
    networks = header.get(ALLOWLIST, ())
    allowlist = tuple(str(network) for network in networks) if isinstance(networks, list) else ()
    granted = frozenset(scope.split())
    return Token(id, key_id, account, livemode, granted, audience, issuer, issued_at, expires_at, allowlist)
