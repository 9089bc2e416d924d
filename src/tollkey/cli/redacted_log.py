"""The server's log on standard error, without secrets.

An exception's text may hold what a caller sent (``invalid literal for int(): '…'``, the DETAIL of a database's error),
so every line is redacted, whichever module or library wrote it.
"""

from __future__ import annotations

import logging
from typing import TextIO

from tollkey.wire.jobs import without_secrets


class RedactingFormatter(logging.Formatter):
    """Formats records, tracebacks included, and masks keys, secrets, tokens and long numbers in them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        return without_secrets(super().format(record))


def log_to(stream: TextIO) -> None:
    """Write warnings and errors of every logger to a stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
