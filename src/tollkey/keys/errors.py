"""The one exception of this room. A refused *request* is not an error: that is the value ``Denied``."""

from __future__ import annotations


class KeyRefused(Exception):
    """A change to a key that the rules do not allow. Nothing was written.

    code: stable and short, for programs.
    message: a public sentence; never holds a secret.
    param: the name of the argument that is to blame, or None.
    """

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


class UnknownPermission(KeyRefused):
    """A permission was named that no resource declares."""

    def __init__(self, name: str) -> None:
        super().__init__("permission_unknown", f"Unknown permission: {name}.", "permissions")
        self.name = name
