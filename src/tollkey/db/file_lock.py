"""A lock that lets one server at a time use an SQLite file.

It is an operating-system lock on a file beside the database, held open. It is released when the process and its last
fork end, in whatever way; programs that the process starts do not inherit it. The content of the file is only used in
the error message for a second server. The database file itself is not locked: closing a second descriptor of it would
release the locks that SQLite holds.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

from tollkey.db.engine import StorageError

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30  # a byte locked by msvcrt cannot be read by others: lock one beyond the content

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class InUse(StorageError):
    """Another process uses the file. The message names it."""


class FileLock:
    """A held lock, released by ``close`` or by the end of the process and its forks."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def close(self) -> None:
        """Release the lock. Forks that hold it keep it. May be called again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def lock_file(file: Path) -> FileLock:
    """Lock an SQLite file for this process.

    file: the database; symbolic links are resolved. It need not exist yet, its folder must.
    Raises InUse when another process holds the lock, OSError when the lock file cannot be written.
    """
    real = file.resolve()
    descriptor = os.open(f"{real}-owner", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor)
    except OSError as problem:
        owner = _read(descriptor)
        os.close(descriptor)
        if not isinstance(problem, BlockingIOError | PermissionError):  # the file system has no locks
            raise
        raise InUse(f"{real} is in use by another server, {owner}: stop that one first") from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()} {_host()}".encode())
    return FileLock(descriptor)


def _host() -> str:
    import socket  # here, so that ``import tollkey.keys`` stays fast

    return socket.gethostname()


def _read(descriptor: int) -> str:
    """Return who holds the lock: the process id, and the host name if it is another host."""
    with suppress(OSError, ValueError):
        number, _, host = os.read(descriptor, 300).decode().partition(" ")
        return f"process {int(number)}{'' if host == _host() else f' on {host}'}"
    return "an unknown process"
