"""Signed JSON (JWS, RFC 7515) in compact form with Ed25519 alone (EdDSA, RFC 8037).

There is no choice of algorithm, so none can be confused: a header that names another one is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "EdDSA"
ALLOWLIST = "ip_allowlist"  # the one critical parameter of a header: where the token may be used from
_LONGEST = 16_384  # characters


class Malformed(Exception):
    """The text is no JWS with the one algorithm."""


class Signed(NamedTuple):
    """A parsed JWS. header, claims: its JSON objects. signature: not verified. signed: what was signed."""

    header: Mapping[str, object]
    claims: Mapping[str, object]
    signature: bytes
    signed: bytes

    def verified_by(self, key: Ed25519PublicKey) -> bool:
        """Return whether the signature is of this key."""
        try:
            key.verify(self.signature, self.signed)
        except InvalidSignature:
            return False
        return True


def sign(header: Mapping[str, object], claims: Mapping[str, object], key: Ed25519PrivateKey) -> str:
    """Return a JWS. header: further fields besides ``alg``."""
    first = encode(_json({"alg": ALGORITHM, **header}))
    signed = f"{first}.{encode(_json(claims))}"
    return f"{signed}.{encode(key.sign(signed.encode()))}"


def parse(text: str) -> Signed:
    """Return the parts of a JWS, whose signature is still to be verified.

    Raises Malformed: for another algorithm, for a ``crit`` (RFC 7515 section 4.1.11) that names anything but
    ``ip_allowlist``, for base64url that is not canonical, for JSON that repeats a name, for over 16,384 characters.
    """
    parts = text.split(".") if len(text) <= _LONGEST and text.isascii() else []
    if len(parts) != 3:
        raise Malformed
    header, claims, signature = _object(decode(parts[0])), _object(decode(parts[1])), decode(parts[2])
    if header.get("alg") != ALGORITHM or not _understood(header) or len(signature) != 64:
        raise Malformed
    return Signed(header, claims, signature, f"{parts[0]}.{parts[1]}".encode())


def _understood(header: Mapping[str, object]) -> bool:
    """Whether all that a header says to be critical is understood, and is there."""
    if "crit" not in header:
        return ALLOWLIST not in header
    return header["crit"] == [ALLOWLIST] and isinstance(header.get(ALLOWLIST), list)


def encode(value: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return what canonical base64url without padding stands for. Raises Malformed."""
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Malformed from None
    if encode(value) != text:
        raise Malformed
    return value


@lru_cache(maxsize=64)
def public_key(x: str) -> Ed25519PublicKey | None:
    """Return the public key of the parameter ``x`` of a JWK (RFC 8037 section 2), or None if it is none."""
    try:
        return Ed25519PublicKey.from_public_bytes(decode(x))
    except (Malformed, ValueError):
        return None


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _object(value: bytes) -> dict[str, object]:
    """Return a JSON object. Raises Malformed, also if it repeats a name."""
    try:
        found = json.loads(value.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(found, dict):
        raise Malformed
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name is repeated")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
