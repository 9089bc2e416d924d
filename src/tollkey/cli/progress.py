"""Reports of long work on standard error, once a second."""

from __future__ import annotations

import time

import typer


class Reporting:
    """Reports at most once a second, so that nothing is printed for what is done at once."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line, unless the last one was printed within a second."""
        if time.monotonic() - self._said >= 1:
            self._said = time.monotonic()
            typer.echo(text, err=True)

    def rows(self, table: str, rows: int) -> None:
        """Report how many rows were read or written, and of which table the last ones were."""
        self.say(f"{rows:,} rows so far ({table})")

    def percent(self, percent: int) -> None:
        """Report how much of a file was copied."""
        self.say(f"{percent} % copied")
