"""One server at a time owns an SQLite file.

An operating system's lock on a file beside it, held open: it ends with the process, however that ends,
and with the last of its forks. A program that the process starts does not inherit it. What stands in the
file is only for the sentence that refuses the next one. The database's own file is not locked: closing a
second descriptor of it would drop the locks that SQLite holds on it.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

from tollkey.db.engine import StorageError

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30  # msvcrt's locks keep others from reading what they cover: lock a byte behind what is written

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class InUse(StorageError):
    """Another process owns the file. Its text says which."""


class Owner:
    """The right to serve a file, until ``close`` or the end of the process and its forks."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def close(self) -> None:
        """Let go of the file. Forks that hold it too go on holding it. Safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def own(file: Path) -> Owner:
    """Become the owner of an SQLite file; links to it count as the file itself. It need not exist yet; its folder must.

    Raises InUse when another process owns it, OSError when the file beside it cannot be written.
    """
    real = file.resolve()
    descriptor = os.open(f"{real}-owner", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor)
    except OSError as problem:
        owner = _read(descriptor)
        os.close(descriptor)
        if not isinstance(problem, BlockingIOError | PermissionError):  # a file system without locks
            raise
        raise InUse(f"{real} is in use by another server, {owner}: stop that one first") from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()} {socket.gethostname()}".encode())
    return Owner(descriptor)


def _read(descriptor: int) -> str:
    """Who owns the file: the process, and its machine when that is another one."""
    with suppress(OSError, ValueError):
        number, _, host = os.read(descriptor, 300).decode().partition(" ")
        return f"process {int(number)}{'' if host == socket.gethostname() else f' on {host}'}"
    return "whose process is not known"
