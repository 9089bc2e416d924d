"""A database's password does not stay on the command line, which every user of the machine can read (``ps``,
/proc/PID/cmdline).

A ``--database postgresql://…`` goes into the environment, which only the same user can read, and the process starts
again in its own place without it. Loads nothing else of Tollkey: the shorter the address stands there, the better.
Whoever wants it never to stand there sets TOLLKEY_DATABASE or TOLLKEY_DATABASE_FILE.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_OPTION = "--database"
_VARIABLE = "TOLLKEY_DATABASE"
_ADDRESSES = ("postgresql://", "postgres://")


def without_database(arguments: Sequence[str]) -> tuple[list[str], str]:
    """The arguments without their ``--database postgresql://…``, and that address; the last one where there are
    several, "" for none.
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
    """Start this process again without the address of a database among its arguments, if it stands there.

    Then it does not return.
    """
    given = sys.argv[1:]
    kept, address = without_database(given)
    if (
        not address or sys.orig_argv[-len(given) :] != given
    ):  # the latter: called by a program that has a command line of its own
        return
    environment = {name: value for name, value in os.environ.items() if name != f"{_VARIABLE}_FILE"} | {
        _VARIABLE: address
    }
    before = sys.orig_argv[: -len(given)]  # the interpreter, its own options, and what it runs
    os.execve(sys.executable, [*before, *kept], environment)
