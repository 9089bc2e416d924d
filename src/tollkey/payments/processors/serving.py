"""What a server and the command line use of this room: the sender of a server, and the installed providers."""

from __future__ import annotations

from collections.abc import Callable

from tollkey.db import Scope, Tx
from tollkey.db.edge import Edge
from tollkey.keys.keyring import Keyring
from tollkey.payments.processors import links
from tollkey.payments.processors.network import Provider
from tollkey.payments.processors.sending import WAIT_SECONDS, Sender, Times
from tollkey.payments.processors.storage import ServerStorage
from tollkey.payments.processors.vault import NoVault, Vault
from tollkey.wire import Call
from tollkey.wire.owners import Owners


def sender_of(
    edge: Edge,
    owners: Owners,
    call: Callable[[Tx, Scope], Call],
    keyring: Keyring,
    now: Callable[[], float],
    request_seconds: float,
    vault: Vault | None = None,
) -> Sender:
    """Return the sender of a server.

    owners: of the locks of accounts. call: makes the call of a transaction. request_seconds: how long a request may
    take. vault: has the numbers of cards, None for none.
    """
    times = Times(wait=min(WAIT_SECONDS, request_seconds * 2 / 3))
    cards = vault or NoVault(edge)
    return Sender(ServerStorage(edge, owners, call), links.Links(edge.read, keyring, now), now, times, cards)


def installed() -> dict[str, Provider]:
    """Return the installed providers, by name."""
    return links.known()
