"""jPOS as the host: it understands every message, and answers as the recorded bytes of the ordinary tests say."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.judges.installing import PROGRAMS, java_with, needed
from tests.contract.judges.proxies import free_port
from tests.payments.processors.iso8583.conversation import RECORDED, STEPS, Tap, converse, recorded
from tests.payments.processors.iso8583.steps import NOW, configuration
from tollkey.payments.processors.iso8583.config import read
from tollkey.payments.processors.iso8583.processor import Iso8583


@pytest.fixture
def jpos(tmp_path: Path) -> Iterator[tuple[int, Callable[[], list[str]]]]:
    """A host of jPOS: its port, and what it has printed. The newest release of version 2: version 3 needs Java 23."""
    libraries = java_with("jpos", "org.jpos", "jpos", "2")
    port = free_port()
    log = tmp_path / "jpos.log"
    command = [needed("java"), "-cp", f"{libraries}/*", str(PROGRAMS / "AcquirerHost.java"), str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(_listening(port))
        yield port, lambda: log.read_text().splitlines()
    finally:
        process.kill()
        process.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(120):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.2)
                continue
            writer.close()
            return


def test_jpos_understands_every_message_and_is_understood(
    jpos: tuple[int, Callable[[], list[str]]], record_property: Callable[[str, object], None]
) -> None:
    port, printed = jpos

    async def run() -> tuple[list[object], Tap]:
        tap = Tap(port)
        server = await asyncio.start_server(tap.serve, "127.0.0.1", 0)
        config = configuration(server.sockets[0].getsockname()[1], link={"answer_seconds": 5})
        found = await converse(Iso8583(read(config), lambda: NOW), tap)
        server.close()
        return list(found), tap

    found, tap = asyncio.run(run())
    assert [type(one) for one in found] == [kind for _, _, kind in STEPS]
    assert {line.split()[0] for line in printed()} >= {"0100", "0200", "0220", "0221", "0400", "0420", "0421", "0800"}
    record_property("messages that jPOS and we exchanged", len(tap.frames))
    if "TOLLKEY_RECORD" in os.environ:
        RECORDED.write_text("".join(json.dumps(frame) + "\n" for frame in tap.frames))
    assert tap.frames == recorded()
