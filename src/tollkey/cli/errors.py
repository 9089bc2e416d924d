"""What the command line says on standard error. It repeats no secret that was typed, or that a file holds.

A key is easily pasted into the wrong place, and standard error ends in logs of CI and in issues.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from tollkey.keys.header import one_line, without_typed_secrets

_UsageError: type[Any] = typer.BadParameter.__bases__[0]  # of click, which newer versions of typer contain


def shown(message: str) -> str:
    """Return a message that may repeat what was typed, without keys, passwords, and what moves the cursor."""
    return "\n".join(one_line(line) for line in without_typed_secrets(message).split("\n"))


def say(message: str) -> None:
    """Print a message on standard error, as ``shown``."""
    typer.echo(shown(f"tollkey: {message}"), err=True)


class Commands(TyperGroup):
    """Commands whose usage errors repeat no secret: ``No such command 'sk_live_…'``."""

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        """Read the arguments of the group itself. Raises its usage errors, as ``shown``."""
        try:
            return super().make_context(*arguments, **named)
        except _UsageError as problem:
            raise _masked(problem) from None

    def invoke(self, ctx: Any) -> Any:
        """Run a command of the group. Raises its usage errors, as ``shown``."""
        try:
            return super().invoke(ctx)
        except _UsageError as problem:
            raise _masked(problem) from None


def _masked(problem: Any) -> Any:
    if problem.message:
        problem.message = shown(problem.message)
    return problem
