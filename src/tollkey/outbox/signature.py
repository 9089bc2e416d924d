"""The ``Stripe-Signature`` header: ``t=<seconds>,v1=<hex>``, with one ``v1`` for each active signing secret.

The signed text is ``t``, a full stop and the request body. The signature is HMAC-SHA256, keyed with the signing secret
including its prefix ``whsec_``. Receivers reject old timestamps, so that a recorded delivery cannot be replayed.
Source: Stripe's documentation, "Verify webhook signatures manually".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import NamedTuple

TOLERANCE_SECONDS = 300


class ValidSignature(NamedTuple):
    """The signature is valid. timestamp: when it was made, UTC epoch seconds."""

    timestamp: int


class InvalidSignature(NamedTuple):
    """The signature is not valid. reason: why, for a log."""

    reason: str


def _mac(payload: bytes, secret: str, timestamp: int) -> str:
    return hmac.new(secret.encode(), b"%d.%b" % (timestamp, payload), hashlib.sha256).hexdigest()


def sign(payload: bytes, secrets: Sequence[str], timestamp: int) -> str:
    """Return the value of the ``Stripe-Signature`` header.

    payload: the request body.
    secrets: the active signing secrets, newest first. While a secret is rolled there are two, and a receiver that has
        either accepts the signature.
    timestamp: UTC epoch seconds of the attempt.
    Raises ValueError without secrets.
    """
    if not secrets:
        raise ValueError("cannot sign for a webhook endpoint without a signing secret")
    return ",".join([f"t={timestamp}", *(f"v1={_mac(payload, secret, timestamp)}" for secret in secrets)])


def verify(
    payload: bytes, header: str, secret: str, now: int, tolerance_seconds: int = TOLERANCE_SECONDS
) -> ValidSignature | InvalidSignature:
    """Verify the signature of a received request.

    payload: the request body. header: the value of ``Stripe-Signature``. secret: the receiver's signing secret.
    now: UTC epoch seconds. tolerance_seconds: the maximum difference between ``now`` and the timestamp.
    Returns ValidSignature or InvalidSignature; never raises.
    """
    pairs = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name.strip() == "t"]
    given = [value.strip() for name, _, value in pairs if name.strip() == "v1"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 15:
        return InvalidSignature("the header has no valid timestamp")
    if not given:
        return InvalidSignature("the header has no v1 signature")
    timestamp = int(times[0])
    expected = _mac(payload, secret, timestamp).encode()
    if not any(hmac.compare_digest(expected, mac.encode()) for mac in given):
        return InvalidSignature("no signature matches the body and the secret")
    if abs(now - timestamp) > tolerance_seconds:
        return InvalidSignature("the timestamp is outside the tolerance")
    return ValidSignature(timestamp)
