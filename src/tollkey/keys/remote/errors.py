"""The exceptions of remote verification. A refused *request* is not an exception but a ``Checked`` that is false."""

from __future__ import annotations

from tollkey.db.engine import TollkeyError


class RemoteError(TollkeyError):
    """The key server did not do what it was asked for."""


class RemoteRefused(RemoteError):
    """The key server refused this service's own key: a fault of the configuration, not of a caller.

    status: 401 for an invalid service key, 403 for one that lacks a permission. permission: that permission, if known.
    """

    def __init__(self, message: str, status: int, permission: str | None = None) -> None:
        super().__init__(message)
        self.status, self.permission = status, permission


class RemoteUnavailable(RemoteError):
    """The key server cannot be reached, took too long, or answered something that is not understood.

    sent: the request may have reached the server, so that a change may have been made.
    """

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent
