"""The ``Stripe-Signature`` header: ``t=<seconds>,v1=<hex>``, one ``v1`` for each secret in force.

The signed text is ``t``, a full stop and the body as sent; the hash is HMAC-SHA256 keyed with the
endpoint's whole secret, ``whsec_`` included. The receiver refuses old timestamps, so that a
recorded delivery cannot be played again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import NamedTuple

TOLERANCE_SECONDS = 300


class Genuine(NamedTuple):
    """The signature fits; signed at ``timestamp`` (UTC epoch seconds)."""

    timestamp: int


class Forged(NamedTuple):
    """The signature is not to be trusted; ``reason`` says why, for a log."""

    reason: str


def _mac(payload: bytes, secret: str, timestamp: int) -> str:
    return hmac.new(secret.encode(), b"%d.%b" % (timestamp, payload), hashlib.sha256).hexdigest()


def sign(payload: bytes, secrets: Sequence[str], timestamp: int) -> str:
    """The header's value for a body.

    secrets: the endpoint's secrets, newest first; during a roll there are two, and a receiver
    that knows either of them accepts. Raises ValueError when there is none.
    timestamp: UTC epoch seconds of this attempt.
    """
    if not secrets:
        raise ValueError("a webhook endpoint without a secret cannot be signed for")
    return ",".join([f"t={timestamp}", *(f"v1={_mac(payload, secret, timestamp)}" for secret in secrets)])


def verify(
    payload: bytes, header: str, secret: str, now: int, tolerance_seconds: int = TOLERANCE_SECONDS
) -> Genuine | Forged:
    """Judge a received body by its header.

    now: the receiver's UTC epoch seconds; tolerance_seconds: the greatest age (and lead).
    """
    pairs = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name.strip() == "t"]
    given = [value.strip() for name, _, value in pairs if name.strip() == "v1"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 15:
        return Forged("the header has no readable timestamp")
    if not given:
        return Forged("the header has no v1 signature")
    timestamp = int(times[0])
    expected = _mac(payload, secret, timestamp).encode()
    if not any(hmac.compare_digest(expected, mac.encode()) for mac in given):
        return Forged("no signature matches the body and the secret")
    if abs(now - timestamp) > tolerance_seconds:
        return Forged("the timestamp is outside the tolerance")
    return Genuine(timestamp)
