"""``tollkey keys least-privilege``: the smallest set of permissions that a key needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tollkey.cli.common import ACTOR, AsJson, show, table, when
from tollkey.cli.keys_opening import Account, Config, Data, Database, Keyring, Mode, open_keys
from tollkey.cli.picking import pick
from tollkey.db import Tx
from tollkey.keys import Key
from tollkey.keys.observing import Need, Proposal, apply, proposal_of, undo

commands = typer.Typer()


@commands.command("least-privilege")
def least_privilege(
    key: Annotated[str, typer.Argument(help="Key id (mk_…) or the last characters of the key.")],
    since: Annotated[datetime | None, typer.Option(help="Only requests from this time on, in UTC. [all]")] = None,
    apply_: Annotated[bool, typer.Option("--apply", help="Give the key the proposed permissions.")] = False,
    undo_: Annotated[bool, typer.Option("--undo", help="Take the last --apply back.")] = False,
    data: Data = None, database: Database = None, keyring: Keyring = None, config: Config = None,
    account: Account = None, live: Mode = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Propose the smallest set of permissions for the requests that a key made, and show what it would have refused.

    Nothing is changed without --apply. Requests to keys that this one replaced count, too.
    """
    if apply_ and undo_:
        raise typer.BadParameter("choose one of --apply and --undo", param_hint="--apply")
    with open_keys(data, database, keyring, config) as keys:
        scope, now = keys.scope_of(account, live), int(keys.now())
        start = None if since is None else int(since.replace(tzinfo=UTC).timestamp())
        authority = keys.authority

        def work(tx: Tx) -> tuple[Proposal | None, Key]:
            found = pick(keys, tx, scope, key)
            if undo_:
                return None, undo(tx, authority, found, actor=ACTOR, now=now)
            authority.catalogue.check_known((*found.permissions, *found.connect_permissions))
            proposal = proposal_of(tx, authority, found, start)
            if apply_:
                return proposal, apply(tx, authority, proposal, actor=ACTOR, now=now)
            return proposal, found

        proposal, became = keys.database.write(work) if apply_ or undo_ else keys.database.read(work)
    if proposal is None:
        value: dict[str, Any] = {"id": became.id, "permissions": sorted(became.permissions), "undone": True}
        show(value, json_, lambda: [f"{became.id} has these permissions again: {_names(became.permissions)}"])
        return
    show({**_value(proposal), "applied": apply_}, json_, lambda: _lines(proposal, apply_))


def _value(proposal: Proposal) -> dict[str, Any]:
    """Return a proposal as JSON."""
    return {
        "id": proposal.key.id,
        "since": proposal.observed.since,
        "requests": proposal.observed.requests,
        "permissions": sorted(proposal.permissions),
        "connect_permissions": sorted(proposal.connect_permissions),
        "removed": sorted(proposal.removed),
        "connect_removed": sorted(proposal.connect_removed),
        "would_refuse": [_need(need) for need in proposal.would_refuse],
        "lacked": [_need(need) for need in proposal.observed.lacked],
    }


def _need(need: Need) -> dict[str, Any]:
    return {
        "route": need.route,
        "permissions": sorted(need.permissions),
        "connect_permissions": sorted(need.connect_permissions),
        "requests": need.requests,
    }


def _lines(proposal: Proposal, applied: bool) -> Sequence[str]:
    observed = proposal.observed
    if not observed.needs:
        return [f"{proposal.key.id} was not used in this time, so there is nothing to propose."]
    rows = [
        (
            "observed",
            f"{observed.requests:,} request{'' if observed.requests == 1 else 's'} since {when(observed.since)}",
        ),
        ("proposed", _names(proposal.permissions)),
        ("removed", _names(proposal.removed)),
    ]
    if proposal.key.connect_permissions:
        rows += [("connected", _names(proposal.connect_permissions)), ("removed", _names(proposal.connect_removed))]
    lines = [f"{name:13} {text}" for name, text in rows]
    if proposal.would_refuse:
        lines += ["", "Earlier requests that these permissions would have refused:", *_table(proposal.would_refuse)]
    if observed.lacked:
        lines += ["", "Requests that were refused for want of a permission:", *_table(observed.lacked)]
    if applied:
        return [*lines, "", "Applied. Take it back with --undo."]
    return (
        [*lines, "", "Nothing was changed. Apply it with --apply."]
        if proposal.changes
        else [*lines, "", "Nothing to change."]
    )


def _table(needs: Sequence[Need]) -> list[str]:
    rows = [(need.route, _names(need.permissions | need.connect_permissions), f"{need.requests:,}") for need in needs]
    return table(("ROUTE", "NEEDS", "REQUESTS"), rows)


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "-"
