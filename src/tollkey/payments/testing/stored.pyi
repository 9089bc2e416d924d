"""Test clocks as they are stored, with their private fields."""

from typing import NotRequired

from tollkey.wire import api

class StoredTestClock(api.TestHelpersTestClock):
    """A test clock.

    _done: how many pieces of scheduled work the present advance has done; absent before the first.
    """

    _done: NotRequired[int]
