"""What has to happen when the process forks (gunicorn --preload, uWSGI, Celery, multiprocessing).

A child process is given a copy of everything: locks held by threads that it does not have, sockets that its parent goes
on using, memory that nobody refreshes. Whoever holds such things is watched here, and told. A fork that Python does not
know of (uWSGI's) is found at the first use in the child: see ``notice``.
"""

from __future__ import annotations

import itertools
import logging
import mmap
import os
import threading
import weakref

alone = threading.RLock()  # held by the one thread that forks, or that makes ready for a fork
_log = logging.getLogger(__name__)
_numbers = itertools.count()
_noticing = threading.Lock()
_watched: dict[int, weakref.ref[SurvivesFork]] = {}  # in the order in which they were made


class SurvivesFork:
    """Something whose copy in a child process cannot go on as it is."""

    def before_fork(self) -> None:
        """In the parent, on the thread that forks; not when the fork is made by other than Python."""

    def after_fork(self) -> None:
        """In the parent, when the child is there."""

    def after_fork_in_child(self) -> None:
        """In the child, before anything else. No other thread lives, and every lock may be held for ever."""


def watch(one: SurvivesFork) -> None:
    """Tell ``one`` of every fork from now on, for as long as somebody holds it."""
    number = next(_numbers)

    def forget(_: object) -> None:
        _watched.pop(number, None)

    _watched[number] = weakref.ref(one, forget)


def leak(one: object) -> None:
    """Never let go of an object in this process: its finalizer would use what belongs to the parent."""
    import ctypes  # only in children that have something to leak

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))


class _ByNumber:
    """Whether this is the process that ``mark`` was called in: a system call each time."""

    def __init__(self) -> None:
        self.mark()

    def mark(self) -> None:
        self._process = os.getpid()

    def __getitem__(self, _: int) -> int:
        return os.getpid() == self._process


class _WipedPage(mmap.mmap):
    """The same by a page of memory that Linux gives to every child empty (since 4.14): 60 ns here, where the number
    takes 800.
    """

    def mark(self) -> None:
        self[0] = 1


def _marker() -> _ByNumber | _WipedPage:
    try:
        page = _WipedPage(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        page.madvise(18)  # MADV_WIPEONFORK, madvise(2)
    except (AttributeError, OSError, ValueError):  # not Linux, or an old one
        return _ByNumber()
    page.mark()
    return page


_here = _marker()


def notice() -> None:
    """Asked at the beginning of every use: is this still the process that it was?

    In a new child everybody is told first.
    """
    if not _here[0]:
        with _noticing:
            if not _here[0]:
                _after_in_child()


def _tell(what: str) -> None:
    for held in list(_watched.values()):
        one = held()
        try:
            if one is not None:
                getattr(one, what)()
        except Exception:  # the others must hear of it all the same
            _log.exception("%s failed at a fork", type(one).__name__)


def _before() -> None:
    alone.acquire()
    _tell("before_fork")


def _after() -> None:
    _tell("after_fork")
    alone.release()


def _after_in_child() -> None:
    global alone
    alone = threading.RLock()
    _tell("after_fork_in_child")
    _here.mark()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after_in_child)
