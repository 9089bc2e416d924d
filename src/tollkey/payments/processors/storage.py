"""Transactions of a server, as what is sent to processors uses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from tollkey.db import Scope, Tx
from tollkey.db.edge import Edge
from tollkey.wire import Call
from tollkey.wire.owners import Owners

T = TypeVar("T")


class Storage(Protocol):
    """Transactions as a sender uses them."""

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` on a snapshot. Raises StorageError."""

    async def write(self, scope: Scope, work: Callable[[Call], T]) -> T:
        """Run ``work`` in a transaction under the lock of an account; durable on return. Raises StorageError."""


class ServerStorage:
    """Transactions under the locks of accounts. call: makes the call of a transaction in an account."""

    def __init__(self, edge: Edge, owners: Owners, call: Callable[[Tx, Scope], Call]) -> None:
        self._edge, self._owners, self._call = edge, owners, call

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` on a snapshot. Raises StorageError."""
        return await self._edge.read(work)

    async def write(self, scope: Scope, work: Callable[[Call], T]) -> T:
        """Run ``work`` in a transaction under the account's lock. Raises StorageError."""
        return await self._owners.write(self._edge, scope, lambda tx: work(self._call(tx, scope)))
