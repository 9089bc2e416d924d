"""Validation of keys: names, notes, expiries, and what one key may do to another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tollkey.keys.errors import KeyRefused
from tollkey.keys.key import NO_METADATA, Key
from tollkey.keys.limits import LONGEST_ROLL_SECONDS, allowlist_within
from tollkey.keys.permissions import lacking
from tollkey.keys.token import BRAND, Brand, Kind

#: Secrets of the payments API besides the keys of a brand: ephemeral keys, signing secrets, client secrets.
_OTHER_SECRET = re.compile(
    r"(?<![0-9A-Za-z])(?:(?:ek|pss|whsec)_(?:(?:test|live)_)?[0-9A-Za-z]{16,}"
    r"|[a-z]{2,8}_[0-9A-Za-z]{8,}_secret_[0-9A-Za-z]{16,})"
)
LONGEST_ACCOUNT = 200
LONGEST_NAME = 100
LONGEST_NOTE = 500
MOST_METADATA, LONGEST_METADATA_NAME, LONGEST_METADATA_VALUE = 50, 40, 500
DEFAULT_NAMES: dict[Kind, str] = {
    "publishable": "Publishable key",
    "secret": "Secret key",
    "restricted": "Restricted key",
}


def is_account_name(name: str) -> bool:
    """Return whether a text can name an account: 1 to 200 printable characters, not only spaces.

    Every account that has keys is listed, with links that name it, so that no other text may have one.
    """
    return len(name) <= LONGEST_ACCOUNT and bool(name.strip()) and name.isprintable()


def check_account(name: str) -> str:
    """Return the name of an account. Raises KeyRefused, ``account_invalid``, for a text that cannot be one."""
    if not is_account_name(name):
        message = f"An account is named by one line of 1 to {LONGEST_ACCOUNT} printable characters."
        raise KeyRefused("account_invalid", message, "account")
    return name


def check_name(name: str, kind: Kind, brand: Brand = BRAND) -> str:
    """Return a valid name: one line of up to 100 characters; an empty one becomes the default of its kind.

    Raises KeyRefused, ``name_invalid``, also for a name that contains a secret key.
    """
    name = name.strip() or DEFAULT_NAMES[kind]
    if len(name) > LONGEST_NAME:
        raise KeyRefused("name_invalid", f"The name of a key may have up to {LONGEST_NAME} characters.", "name")
    if not name.isprintable():
        raise KeyRefused("name_invalid", "The name of a key must be one line of printable characters.", "name")
    if contains_secret_key(name, brand):
        raise KeyRefused("name_invalid", "The name contains an API key. Use a name that says who uses the key.", "name")
    return name


def check_note(note: str, brand: Brand = BRAND) -> str:
    """Return a valid note of up to 500 characters, which may have several lines.

    Raises KeyRefused, ``note_invalid``, also for a note that contains a secret key.
    """
    if len(note) > LONGEST_NOTE:
        raise KeyRefused("note_invalid", f"The note of a key may have up to {LONGEST_NOTE} characters.", "note")
    if not all(c.isprintable() or c in "\n\t" for c in note):
        raise KeyRefused("note_invalid", "The note may only contain printable characters and line breaks.", "note")
    if contains_secret_key(note, brand):
        raise KeyRefused("note_invalid", "The note contains an API key. Note where the key is stored instead.", "note")
    return note


def check_metadata(metadata: Mapping[str, str], brand: Brand = BRAND) -> Mapping[str, str]:
    """Return valid metadata, read-only and sorted by name.

    Up to 50 entries; names of up to 40 characters without square brackets, values of 1 to 500. Source: Stripe's API
    reference, "Metadata". Raises KeyRefused, ``metadata_invalid``, also for a value that contains a secret key.
    """
    if not metadata:
        return NO_METADATA
    if len(metadata) > MOST_METADATA:
        raise _metadata_invalid(f"The metadata of a key may have up to {MOST_METADATA} entries.")
    for name, value in metadata.items():
        _check_metadata_entry(name, value, brand)
    return MappingProxyType(dict(sorted(metadata.items())))


def _check_metadata_entry(name: str, value: str, brand: Brand) -> None:
    if not isinstance(name, str) or not isinstance(value, str):
        raise _metadata_invalid("The names and values of metadata must be strings.")
    if not 1 <= len(name) <= LONGEST_METADATA_NAME or not name.isprintable() or "[" in name or "]" in name:
        raise _metadata_invalid(
            f"A name in metadata must have 1 to {LONGEST_METADATA_NAME} printable characters, without square brackets."
        )
    if not 1 <= len(value) <= LONGEST_METADATA_VALUE:
        raise _metadata_invalid(f"A value in metadata must have 1 to {LONGEST_METADATA_VALUE} characters.")
    if not all(c.isprintable() or c in "\n\t" for c in value):
        raise _metadata_invalid("A value in metadata may only contain printable characters and line breaks.")
    if contains_secret_key(name, brand) or contains_secret_key(value, brand):
        raise _metadata_invalid("The metadata contains an API key. Note where the key is stored instead.")


def _metadata_invalid(message: str) -> KeyRefused:
    return KeyRefused("metadata_invalid", message, "metadata")


def merge_metadata(present: Mapping[str, str], given: Mapping[str, str | None]) -> dict[str, str]:
    """Return metadata after an update, as in Stripe's API: other entries stay, an empty value removes its entry.

    given: empty to remove all entries.
    """
    if not given:
        return {}
    return {name: value for name, value in {**present, **given}.items() if value is not None and value != ""}


def contains_secret_key(text: str, brand: Brand = BRAND) -> bool:
    """Return whether a text contains a secret key, a signing secret or a client secret.

    Names and notes are stored and shown in plain text.
    """
    found = any(brand.kind(match[1]) != "publishable" for match in brand.pattern.finditer(text))
    return found or _OTHER_SECRET.search(text) is not None


def check_expiry(expires_at: int | None, now: int) -> int | None:
    """Return the expiry if it is None or later than ``now``, both UTC epoch seconds. Raises KeyRefused."""
    if expires_at is not None and not now < expires_at < 2**53:
        raise KeyRefused("expires_at_invalid", "The expiry of a key must be in the future.", "expires_at")
    return expires_at


def check_roll_seconds(seconds: int) -> int:
    """Return how long a rolled key stays valid, if it is 0 to 604800 seconds. Raises KeyRefused."""
    if not 0 <= seconds <= LONGEST_ROLL_SECONDS:
        message = f"A rolled key must expire within 0 to {LONGEST_ROLL_SECONDS} seconds (7 days)."
        raise KeyRefused("expires_in_invalid", message, "expires_in_seconds")
    return seconds


def check_max_uses(uses: int | None, kind: Kind) -> int | None:
    """Return how many requests a key is for, if it is None or 1 and more. Raises KeyRefused."""
    if uses is not None and kind == "publishable":
        raise KeyRefused("max_uses_invalid", "A publishable key is for any number of requests.", "max_uses")
    if uses is not None and not 1 <= uses < 2**53:
        raise KeyRefused("max_uses_invalid", "A key must be for at least one request.", "max_uses")
    return uses


def check_rotation(every: int | None) -> int | None:
    """Return the seconds between rotations, if None or an hour and more; None for 0. Raises KeyRefused."""
    if every is not None and every != 0 and not 3600 <= every < 2**40:
        raise KeyRefused("rotate_every_invalid", "A key can be rotated every hour at most.", "rotate_every")
    return every or None


def check_limits_fit(kind: Kind, permissions: Iterable[str], allowlist: Iterable[str]) -> None:
    """Check that only restricted keys have permissions, and publishable keys no allow-list. Raises KeyRefused."""
    if kind != "restricted" and any(True for _ in permissions):
        raise KeyRefused("permissions_not_allowed", "Only a restricted key can have permissions.", "permissions")
    if kind == "publishable" and any(True for _ in allowlist):
        message = "A publishable key is used in browsers and cannot have an IP allow-list."
        raise KeyRefused("ip_allowlist_not_allowed", message, "ip_allowlist")


def check_not_ended(key: Key, now: int) -> None:
    """Check that a key has not expired or been revoked at ``now``. Raises KeyRefused, ``api_key_expired``."""
    if key.ended(now):
        raise KeyRefused("api_key_expired", f"The key {key.redacted} has expired or was revoked.", "id")


def check_not_disabled(key: Key) -> None:
    """Check that a key is not paused. Raises KeyRefused, ``api_key_disabled``."""
    if key.disabled_at is not None:
        raise KeyRefused("api_key_disabled", f"The key {key.redacted} is disabled. Enable it first.", "id")


def check_grant(granter: Key | None, key: Key) -> None:
    """Check that a request does not give its caller more access than the key that authenticated it has.

    Applies to keys created, rolled, revealed, changed, hidden, expired or revoked with another key: same account and
    mode, no further permissions or addresses, no longer lifetime, and fewer uses if the caller's are counted.
    granter: the key that authenticated the request, as it was before that took a use of it; None if a person acts
        (Dashboard, CLI, the host's own code).
    key: the key as it is, or as it would become. Raises KeyRefused, ``api_key_grant_exceeded``.
    """
    if granter is None:
        return
    if granter.scope != key.scope or granter.kind == "publishable":
        raise KeyRefused("api_key_grant_exceeded", f"The key {granter.redacted} cannot manage this key.")
    if key.kind == "secret" and granter.kind != "secret":
        raise KeyRefused(
            "api_key_grant_exceeded",
            "A restricted key cannot manage a secret key: it would grant more than it has.",
            "type",
        )
    if key.kind == "restricted" and granter.kind != "secret":
        missing = lacking(granter.effective, key.effective)
        missing += lacking(granter.effective_connect, key.effective_connect)
        if missing:
            message = f"A key cannot grant more than it has. Missing on {granter.redacted}: {', '.join(missing)}."
            raise KeyRefused("api_key_grant_exceeded", message, "permissions")
    if key.kind != "publishable" and not allowlist_within(key.ip_allowlist, granter.ip_allowlist):
        message = "A key cannot grant more than it has: its IP allow-list does not cover the other key's."
        raise KeyRefused("api_key_grant_exceeded", message, "ip_allowlist")
    if granter.expires_at is not None and (key.expires_at is None or key.expires_at > granter.expires_at):
        message = "A key cannot grant more than it has: it expires before the other key would."
        raise KeyRefused("api_key_grant_exceeded", message, "expires_at")
    if granter.uses_left is not None and (key.uses_left is None or key.uses_left >= granter.uses_left):
        message = "A key cannot grant more than it has: it is for fewer requests than the other key."
        raise KeyRefused("api_key_grant_exceeded", message, "max_uses")
