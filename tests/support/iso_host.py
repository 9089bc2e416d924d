"""A host that speaks ISO 8583 over a real socket: it keeps what it was told, and does wrong what a test asks for.

It is written on pyiso8583's own specification, not on ours, so that both have to agree.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

import iso8583
from iso8583.specs import default_ascii

Fault = Literal[
    "lose_request", "lose_answer", "delay", "repeat", "cut_before", "cut_within", "cut_after", "garbage",
    "other_amount", "no_code",
]  # fmt: skip
Message = dict[str, str]


@dataclass
class Host:
    """What the host holds, and what it will do wrong next.

    faults: one for each message that is not of network management, in their order; None for none. answers: DE 39 for
    amounts (``"000000005100": "51"``). held, captured: units, by trace and time of the authorization. refunded: units,
    by the reference of the refund. undone: what must not be done when it arrives late. delayed_seconds: of ``delay``.
    """

    port: int = 0
    faults: deque[Fault | None] = field(default_factory=deque)
    answers: dict[str, str] = field(default_factory=dict)
    signs_on: bool = True
    echoes: bool = True
    delayed_seconds: float = 1.5
    seen: list[Message] = field(default_factory=list)
    managed: list[str] = field(default_factory=list)
    management: list[Message] = field(default_factory=list)
    answered: list[Message] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)
    captured: dict[str, int] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    done: set[tuple[str, str, str]] = field(default_factory=set)
    connections: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set)
    later: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends."""
        self.connections += 1
        self.writers.add(writer)
        try:
            while True:
                data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                decoded, _ = iso8583.decode(data, default_ascii)
                if not self.take(dict(decoded), writer):
                    break
        except (OSError, EOFError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    def take(self, message: Message, writer: asyncio.StreamWriter) -> bool:
        """Do what a message says, and answer it, or not. Returns whether the connection goes on."""
        if message["t"] == "0800":
            self.managed.append(message["70"])
            self.management.append(message)
            willing = self.signs_on if message["70"] == "001" else self.echoes
            if willing:
                send(writer, {**message, "t": "0810", "39": "00"})
            return True
        if int(message["t"][2]) % 2:
            self.answered.append(message)
            return True
        self.seen.append(message)
        fault = self.faults.popleft() if self.faults else None
        if fault in ("lose_request", "cut_before"):
            return fault == "lose_request"
        answer = self.answer(message)
        if fault == "no_code":
            answer.pop("39")
        if fault == "other_amount":
            answer["4"] = "000000000001"
        data = framed(answer) if fault != "garbage" else b"\x00\x05hello"
        if fault == "delay":
            self.later.add(asyncio.get_running_loop().create_task(self.write_later(writer, data)))
        elif fault == "cut_within":
            writer.write(data[:7])
        elif fault not in ("lose_answer", "cut_after"):
            writer.write(data * (2 if fault == "repeat" else 1))
        return fault not in ("cut_within", "cut_after")

    async def ask(self, message: Message) -> None:
        """Send a message of the host's own on every connection."""
        for writer in self.writers:
            send(writer, message)
            await writer.drain()

    async def write_later(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Send an answer after ``delayed_seconds``."""
        await asyncio.sleep(self.delayed_seconds)
        writer.write(data)

    def answer(self, message: Message) -> Message:
        """Do what a message says, once, and return the answer."""
        kind, units, reference = message["t"], int(message["4"]), message["37"].strip()
        code = self.answers.get(message["4"], "00")
        mark = (kind[:3], message["11"], message["7"])
        first, again = mark not in self.done, kind[3] == "1"
        if not first and not again:
            return {**message, "t": f"{kind[:2]}{int(kind[2]) + 1}0", "39": "94"}
        self.done.add(mark)
        original = message.get("90", "")[4:20]
        if code == "00" and first:
            code = self.act(kind, message, units, reference, original)
        answer = {**message, "t": f"{kind[:2]}{int(kind[2]) + 1}0", "39": code}
        answer.pop("2", None)
        return {**answer, "38": f"{len(self.done):06d}"} if code == "00" and kind in ("0100", "0200") else answer

    def act(self, kind: str, message: Message, units: int, reference: str, original: str) -> str:
        """Move money. original: trace and time of the authorization that the message is about."""
        own = message["11"] + message["7"]
        if kind in ("0100", "0200"):
            if own in self.undone:
                return "05"
            (self.held if kind == "0100" else self.captured)[own] = units
        elif kind[:3] in ("040", "042"):
            self.undone.add(original)
            known = self.held.pop(original, None) is not None or self.captured.pop(original, None) is not None
            return "00" if known else "25"
        elif message["3"] == "200000":
            self.refunded[reference] = units
        else:
            if self.held.pop(original, -1) < units:
                return "13"
            self.captured[original] = units
        return "00"

    def cut(self) -> None:
        """End all connections."""
        for writer in list(self.writers):
            writer.transport.abort()


def framed(message: Message) -> bytes:
    """Return the bytes of a message with their length."""
    data, _ = iso8583.encode(message, default_ascii)
    return len(data).to_bytes(2, "big") + bytes(data)


def send(writer: asyncio.StreamWriter, message: Message) -> None:
    """Send a message."""
    writer.write(framed(message))


@asynccontextmanager
async def iso_host(tls: ssl.SSLContext | None = None) -> AsyncIterator[Host]:
    """A host on a port of its own. tls: None for a plain link."""
    host = Host()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0, ssl=tls)
    host.port = server.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        server.close()
        host.cut()
        for task in host.later:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 5)
