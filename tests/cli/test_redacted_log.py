"""The server's log holds no secret, whatever an exception says."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tollkey.cli.redacted_log import log_to, reopen_files


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged while the root logger has no other handler and no server of this process has uvicorn's."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    for name in ("uvicorn", "uvicorn.error", "tollkey"):
        logger = logging.getLogger(name)
        for attribute, value in (("handlers", []), ("propagate", True), ("disabled", False), ("level", logging.NOTSET)):
            monkeypatch.setattr(logger, attribute, value)
    written = io.StringIO()
    log_to(written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    "secret", ["sk_live_" + "a1" * 20, "whsec_" + "a1" * 16, "pi_1a_secret_" + "a1" * 12, "4242424242424242", "a1" * 24]
)
def test_a_secret_in_an_exception_is_masked(stream: io.StringIO, secret: str) -> None:
    try:
        int(f"{secret} is no number")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("a request failed with %s.", secret)
    text = stream.getvalue()
    assert "ValueError: invalid literal" in text
    assert "a request failed with" in text
    assert secret not in text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("acme2_prod1_" + "a1B2" * 6, "a1B2a1B2"),
        ("postgresql://bob:hunter2@db.internal/shop", "hunter2"),
        ("host=db.internal password=hunter2", "hunter2"),
    ],
)
def test_a_key_of_any_brand_and_a_password_of_a_database_are_masked(
    stream: io.StringIO, text: str, secret: str
) -> None:
    logging.getLogger("tollkey").error("%s was refused", text)
    assert "was refused" in stream.getvalue()
    assert secret not in stream.getvalue()


def test_what_is_no_secret_is_written_as_it_is(stream: io.StringIO) -> None:
    logging.getLogger("tollkey").warning("job %s of %s failed", "invoice.finalize", "in_1PRGHoUQxTXVL8Fm")
    logging.getLogger("tollkey").info("not a warning")
    assert stream.getvalue().endswith(" WARNING tollkey job invoice.finalize of in_1PRGHoUQxTXVL8Fm failed\n")


def test_the_log_as_json_has_one_object_a_line_with_the_request_and_no_secret(stream: io.StringIO) -> None:
    written, secret = io.StringIO(), "sk_live_" + "a1" * 20
    log_to(written, "json")
    try:
        int(f"{secret} is no number")
    except ValueError:
        logging.getLogger("tollkey.wire").exception("req_1aB2 GET %s", secret)
    logging.getLogger("tollkey").warning("two\nlines")
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert (first["level"], first["logger"], first["request_id"]) == ("error", "tollkey.wire", "req_1aB2")
    assert "ValueError" in first["exception"]
    assert secret not in written.getvalue()
    assert datetime.fromisoformat(first["time"]).utcoffset() == timedelta(0)
    assert (second["message"], second.keys() & {"request_id", "exception"}) == ("two\nlines", set())


def test_an_equal_message_is_written_once_a_minute_with_the_number_of_those_left_out(stream: io.StringIO) -> None:
    def warn(at: float, text: str, error: Exception | None = None) -> None:
        exception = (type(error), error, None) if error else None
        record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, text, (), exception)
        record.created = at
        logging.getLogger("uvicorn.error").handle(record)

    log_to(stream, "json")
    for at in (1_000.0, 1_001.0, 1_059.9):
        warn(at, "Invalid HTTP request received.")
    warn(1_002.0, "Another one")
    warn(1_003.0, "Another one", OSError("of another kind"))
    warn(1_060.0, "Invalid HTTP request received.")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == [
        "Invalid HTTP request received.",
        "Another one",
        "Another one",
        "Invalid HTTP request received. (2 more since the last one that was written)",
    ]


def test_a_log_file_goes_on_in_a_new_one_after_it_was_moved_away(stream: io.StringIO, tmp_path: Path) -> None:
    file = tmp_path / "tollkey.log"
    log_to(stream, file=str(file))
    logging.getLogger("tollkey").warning("before")
    file.rename(tmp_path / "tollkey.log.1")
    reopen_files()
    logging.getLogger("tollkey").warning("after")
    log_to(stream)
    assert "before" in (tmp_path / "tollkey.log.1").read_text()
    assert "before" not in file.read_text()
    assert "after" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
