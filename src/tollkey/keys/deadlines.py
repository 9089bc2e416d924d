"""Bounds how long the caller of a blocking call waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T]) -> T:
    """Make a blocking call in a thread, and return its result or raise its error.

    Raises TimeoutError when it takes longer than ``seconds``, also for what no timeout of a socket ends, such as a slow
    name server. The thread is then left alone and ends with the call.
    """
    made: Future[T] = Future()

    def run() -> None:
        try:
            made.set_result(call())
        except BaseException as error:
            made.set_exception(error)

    threading.Thread(target=run, name="tollkey-deadline", daemon=True).start()
    return made.result(seconds)
