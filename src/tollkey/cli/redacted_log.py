"""The server's log without secrets, on standard error or in a file, as text or as JSON.

An exception's text may hold what a caller sent (``invalid literal for int(): '…'``, the DETAIL of a database's error),
so every line is redacted, whichever module or library wrote it.
"""

from __future__ import annotations

import json
import logging
import os
import re
from datetime import UTC, datetime
from typing import TextIO

from tollkey.wire.jobs import without_secrets

_REQUEST = re.compile(r"\breq_[A-Za-z0-9]+")


class RedactingFormatter(logging.Formatter):
    """Formats records, tracebacks included, and masks keys, secrets, tokens and long numbers in them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        return without_secrets(super().format(record))


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, with the fields time, level, logger, message, request_id and exception.

    time: UTC, RFC 3339. request_id: of the request that the message is about; left out if it is about none.
    exception: the traceback; left out if there is none. Secrets are masked as in ``RedactingFormatter``.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        message = without_secrets(record.getMessage())
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        if (request := _REQUEST.search(message)) is not None:
            line["request_id"] = request[0]
        if record.exc_info:
            line["exception"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class OncePerMinute(logging.Filter):
    """Passes a message once a minute, the next time with the number of equal ones that were left out between.

    A stranger causes a warning with each malformed request, and a database that is away one with each attempt: neither
    must fill the disk. Messages are equal if logger, text and type of exception are.
    """

    SECONDS = 60.0
    MOST = 1_000  # messages that are remembered

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[tuple[object, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write a record, and add the number of those left out to its text."""
        kind = record.exc_info[0] if record.exc_info else None
        key = (record.name, record.levelno, record.getMessage(), kind)
        at, left_out = self._passed.get(key, (-self.SECONDS, 0))
        if record.created < at + self.SECONDS:
            self._passed[key] = (at, left_out + 1)
            return False
        if len(self._passed) >= self.MOST:
            self._passed.clear()
        self._passed[key] = (record.created, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} more since the last one that was written)", ()
        return True


class LogFile(logging.FileHandler):
    """Writes a log to a file that only its owner can read, and that can be moved away by a program like logrotate."""

    def __init__(self, path: str) -> None:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        super().__init__(path, encoding="utf-8")

    def reopen(self) -> None:
        """Go on in a new file of the same name, after the old one was moved away."""
        self.acquire()
        try:
            self.close()
            os.close(os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
            self.stream = self._open()
        finally:
            self.release()


def log_to(stream: TextIO, form: str = "text", file: str = "") -> None:
    """Write warnings and errors of every logger to a stream, or to a file if one is named.

    form: ``text`` or ``json``. Raises OSError for a file that cannot be opened.
    """
    handler: logging.Handler = LogFile(file) if file else logging.StreamHandler(stream)
    text = RedactingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(JsonFormatter() if form == "json" else text)
    handler.addFilter(OncePerMinute())
    root = logging.getLogger()
    earlier = [one for one in root.handlers if isinstance(one.formatter, RedactingFormatter | JsonFormatter)]
    for own in earlier:
        root.removeHandler(own)
        own.close()
    if earlier or not root.handlers:
        root.addHandler(handler)
        root.setLevel(logging.WARNING)


def reopen_files() -> None:
    """Reopen the log file, if the log is written to one."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LogFile):
            handler.reopen()
