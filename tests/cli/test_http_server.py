"""The signals of the commands that serve."""

from __future__ import annotations

import asyncio
import os
import signal

from tollkey.cli.http_server import http_server
from tollkey.settings import Settings


async def _app(scope: object, receive: object, send: object) -> None:
    raise AssertionError("no request is sent")


def test_a_reload_without_a_log_file_does_not_end_the_server() -> None:
    """``systemctl reload`` sends SIGHUP, which ends a process that does not handle it."""
    unhandled: list[int] = []

    async def main() -> None:
        http_server(_app, Settings())
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)

    before = signal.signal(signal.SIGHUP, lambda number, frame: unhandled.append(number))
    try:
        asyncio.run(main())
    finally:
        signal.signal(signal.SIGHUP, before)
    assert unhandled == []
