"""A request's body while it arrives: it is read only on demand, and only up to the requested size."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from io import BytesIO
from typing import Any

from tollkey.wire.errors import ApiError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

SMALL = 16 * 1024  # bytes of an unread body that are discarded; with more unread, the connection is closed


def too_large(most: int) -> ApiError:
    """Return the 413 for a body longer than its endpoint allows. most: bytes allowed."""
    return ApiError(413, message=f"Request body is too large: {most} bytes are allowed.")


class Incoming:
    """The body of one ASGI request.

    receive: the ASGI callable. headers: of the request, names in lower case; they tell whether there is a body
    (RFC 9112, section 6.3).
    """

    def __init__(self, receive: Receive, headers: Mapping[str, str]) -> None:
        declared = headers.get("content-length", "")
        self._receive = receive
        self._length = int(declared) if declared.isascii() and declared.isdigit() else None
        self._received = BytesIO()  # joining the parts of 16 MB at the end would hold up the loop for 10 ms
        self.finished = not self._length and "transfer-encoding" not in headers

    @property
    def ends_soon(self) -> bool:
        """Whether so little is unread that the connection can be kept alive."""
        return self.finished or (self._length is not None and self._length <= SMALL)

    async def start(self, most: int) -> bytes:
        """Return the first ``most`` bytes, or fewer when the body is shorter. ``whole`` still returns them too."""
        while not self.finished and self._received.tell() < most:
            await self._more()
        return bytes(self._received.getbuffer()[:most])

    async def whole(self, most: int) -> bytes:
        """Return the whole body.

        Raises ApiError 413 once it is known to be longer than ``most`` bytes, 400 when the client disconnects.
        """
        if self._length is not None and self._length > most:
            raise too_large(most)
        while not self.finished and self._received.tell() <= most:
            await self._more()
        if self._received.tell() > most:
            raise too_large(most)
        return self._received.getvalue()

    async def _more(self) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.finished = True
            raise ApiError(400, message="The request's body did not arrive as a whole.")
        self._received.write(message.get("body", b""))
        self.finished = not message.get("more_body")
