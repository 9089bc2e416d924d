"""Verification sessions as they are stored, with their private fields."""

from typing import NotRequired

from tollkey.wire import api

class StoredVerificationSession(api.IdentityVerificationSession):
    """A verification session.

    _return_url: where its page leads to afterwards, or None.
    _outcome: the outcome that was picked on the page, ``verified`` or a key of ``checks.ERRORS``; only there while the
        session is processing.
    """

    _return_url: str | None
    _outcome: NotRequired[str]
