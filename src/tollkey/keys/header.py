"""Read the key out of an Authorization header (RFC 9110 section 11.6.2)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from tollkey.keys.key import Denied, Reason
from tollkey.keys.token import mask_unknown

_KEY_LIKE = re.compile(r"\b[a-z]{2,12}_[a-z]{2,12}_[0-9A-Za-z]{8,}")
_SECRET_KEY = re.compile(r"(?<![0-9A-Za-z])(?:sk|rk|ek)_(?:test|live)_[0-9A-Za-z]{24,}")
_OPAQUE = re.compile(r"[0-9A-Za-z+/=._~-]{20,}")
_SHOWN = 200  # characters of an unusable header that are shown back


class Presented(NamedTuple):
    """The text of a key, as the caller presented it. Not yet looked at."""

    text: str


_MISSING = Denied(Reason.missing)


def read_authorization(value: str | None) -> Presented | Denied:
    """The key in an Authorization header, or why there is none.

    Bearer (RFC 6750): the token. Basic (RFC 7617): the user; the password, blank as a rule, is not looked at.
    Basic with the bare key in place of the encoded pair is accepted too. The scheme's case does not matter.
    An empty header counts as missing.
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
    return Denied(Reason.unusable_header, _shown(value))


def read_bare(value: str | None) -> Presented | Denied:
    """The key in a header of its own, such as ``X-API-Key``: the value, without a ``Bearer`` that some clients put
    before it.
    """
    value = "" if value is None else value.strip(" \t")
    if not value:
        return _MISSING
    scheme, _, rest = value.partition(" ")
    text = rest.strip(" \t") if scheme.lower() == "bearer" else value
    return Presented(text) if text and " " not in text else Denied(Reason.unusable_header, _shown(value))


def _basic_user(credentials: str) -> str:
    """The user of Basic credentials; of what is not base64, the text itself."""
    try:
        decoded = base64.b64decode(credentials, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return credentials.partition(":")[0]
    return decoded.partition(":")[0]


def without_keys(value: str) -> str:
    """A text that was not meant to hold a key, as it may be kept: short, and with anything that looks like a key
    masked.

    What a database does not take as text (NUL, half a surrogate pair) is replaced: a caller can put it into a path.
    """
    value = value[:_SHOWN].replace("\0", "?").encode("utf-8", "replace").decode()
    return _KEY_LIKE.sub(lambda match: mask_unknown(match.group()), value)


def without_secret_keys(text: str) -> str:
    """A sentence that may repeat what a caller sent, for example in place of an id, with secret, restricted and
    ephemeral keys masked.
    """
    return (
        _SECRET_KEY.sub(lambda match: mask_unknown(match.group()), text)
        if "_test_" in text or "_live_" in text
        else text
    )


def _shown(value: str) -> str:
    """An unusable header as it may be shown back: short, and with anything secret-looking masked."""
    value = without_keys(value)
    return _OPAQUE.sub(lambda match: mask_unknown(match.group()), value)
