"""A processor over a real socket: one line of JSON for each message, and a provider that speaks to it.

``PROVIDER`` is what an installed package would name as an entry point (``installed``). ``python -m
tests.support.socket_processor PORT FILE`` serves one in a process of its own; what it did is in the file, one line
each, written before it answers.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tollkey.payments.processors.network import (
    Approved,
    Clock,
    Declined,
    Features,
    Inquire,
    NotFound,
    Notice,
    Notices,
    NotSent,
    Outcome,
    Provider,
    Request,
    Reverse,
    Unknown,
)

FEATURES = Features(
    frozenset({"authorize", "capture", "void", "refund", "payout", "contest", "accept", "verify"}),
    repeatable=frozenset({"capture", "void", "refund", "payout", "contest", "accept"}),
    notices=True,
)
Json = dict[str, Any]
PAGE = 100  # lines of a settlement in one answer, which is one line of at most 64 KiB


class Client:
    """The provider's side: a connection for each message."""

    features = FEATURES

    def __init__(self, config: Mapping[str, Any], clock: Clock) -> None:
        for name in ("host", "port"):
            if name not in config:
                raise ValueError(f"{name} is missing")
        self._host, self._port, self._clock = str(config["host"]), int(config["port"]), clock
        self._seconds = float(config.get("seconds", 2.0))

    async def _ask(self, message: Json) -> Json | NotSent | Unknown:
        try:
            async with asyncio.timeout(self._seconds):
                reader, writer = await asyncio.open_connection(self._host, self._port)
        except (OSError, TimeoutError):
            return NotSent("no connection")
        try:
            async with asyncio.timeout(self._seconds):
                writer.write(json.dumps(message).encode() + b"\n")
                await writer.drain()
                line = await reader.readline()
                answer: Json = json.loads(line)
                return answer
        except (OSError, TimeoutError, ValueError):
            return Unknown("no answer")
        finally:
            writer.close()

    async def send(self, request: Request) -> Outcome:
        about = getattr(request, "original", None)
        answer = await self._ask(
            {
                "kind": request.operation, "reference": request.reference, "amount": request.amount,
                "takes": getattr(request, "capture", False), "about": about.reference if about else None,
                "token": request.method.token if request.operation == "authorize" else "",
            }
        )  # fmt: skip
        return _outcome(answer)

    async def inquire(self, request: Inquire) -> Outcome | NotFound:
        answer = await self._ask({"kind": "inquire", "reference": request.original.reference})
        return NotFound() if isinstance(answer, dict) and answer["is"] == "not found" else _outcome(answer)

    async def reverse(self, request: Reverse) -> Outcome:
        return _outcome(await self._ask({"kind": "reverse", "reference": request.original.reference}))

    async def notices(self, cursor: str) -> Notices:
        answer = await self._ask({"kind": "settlement", "cursor": int(cursor or 0)})
        if not isinstance(answer, dict):
            raise OSError("no answer")
        now = int(self._clock())
        lines = tuple(
            Notice(str(number), "settled", reference, now, amount, "usd")
            for number, reference, amount in answer["lines"]
        )
        return Notices(lines, str(answer["cursor"]))

    async def probe(self) -> str:
        answer = await self._ask({"kind": "echo"})
        if not isinstance(answer, dict):
            raise OSError(answer.why)
        return "it answers"

    async def close(self) -> None:
        return None


def _outcome(answer: Json | NotSent | Unknown) -> Outcome:
    if isinstance(answer, NotSent | Unknown):
        return answer
    if answer["is"] == "approved":
        return Approved(answer["code"], {"rrn": answer["code"]})
    return (
        Declined("insufficient_funds", network_code="51") if answer["is"] == "declined" else Unknown("not understood")
    )


PROVIDER = Provider("socket", "A scripted processor on a socket", Client)


def installed(folder: Path) -> Path:
    """Describe this module in a folder as an installed package would; put the folder on the path of Python."""
    described = folder / "socket_processor-1.0.dist-info"
    described.mkdir(parents=True, exist_ok=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: socket-processor\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(
        "[tollkey.processors]\nsocket = tests.support.socket_processor:PROVIDER\n"
    )
    return folder


class Books:
    """What the other end did: durable in a file, so that it may be killed as well."""

    def __init__(self, file: Path, faults: float, seed: int) -> None:
        self._file, self._random, self._faults = file, random.Random(seed), faults
        self.done: dict[str, Json] = {}
        self.undone: set[str] = set()
        self.lines: list[tuple[int, str, int]] = []
        for line in file.read_text().splitlines() if file.exists() else ():
            self._note(json.loads(line))

    def _note(self, entry: Json) -> None:
        reference = entry["reference"]
        if entry["kind"] == "reverse":
            self.undone.add(reference)
            self.done.pop(reference, None)
            back = [amount for _, about, amount in self.lines if about == reference]
            if sum(back):
                self.lines.append((len(self.lines) + 1, reference, -sum(back)))
            return
        self.done[reference] = entry
        taken = {"capture": 1, "refund": -1, "payout": -1}.get(entry["kind"], 1 if entry.get("takes") else 0)
        if taken and entry["is"] == "approved":
            self.lines.append((len(self.lines) + 1, reference, taken * entry["amount"]))

    def _keep(self, entry: Json) -> None:
        with self._file.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        self._note(entry)

    def answer(self, message: Json) -> Json:
        kind, reference = message["kind"], message.get("reference", "")
        if kind == "echo":
            return {"is": "approved", "code": ""}
        if kind == "settlement":
            lines = self.lines[message["cursor"] : message["cursor"] + PAGE]
            return {"lines": lines, "cursor": message["cursor"] + len(lines)}
        if kind == "reverse":
            self._keep({"kind": "reverse", "reference": reference})
            return {"is": "approved", "code": ""}
        known = self.done.get(reference)
        if known is not None:
            return known
        if kind == "inquire":
            return {"is": "declined" if reference in self.undone else "not found"}
        if reference in self.undone:
            return {"is": "declined"}
        declined = message.get("token") == "declined"
        self._keep({**message, "is": "declined" if declined else "approved", "code": reference[:6]})
        return self.done[reference]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one message, or lose it, or its answer, or be slow."""
        with suppress(OSError, ValueError):
            message = json.loads(await reader.readline())
            fault = self._random.random() < self._faults and message["kind"] not in ("echo", "settlement")
            how = self._random.choice(("lost", "unanswered", "slow", "cut")) if fault else "ok"
            if how != "lost":
                line = json.dumps(self.answer(message)).encode() + b"\n"
                if how == "slow":
                    await asyncio.sleep(self._random.random() * 3)
                if how in ("ok", "slow", "cut"):
                    writer.write(line[: len(line) // 2] if how == "cut" else line)
                    await writer.drain()
        writer.close()


async def main(port: int, file: str, faults: float, seed: int) -> None:
    books = Books(Path(file), faults, seed)
    server = await asyncio.start_server(books.serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])))
