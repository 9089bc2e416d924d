"""Signed short-lived tokens that are derived from a key, so that an edge can verify a request without asking.

``verify_token`` is a function of a token, a key set (JWKS) and an audience. A ``KeyService`` has ``issue_token``,
``jwks``, ``check_token`` and ``rotate_token_key``.
"""

from tollkey.keys.tokens.claims import InvalidToken, Token
from tollkey.keys.tokens.methods import IssuedToken, Tokens
from tollkey.keys.tokens.signing_keys import LONGEST_LIFETIME, MIGRATION, SEALED
from tollkey.keys.tokens.verifying import verify_token

__all__ = [
    "LONGEST_LIFETIME",
    "MIGRATION",
    "SEALED",
    "InvalidToken",
    "IssuedToken",
    "Token",
    "Tokens",
    "verify_token",
]
