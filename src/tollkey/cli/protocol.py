"""uvicorn's HTTP/1.1 protocol with a limit on request heads, and a fast path for simple GET requests.

uvicorn's parser buffers headers, and trailers of chunked bodies, without a limit: one connection without a key could
fill the memory. Bodies are limited where they are read. When a body is not read, the connection is closed after the
response (RFC 9112, section 9.6: first the write side, because a reset could discard the response).

An ASGI application needs a task, several events and two messages per request, which costs twice as much as looking up a
stored object. If the application has a method ``at_once``, it is called first, for GET requests without a body, and
then its ``soon``, if it has one, which answers later but starts no task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from tollkey.cli.one_write import OneWrite
from tollkey.cli.slow_clients import Awaited

Answer = tuple[int, bytes, bytes]  # status, header lines, body
LINGER_SECONDS = 2.0  # time that a client that is still sending has to read the response
_PAUSE_SECONDS = 0.05  # between two reads of what it sends, at most 256 KB, which is discarded
_LATE = (
    b'{\n  "error": {\n    "message": "The request did not arrive in time.",\n'
    b'    "type": "invalid_request_error"\n  }\n}\n'
)
LARGEST_HEAD = 32 * 1024  # bytes that may arrive without completing the head, a chunk of the body or the message


class _Flow(FlowControl):
    """Does not resume reading while pipelined requests are queued; in uvicorn the queue grows without limit."""

    def __init__(self, protocol: BoundedProtocol) -> None:
        super().__init__(protocol.transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        if not self._protocol.pipeline:
            super().resume_reading()


class _Later:
    """What uvicorn's cycle is to a connection, for a request that the application's ``soon`` answers."""

    message_event = asyncio.Event()  # nobody waits for it
    response_started = disconnected = False

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive, self.response_complete = keep_alive, False


class BoundedProtocol(OneWrite):
    """Responds with 400 and closes when a head or trailers exceed ``LARGEST_HEAD`` bytes."""

    _unread = 0
    _advanced = False
    _default_headers: list[tuple[bytes, bytes]] | None = None
    _default_lines = b""
    _waits = False  # whether the request may still be handled by ``at_once``
    _whole = True  # whether the request was received completely
    _at_once: Callable[[bytes, Iterable[tuple[bytes, bytes]], str | None, bool], Answer | None] | None
    _soon: Callable[[bytes, Iterable[tuple[bytes, bytes]], str | None, bool, Callable[[Answer], None]], bool] | None
    _ending: Any = None  # the transport that is closing while the client still sends
    _begun = _heads = 0  # heads of which a part, and the whole, was received
    _body = 0  # bytes received of the body
    stalled: tuple[tuple[Awaited, int], float] | None = None  # of the sweeper (``slow_clients``)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Set up flow control for a new connection."""
        super().connection_made(transport)
        self.flow = _Flow(self)
        self._at_once, self._soon = getattr(self.app, "at_once", None), getattr(self.app, "soon", None)

    def data_received(self, data: bytes) -> None:
        """Parse received data, and count bytes that do not complete anything."""
        if self._ending is not None:
            self._ending.pause_reading()
            self.loop.call_later(_PAUSE_SECONDS, self._read_on)
            return
        while (
            self._whole and len(data) > LARGEST_HEAD and self._ending is None
        ):  # parse no more than the limit at a time
            self._take(data[:LARGEST_HEAD])
            data = data[LARGEST_HEAD:]
            if self.transport.is_closing():
                return
        self._take(data)

    def _take(self, data: bytes) -> None:
        self._advanced = False
        super().data_received(data)
        self._unread = 0 if self._advanced else self._unread + len(data)
        if self._unread > LARGEST_HEAD and not self.transport.is_closing():
            self._whole = True  # the rest of the request is ignored
            self.send_400_response("The request's head is too large.")

    def ends(self, transport: Any) -> bool:
        """While a body is still being received, close only the write side; the client or a timer closes the rest."""
        if self._whole or transport.is_closing() or not transport.can_write_eof():
            return False
        self._ending = transport
        transport.write_eof()
        transport.resume_reading()
        self.loop.call_later(LINGER_SECONDS, transport.close)
        return True

    def _read_on(self) -> None:
        if not self._ending.is_closing():
            self._ending.resume_reading()

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        self._begun += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole. Raises ValueError, answered with 400, unless it names one host (RFC 9112, section 3.2).

        Also for a transfer coding that this server does not know, and one of HTTP/1.0 (section 6.1): a proxy in front
        may see another end of such a body.
        """
        hosts, version = 0, self.parser.get_http_version()
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"transfer-encoding" and (value.strip().lower() != b"chunked" or version != "1.1"):
                raise ValueError("an unknown transfer coding")
        if hosts != 1 and (hosts or version != "1.0"):
            raise ValueError("not one Host header")
        self._advanced, self._whole = True, False
        self._heads += 1
        self._body = 0
        self._unset_keepalive_if_required()  # set by the answer before, when both requests came in one piece
        self.scope["headers"] = (
            self.headers.copy()
        )  # copied, because the parser adds trailers to its list, which must not count as a proxy's headers
        self._waits = self._may_be_at_once()
        if not self._waits:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Handle a chunk of the body."""
        self._advanced = True
        self._body += len(body)
        if self._waits:
            self._waits = False
            super().on_headers_complete()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Handle the end of a request."""
        self._advanced = self._whole = True
        if self._waits:
            self._waits = False
            if self._answered_at_once():
                return
            super().on_headers_complete()
        super().on_message_complete()

    # -- slow clients

    def awaits(self) -> tuple[Awaited, int, int]:
        """See ``slow_clients.Connection``."""
        transport = self.transport
        unsent = transport.get_write_buffer_size()
        if unsent and (self.flow.write_paused or transport.is_closing()):
            return "reader", unsent, 0
        if transport.is_closing() or (self.cycle is not None and not self.cycle.response_complete and self._whole):
            return "", 0, 0
        if not self._whole:
            return ("" if self.flow.read_paused else "body"), self._heads, self._body
        return ("request" if self._begun > self._heads or not self._heads else ""), self._heads, 0

    def end_slow(self, awaited: Awaited) -> None:
        """Respond with 408 when a part of a request has arrived and no response has begun; close."""
        if awaited == "reader":
            self.transport.abort()
            return
        cycle = self.cycle if awaited == "body" else None
        if (self._begun > self._heads or awaited == "body") and (cycle is None or not cycle.response_started):
            head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(_LATE)
            self.joining.write_whole(b"".join((STATUS_LINE[408], self._default(), head, _LATE)))
        if cycle is not None:  # the application receives no more, and its response is dropped
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()

    # -- the fast path

    def _may_be_at_once(self) -> bool:
        parser = self.parser
        return (
            parser.get_method() == b"GET"
            and self._at_once is not None
            and (self.cycle is None or self.cycle.response_complete)
            and parser.get_http_version() == "1.1"
            and not (
                parser.should_upgrade()
                or self.expect_100_continue
                or self.flow.write_paused
                or self.transport.is_closing()
            )
        )

    def _default(self) -> bytes:
        """The lines of the default headers, which uvicorn replaces every second."""
        headers = self.server_state.default_headers
        if headers is not self._default_headers:
            self._default_headers = headers
            self._default_lines = b"".join([b"%b: %b\r\n" % pair for pair in headers])
        return self._default_lines

    def _answered_at_once(self) -> bool:
        assert self._at_once is not None
        asked = (self.url, self.scope["headers"], self.client[0] if self.client else None, self.scheme == "https")
        answer = self._at_once(*asked)
        if answer is not None:
            self._give(answer, self.parser.should_keep_alive())
            return True
        if self._soon is None:
            return False
        later = _Later(self.parser.should_keep_alive())

        def give(answer: Answer) -> None:
            later.response_complete = True
            if not self.transport.is_closing():
                self._give(answer, later.keep_alive)

        if not self._soon(*asked, give):
            return False
        self.cycle = later  # type: ignore[assignment]  # further requests of the connection are queued behind it
        return True

    def _give(self, answer: Answer, stays: bool) -> None:
        end = b"\r\n" if stays else b"connection: close\r\n\r\n"
        status, head, body = answer
        self.joining.write_whole(b"".join((STATUS_LINE[status], self._default(), head, end, body)))
        if not stays:
            self.transport.close()
        self.on_response_complete()
