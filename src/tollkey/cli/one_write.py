"""uvicorn's HTTP/1.1 protocol, with the head and the body of a response in one write.

uvicorn writes them separately. Each write is a system call, which is a fifth of the cost of a small response.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class _Joining:
    """A transport that buffers a response's head until its body or the next iteration of the event loop.

    ends: called before closing; returns whether the connection is closed in another way; ``close`` then does nothing.
    """

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop, ends: Callable[[Any], bool]) -> None:
        self._transport, self._loop, self._ends = transport, loop, ends
        self._head = b""
        self._ending = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
            self._transport.write(data)
        elif data.startswith(b"HTTP/1.1 ") and data.endswith(b"\r\n\r\n"):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def write_whole(self, data: bytes) -> None:
        """Write a whole response."""
        self._flush()
        self._transport.write(data)

    def is_closing(self) -> bool:
        closing: bool = self._ending or self._transport.is_closing()
        return closing

    def close(self) -> None:
        self._flush()
        if self._ending or not self._ends(self._transport):
            self._transport.close()
        self._ending = True

    def _flush(self) -> None:
        if self._head and not self._transport.is_closing():
            self._transport.write(self._head)
        self._head = b""


class OneWrite(HttpToolsProtocol):
    """uvicorn's protocol with a transport that joins the writes of head and body."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.joining = _Joining(transport, self.loop, self.ends)
        super().connection_made(self.joining)  # type: ignore[arg-type]

    def ends(self, transport: Any) -> bool:
        """Whether the protocol closes the connection in another way, later."""
        return False
