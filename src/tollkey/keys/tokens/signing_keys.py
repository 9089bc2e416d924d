"""The keys that sign tokens: stored sealed, published before they sign, and replaced every 30 days.

A new key is in the key set for ten minutes before it signs, so that an edge that keeps the set for minutes knows it; a
replaced one stays in it until its last token has expired.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tollkey.db import Migration, Tx
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealed import SealedColumn
from tollkey.keys.sealing import seal, unseal
from tollkey.keys.tokens.jws import ALGORITHM, decode, encode

LONGEST_LIFETIME = 900  # seconds that a token is valid at most
_AHEAD = 600  # seconds that a key is published before it signs
_AFTER = LONGEST_LIFETIME + 60  # seconds that it stays published when another signs
_REPLACED_AFTER = 30 * 86400

MIGRATION = Migration(
    "token_signing_keys",
    (
        """CREATE TABLE token_signing_keys (
            kid TEXT PRIMARY KEY,
            created {int} NOT NULL,
            signs_from {int} NOT NULL,
            public TEXT NOT NULL,
            sealed {blob} NOT NULL
        )""",
    ),
)


def _context(kid: str) -> str:
    return f"token_signing_keys/{kid}"


#: Where the private keys are stored.
SEALED = (SealedColumn("token_signing_keys", "sealed", "kid", ("kid",), _context),)


class SigningKey(NamedTuple):
    """A stored key. kid: its id. signs_from: UTC epoch seconds. public: base64url. sealed: the private key."""

    kid: str
    signs_from: int
    public: str
    sealed: bytes

    def private(self, keyring: Keyring) -> Ed25519PrivateKey:
        """Return the private key. Raises SealBroken."""
        return Ed25519PrivateKey.from_private_bytes(decode(unseal(self.sealed, _context(self.kid), keyring)))


def stored(tx: Tx) -> list[SigningKey]:
    """Return all stored keys, in the order in which they sign. Raises StorageError."""
    rows = tx.execute(
        "SELECT kid, signs_from, public, sealed FROM token_signing_keys ORDER BY signs_from, created, kid"
    )
    return [SigningKey(kid, since, public, bytes(sealed)) for kid, since, public, sealed in rows]


def signing(keys: list[SigningKey], now: int) -> SigningKey | None:
    """Return the key that signs at this time (UTC epoch seconds), or None if there is none. keys: from ``stored``.

    The first key signs also on a node whose clock is behind that of the node which made it.
    """
    begun = [key for key in keys if key.signs_from <= now] or keys[:1]
    return begun[-1] if begun else None


def due(keys: list[SigningKey], now: int) -> bool:
    """Return whether a new key must be made: there is none, or the newest has signed for 30 days."""
    return not keys or (signing(keys, now) == keys[-1] and now - keys[-1].signs_from >= _REPLACED_AFTER)


def add(tx: Tx, keyring: Keyring, now: int, *, private: Ed25519PrivateKey, at_once: bool = False) -> SigningKey:
    """Store a new key, and delete those that nobody needs any more. Raises StorageError.

    private: a new private key. at_once: it signs now, and all earlier keys are deleted: for a key that leaked.
    """
    if at_once:
        tx.execute("DELETE FROM token_signing_keys")
    known = stored(tx)
    public = encode(private.public_key().public_bytes_raw())
    kid = hashlib.sha256(public.encode()).hexdigest()[:16]
    sealed = seal(encode(private.private_bytes_raw()), _context(kid), keyring)
    key = SigningKey(kid, now + _AHEAD if known else now, public, sealed)
    tx.execute(
        "INSERT INTO token_signing_keys (kid, created, signs_from, public, sealed) VALUES (?, ?, ?, ?, ?)",
        (kid, now, key.signs_from, public, sealed),
    )
    kept = {one.kid for one in published([*known, key], now)}
    for one in known:
        if one.kid not in kept:
            tx.execute("DELETE FROM token_signing_keys WHERE kid = ?", (one.kid,))
    return key


def published(keys: list[SigningKey], now: int) -> list[SigningKey]:
    """Return the keys of the key set: those that sign, will sign, or signed tokens that may still be valid."""
    ends = [*(key.signs_from for key in keys[1:]), None]
    return [key for key, end in zip(keys, ends, strict=True) if end is None or now < end + _AFTER]


def key_set(keys: list[SigningKey], now: int) -> dict[str, list[dict[str, str]]]:
    """Return a JWKS (RFC 7517 section 5). now: UTC epoch seconds."""
    return {
        "keys": [
            {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM, "kid": key.kid, "x": key.public}
            for key in published(keys, now)
        ]
    }
