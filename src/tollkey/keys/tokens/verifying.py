"""Verifies tokens at an edge, from the text of a token and a key set alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from tollkey.keys.tokens.claims import TYPE, InvalidToken, Token, token_of
from tollkey.keys.tokens.jws import ALGORITHM, Malformed, parse, public_key


def verify_token(
    text: str,
    jwks: Mapping[str, object],
    audience: str,
    *,
    ip: str | None = None,
    issuer: str | None = None,
    leeway_seconds: int = 5,
    clock: Callable[[], float] = time.time,
) -> Token | InvalidToken:
    """Verify a token from ``KeyService.issue_token``. It needs neither database nor network.

    text: the token. jwks: the key set of the issuer, from its ``/.well-known/jwks.json`` (RFC 7517 section 5). Keep it
        for minutes; for ``unknown_key`` fetch it anew, once.
    audience: your own name, which the token must be for.
    ip: the caller's address; the token of a key with an allow-list is refused without it.
    issuer: accept only tokens of this issuer; None for any whose key is in the set.
    leeway_seconds: how far the clocks of the issuer and of this machine may differ. clock: returns UTC epoch seconds.
    Returns the ``Token``, whose truth value is True, or ``InvalidToken``, whose truth value is False. It never raises
    for any text. A revoked key's tokens stay valid here until they expire, at most 15 minutes;
    ``KeyService.check_token`` refuses them at once.
    """
    try:
        signed = parse(text)
    except Malformed:
        return InvalidToken("malformed")
    type = signed.header.get("typ")
    if not isinstance(type, str) or type.lower().removeprefix("application/") != TYPE:
        return InvalidToken("malformed")
    x = _x_of(jwks, signed.header.get("kid"))
    key = None if x is None else public_key(x)
    if key is None:
        return InvalidToken("unknown_key")
    if not signed.verified_by(key):
        return InvalidToken("signature")
    token = token_of(signed.header, signed.claims, audience)
    if isinstance(token, InvalidToken):
        return token
    now = clock()
    if now >= token.expires_at + leeway_seconds:
        return InvalidToken("expired")
    if now < token.issued_at - leeway_seconds:
        return InvalidToken("not_yet_valid")
    if issuer is not None and token.issuer != issuer:
        return InvalidToken("issuer")
    try:
        return token if token.usable_from(ip) else InvalidToken("ip_not_allowed")
    except ValueError:  # it is signed, and yet no list of networks
        return InvalidToken("malformed")


def _x_of(jwks: Mapping[str, object], kid: object) -> str | None:
    """Return the public key with this id in a key set, as base64url, or None."""
    members = jwks.get("keys")
    for jwk in members if isinstance(members, list) else []:
        if not isinstance(jwk, Mapping) or kid is None or jwk.get("kid") != kid:
            continue
        fits = jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519"
        signs = jwk.get("use", "sig") == "sig" and jwk.get("alg", ALGORITHM) == ALGORITHM
        x = jwk.get("x")
        if fits and signs and isinstance(x, str):
            return x
    return None
