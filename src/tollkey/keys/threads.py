"""Runs blocking calls in a thread, under asyncio or trio."""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """Run a blocking call in a thread with the caller's context variables, and return its result."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        waited: T = await trio.to_thread.run_sync(call)
        return waited
    import asyncio  # here, so that ``import tollkey.keys`` stays fast

    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(None, partial(context.run, call))
