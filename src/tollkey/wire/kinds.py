"""Names that carry a type: of kinds of objects, and of scheduled work.

    SUBSCRIPTION: Kind[StoredSubscription] = Kind("subscription")
    call.objects.get(SUBSCRIPTION, id)["cancel_at"]     # the type checker knows the object's fields

    RENEW = Job("subscription.renew")
    call.schedule.add(at, RENEW, subscription["id"])    # a text in its place does not type-check

Both are texts when the program runs. To a type checker they are not, so that a text is no kind and no job.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

T = TypeVar("T", bound=Mapping[str, Any])


if TYPE_CHECKING:

    class Kind(Generic[T]):
        """A kind of objects, as ``object`` names it, whose objects have the type ``T``."""

        def __init__(self, object: str) -> None: ...

    class Job:
        """A kind of scheduled work. A resource says in ``on_due`` what to do when it is due."""

        def __init__(self, name: str) -> None: ...

else:

    class Kind(str, Generic[T]):
        """A kind of objects, as ``object`` names it, whose objects have the type ``T``."""

        __slots__ = ()

    class Job(str):
        """A kind of scheduled work. A resource says in ``on_due`` what to do when it is due."""

        __slots__ = ()
