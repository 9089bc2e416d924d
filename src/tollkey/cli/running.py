"""Where the servers of a data folder answer. Each says so while it runs, for the commands that print links.

There is a file for each process. It is locked for as long as its process lives, so that what a killed one left behind
is not believed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_FOLDER = "running"


def _lock(file: IO[str], *, wait: bool) -> bool:
    """Take the lock of a file, which ends with the process. False when another process holds it."""
    if sys.platform == "win32":  # no such locks: the file is believed as long as it is there
        return wait
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def announced(data: Path, url: str) -> Iterator[None]:
    """While it lasts, ``running_urls`` of that data folder name this address. Raises OSError."""
    folder = data / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{os.getpid()}.json"
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        _lock(file, wait=True)
        json.dump({"url": url}, file)
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def running_urls(data: Path) -> list[str]:
    """The addresses of the servers that run on this data folder now, the newest first.

    Nothing for a folder that is not there.
    """
    found: list[tuple[float, str]] = []
    for path in (data / _FOLDER).glob("*.json"):
        with suppress(OSError, ValueError, KeyError), path.open() as file:  # it may end at this moment
            if _lock(file, wait=False):
                path.unlink(missing_ok=True)
            else:
                found.append((path.stat().st_mtime, str(json.load(file)["url"])))
    return [url for _, url in sorted(found, reverse=True)]
