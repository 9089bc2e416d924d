"""Removes database passwords from the command line, which all users of the machine can read (``ps``).

``--database postgresql://…`` and ``--to postgresql://…`` are moved to the environment, which only the same user can
read, and the process executes itself again without them. This module imports nothing else of Tollkey, so that the URL
is visible only briefly. TOLLKEY_DATABASE and TOLLKEY_DATABASE_FILE avoid this.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

#: The variable for each option. TOLLKEY_COPY_TO is what ``tollkey copy`` reads.
_VARIABLES = {"--database": "TOLLKEY_DATABASE", "--to": "TOLLKEY_COPY_TO"}
_ADDRESSES = ("postgresql://", "postgres://")


def without_addresses(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Remove ``--database postgresql://…`` and ``--to postgresql://…`` from arguments.

    Returns the other arguments, and the URLs by variable: the last one when there are several.
    """
    kept: list[str] = []
    found: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name not in _VARIABLES:
            kept.append(argument)
            continue
        value = value if equals else next(rest, "")
        if value.startswith(_ADDRESSES):
            found[_VARIABLES[name]] = value
        else:
            kept += [argument] if equals else [argument, value]
    return kept, found


def hide_database() -> None:
    """Execute this process again without database URLs in its arguments. Returns only when there are none."""
    given = sys.argv[1:]
    kept, addresses = without_addresses(given)
    if (
        not addresses or sys.orig_argv[-len(given) :] != given
    ):  # the second condition: called by a program with its own arguments
        return
    replaced = {f"{variable}_FILE" for variable in addresses}
    environment = {name: value for name, value in os.environ.items() if name not in replaced} | addresses
    before = sys.orig_argv[: -len(given)]  # the interpreter, its options, and the script or module
    os.execve(sys.executable, [*before, *kept], environment)
