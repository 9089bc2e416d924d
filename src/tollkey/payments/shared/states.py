"""The states of an object and the transitions between them.

Each room declares the tables of its objects in ``states.py`` and draws them there. A status is only ever written by
``States.start``, for a new object, and ``States.set``. A drawing has a heading, ``object.field``, and lines of the form

    before ──what happens──▶ after │ another

where ``●`` stands for the moment before the object exists, a line without ``before`` goes on from the line above, and
``unused`` lists the states that Stripe's document names and this server does not reach.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from types import MappingProxyType
from typing import Any, TypeVar, cast

S = TypeVar("S", bound=str)


class InvalidTransition(AssertionError):
    """A transition that an object's table does not have: a bug in this program, never an error of a caller."""


class States:
    """The transition table of one kind of object."""

    def __init__(
        self, object: str, table: Mapping[str, tuple[str, ...]], *, initial: tuple[str, ...], field: str = "status"
    ) -> None:
        """Declare a table.

        Args:
            object: Stripe's name of the object, as in the API's document: ``checkout.session``.
            table: For every state the states that may follow it directly. A state that may be set again names itself.
            initial: The states in which a new object may be created.
            field: The field that holds the state.

        Raises ValueError when a transition leads to a state without a row of its own.
        """
        unknown = {to for row in table.values() for to in row}.union(initial) - table.keys()
        if unknown:
            raise ValueError(f"{object}.{field}: no row for {', '.join(sorted(unknown))}")
        self.object = object
        self.field = field
        self.table = MappingProxyType(dict(table))
        self.initial = initial

    def allows(self, before: str, to: str) -> bool:
        """Return whether an object may change directly from ``before`` to ``to``."""
        return to in self.table[before]

    def start(self, state: S) -> S:
        """Return the state of a new object. Raises InvalidTransition if no object may start in it."""
        if state not in self.initial:
            raise InvalidTransition(f"{self.object}.{self.field} cannot begin as {state}")
        return state

    def set(self, value: Mapping[str, Any], to: str) -> None:
        """Set the object's state; the caller saves the object.

        Raises InvalidTransition if the table has no transition from its present state to ``to``.
        """
        before = value[self.field]
        if not self.allows(before, to):
            raise InvalidTransition(f"{self.object}.{self.field} cannot go from {before} to {to}")
        cast("MutableMapping[str, Any]", value)[self.field] = to

    def restore(self, value: Mapping[str, Any], state: str) -> None:
        """Restore the state that the object had before a change that is undone in the same call.

        This is not a transition: the object is as if the change had not been made. Raises InvalidTransition for a state
        that the table does not have.
        """
        if state not in self.table:
            raise InvalidTransition(f"{self.object}.{self.field} cannot be {state}")
        cast("MutableMapping[str, Any]", value)[self.field] = state
