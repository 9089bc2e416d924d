"""Removes database passwords from the command line, which all users of the machine can read (``ps``).

``--database postgresql://…`` is moved to the environment, which only the same user can read, and the process executes
itself again without it. This module imports nothing else of Tollkey, so that the URL is visible only briefly.
TOLLKEY_DATABASE and TOLLKEY_DATABASE_FILE avoid this.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_OPTION = "--database"
_VARIABLE = "TOLLKEY_DATABASE"
_ADDRESSES = ("postgresql://", "postgres://")


def without_database(arguments: Sequence[str]) -> tuple[list[str], str]:
    """Remove ``--database postgresql://…`` from arguments.

    Returns the other arguments and the URL: the last one when there are several, "" for none.
    """
    kept: list[str] = []
    found = ""
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name != _OPTION:
            kept.append(argument)
            continue
        value = value if equals else next(rest, "")
        if value.startswith(_ADDRESSES):
            found = value
        else:
            kept += [argument] if equals else [argument, value]
    return kept, found


def hide_database() -> None:
    """Execute this process again without the database URL in its arguments. Returns only when there is none."""
    given = sys.argv[1:]
    kept, address = without_database(given)
    if (
        not address or sys.orig_argv[-len(given) :] != given
    ):  # the second condition: called by a program with its own arguments
        return
    environment = {name: value for name, value in os.environ.items() if name != f"{_VARIABLE}_FILE"} | {
        _VARIABLE: address
    }
    before = sys.orig_argv[: -len(given)]  # the interpreter, its options, and the script or module
    os.execve(sys.executable, [*before, *kept], environment)
