"""One key to import, as it stands in a file or a request: which fields there are, and what they become."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tollkey.keys import rules
from tollkey.keys.adopting import ImportedLimits
from tollkey.keys.errors import KeyRefused
from tollkey.keys.foreign_hashes import ForeignHash, HashRefused, PlainHash, read_plain, read_slow, salted
from tollkey.keys.token import Kind

#: A value in a file: CSV has texts only.
Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]
Record = Mapping[str, Value]

FIELDS = (
    "key", "hash", "algorithm", "lookup", "salt_before", "salt_after", "account", "mode", "type", "name", "note",
    "permissions", "ip_allowlist", "expires_at", "metadata", "disabled", "shown",
)  # fmt: skip
_ALGORITHMS = {"sha256_hex": "sha256", "sha256_base64": "sha256", "sha-256": "sha256", "sha-512": "sha512"}
_SLOW = ("$", "argon2", "bcrypt", "scrypt", "pbkdf2")
_TRUE, _FALSE = ("true", "t", "1", "yes", "on"), ("false", "f", "0", "no", "off", "")


class RowRefused(Exception):
    """A row that cannot be imported. code: a stable identifier. param: the field. The message contains no key."""

    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for rows that do not say otherwise.

    renamed: names of permissions in the file, and what they are called here. account_field: the field that holds the
    account, if it is not ``account``.
    """

    account: str = "main"
    livemode: bool = True
    kind: Kind = "restricted"
    permissions: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    account_field: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A key to import. text or hash: what is known of it; left out of ``repr``. ignored: fields without effect."""

    text: str | None = field(repr=False)
    hash: ForeignHash | None = field(repr=False)
    account: str
    livemode: bool
    kind: Kind | None
    name: str
    note: str
    permissions: tuple[str, ...]
    limits: ImportedLimits
    ignored: tuple[str, ...] = ()


def read_row(record: Record, defaults: Defaults) -> Row:
    """Return the key that a record describes. Raises RowRefused."""
    kind = _kind(record, defaults)
    text = _text(record, "key", strip=True)
    hash = _hash(record)
    if bool(text) == (hash is not None):
        raise RowRefused("parameter_invalid", "A row needs either the text of the key or its hash.", "key")
    permissions = tuple(defaults.renamed.get(name, name) for name in _list(record, "permissions"))
    limits = ImportedLimits(
        tuple(_list(record, "ip_allowlist")), read_time(record.get("expires_at"), "expires_at"), _metadata(record),
        read_flag(record.get("disabled"), "disabled"), _text(record, "shown"),
    )  # fmt: skip
    known = {*FIELDS, defaults.account_field or "account"}
    return Row(
        text or None, hash, _account(record, defaults), _livemode(record, defaults),
        kind if hash is not None or "type" in record else None, _text(record, "name"), _text(record, "note"),
        permissions if permissions or kind != "restricted" else defaults.permissions, limits,
        tuple(sorted(name for name, value in record.items() if name not in known and value not in (None, "", [], {}))),
    )  # fmt: skip


def _kind(record: Record, defaults: Defaults) -> Kind:
    named = _text(record, "type") or defaults.kind
    if named == "secret":
        return "secret"
    if named == "restricted":
        return "restricted"
    if named == "publishable":
        return "publishable"
    raise RowRefused("type_invalid", "The type is secret, restricted or publishable.", "type")


def _account(record: Record, defaults: Defaults) -> str:
    name = defaults.account_field or "account"
    value = record.get(name)
    account = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    try:
        return rules.check_account(account or defaults.account)
    except KeyRefused as refused:
        raise RowRefused("account_invalid", str(refused), name) from None


def _livemode(record: Record, defaults: Defaults) -> bool:
    mode = _text(record, "mode").lower()
    if mode not in ("", "live", "test"):
        raise RowRefused("mode_invalid", "The mode is live or test.", "mode")
    return defaults.livemode if not mode else mode == "live"


def _hash(record: Record) -> ForeignHash | None:
    value = _text(record, "hash", strip=True)
    if not value:
        return None
    named = _text(record, "algorithm").lower()
    algorithm = _ALGORITHMS.get(named, named)
    lookup, before, after = (_text(record, name) for name in ("lookup", "salt_before", "salt_after"))
    try:
        if found := re.fullmatch(r"(sha256|sha512)\$\$([0-9a-fA-F]+)", value):
            return read_plain(found[1], found[2])
        if found := re.fullmatch(r"plain_(sha256|sha512)\$\$([0-9a-fA-F]+)", value):
            return salted(lookup, read_plain(found[1], found[2], "", lookup))
        if value.startswith(_SLOW):
            return read_slow(lookup, value)
        plain = read_plain(algorithm or ("sha512" if len(value) in (86, 88, 128) else "sha256"), value, before, after)
        return salted(lookup, plain) if lookup and (before or after) else _unsalted(plain)
    except HashRefused as refused:
        raise RowRefused("api_key_hash_invalid", str(refused), "hash") from None


def _unsalted(plain: PlainHash) -> PlainHash:
    if len(plain.before) + len(plain.after) > 256:
        raise HashRefused("A salt has up to 256 characters.")
    return plain


def _metadata(record: Record) -> dict[str, str]:
    value = record.get("metadata")
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
            raise RowRefused("metadata_invalid", "The metadata must be a JSON object.", "metadata") from None
    if value in (None, "", {}):
        return {}
    if not isinstance(value, dict):
        raise RowRefused("metadata_invalid", "The metadata must be a JSON object.", "metadata")
    plain = {name: each if isinstance(each, str) else json.dumps(each, sort_keys=True) for name, each in value.items()}
    return {name: text for name, text in plain.items() if text not in ("", "null")}


def _text(record: Record, name: str, strip: bool = False) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowRefused("parameter_invalid", f"The field {name} must be a text.", name)
    return value.strip() if strip else value


def _list(record: Record, name: str) -> list[str]:
    """A list, or a text with commas or spaces between its members, as CSV has it."""
    value = record.get(name)
    if value is None:
        return []
    members = re.split(r"[,;\s]+", value.strip()) if isinstance(value, str) else value
    if not isinstance(members, list) or not all(isinstance(each, str) for each in members):
        raise RowRefused("parameter_invalid", f"The field {name} must be a list of texts.", name)
    return [str(each) for each in members if each]


def read_time(value: Value, name: str) -> int | None:
    """Return a time as UTC epoch seconds. value: seconds, or ISO 8601, without an offset in UTC. Raises RowRefused."""
    if value in (None, ""):
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    if isinstance(value, str):
        if value.isascii() and value.isdigit() and len(value) < 16:
            return int(value)
        try:
            moment = datetime.fromisoformat(value)
            return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        except ValueError:
            pass
    raise RowRefused("parameter_invalid", f"The field {name} must be epoch seconds or a time in ISO 8601.", name)


def read_flag(value: Value, name: str) -> bool:
    """Return a truth value, also as CSV and databases write it: ``true``, ``t``, ``1``. Raises RowRefused."""
    if isinstance(value, bool):
        return value
    text = "" if value is None else str(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise RowRefused("parameter_invalid", f"The field {name} must be true or false.", name)
