"""What a key may be, and what one key may do to another."""

from __future__ import annotations

from collections.abc import Iterable

from tollkey.keys.errors import KeyRefused
from tollkey.keys.key import Key
from tollkey.keys.limits import LONGEST_ROLL_SECONDS, allowlist_within
from tollkey.keys.token import BRAND, Brand, Kind

LONGEST_NAME = 100
LONGEST_NOTE = 500
DEFAULT_NAMES: dict[Kind, str] = {
    "publishable": "Publishable key",
    "secret": "Secret key",
    "restricted": "Restricted key",
}


def check_name(name: str, kind: Kind, brand: Brand = BRAND) -> str:
    """A name of 1 to 100 characters; an empty one becomes the default of its kind. Raises KeyRefused."""
    name = name.strip() or DEFAULT_NAMES[kind]
    if len(name) > LONGEST_NAME:
        raise KeyRefused("name_invalid", f"The name of a key has at most {LONGEST_NAME} characters.", "name")
    if not name.isprintable():
        raise KeyRefused("name_invalid", "The name of a key is one line of printable characters.", "name")
    if secret_in(name, brand):
        raise KeyRefused(
            "name_invalid", "This looks like a key itself. Give the key a name that says who uses it.", "name"
        )
    return name


def check_note(note: str, brand: Brand = BRAND) -> str:
    """A note of up to 500 characters; it may have lines. Raises KeyRefused."""
    if len(note) > LONGEST_NOTE:
        raise KeyRefused("note_invalid", f"The note of a key has at most {LONGEST_NOTE} characters.", "note")
    if not all(c.isprintable() or c in "\n\t" for c in note):
        raise KeyRefused("note_invalid", "The note of a key has printable characters and line breaks only.", "note")
    if secret_in(note, brand):
        raise KeyRefused("note_invalid", "This looks like a key itself. Note where it is kept, not what it is.", "note")
    return note


def secret_in(text: str, brand: Brand = BRAND) -> bool:
    """Whether a secret or restricted key stands in a text that is stored, shown in lists and written to the audit log
    as it is.
    """
    return any(brand.kind(match[1]) != "publishable" for match in brand.pattern.finditer(text))


def check_expiry(expires_at: int | None, now: int) -> int | None:
    """An expiry in the future, UTC epoch seconds, or none. Raises KeyRefused."""
    if expires_at is not None and not now < expires_at < 2**53:
        raise KeyRefused("expires_at_invalid", "A key expires in the future.", "expires_at")
    return expires_at


def check_roll_seconds(seconds: int) -> int:
    """How long a rolled key goes on: 0 to 604800 seconds. Raises KeyRefused."""
    if not 0 <= seconds <= LONGEST_ROLL_SECONDS:
        message = f"A rolled key expires within 0 to {LONGEST_ROLL_SECONDS} seconds (7 days)."
        raise KeyRefused("expires_in_invalid", message, "expires_in_seconds")
    return seconds


def check_limits_fit(kind: Kind, permissions: Iterable[str], allowlist: Iterable[str]) -> None:
    """Only restricted keys have permissions; publishable keys have no allow-list. Raises KeyRefused."""
    if kind != "restricted" and any(True for _ in permissions):
        raise KeyRefused("permissions_not_allowed", "Only a restricted key has permissions.", "permissions")
    if kind == "publishable" and any(True for _ in allowlist):
        message = "A publishable key is used from browsers: it has no IP allow-list."
        raise KeyRefused("ip_allowlist_not_allowed", message, "ip_allowlist")


def check_not_ended(key: Key, now: int) -> None:
    """Nothing brings an ended key back. Raises KeyRefused, code ``api_key_expired``."""
    if key.ended(now):
        raise KeyRefused("api_key_expired", f"The key {key.redacted} has expired or was revoked.", "id")


def check_grant(granter: Key | None, key: Key) -> None:
    """Whoever acts with a key may not end up with more than that key has.

    Applies to keys made, rolled, revealed, changed, hidden or ended by a request that another key authenticated:
    the same account and mode, no permission more, no address more, no longer life.
    granter: None when a person acts (Dashboard, CLI, the host's own code). Raises KeyRefused.
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
        missing = sorted(key.effective - granter.effective) + sorted(key.effective_connect - granter.effective_connect)
        if missing:
            message = f"A key cannot grant more than it has. Missing on {granter.redacted}: {', '.join(missing)}."
            raise KeyRefused("api_key_grant_exceeded", message, "permissions")
    if key.kind != "publishable" and not allowlist_within(key.ip_allowlist, granter.ip_allowlist):
        message = "A key cannot grant more than it has: its IP allow-list does not cover the other key's."
        raise KeyRefused("api_key_grant_exceeded", message, "ip_allowlist")
    if granter.expires_at is not None and (key.expires_at is None or key.expires_at > granter.expires_at):
        message = "A key cannot grant more than it has: it expires before the other key would."
        raise KeyRefused("api_key_grant_exceeded", message, "expires_at")
