"""Typed names: of types of objects, and of scheduled jobs.

    SUBSCRIPTION: Kind[StoredSubscription] = Kind("subscription")
    call.objects.get(SUBSCRIPTION, id)["cancel_at"]     # the type checker knows the object's fields

    RENEW = Job("subscription.renew")
    call.schedule.add(at, RENEW, subscription["id"])    # a plain string does not type-check

At run time both are strings. To a type checker they are not, so that a misspelt literal is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

T = TypeVar("T", bound=Mapping[str, Any])


if TYPE_CHECKING:

    class Kind(Generic[T]):
        """The name of a type of object (its ``object`` field); its objects have the Python type ``T``."""

        def __init__(self, object: str) -> None: ...

    class Job:
        """The name of a scheduled job. ``Resource.on_due`` declares the function that runs it."""

        def __init__(self, name: str) -> None: ...

else:

    class Kind(str, Generic[T]):
        """The name of a type of object (its ``object`` field); its objects have the Python type ``T``."""

        __slots__ = ()

    class Job(str):
        """The name of a scheduled job. ``Resource.on_due`` declares the function that runs it."""

        __slots__ = ()
