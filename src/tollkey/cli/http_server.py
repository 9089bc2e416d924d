"""The HTTP server of the commands that serve: uvicorn, with time-outs for slow clients and for its own end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import uvicorn

from tollkey.cli.protocol import BoundedProtocol
from tollkey.cli.redacted_log import reopen_files
from tollkey.cli.slow_clients import Sweeper
from tollkey.settings import Settings

log = logging.getLogger("tollkey")

_EARLIER_SECONDS = 0.5  # for the end itself


def http_server(
    app: Any, settings: Settings, stopping: Callable[[], None] | None = None, tls: Path | None = None
) -> uvicorn.Server:
    """Return the HTTP server of an ASGI application. SIGTERM and SIGINT stop it: for ``drain_seconds``
    requests are still accepted, and those that have begun are answered. A second one ends it without waiting.
    SIGHUP reopens the log file; in a terminal and without such a file it ends the process, as the terminal's end does.

    The process ends within ``stop_seconds`` of the signal, whatever hangs. Must be called in the event loop that will
    run it. stopping: called when the signal arrives. tls: the file with a certificate and its key, to speak TLS.
    """
    sweeper = Sweeper(settings.receive_seconds, settings.send_seconds)

    async def sweep() -> None:
        sweeper.sweep([one for one in http.server_state.connections if isinstance(one, BoundedProtocol)])

    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        log_level="warning",
        access_log=False,
        log_config=None,  # its loggers write to the handler of ``log_to``
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=max(1, (settings.stop_seconds - settings.drain_seconds) // 2),
        ssl_certfile=tls,
        callback_notify=sweep,
        timeout_notify=1,
    )
    http = uvicorn.Server(config)
    http.capture_signals = nullcontext  # type: ignore[assignment]  # its handlers would end the draining at once
    loop = asyncio.get_running_loop()
    signals: list[int] = []

    def close() -> None:
        http.should_exit = True

    def stop(number: int) -> None:
        signals.append(number)
        if len(signals) > 1:  # whoever repeats it does not want to wait
            http.should_exit = http.force_exit = True
            return
        if stopping is not None:
            stopping()
        _end_after(settings.stop_seconds)
        loop.call_later(settings.drain_seconds, close)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    if settings.log_file or not (sys.stdin and sys.stdin.isatty()):  # ``systemctl reload`` must not end a server
        loop.add_signal_handler(signal.SIGHUP, reopen_files)
    return http


def _end_after(seconds: float) -> None:
    """End the process after some seconds, if it still runs then. A thread of its own waits, so nothing can delay it."""

    def end() -> None:
        log.error("ending with work unfinished, as the time to stop is over; none of it was acknowledged")
        os._exit(1)

    timer = threading.Timer(seconds - _EARLIER_SECONDS, end)
    timer.daemon = True
    timer.start()
