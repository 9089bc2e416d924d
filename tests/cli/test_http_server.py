"""The signals of the commands that serve."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

from tollkey.cli.http_server import http_server
from tollkey.settings import Settings


async def _app(scope: object, receive: object, send: object) -> None:
    raise AssertionError("no request is sent")


DRAINING = """
import asyncio, os, signal, socket
from tollkey.cli.http_server import http_server
from tollkey.settings import Settings

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})

async def main():
    told = asyncio.Event()
    http = http_server(app, Settings(drain_seconds=600, stop_seconds=1200), told.set)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(http.serve([listener]))
        while not http.started:
            await asyncio.sleep(0.001)
        os.kill(os.getpid(), signal.SIGTERM)
        await told.wait()
        await asyncio.sleep(0.3)  # uvicorn looks every 0.1 s whether to end
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"GET / HTTP/1.1\\r\\nHost: test\\r\\nConnection: close\\r\\n\\r\\n")
        print((await reader.read())[:12].decode(), serving.done())
        os.kill(os.getpid(), signal.SIGINT)
        await serving
        print("ended")

asyncio.run(main())
"""


def test_requests_are_accepted_while_a_server_drains_and_a_second_signal_ends_that() -> None:
    done = subprocess.run([sys.executable, "-c", DRAINING], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.returncode) == ("HTTP/1.1 204 False\nended\n", 0), done.stderr


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
