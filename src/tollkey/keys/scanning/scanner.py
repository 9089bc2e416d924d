"""Scans files and commits for API keys."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from tollkey.keys.scanning.commits import AddedLine, history_lines, staged_lines
from tollkey.keys.scanning.errors import ScanFailed
from tollkey.keys.scanning.files import files_below
from tollkey.keys.scanning.finding import LONGEST, FoundKey, Words, find_keys
from tollkey.keys.token import Kind

#: ``unknown``: the database has no such key. ``unchecked``: nobody asked.
Status = Literal["active", "expired", "revoked", "unknown", "unchecked"]
#: A line with this comment is allowed to contain a key.
ALLOWED = b"tollkey:allow"
_PIECE = 1024 * 1024
_SHORTEST = 28  # characters of a key
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Finding:
    """A key that was found. It does not contain the key.

    path: of the file; empty for the message of a commit. line, column: from 1. commit: its hash, for a scan of commits.
    masked: the key as it may be shown. kind, livemode: from its prefix. fingerprint: the same for the same key.
    checksummed: its checksum is correct. encoded: it stood there in base64. status: see ``Status``.
    """

    path: str
    line: int
    column: int
    commit: str | None
    masked: str
    kind: Kind
    livemode: bool
    fingerprint: str
    checksummed: bool
    encoded: bool
    status: Status

    @property
    def harmful(self) -> bool:
        """Whether somebody has to act: it may still be used. An ended or unknown key may not."""
        return self.status in ("active", "unchecked")


@dataclass
class Scanner:
    """Scans for keys.

    words: which keys are secrets. live_only: leave out keys of other modes. unchecked: see ``find_keys``.
    status_of: tells the status of a key by its text; None when nobody asks. allowed: fingerprints of keys to leave out.
    largest: bytes of a file; larger ones are not searched, and named in ``skipped``.
    searched: files, or lines of commits, that were searched so far.
    """

    words: Words = field(default_factory=Words)
    live_only: bool = False
    unchecked: bool = False
    status_of: Callable[[str], Status] | None = None
    allowed: frozenset[str] = frozenset()
    largest: int = 100 * 1024 * 1024
    searched: int = field(default=0, init=False)
    skipped: list[str] = field(default_factory=list, init=False)
    _statuses: dict[str, Status] = field(default_factory=dict, init=False, repr=False)

    def paths(self, paths: Iterable[Path], *, ignored: bool = False) -> Iterator[Finding]:
        """Yield the keys in files and below folders. ignored: also in files that ``.gitignore`` excludes.

        Raises ScanFailed for what is not there or cannot be read.
        """
        for path in paths:
            for file in files_below(path, ignored=ignored):
                yield from self.file(file)

    def file(self, file: Path) -> Iterator[Finding]:
        """Yield the keys in a file, text or binary, read in pieces. UTF-16 is decoded. Raises ScanFailed."""
        try:
            if file.stat().st_size > self.largest:
                self.skipped.append(str(file))
                return
            self.searched += 1
            with file.open("rb") as opened:
                head = opened.read(2)
                coding = next((name for mark, name in _MARKS if head == mark), None)
                if coding is not None:
                    text = opened.read().decode(coding, errors="replace").encode()
                    yield from self._text(str(file), text, len(text))
                else:
                    yield from self._pieces(str(file), opened, head)
        except OSError as error:
            raise ScanFailed(f"{file} cannot be read: {error.strerror or type(error).__name__}") from None

    def staged(self, folder: Path) -> Iterator[Finding]:
        """Yield the keys that the next commit in this folder's repository would add. Raises ScanFailed."""
        yield from self._lines(staged_lines(folder))

    def history(self, folder: Path, commits: str | None = None) -> Iterator[Finding]:
        """Yield the keys that commits added, each with the oldest commit of each file. Raises ScanFailed.

        commits: a range, such as ``origin/main..HEAD``; None for every branch and tag.
        """
        oldest: dict[tuple[str, str], Finding] = {}
        for finding in self._lines(history_lines(folder, commits)):
            oldest[finding.fingerprint, finding.path] = finding  # git log begins with the newest commit
        yield from reversed(oldest.values())

    def _lines(self, lines: Iterable[AddedLine]) -> Iterator[Finding]:
        for line in lines:
            self.searched += 1
            if len(line.text) > _SHORTEST and ALLOWED not in line.text:
                for found in find_keys(line.text, self.words, unchecked=self.unchecked):
                    column = len(line.text[: found.start].decode(errors="replace")) + 1
                    yield from self._finding(found, line.path, line.number, column, line.commit)

    def _pieces(self, path: str, stream: IO[bytes], data: bytes) -> Iterator[Finding]:
        """Search a stream piece by piece. data: what was read of it already."""
        line, column = 1, 1
        while piece := stream.read(_PIECE):
            data += piece
            end = _edge(data)
            yield from self._text(path, data, end, line, column)
            line, column = _place(data, end, line, column)
            data = data[end:]
        yield from self._text(path, data, len(data), line, column)

    def _text(self, path: str, data: bytes, end: int, line: int = 1, column: int = 1) -> Iterator[Finding]:
        """Search for keys that begin before ``end``. line, column: where the data begins in the file."""
        for found in find_keys(data, self.words, unchecked=self.unchecked):
            if found.start < end and not _is_allowed(data, found.start):
                yield from self._finding(found, path, *_place(data, found.start, line, column), None)

    def _finding(self, found: FoundKey, path: str, line: int, column: int, commit: str | None) -> Iterator[Finding]:
        if (self.live_only and not found.livemode) or found.fingerprint in self.allowed:
            return
        status: Status = "unchecked"
        if self.status_of is not None:
            if found.text not in self._statuses:
                self._statuses[found.text] = self.status_of(found.text)
            status = self._statuses[found.text]
        if status == "unknown" and not found.checksummed:
            return
        yield Finding(
            path, line, column, commit, found.masked, found.kind, found.livemode, found.fingerprint, found.checksummed,
            found.encoded, status,
        )  # fmt: skip


def _edge(data: bytes) -> int:
    """Where a piece ends: after its last line, or, in a line without end, where what may be half a key begins."""
    end = data.rfind(b"\n") + 1
    return end if end > len(data) // 2 else max(0, len(data) - LONGEST)


def _place(data: bytes, index: int, line: int, column: int) -> tuple[int, int]:
    """The line and column of an index, in characters, when the data begins at ``line`` and ``column``."""
    start = data.rfind(b"\n", 0, index) + 1
    before = len(data[start:index].decode(errors="replace"))
    return line + data.count(b"\n", 0, index), before + (1 if start else column)


def _is_allowed(data: bytes, index: int) -> bool:
    """Whether the line around an index has the comment that allows a key."""
    start = data.rfind(b"\n", max(0, index - LONGEST), index) + 1
    end = data.find(b"\n", index, index + LONGEST)
    return ALLOWED in data[max(start, index - LONGEST) : end if end >= 0 else index + LONGEST]
