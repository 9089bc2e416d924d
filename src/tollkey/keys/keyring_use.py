"""Marks a keyring as in use, so that no rotation leaves a process with keys that are not current.

A process that has a keyring holds a shared lock of the operating system on a file; who changes the keyring needs the
only one. It is the file of the keyring. A process that was given the keyring as a value, or has it in a file that is
not the database's usual one, locks a file beside the SQLite database instead, or as well. The locks end with the
process and its last fork, in whatever way. Where there are no such locks (Windows, some network file systems), nothing
is marked.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from tollkey.keys.errors import KeyringError

if sys.platform == "win32":

    def _locked(descriptor: int, alone: bool) -> bool:
        return True
else:
    import fcntl

    def _locked(descriptor: int, alone: bool) -> bool:
        """Lock an open file, unless others hold a lock that excludes this one. Returns whether that went well."""
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # the file system has no locks
            return True
        return True


class KeyringUse:
    """A lock on a file, released by ``close`` or by the end of the process and its forks. path: the file."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    def of(self, path: Path) -> bool:
        """Return whether this is still the file at a path: a rotation replaces it. Raises OSError."""
        return self._descriptor is not None and os.path.samestat(os.fstat(self._descriptor), path.stat())

    def claim(self) -> None:
        """Make it the only lock. Raises KeyringError, which names the processes that have others."""
        if self._descriptor is not None and not _locked(self._descriptor, alone=True):
            raise _in_use(self._path, _holders(self._path.stat().st_ino))

    def close(self) -> None:
        """Release the lock. May be called again."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def use(path: Path, *, create: bool = False) -> KeyringUse:
    """Mark a keyring as used by this process. Raises KeyringError while it is changed, OSError.

    path: the file to lock. create: whether to create it, empty, if it is missing.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
    if _locked(descriptor, alone=False):
        return KeyringUse(path, descriptor)
    os.close(descriptor)
    raise KeyringError(f"the keyring {path} is being changed: start again when that has ended")


def use_alone(path: Path) -> KeyringUse:
    """Lock a keyring that no other process uses. Raises KeyringError, which names those that do; OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    if _locked(descriptor, alone=True):
        return KeyringUse(path, descriptor)
    found = _holders(os.fstat(descriptor).st_ino)
    os.close(descriptor)
    raise _in_use(path, found)


def _in_use(path: Path, found: list[str]) -> KeyringError:
    named = f"process {' and '.join(found)} of this machine" if found else "another process"
    return KeyringError(f"the keyring {path} is in use by {named}: stop what uses the database first")


def _holders(inode: int) -> list[str]:
    """Return the ids of the processes that lock a file, where the system tells (Linux)."""
    found: set[str] = set()
    with suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()  # 1: FLOCK ADVISORY READ <process> <major>:<minor>:<inode> 0 EOF
            if words[1:2] == ["FLOCK"] and len(words) > 5 and words[5].rpartition(":")[2] == str(inode):
                found.add(words[4])
    return sorted(found - {"0", "-1"}, key=int)
