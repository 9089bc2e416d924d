"""What is said to a host, message by message: with jPOS in the judges' tests, whose bytes are recorded here.

Each step has the message's name, what is done, and what has to come of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.payments.processors.iso8583.steps import authorize, capture, refund, reverse, void
from tollkey.payments.processors.iso8583.processor import Iso8583
from tollkey.payments.processors.network import Approved, Declined, Outcome, Unknown

RECORDED = Path(__file__).parent / "recorded" / "jpos.jsonl"
FIRST, SECOND, LOST = authorize(1), authorize(2, 2500, "eur", capture=True), authorize(5, 9900)
#: jPOS (tests/contract/judges/programs/AcquirerHost.java) declines 51.00, and never answers 99.00.
STEPS: tuple[tuple[str, Callable[[Iso8583], Awaitable[Outcome]], type], ...] = (
    ("authorize", lambda host: host.send(FIRST), Approved),
    ("purchase", lambda host: host.send(SECOND), Approved),
    ("declined", lambda host: host.send(authorize(3, 5100)), Declined),
    ("capture", lambda host: host.send(capture(FIRST, amount=700)), Approved),
    ("capture again", lambda host: host.send(capture(FIRST, amount=700, repeats=1)), Approved),
    ("refund", lambda host: host.send(refund(SECOND, amount=100)), Approved),
    ("void", lambda host: host.send(void(FIRST)), Approved),
    ("void of nothing", lambda host: host.send(void(FIRST, 202)), Declined),
    ("lost", lambda host: host.send(LOST), Unknown),
    ("reverse", lambda host: host.reverse(reverse(LOST)), Approved),
    ("reverse of nothing", lambda host: host.reverse(reverse(authorize(6), 402)), Unknown),
    ("reverse of nothing again", lambda host: host.reverse(reverse(authorize(6), 402, 2)), Approved),
)


@dataclass
class Tap:
    """Passes bytes on between a processor and a host, and keeps each frame. port: of the host."""

    port: int
    step: str = "sign-on"
    frames: list[dict[str, str]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the processor."""
        host_reader, host_writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            await asyncio.gather(
                self._pass("sent", reader, host_writer), self._pass("answered", host_reader, writer),
            )  # fmt: skip
        except (OSError, EOFError):
            host_writer.close()
            writer.close()

    async def _pass(self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            length = await reader.readexactly(2)
            data = await reader.readexactly(int.from_bytes(length, "big"))
            self.frames.append({"step": self.step, "way": way, "bytes": data.hex()})
            writer.write(length + data)


async def converse(processor: Iso8583, tap: Tap) -> Iterator[Any]:
    """Do every step, and return what came of each."""
    await processor.probe()
    found = []
    for name, step, _ in STEPS:
        tap.step = name
        found.append(await step(processor))
    tap.step = "sign-off"
    await processor.close()
    return iter(found)


def recorded() -> list[dict[str, str]]:
    """The frames of a conversation with jPOS."""
    return [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
