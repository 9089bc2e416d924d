"""URLs of the servers running on a data folder, for commands that print links.

Each server writes a file and keeps it locked while it runs, so that files of killed processes are recognised as stale.
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
    """Lock a file until the process ends. Returns False when another process holds the lock."""
    if sys.platform == "win32":  # no flock: the file counts for as long as it exists
        return wait
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def published(data: Path, url: str) -> Iterator[None]:
    """Publish this server's URL for ``running_urls``, within a ``with`` block. Raises OSError."""
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
    """URLs of the servers running on a data folder, newest first. Empty for a folder that does not exist."""
    found: list[tuple[float, str]] = []
    for path in (data / _FOLDER).glob("*.json"):
        with suppress(OSError, ValueError, KeyError), path.open() as file:  # a server may stop in the meantime
            if _lock(file, wait=False):
                path.unlink(missing_ok=True)
            else:
                found.append((path.stat().st_mtime, str(json.load(file)["url"])))
    return [url for _, url in sorted(found, reverse=True)]
