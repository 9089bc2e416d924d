"""The server's log holds no secret, whatever an exception says."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from tollkey.cli.redacted_log import log_to


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


def test_what_is_no_secret_is_written_as_it_is(stream: io.StringIO) -> None:
    logging.getLogger("tollkey").warning("job %s of %s failed", "invoice.finalize", "in_1PRGHoUQxTXVL8Fm")
    logging.getLogger("tollkey").info("not a warning")
    assert stream.getvalue().endswith(" WARNING tollkey job invoice.finalize of in_1PRGHoUQxTXVL8Fm failed\n")
