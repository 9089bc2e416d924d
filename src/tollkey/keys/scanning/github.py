"""The messages of GitHub's secret scanning partner programme: who signed them, what they report, how they are answered.

Source: GitHub's documentation, "Secret scanning partner program". The signature is ECDSA with P-256 and SHA-256 over
the raw body; the public keys are at an address of GitHub's API.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tollkey.keys.hiding import repr_without
from tollkey.keys.scanning.leaks import Leaks

KEYS_URL = "https://api.github.com/meta/public_keys/secret_scanning"
IDENTIFIER_HEADER = "github-public-key-identifier"
SIGNATURE_HEADER = "github-public-key-signature"
#: In seconds: how old keys are when they are fetched again; how old they may become while that fails; and how long
#: after a fetch there is no other, whoever asks.
KEPT_SECONDS, LONGEST_SECONDS, BRAKE_SECONDS = 3600.0, 86_400.0, 30.0
MOST_MATCHES = 10_000
_log = logging.getLogger(__name__)


class KeysUnavailable(Exception):
    """GitHub's public keys could not be fetched: whether a message is genuine cannot be known now."""


class InvalidMessage(Exception):
    """A message that is not a list of matches. The message contains nothing of it."""


class Match(NamedTuple):
    """A key that GitHub found. url: where, may be empty. source: for example ``commit``."""

    token: str
    type: str
    url: str
    source: str

    def __repr__(self) -> str:
        return repr_without(self, "token")


class GithubKeys:
    """GitHub's public keys, fetched when they are needed and remembered. Thread-safe.

    fetch: returns the body of ``KEYS_URL``; raises OSError or ValueError if it cannot. monotonic: returns seconds of a
    monotonic clock.
    """

    def __init__(self, fetch: Callable[[], bytes], monotonic: Callable[[], float]) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._keys: dict[str, ec.EllipticCurvePublicKey] = {}
        self._asked = float("-inf")
        self._fetched = float("-inf")
        self._lock = threading.Lock()

    def signed(self, body: bytes, identifier: str, signature: str) -> bool:
        """Return whether GitHub signed a body.

        identifier, signature: the values of the two headers. Raises KeysUnavailable if that cannot be known.
        """
        try:
            raw = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            return False
        key = self._key(identifier)
        if key is None:
            return False
        try:
            key.verify(raw, body, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    def _key(self, identifier: str) -> ec.EllipticCurvePublicKey | None:
        now = self._monotonic()
        with self._lock:
            wanted = identifier not in self._keys or now - self._fetched >= KEPT_SECONDS
            wanted = wanted and now - self._asked >= BRAKE_SECONDS
            if wanted:
                self._asked = now
        if wanted:  # one thread fetches; meanwhile the others use what is remembered
            self._renew(now)
        if now - self._fetched >= LONGEST_SECONDS:
            raise KeysUnavailable
        return self._keys.get(identifier)

    def _renew(self, now: float) -> None:
        try:
            keys = _read_keys(self._fetch())
        except (OSError, ValueError, RecursionError, UnsupportedAlgorithm) as error:
            _log.warning("the public keys of GitHub could not be fetched: %s", type(error).__name__)
            return
        with self._lock:
            self._keys, self._fetched = keys, now


def _read_keys(body: bytes) -> dict[str, ec.EllipticCurvePublicKey]:
    """Return the public keys in an answer of GitHub's API by identifier. Raises ValueError."""
    listed = json.loads(body)
    members = listed.get("public_keys") if isinstance(listed, dict) else None
    if not isinstance(members, list):
        raise ValueError("this is no list of public keys")
    keys: dict[str, ec.EllipticCurvePublicKey] = {}
    for member in members:
        if not isinstance(member, dict):
            raise ValueError("this is no public key")
        key = load_pem_public_key(str(member.get("key")).encode())
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            keys[str(member.get("key_identifier"))] = key
    return keys


def read_matches(body: bytes) -> list[Match]:
    """Return the matches in the body of a message. Raises InvalidMessage."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidMessage("The body must be JSON.") from None
    if not isinstance(members, list) or len(members) > MOST_MATCHES:
        raise InvalidMessage(f"The body must be a list of up to {MOST_MATCHES} matches.")
    matches = []
    for member in members:
        if not isinstance(member, dict) or not isinstance(member.get("token"), str):
            raise InvalidMessage("Each match must be an object with a token.")
        matches.append(Match(member["token"], *(_line(member.get(name)) for name in ("type", "url", "source"))))
    return matches


def _line(value: object) -> str:
    return "".join(c for c in value if c.isprintable())[:500] if isinstance(value, str) else ""


def feedback(leaks: Leaks, matches: Sequence[Match]) -> list[dict[str, str]]:
    """Report each match, and return the feedback that GitHub takes: whether each was a key of ours.

    A key is named by its SHA-256, so that the answer contains none. Raises StorageError.
    """
    told = []
    for match in matches:
        leak = leaks.report(match.token, source="github", url=match.url)
        label: Literal["true_positive", "false_positive"] = "false_positive" if leak is None else "true_positive"
        digest = hashlib.sha256(match.token.encode("utf-8", "surrogatepass")).hexdigest()
        told.append({"token_hash": digest, "token_type": match.type, "label": label})
    return told
