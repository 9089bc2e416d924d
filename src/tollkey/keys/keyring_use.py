"""Marks the file of a keyring as in use, so that no rotation leaves a process with keys that are not current.

A process that has read a keyring holds a shared lock of the operating system on its file; who changes the keyring needs
the only one. The locks end with the process and its last fork, in whatever way. Where there are no such locks (Windows,
some network file systems), nothing is marked.
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
    """A lock on the file of a keyring, released by ``close`` or by the end of the process and its forks."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def of(self, path: Path) -> bool:
        """Return whether this is still the file at a path: a rotation replaces it. Raises OSError."""
        return self._descriptor is not None and os.path.samestat(os.fstat(self._descriptor), path.stat())

    def close(self) -> None:
        """Release the lock. May be called again."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def use(path: Path) -> KeyringUse:
    """Mark a keyring as used by this process. Raises KeyringError while it is changed, OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    if _locked(descriptor, alone=False):
        return KeyringUse(descriptor)
    os.close(descriptor)
    raise KeyringError(f"the keyring {path} is being changed: start again when that has ended")


def use_alone(path: Path) -> KeyringUse:
    """Lock a keyring that no other process uses. Raises KeyringError, which names those that do; OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    if _locked(descriptor, alone=True):
        return KeyringUse(descriptor)
    found = _holders(os.fstat(descriptor).st_ino)
    os.close(descriptor)
    named = f"process {' and '.join(found)} of this machine" if found else "another process"
    raise KeyringError(f"the keyring {path} is in use by {named}: stop what uses the database first")


def _holders(inode: int) -> list[str]:
    """Return the ids of the processes that lock a file, where the system tells (Linux)."""
    found: set[str] = set()
    with suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()  # 1: FLOCK ADVISORY READ <process> <major>:<minor>:<inode> 0 EOF
            if words[1:2] == ["FLOCK"] and len(words) > 5 and words[5].rpartition(":")[2] == str(inode):
                found.add(words[4])
    return sorted(found - {"0", "-1"}, key=int)
