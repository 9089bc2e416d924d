"""The exceptions of this package. A refused *request* is not an exception but the value ``Denied``."""

from __future__ import annotations

from tollkey.db import StorageError
from tollkey.db.engine import TollkeyError
from tollkey.keys.header import without_keys, without_typed_secrets

__all__ = [
    "KeyNotFound",
    "KeyRefused",
    "KeyringError",
    "SealBroken",
    "StorageError",
    "TollkeyError",
    "UnknownPermission",
]

#: Status codes of HTTP (RFC 9110 section 15.5) for codes of ``KeyRefused``; 400 for the others.
_STATUSES = {
    "resource_missing": 404,
    "api_key_changed": 409,
    "api_key_exists": 409,
    "api_key_grant_exceeded": 403,
}


class KeyRefused(TollkeyError):
    """A change to a key that is not allowed. Nothing was written.

    code: a stable identifier, for example ``api_key_expired``.
    message: a sentence that may be shown to the caller; keys that it repeats are masked.
    param: the name of the invalid argument, or None.
    """

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        self.code = code
        self.message = without_typed_secrets(message)
        super().__init__(self.message)
        self.param = param

    @property
    def status(self) -> int:
        """The status code of HTTP with which an interface answers it: 400, 403, 404 or 409."""
        return _STATUSES.get(self.code, 400)


class KeyNotFound(KeyRefused):
    """The account has no such key in this mode. id: as it was given. param: the argument that named it."""

    def __init__(self, id: str, param: str = "id") -> None:
        super().__init__("resource_missing", f"No such api_key: '{without_keys(id)[:100]}'", param)


class UnknownPermission(KeyRefused):
    """The permission is not declared. name: as it was given."""

    def __init__(self, name: str) -> None:
        super().__init__("permission_unknown", f"Unknown permission: {name}.", "permissions")
        self.name = name


class KeyringError(TollkeyError):
    """The keyring is missing, damaged, or does not belong to the database."""


class SealBroken(TollkeyError):
    """A sealed secret cannot be decrypted: damaged, from another row, or its sealing key is missing."""
