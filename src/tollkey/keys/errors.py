"""The exceptions of this package. A refused *request* is not an exception but the value ``Denied``."""

from __future__ import annotations

from tollkey.db.engine import TollkeyError


class KeyRefused(TollkeyError):
    """A change to a key that is not allowed. Nothing was written.

    code: a stable identifier, for example ``api_key_expired``.
    message: a sentence that may be shown to the caller; contains no secrets.
    param: the name of the invalid argument, or None.
    """

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


class UnknownPermission(KeyRefused):
    """The permission is not declared. name: as it was given."""

    def __init__(self, name: str) -> None:
        super().__init__("permission_unknown", f"Unknown permission: {name}.", "permissions")
        self.name = name
