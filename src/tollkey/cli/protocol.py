"""HTTP/1.1 as uvicorn speaks it, with a bound on what a caller may send before it makes sense.

uvicorn's fast parser keeps headers, and the trailers of a chunked body, for as long as they last: one connection without a key
could fill the memory. Bodies have their own bound, where they are read.
"""

from __future__ import annotations

from tollkey.cli.one_write import OneWrite

LARGEST_HEAD = 128 * 1024  # bytes that may arrive without the head, a piece of the body or the end of the message being reached


class BoundedProtocol(OneWrite):
    """Answers 400 and hangs up once a head, or trailers, pass ``LARGEST_HEAD`` bytes."""

    _unread = 0
    _advanced = False

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; count it unless it led somewhere."""
        self._advanced = False
        super().data_received(data)
        self._unread = 0 if self._advanced else self._unread + len(data)
        if self._unread > LARGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The request's head is too large.")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._advanced = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._advanced = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._advanced = True
        super().on_message_complete()
