"""Reads Server-Sent Events (WHATWG HTML, section 9.2.6 "Interpreting an event stream")."""

from __future__ import annotations

from typing import NamedTuple

LONGEST = 65_536  # bytes of an event


class StreamBroken(Exception):
    """The stream is not one of the key server: an event is too long, or says something unknown."""


class Event(NamedTuple):
    """An event. name: ``message`` unless it has a name. id: the last id that the stream named; empty for none."""

    name: str
    data: str
    id: str


class EventParser:
    """Makes events of the bytes of a stream, however they are cut. longest: the most bytes of one event."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._line = bytearray()
        self._size = 0
        self._after_return = False
        self._first = True
        self._name, self._id = "", ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that this chunk completes. Raises StreamBroken for an event that is too long."""
        if self._after_return and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_return = False
        if chunk.endswith(b"\r"):
            self._after_return = True
        *lines, rest = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        events = []
        for line in lines:
            self._add(line)
            event = self._end_line()
            if event is not None:
                events.append(event)
        self._add(rest)
        return events

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._longest:
            raise StreamBroken(f"an event of the stream is longer than {self._longest} bytes")
        self._line += part

    def _end_line(self) -> Event | None:
        """Take the line that is complete; return the event that it ends."""
        line = self._line.decode("utf-8", "replace")
        self._line.clear()
        if self._first:
            self._first, line = False, line.removeprefix("\ufeff")
        if line:
            self._field(*line.partition(":")[::2])
            return None
        event = Event(self._name or "message", "\n".join(self._data), self._id) if self._data else None
        self._name, self._data, self._size = "", [], 0
        return event

    def _field(self, name: str, value: str) -> None:
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        elif name == "id" and "\0" not in value:
            self._id = value
