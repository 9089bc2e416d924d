"""Reads API keys from request headers (RFC 9110 section 11.6.2), and masks keys in other texts."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple
from urllib.parse import unquote

from tollkey.keys.hiding import repr_without
from tollkey.keys.key import Denied, Reason
from tollkey.keys.token import mask_unknown

__all__ = ["Presented", "read_authorization", "without_keys", "without_secret_keys"]

#: Base64 of ``sk_test_…`` and its like: the credentials of RFC 7617, copied into another place.
BASE64_KEY = r"(?:c2tf|cmtf|ZWtf)(?:dGVzdF|bGl2ZV)[89][0-9A-Za-z+/_-]{16,}+={0,2}"
#: A whole key of any ``Brand``, whose words may have digits. It may hang on other letters.
WHOLE_KEY = r"[a-z][0-9a-z]{0,31}_[a-z][0-9a-z]{0,31}_[0-9A-Za-z]{24,}"
#: Keys, signing secrets, client secrets, and numbers as long as a card's.
_SECRET_LIKE = re.compile(
    rf"\b[a-z]{{2,12}}_[a-z]{{2,12}}_[0-9A-Za-z]{{8,}}|{WHOLE_KEY}"
    r"|\bwhsec_[0-9A-Za-z]{8,}|whsec_[0-9A-Za-z]{24,}|_secret_[0-9A-Za-z]{6,}"
    rf"|(?<![0-9A-Za-z])\d(?:[ +-]?\d){{12,}}+|{BASE64_KEY}"
)
_TYPED_SECRET = re.compile(rf"{WHOLE_KEY}|whsec_[0-9A-Za-z]{{16,}}|{BASE64_KEY}")
#: What stands before the password of an address, and before one among the words of libpq; the password.
_PASSWORD = re.compile(
    r"(:/{1,2}[^\s:@/]{0,200}:)\S{1,200}(?=@)|(\b(?:ssl)?password\s{0,5}=\s{0,5})[^\s&]+", re.IGNORECASE
)
_SECRET_KEY = re.compile(rf"(?:sk|rk|ek)_(?:test|live)_[0-9A-Za-z]{{24,}}|{BASE64_KEY}")
BASE64_SIGNS = ("dGVzdF", "bGl2ZV")  # one is in every such text
_SIGNS = ("_test_", "_live_", *BASE64_SIGNS)  # one is in every text with such a key
_OPAQUE = re.compile(r"[0-9A-Za-z+/=._~-]{20,}")
_LONGEST_TEXT = 512  # characters; the body of a key has 247 at most
_SHOWN = 200  # characters of an unusable header that are repeated in the response
_EXAMINED = 2_000  # characters of a text that are masked, before it is cut


class Presented(NamedTuple):
    """The text of a key as the caller sent it, not verified. text: of any length and content."""

    text: str

    def __repr__(self) -> str:
        return repr_without(self, "text")


_MISSING = Denied(Reason.missing)


def read_authorization(value: str | None) -> Presented | Denied:
    """Return the key in the value of an Authorization header, or why there is none.

    value: None or empty if the header is missing.
    Bearer (RFC 6750): the token. Basic (RFC 7617): the user name; the password is ignored. Basic with the plain key
    instead of base64 is accepted too. The scheme is case-insensitive.
    Returns Presented, or Denied with ``missing`` or ``unusable_header``; never raises.
    """
    if value is None:
        return _MISSING
    if value.startswith("Bearer ") and len(value) > 20 and value[7] > " " and value[-1] > " ":
        return Presented(value[7:])
    value = value.strip(" \t")
    if not value:
        return _MISSING
    scheme, _, rest = value.partition(" ")
    rest = rest.strip(" \t")
    if rest and scheme.lower() == "bearer":
        return Presented(rest)
    if rest and scheme.lower() == "basic":
        user = _basic_user(rest)
        if user:
            return Presented(user)
    return Denied(Reason.unusable_header, _displayable(value))


def read_bare(value: str | None) -> Presented | Denied:
    """Return the key in a header of its own, such as ``X-API-Key``, or why there is none.

    A prefix ``Bearer``, which some clients add, is removed.
    Returns Presented, or Denied with ``missing`` or ``unusable_header``; never raises.
    """
    value = "" if value is None else value.strip(" \t")
    if not value:
        return _MISSING
    scheme, _, rest = value.partition(" ")
    text = rest.strip(" \t") if scheme.lower() == "bearer" else value
    return Presented(text) if text and " " not in text else Denied(Reason.unusable_header, _displayable(value))


def _basic_user(credentials: str) -> str:
    """Return the user name of Basic credentials; if they are not base64, of the text itself."""
    try:
        decoded = base64.b64decode(credentials, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return credentials.partition(":")[0]
    return decoded.partition(":")[0]


def without_keys(value: str) -> str:
    """Prepare a text from a request for storage: cut to 200 characters, with everything that looks like a key or
    another secret masked, also where it is percent-encoded, up to three times.

    NUL and unpaired surrogates, which a database does not accept as text, are replaced.
    """
    value = decoded = value[:_EXAMINED]
    for _ in range(3 if "%" in value else 0):
        decoded = unquote(decoded, errors="replace")
    masked = mask_keys(decoded)
    value = mask_keys(value) if masked == decoded else masked
    return value[:_SHOWN].replace("\0", "?").encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """Return a text as one line for a terminal or a log: what moves the cursor or ends the line is replaced."""
    return "".join(character if character.isprintable() else "?" for character in text)


def mask_keys(value: str) -> str:
    """Mask everything in a text that looks like a key or another secret, for example in an error message."""
    return _SECRET_LIKE.sub(lambda match: mask_unknown(match.group()), value)


def without_secret_keys(text: str) -> str:
    """Mask secret, restricted and ephemeral keys in a text, for example an error message that repeats a parameter."""
    return (
        _SECRET_KEY.sub(lambda match: mask_unknown(match.group()), text)
        if any(sign in text for sign in _SIGNS)
        else text
    )


def without_typed_secrets(text: str) -> str:
    """Mask what may stand in a command or a file of settings in the wrong place: keys of every brand, signing secrets,
    and the passwords in addresses of databases.
    """
    text = _PASSWORD.sub(lambda match: f"{match[1] or match[2]}***", text)
    return _TYPED_SECRET.sub(lambda match: mask_unknown(match.group()), text)


def beginning(text: str, longest: int = 100) -> str:
    """Return the beginning of a text that was given, for a message; cut after a secret in it was masked, since the
    first half of a key does not look like one.
    """
    return without_typed_secrets(text[:_EXAMINED])[:longest]


def _displayable(value: str) -> str:
    """Prepare an unusable header for the response: cut, with keys and other long tokens masked."""
    value = without_keys(value)
    return _OPAQUE.sub(lambda match: mask_unknown(match.group()), value)


def decode_key(text: str | bytes | None) -> str | Denied:
    """Return what a caller sent as a text of limited length, or Denied; takes bounded time for any input."""
    if type(text) is str and 0 < len(text) <= _LONGEST_TEXT:
        return text
    if isinstance(text, bytes):
        text = text[: _LONGEST_TEXT + 1].decode("latin-1")
    if text is None or text == "":
        return _MISSING
    if not isinstance(text, str):
        return Denied(Reason.unknown)
    return text if len(text) <= _LONGEST_TEXT else Denied(Reason.unknown, mask_unknown(text[:_LONGEST_TEXT]))
