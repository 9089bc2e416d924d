"""Handling of forks (gunicorn --preload, uWSGI, Celery, multiprocessing).

A child process gets copies of locks held by threads it does not have, of sockets its parent still uses, and of caches
that nothing refreshes. Objects that hold such things register here and are called before and after a fork. A fork that
does not go through ``os.fork`` (uWSGI's) is detected on the first use in the child: see ``detect_fork``.
"""

from __future__ import annotations

import itertools
import logging
import mmap
import os
import threading
import weakref

fork_lock = threading.RLock()  # held by the thread that forks or prepares for a fork
_log = logging.getLogger(__name__)
_numbers = itertools.count()
_detecting = threading.Lock()
_registered: dict[int, weakref.ref[ForkAware]] = {}  # in order of registration


class ForkAware:
    """Base class of objects whose copy in a child process needs repair."""

    def before_fork(self) -> None:
        """Called in the parent on the forking thread before ``os.fork``; not for forks outside Python."""

    def after_fork(self) -> None:
        """Called in the parent after the fork."""

    def after_fork_in_child(self) -> None:
        """Called in the child before anything else runs. No other thread exists, and any lock may be held forever."""


def register(one: ForkAware) -> None:
    """Call the methods of ``one`` at every later fork. Only a weak reference is kept."""
    number = next(_numbers)

    def forget(_: object) -> None:
        _registered.pop(number, None)

    _registered[number] = weakref.ref(one, forget)


def leak(one: object) -> None:
    """Keep an object alive forever in this process: its finalizer would use a socket or file of the parent."""
    import ctypes  # lazy: only needed in children

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))


class _ProcessIdMarker:
    """Detects a fork by comparing process ids, which costs a system call each time."""

    def __init__(self) -> None:
        self.mark()

    def mark(self) -> None:
        self._process = os.getpid()

    def __getitem__(self, _: int) -> int:
        return os.getpid() == self._process


class _WipedPage(mmap.mmap):
    """Detects a fork by a page of memory that Linux (since 4.14) clears in children: 60 ns, against 800 ns for
    getpid.
    """

    def mark(self) -> None:
        self[0] = 1


def _marker() -> _ProcessIdMarker | _WipedPage:
    try:
        page = _WipedPage(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        page.madvise(18)  # MADV_WIPEONFORK, madvise(2)
    except (AttributeError, OSError, ValueError):  # not Linux, or a kernel before 4.14
        return _ProcessIdMarker()
    page.mark()
    return page


#: ``here[0]`` is 0 in a fork in which ``after_fork_in_child`` has not run yet, as long as nothing detected it.
here = _marker()


def detect_fork() -> None:
    """Run the ``after_fork_in_child`` methods if this process is a fork in which they have not run yet.

    Every method that uses a connection, lock or cache calls this first.
    """
    if not here[0]:
        with _detecting:
            if not here[0]:
                _after_in_child()


def _call_all(what: str) -> None:
    for held in list(_registered.values()):
        one = held()
        try:
            if one is not None:
                getattr(one, what)()
        except Exception:  # the others must still be called
            _log.exception("%s failed at a fork", type(one).__name__)


def _before() -> None:
    fork_lock.acquire()
    _call_all("before_fork")


def _after() -> None:
    _call_all("after_fork")
    fork_lock.release()


def _after_in_child() -> None:
    global fork_lock
    fork_lock = threading.RLock()
    _call_all("after_fork_in_child")
    here.mark()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after_in_child)
