"""The lines that commits add: of the whole history, a range of commits, or what is staged."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from tollkey.keys.hiding import repr_without
from tollkey.keys.scanning.errors import ScanFailed
from tollkey.keys.scanning.files import command_of, environment

_HUNK = re.compile(rb"@@+ (?:-\d+(?:,(\d+))? )+\+(\d+)(?:,(\d+))? @@")
_LONGEST_LINE = 8 * 1024 * 1024  # bytes of one line that are searched
_DIFF = ("--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--src-prefix=a/")


class AddedLine(NamedTuple):
    """A line that a commit adds.

    commit: its hash, None for what is staged. path: of the file; empty for a line of the commit's message.
    number: of the line in the file, or in the message, from 1. text: without the line break.
    """

    commit: str | None
    path: str
    number: int
    text: bytes

    def __repr__(self) -> str:
        return repr_without(self, "text")


def staged_lines(folder: Path) -> Iterator[AddedLine]:
    """Yield the lines that the next commit would add. Raises ScanFailed outside a repository."""
    yield from _run(folder, "diff", "--cached", *_DIFF, "--dst-prefix=b/")


def history_lines(folder: Path, commits: str | None = None) -> Iterator[AddedLine]:
    """Yield the lines that commits added, also if later ones removed them; with the lines of their messages.

    commits: a range, such as ``origin/main..HEAD``; None for every branch and tag.
    Raises ScanFailed outside a repository and for a range that git does not know.
    """
    if commits is not None and commits.startswith("-"):
        raise ScanFailed("a range of commits does not begin with a hyphen")
    which = ["--all"] if commits is None else [commits]
    shown = ("log", "--format=medium", "--no-decorate", "--no-notes", "--no-show-signature", "--patch")
    merges = "--diff-merges=first-parent"  # what a merge itself changed is in the diff to its first parent
    yield from _run(folder, *shown, merges, *_DIFF, "--dst-prefix=b/", *which, "--")


def _run(folder: Path, *arguments: str) -> Iterator[AddedLine]:
    with tempfile.TemporaryFile() as errors:
        try:
            running = subprocess.Popen(
                command_of(folder, *arguments), env=environment(), stdout=subprocess.PIPE, stderr=errors
            )
        except FileNotFoundError:
            raise ScanFailed("git is not installed") from None
        with running:
            if running.stdout is None:
                raise ScanFailed("git printed nothing")
            yield from added_lines(running.stdout)
        if running.returncode:
            errors.seek(0)
            told = errors.read().decode(errors="replace").strip().splitlines()
            raise ScanFailed(f"git failed: {told[0] if told else running.returncode}")


def added_lines(output: IO[bytes]) -> Iterator[AddedLine]:
    """Yield the added lines of ``git diff`` or ``git log --patch``, both with ``--unified=0``."""
    commit: str | None = None
    path, number, removed, added, message = "", 0, 0, 0, 0
    for line in _lines(output):
        if removed and line.startswith(b"-"):
            removed -= 1
        elif added and line.startswith(b"+"):
            yield AddedLine(commit, path, number, line[1:])
            added -= 1
            number += 1
        elif line.startswith(b"@@"):
            match = _HUNK.match(line)
            if match is not None:
                removed = 1 if match[1] is None else int(match[1])
                number, added = int(match[2]), 1 if match[3] is None else int(match[3])
        elif line.startswith(b"+++ "):
            path = _path(line[4:])
        elif line.startswith(b"commit "):
            commit, path, message = line.split()[1].decode(errors="replace"), "", 0
        elif line.startswith(b"    "):
            message += 1
            yield AddedLine(commit, "", message, line[4:])


def _lines(output: IO[bytes]) -> Iterator[bytes]:
    """The lines of a stream; of an overlong one only the beginning."""
    while line := output.readline(_LONGEST_LINE):
        rest = line
        while not rest.endswith(b"\n") and (rest := output.readline(_LONGEST_LINE)):
            pass
        yield line.rstrip(b"\n")


def _path(named: bytes) -> str:
    """The path in a ``+++`` line; git puts one with special characters in quotes, as in C."""
    named = named.rstrip(b"\t")
    if named.startswith(b'"') and named.endswith(b'"'):
        named = named[1:-1].decode("unicode_escape", errors="replace").encode("latin-1", errors="replace")
    return named.removeprefix(b"b/").decode(errors="replace")
