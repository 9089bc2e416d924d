"""One TCP connection to a host, shared by all calls: frames, sign-on, echo, and which answer belongs to which request.

    call ──fields──▶ │ waiting, by type and the fields of ``match`` │ ──length, bytes──▶ host
         ◀──fields── │                                              │ ◀──length, bytes──

Before the first byte of a message is handed to the socket, whatever goes wrong is ``NotSent``; after it, ``Unknown``.
A connection that ends is made again, after pauses that grow. An answer that nobody waits for is counted and changes
nothing: a late one (its call has given up), a repeated one, or one that was never asked for.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from tollkey.payments.processors.iso8583.codec import Codec, Fields, Malformed
from tollkey.payments.processors.iso8583.dialect import Dialect
from tollkey.payments.processors.network import Clock, NotSent, Unknown

log = logging.getLogger("tollkey")
Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Key: TypeAlias = tuple[str, ...]
#: The trace numbers of messages of the link itself; those of requests are lower.
_FIRST, _LAST = 900_000, 999_999
#: How many answers are remembered, to tell late ones from repeated ones.
_REMEMBERED: Final = 10_000
#: Bytes that may wait for a host that does not read: above, nothing more is sent.
_MOST_WAITING: Final = 65_536
_LARGEST: Final = 65_535


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the link waits, in seconds.

    answer: for an answer. connect: for a connection and the sign-on. idle: without a message, until the host is asked
    for an echo. pauses: between attempts to connect, the last one repeated.
    """

    answer: float = 30
    connect: float = 10
    idle: float = 60
    pauses: tuple[float, ...] = (0.5, 1, 2, 5, 10, 30)


def transmitted(at: int) -> str:
    """Return a time as DE 7 has it. at: UTC epoch seconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%m%d%H%M%S")


class Link:
    """A connection to a host, made when it is first needed.

    connect: opens the streams; raises OSError. clock: for the time of messages of the link itself. counts: of what
    arrived without anybody waiting for it (``late``, ``repeated``, ``unasked``, ``unreadable``), and of connections
    (``connected``).
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Streams]],
        dialect: Dialect,
        timing: Timing,
        clock: Clock,
    ) -> None:
        self._connect, self._dialect, self.timing, self._clock = connect, dialect, timing, clock
        self._codec = Codec(dialect)
        self._writer: asyncio.StreamWriter | None = None
        self._ready = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._waiting: dict[_Key, asyncio.Future[Fields | Unknown]] = {}
        self._ended: OrderedDict[_Key, str] = OrderedDict()
        self._trace = _FIRST - 1
        self._heard = 0.0
        self._problem = "no connection yet"
        self._closed = False
        self.counts: Counter[str] = Counter()

    async def call(self, message: Fields) -> Fields | NotSent | Unknown:
        """Send a message once and return its answer. Raises Malformed for one that the dialect cannot write."""
        frame = self._frame(message)
        if not await self._is_ready():
            return NotSent(f"the host cannot be reached: {self._problem}")
        found = await self._exchange(message, frame)
        if isinstance(found, NotSent):
            await asyncio.sleep(0)  # a caller that tries again at once lets the link notice that it has ended
        return found

    async def check(self) -> float:
        """Have the host echo a message, and return the seconds that this took. Raises OSError when it does not."""
        if not await self._is_ready():
            raise ConnectionError(f"the host cannot be reached: {self._problem}")
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._manage("echo")
        return loop.time() - began

    async def close(self) -> None:
        """Sign off, close the connection, and make none again."""
        self._closed = True
        if self._ready.is_set():
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(min(self.timing.answer, 2)):
                    await self._manage("sign_off")
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
            self._running = None

    async def _is_ready(self) -> bool:
        if self._closed:
            self._problem = "the link is closed"
            return False
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().create_task(self._run())
        with suppress(TimeoutError):
            async with asyncio.timeout(self.timing.connect):
                await self._ready.wait()
        return self._ready.is_set()

    async def _run(self) -> None:
        """Keep a connection for as long as the link is open."""
        failures = 0
        while not self._closed:
            before = self.counts["connected"]
            try:
                await self._serve()
            except (OSError, TimeoutError, EOFError, Malformed) as problem:
                self._problem = str(problem) or type(problem).__name__
            failures = 0 if self.counts["connected"] > before else failures + 1
            await asyncio.sleep(self.timing.pauses[min(failures, len(self.timing.pauses) - 1)])

    async def _serve(self) -> None:
        """Connect, sign on, read until the connection ends. Raises what ended it."""
        async with asyncio.timeout(self.timing.connect):
            reader, self._writer = await self._connect()
        reading = asyncio.get_running_loop().create_task(self._read(reader))
        try:
            async with asyncio.timeout(self.timing.connect):
                await self._manage("sign_on")
            self.counts["connected"] += 1
            self._ready.set()
            while not reading.done():
                await self._watch(reading)
            await reading
        finally:
            self._ready.clear()
            reading.cancel()
            self._writer.close()
            self._writer = None
            for future in list(self._waiting.values()):
                if not future.done():
                    future.set_result(Unknown("the connection ended before the answer came"))
            await asyncio.wait({reading})  # unlike awaiting it, this lets our own cancellation through
            if not reading.cancelled():
                reading.exception()  # has been looked at

    async def _watch(self, reading: asyncio.Task[None]) -> None:
        """Wait until the connection ends, or for an echo when nothing was heard for long."""
        loop = asyncio.get_running_loop()
        rest = self._heard + self.timing.idle - loop.time()
        if rest <= 0:
            await self._manage("echo")
            return
        await asyncio.wait({reading}, timeout=rest)

    async def _manage(self, name: str) -> None:
        """Exchange a message of network management. Raises ConnectionError unless the host agrees."""
        given = self._dialect.messages[name]
        self._trace = self._trace + 1 if self._trace < _LAST else _FIRST
        message = given.made_of({"7": transmitted(int(self._clock())), "11": str(self._trace)})
        answer = await self._exchange(message, self._frame(message))
        what = name.replace("_", "-")
        if isinstance(answer, NotSent | Unknown):
            raise ConnectionError(f"no answer to the {what}: {answer.why}")
        if answer.get("39") not in self._dialect.answers["approved"]:
            raise ConnectionError(f"the host answered the {what} with {answer.get('39', 'nothing')}")

    def _frame(self, message: Fields) -> bytes:
        data = self._codec.encode(message)
        if len(data) > _LARGEST:
            raise Malformed("the message is too long for its length")
        return len(data).to_bytes(2, "big") + data

    async def _exchange(self, message: Fields, frame: bytes) -> Fields | NotSent | Unknown:
        writer, key = self._writer, self._key(message, ahead=1)
        if writer is None or writer.is_closing():
            return NotSent("the connection has just ended")
        if key in self._waiting:
            return NotSent("the same message is under way")
        if _reads_nothing(writer):
            return NotSent("the host does not read what it was sent")
        future: asyncio.Future[Fields | Unknown] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        self._ended.pop(key, None)
        how = "late"
        try:
            writer.write(frame)  # from here on a byte may have left
            async with asyncio.timeout(self.timing.answer):
                answer = await future
            how = "repeated" if not isinstance(answer, Unknown) else "late"
            return answer
        except TimeoutError:
            return Unknown("no answer came in time")
        finally:
            del self._waiting[key]
            self._ended[key] = how
            if len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)

    def _key(self, message: Fields, ahead: int = 0) -> _Key:
        """Return what tells an answer from others: its type without repeats, and the fields of ``match``.

        ahead: 1 for a request, whose answer's type has a third digit that is one more.
        """
        kind = message["t"]
        if kind.startswith("08") and "11" in self._dialect.match:  # these trace numbers belong to nobody else
            return (f"{kind[:2]}{int(kind[2]) + ahead}", message.get("11", ""))
        fields = self._dialect.fields
        told = (fields[name].padded(message[name]).rstrip() if name in message else "" for name in self._dialect.match)
        return (f"{kind[:2]}{int(kind[2]) + ahead}", *told)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            size = int.from_bytes(await reader.readexactly(2), "big")
            data = await reader.readexactly(size)
            self._heard = asyncio.get_running_loop().time()
            if data:  # some hosts send an empty frame now and then
                self._take(data)
            await asyncio.sleep(0)  # a host that talks without end leaves time to others

    def _take(self, data: bytes) -> None:
        try:
            message = self._codec.decode(data)
            request = int(message["t"][2]) % 2 == 0
        except ValueError as problem:
            self.counts["unreadable"] += 1
            log.warning("the host sent a message that cannot be read: %s", problem)
            return
        if request:
            self._answer(message)
            return
        key = self._key(message)
        future = self._waiting.get(key)
        if future is not None and not future.done():
            future.set_result(message)
            return
        how = "repeated" if future is not None else self._ended.get(key, "unasked")
        self.counts[how] += 1
        log.warning("a %s answer of the host was left aside: %s", how, message["t"])

    def _answer(self, message: Fields) -> None:
        """Answer what the host asks by itself: an echo or the like. Anything else is left unanswered."""
        kind, writer = message["t"], self._writer
        if not kind.startswith("08") or writer is None or writer.is_closing() or _reads_nothing(writer):
            self.counts["unasked"] += 1
            log.warning("a request of the host was left unanswered: %s", kind)
            return
        with suppress(Malformed):
            answer = {**message, "t": f"{kind[:2]}{int(kind[2]) + 1}0", "39": "00"}
            writer.write(self._frame(answer))


def _reads_nothing(writer: asyncio.StreamWriter) -> bool:
    """Return whether so much waits for the host that nothing more is to be sent."""
    return writer.transport.get_write_buffer_size() > _MOST_WAITING
