"""The smallest set of permissions that the observed requests of a key need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tollkey.db import Tx
from tollkey.keys.authority import Authority
from tollkey.keys.key import Key
from tollkey.keys.observing.needs import Need, Observation, observe
from tollkey.keys.permissions import PermissionCatalogue, lacking

_MOST_PARAMETERS = 20  # a grant for every object is proposed when more objects of one kind were used


@dataclass(frozen=True, slots=True)
class Proposal:
    """A smaller set of permissions for a key.

    key: the key. observed: the requests it was made from. permissions, connect_permissions: the proposed grants.
    removed, connect_removed: what the key would lose. would_refuse: earlier requests, still counted but not in
        ``observed``, that the proposed grants would have refused.
    """

    key: Key
    observed: Observation
    permissions: frozenset[str]
    connect_permissions: frozenset[str]
    would_refuse: tuple[Need, ...]

    @property
    def removed(self) -> frozenset[str]:
        """Grants that the key has and the proposal has not."""
        return self.key.permissions - self.permissions

    @property
    def connect_removed(self) -> frozenset[str]:
        """Grants on connected accounts that the key has and the proposal has not."""
        return self.key.connect_permissions - self.connect_permissions

    @property
    def changes(self) -> bool:
        """Whether the key has other permissions than the proposed ones."""
        mine = (self.key.permissions, self.key.connect_permissions)
        return mine != (self.permissions, self.connect_permissions)


def propose(catalogue: PermissionCatalogue, key: Key, observed: Observation, everything: Observation) -> Proposal:
    """Return the smallest set of permissions for the observed requests of a key, never more than it has.

    A secret key has every permission: the proposal says what a restricted key in its place would need.
    everything: all stored requests of the key, to find those that the proposal would have refused.
    """
    own = _smallest(catalogue, key, (need.permissions for need in observed.needs), key.effective)
    connected = _smallest(catalogue, key, (need.connect_permissions for need in observed.needs), key.effective_connect)
    return Proposal(key, observed, own, connected, refused_by(catalogue, everything.needs, own, connected))


def proposal_of(tx: Tx, authority: Authority, key: Key, since: int | None) -> Proposal:
    """Return a proposal for a key. since: UTC epoch seconds, or None for all requests. Raises StorageError."""
    everything = observe(tx, key)
    observed = everything if since is None else observe(tx, key, since)
    return propose(authority.catalogue, key, observed, everything)


def refused_by(
    catalogue: PermissionCatalogue, needs: Iterable[Need], permissions: Iterable[str], connect: Iterable[str]
) -> tuple[Need, ...]:
    """Return the requests that these grants would have refused. connect: grants on connected accounts."""
    own, connected = catalogue.expand(permissions), catalogue.expand(connect)
    return tuple(
        need for need in needs if lacking(own, need.permissions) or lacking(connected, need.connect_permissions)
    )


def _smallest(
    catalogue: PermissionCatalogue, key: Key, needed: Iterable[frozenset[str]], held: frozenset[str]
) -> frozenset[str]:
    """Return the fewest grants that imply all needed ones. held: the grants of the key, with all they imply."""
    wanted = {name for names in needed for name in names}
    if key.kind != "secret":
        wanted -= set(lacking(held, wanted))  # needed once and taken away since
        wanted = _with_wildcards(wanted, held)
    return frozenset(
        name for name in wanted if not any(_implies(catalogue, other, name) for other in wanted if other != name)
    )


def _implies(catalogue: PermissionCatalogue, other: str, name: str) -> bool:
    """Return whether one grant brings another with it; of two that bring each other, the first by name."""
    brings = not lacking(catalogue.expand([other]), [name])
    return brings and (other < name or bool(lacking(catalogue.expand([name]), [other])))


def _with_wildcards(wanted: set[str], held: frozenset[str]) -> set[str]:
    """Return the grants, with ``project:*:read`` in place of very many of its kind, if the key has that."""
    kinds: dict[str, set[str]] = {}
    for name in wanted:
        parts = name.split(":")
        if len(parts) == 3:
            kinds.setdefault(f"{parts[0]}:*:{parts[2]}", set()).add(name)
    for general, names in kinds.items():
        if general in held and len(names) > _MOST_PARAMETERS:
            wanted = (wanted - names) | {general}
    return wanted
