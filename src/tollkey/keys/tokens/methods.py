"""The methods of ``KeyService`` for tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tollkey.db import Database, StorageError, Tx
from tollkey.keys import times
from tollkey.keys.authority import Authority
from tollkey.keys.errors import KeyNotFound, KeyRefused
from tollkey.keys.key import SERVICE_ACCOUNT, Denied, Key
from tollkey.keys.limits import ip_allowed, networks_of
from tollkey.keys.tokens import signing_keys
from tollkey.keys.tokens.claims import InvalidToken, Token
from tollkey.keys.tokens.jws import sign
from tollkey.keys.tokens.verifying import verify_token
from tollkey.keys.verifier import Verifier

_ENDPOINT = "token"  # what a use by ``issue_token`` is counted as
_MOST_PERMISSIONS = 100
_LONGEST_AUDIENCE = 200
_MOST_NETWORKS = 50  # in a token, which a header has to hold


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token. text: the token; not part of the repr. token: what it says."""

    text: str = field(repr=False)
    token: Token


class Tokens:
    """Issues and checks tokens. A base class of ``KeyService``."""

    database: Database
    authority: Authority
    issuer: str = "tollkey"
    verifier: Verifier
    _clock: Callable[[], float]

    def issue_token(
        self,
        key: Key | str,
        *,
        audience: str,
        permissions: Iterable[str] | None = None,
        lifetime: int | timedelta = 300,
        ip: str | None = None,
        check: Callable[[Tx], object] | None = None,
    ) -> IssuedToken:
        """Return a signed token that is derived from a key and may be verified without asking.

        key: the key, or its text, which is verified first.
        audience: the name of the service that it is for; only that one accepts it.
        permissions: a part of the key's; None for all of a restricted key's.
        lifetime: seconds or a timedelta, up to 15 minutes; a token ends with its key at the latest.
        ip: the caller's address, for a text; a key with an allow-list is refused without it.
        check: called at the start of the transaction that reads the key; what it raises is raised.
        Raises KeyRefused: ``api_key_invalid`` for a text that is refused; ``resource_missing``, ``api_key_expired`` or
        ``api_key_disabled`` for such a key; ``publishable_key``; ``api_key_counts_uses`` for a key with ``max_uses``;
        ``ip_allowlist_too_long`` for one with an allow-list of more than 50 entries, which its tokens keep;
        ``permission_unknown``, ``permissions_exceeded``, ``permissions_required`` (a secret key, or more than 100),
        ``audience_invalid``, ``lifetime_invalid``;
        StorageError.
        """
        now, seconds = int(self._clock()), times.seconds(lifetime)
        if not 1 <= seconds <= signing_keys.LONGEST_LIFETIME:
            raise KeyRefused("lifetime_invalid", "A token is valid for 1 to 900 seconds.", "lifetime")
        if not audience or len(audience) > _LONGEST_AUDIENCE or not audience.isprintable():
            raise KeyRefused("audience_invalid", "Name the service that the token is for.", "audience")
        key_id = self._verified(key, now, ip).id

        def work(tx: Tx) -> tuple[Key | None, list[signing_keys.SigningKey]]:
            if check is not None:
                check(tx)
            return self.authority.find(tx, key_id), signing_keys.stored(tx)

        found, signers = self.database.read(work)
        source = _usable(found, key_id, now)
        if signing_keys.due(signers, now):
            signers = self._renewed(now)
        signer = signing_keys.signing(signers, now)
        assert signer is not None  # there is one, as none is due
        ends = now + seconds if source.expires_at is None else min(now + seconds, source.expires_at)
        token = Token(
            self.authority.ids.new("jti"), source.id, source.account, source.livemode,
            self._granted(source, permissions), audience, self.issuer, now, ends, source.ip_allowlist,
        )  # fmt: skip
        private = signer.private(self.authority.keyring)
        return IssuedToken(sign({**token.header(), "kid": signer.kid}, token.claims(), private), token)

    def check_token(
        self, text: str, permission: str | None = None, *, audience: str, ip: str | None = None
    ) -> Token | InvalidToken:
        """Verify a token, and the key that it was derived from, in the database.

        A revoked, disabled or expired key's tokens are refused at once (``revoked``), as is a permission that the key
        has lost (``forbidden``). permission: the grant that the request needs. audience, ip: see ``verify_token``; the
        allow-list that the key has now holds too.
        Raises UnknownPermission. It never raises for any text; without the database the token is ``unavailable``.
        """
        needed = None if permission is None else self.authority.catalogue.canonical(permission)
        now = int(self._clock())
        try:
            jwks = self.jwks()
            token = verify_token(text, jwks, audience, ip=ip, issuer=self.issuer, leeway_seconds=0, clock=self._clock)
            if isinstance(token, InvalidToken):
                return token
            key = self.database.read(lambda tx: self.authority.find(tx, token.key_id))
        except StorageError:
            return InvalidToken("unavailable")
        if key is None or key.status(now) != "active":
            return InvalidToken("revoked")
        if not ip_allowed(networks_of(key.ip_allowlist), ip):
            return InvalidToken("ip_not_allowed")
        if needed is not None and not (token.allows(needed) and key.allows(needed)):
            return InvalidToken("forbidden")
        return token

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the key set that tokens are verified with (RFC 7517 section 5). Raises StorageError."""
        now = int(self._clock())
        keys = self.database.read(signing_keys.stored)
        return signing_keys.key_set(keys or self._renewed(now), now)

    def rotate_token_key(self, *, at_once: bool = False) -> str:
        """Make a new key that signs tokens, and return its id. This happens by itself every 30 days.

        at_once: for a key that leaked: the new key signs now, and tokens of earlier keys are refused wherever the key
            set is fetched anew. Otherwise it is published for ten minutes before it signs.
        Raises StorageError.
        """
        now, private = int(self._clock()), Ed25519PrivateKey.generate()

        def work(tx: Tx) -> str:
            return signing_keys.add(tx, self.authority.keyring, now, private=private, at_once=at_once).kid

        return self.database.write(work, lock="token_signing_keys")

    def _renewed(self, now: int) -> list[signing_keys.SigningKey]:
        """Make a new signing key unless another process has, and return all."""
        private = Ed25519PrivateKey.generate()

        def work(tx: Tx) -> list[signing_keys.SigningKey]:
            if signing_keys.due(signing_keys.stored(tx), now):
                signing_keys.add(tx, self.authority.keyring, now, private=private)
            return signing_keys.stored(tx)

        return self.database.write(work, lock="token_signing_keys")

    def _verified(self, key: Key | str, now: int, ip: str | None) -> Key:
        """Return the key; a text is verified, and counts as a use. Raises KeyRefused."""
        if isinstance(key, Key):
            return key
        answer = self.verifier.verify(self.database, key, now, ip)
        if isinstance(answer, Denied):
            raise KeyRefused("api_key_invalid", f"The API key was refused: {answer.reason.value}.", "key")
        if answer.account == SERVICE_ACCOUNT:
            raise KeyRefused("api_key_invalid", "The API key was refused: unknown.", "key")
        self.verifier.record_use(answer, now, ip, _ENDPOINT, route=_ENDPOINT)
        return answer

    def _granted(self, key: Key, permissions: Iterable[str] | None) -> frozenset[str]:
        """Return the grants of a token, with all they imply. Raises KeyRefused."""
        catalogue = self.authority.catalogue
        if permissions is None and key.kind == "secret":
            message = "A secret key has every permission: name those of the token."
            raise KeyRefused("permissions_required", message, "permissions")
        wanted = key.permissions if permissions is None else catalogue.check_known(permissions)
        if not catalogue.covers(key, wanted):
            message = "A token cannot have permissions that its key lacks."
            raise KeyRefused("permissions_exceeded", message, "permissions")
        granted = catalogue.expand(wanted)
        if len(granted) > _MOST_PERMISSIONS:
            message = f"A token has at most {_MOST_PERMISSIONS} permissions: name those it needs."
            raise KeyRefused("permissions_required", message, "permissions")
        return granted


def _usable(key: Key | None, key_id: str, now: int) -> Key:
    """Return the key if tokens can be derived from it. Raises KeyRefused."""
    if key is None:
        raise KeyNotFound(key_id, "key")
    if key.kind == "publishable":
        raise KeyRefused("publishable_key", "No token is derived from a publishable key: it is public.", "key")
    if len(key.ip_allowlist) > _MOST_NETWORKS:
        message = f"A token holds an allow-list of up to {_MOST_NETWORKS} addresses and networks."
        raise KeyRefused("ip_allowlist_too_long", message, "key")
    if key.max_uses is not None:
        raise KeyRefused("api_key_counts_uses", f"The key {key.redacted} is for a number of requests only.", "key")
    status = key.status(now)
    if status != "active":
        raise KeyRefused(f"api_key_{status}", f"The key {key.redacted} is {status}.", "key")
    return key
