"""``tollkey keys create``."""

from __future__ import annotations

from typing import Annotated

import typer

from tollkey.cli.common import ACTOR, AsJson, known_address
from tollkey.cli.delivering import Deliver, deliver_created, destination_named
from tollkey.cli.keys_opening import Account, Config, Data, Database, Keyring, Mode, OpenKeys, open_keys
from tollkey.cli.printing import Show, metadata_of, print_key
from tollkey.keys.delivering import note_of

commands = typer.Typer()

_DAY = 86_400
_AGENT_DAYS = 30
#: The caps that say how much a key may move.
_SUMS = ("cap_amount", "cap_charged_a_day", "cap_refunded_a_day")


@commands.command()
def create(
    kind: Annotated[str, typer.Option("--type", help="secret or restricted.")] = "restricted",
    name: Annotated[str, typer.Option(help="Name of the key.")] = "",
    note: Annotated[str, typer.Option(help="Where the key is stored.")] = "",
    permission: Annotated[list[str] | None,
    typer.Option(help="Permission, such as charge_read. Can be repeated.")] = None,
    connect_permission: Annotated[list[str] | None,
    typer.Option(help="Permission on connected accounts. Can be repeated.")] = None,
    ip: Annotated[list[str] | None,
    typer.Option(help="Allowed IP address or network. Can be repeated.")] = None,
    metadata: Annotated[list[str] | None,
    typer.Option(help="Metadata, such as team=billing. Can be repeated.")] = None,
    expires_days: Annotated[int | None, typer.Option(min=1, max=36500, help="Days until it expires. [never]")] = None,
    max_uses: Annotated[int | None, typer.Option(min=1, help="How many requests it is for. [any number]")] = None,
    rotate_days: Annotated[int | None, typer.Option(min=1, max=36500, help="Days between rotations. [none]")] = None,
    for_agent: Annotated[bool, typer.Option("--for-agent", help=(
        "For an agent: restricted, with caps, and expiring in 30 days unless --expires-days says otherwise. Prints"
        " what to configure."))] = False,
    max_amount: Annotated[list[str] | None, typer.Option(help=(
        "Largest payment or refund passed on to an upstream account, such as usd:5000 in minor units."
        " Can be repeated."))] = None,
    max_charged: Annotated[list[str] | None, typer.Option("--max-charged-a-day", help=(
        "Largest sum of payments a day, such as usd:20000. Can be repeated."))] = None,
    max_refunded: Annotated[list[str] | None, typer.Option("--max-refunded-a-day", help=(
        "Largest sum of refunds a day. Can be repeated."))] = None,
    ask: Annotated[bool, typer.Option("--ask-above", help=(
        "Let a person approve calls above these amounts, instead of refusing them."))] = False,
    show_secret: Show = False, deliver: Deliver = None,
    data: Data = None, database: Database = None, keyring: Keyring = None, config: Config = None,
    account: Account = None, live: Mode = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Create a secret or restricted key. A live key is shown only once, so --show-secret or --deliver is required."""
    if kind not in ("secret", "restricted"):
        raise typer.BadParameter("must be secret or restricted", param_hint="--type")
    destination = destination_named(deliver, show_secret, json_)
    sums = dict(zip(_SUMS, (max_amount, max_charged, max_refunded), strict=True))
    caps = {name: " ".join(given) for name, given in sums.items() if given} | ({"cap_exceeded": "ask"} if ask else {})
    entries = metadata_of(metadata) | caps
    if for_agent:
        _check_agent(kind, permission, connect_permission, entries)
        expires_days = expires_days or _AGENT_DAYS
    with open_keys(data, database, keyring, config) as host:
        if host.core is None and (for_agent or caps):
            raise typer.BadParameter("caps are for the keys of the payments API", param_hint="--database")
        scope, now = host.scope_of(account, live), int(host.now())
        if scope.livemode and not show_secret and destination is None:
            message = "a live key is shown only when it is created: add --show-secret, or --deliver"
            raise typer.BadParameter(message, param_hint="--show-secret")
        key, text = host.database.write(
            lambda tx: host.authority.create(
                tx, scope, "secret" if kind == "secret" else "restricted", actor=ACTOR, now=now, name=name,
                note=note if destination is None else note_of(note, destination),
                permissions=permission or (), connect_permissions=connect_permission or (), ip_allowlist=ip or (),
                metadata=entries, max_uses=max_uses,
                expires_at=None if expires_days is None else now + expires_days * _DAY,
                rotate_every=None if rotate_days is None else rotate_days * _DAY,
            )
        )  # fmt: skip
        if destination is not None:
            deliver_created(host, destination, key, text)
        print_key(host, key, json_, text if show_secret else None, destination)
        if for_agent and not json_:
            for line in _agent_lines(host):
                typer.echo(line)


def _check_agent(
    kind: str, permissions: list[str] | None, connect_permissions: list[str] | None, metadata: dict[str, str]
) -> None:
    """Raise BadParameter for a key that is not what an agent should hold."""
    if kind != "restricted":
        raise typer.BadParameter("a key for an agent is restricted", param_hint="--type")
    if not permissions and not connect_permissions:
        raise typer.BadParameter("say what the agent may do", param_hint="--permission")
    writes = any(name.endswith("_write") for name in (*(permissions or ()), *(connect_permissions or ())))
    if writes and not any(name in metadata for name in _SUMS):
        raise typer.BadParameter("say how much the agent may move", param_hint="--max-amount")


def _agent_lines(host: OpenKeys) -> list[str]:
    """What to configure in a toolkit that is built on the official SDKs."""
    assert host.core is not None
    address = known_address(host.core) or host.core.setup.base_url.rstrip("/")
    return [
        "",
        "In Python, before the toolkit is created:",
        f'stripe.api_base = "{address}"',
        'stripe.api_key = os.environ["AGENT_KEY"]  # the key above',
    ]
