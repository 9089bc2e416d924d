"""Tests of what users of other key systems reported, each with the address of its report."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import Clock
from tollkey.keys import KeyService

Report = Callable[[KeyService, Clock], None]


class Reports:
    """A decorator with the address of a report. at: what all addresses begin with. tests: by whole address."""

    def __init__(self, at: str = "") -> None:
        self._at = at
        self.tests: dict[str, Report] = {}

    def __call__(self, address: str) -> Callable[[Report], Report]:
        """Keep the test of what was reported at an address."""

        def keep(test: Report) -> Report:
            self.tests[self._at + address] = test
            return test

        return keep
