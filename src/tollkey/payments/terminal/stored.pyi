"""Readers as they are stored, with their private fields."""

from typing import Literal, NotRequired

from tollkey.wire import api

class StoredReader(api.TerminalReader):
    """A reader.

    _redisplay: the ``allow_redisplay`` of the payment method that its current action will make; absent when not told.
    """

    _redisplay: NotRequired[Literal["always", "limited", "unspecified"]]
