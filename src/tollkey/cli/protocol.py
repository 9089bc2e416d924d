"""HTTP/1.1 as uvicorn speaks it, with a bound on what a caller may send before it makes sense, and a short way for
plain reads.

uvicorn's fast parser keeps headers, and the trailers of a chunked body, for as long as they last: one connection
without a key could fill the memory. Bodies have their own bound, where they are read. A body that nobody reads is not
waited for: the answer goes out, then the connection ends (RFC 9112, section 9.6: half of it first, else the reset that
follows could destroy the answer).

An ASGI application is a task, a few events and two messages for each request: twice the work of looking up an object
    whose answer lies ready. An app with a method ``at_once`` is asked that first, for GET requests without a query.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from tollkey.cli.one_write import OneWrite

LINGER_SECONDS = 2.0  # how long a caller that is still sending may take to see its answer
_PAUSE_SECONDS = 0.05  # between two looks at what it sends: 256 KB each at most, thrown away
LARGEST_HEAD = (
    32 * 1024
)  # bytes that may arrive without the head, a piece of the body or the end of the message being reached


class _Flow(FlowControl):
    """Reads nothing more while requests wait for their turn: uvicorn goes on after each answer, so that its queue grows
    without end.
    """

    def __init__(self, protocol: BoundedProtocol) -> None:
        super().__init__(protocol.transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        if not self._protocol.pipeline:
            super().resume_reading()


class BoundedProtocol(OneWrite):
    """Answers 400 and hangs up once a head, or trailers, pass ``LARGEST_HEAD`` bytes."""

    _unread = 0
    _advanced = False
    _waits = False  # whether the request is still to be begun, or answered at once
    _whole = True  # whether the request has been received to its end
    _ending: Any = None  # the transport whose unread rest is let run out

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody calls."""
        super().connection_made(transport)
        self.flow = _Flow(self)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; count it unless it led somewhere."""
        if self._ending is not None:
            self._ending.pause_reading()
            self.loop.call_later(_PAUSE_SECONDS, self._read_on)
            return
        while (
            self._whole and len(data) > LARGEST_HEAD and self._ending is None
        ):  # a head is read no further than it may be long
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
            self._whole = True  # nothing more of it is of any use
            self.send_400_response("The request's head is too large.")

    def ends(self, transport: Any) -> bool:
        """Close only our half while a body is still coming in; the caller closes its own, or time does."""
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

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._advanced, self._whole = True, False
        self._unset_keepalive_if_required()  # set by the answer before, when both requests came in one piece
        self.scope["headers"] = (
            self.headers.copy()
        )  # the parser adds trailers to its own: they must not pass for what a proxy wrote
        self._waits = self._may_be_at_once()
        if not self._waits:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._advanced = True
        if self._waits:
            self._waits = False
            super().on_headers_complete()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._advanced = self._whole = True
        if self._waits:
            self._waits = False
            if self._answered_at_once():
                return
            super().on_headers_complete()
        super().on_message_complete()

    # -- the short way

    def _may_be_at_once(self) -> bool:
        parser = self.parser
        return (
            parser.get_method() == b"GET"
            and b"?" not in self.url
            and hasattr(self.app, "at_once")
            and (self.cycle is None or self.cycle.response_complete)
            and parser.get_http_version() == "1.1"
            and not (
                parser.should_upgrade()
                or self.expect_100_continue
                or self.flow.write_paused
                or self.transport.is_closing()
            )
        )

    def _answered_at_once(self) -> bool:
        answer = self.app.at_once(
            self.url, self.scope["headers"], self.client[0] if self.client else None, self.scheme == "https"
        )
        if answer is None:
            return False
        stays = self.parser.should_keep_alive()
        default = b"".join([b"%b: %b\r\n" % pair for pair in self.server_state.default_headers])
        end = b"\r\n" if stays else b"connection: close\r\n\r\n"
        self.transport.write(b"".join((STATUS_LINE[200], default, answer[0], end, answer[1])))
        if not stays:
            self.transport.close()
        self.on_response_complete()
        return True
