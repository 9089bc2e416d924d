"""``tollkey keys usage``: how often keys were used."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from tollkey.cli.common import AsJson, show, table, when
from tollkey.cli.keys_opening import Account, Config, Data, Database, Keyring, Mode, open_keys
from tollkey.keys.usage import DIMENSIONS, UsageQuery, as_csv, as_json, report

commands = typer.Typer()
_TIMES = ("minute", "hour", "day")


@commands.command()
def usage(
    key: Annotated[str | None, typer.Argument(help="Only this key (mk_…).")] = None,
    by: Annotated[str, typer.Option(help=f"Dimensions, separated by commas: {', '.join(DIMENSIONS)}.")] = "key,day",
    since: Annotated[datetime | None, typer.Option(help="From this time, in UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="To before this time, in UTC.")] = None,
    route: Annotated[str | None, typer.Option(help="Only this route.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Only this outcome: accepted, or why it was refused.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="All accounts and modes.")] = False,
    data: Data = None, database: Database = None, keyring: Keyring = None, config: Config = None,
    account: Account = None, live: Mode = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Report how often keys were used: requests and their cost, by key, route, account and time.

    Times are UTC. Counts of single minutes are kept for 7 days, those of hours and days for good.
    """
    if csv and json_:
        raise typer.BadParameter("choose one of --csv and --json", param_hint="--csv")
    if all_ and (account or live is not None):
        raise typer.BadParameter("--all counts every account and mode: leave out --account and --live")
    names = tuple(name.strip() for name in by.split(",") if name.strip())
    with open_keys(data, database, keyring, config) as keys:
        scope = None if all_ else keys.scope_of(account, live)
        try:
            query = UsageQuery(
                names, scope and scope.account, scope and scope.livemode, key, route, outcome,
                _seconds(since), _seconds(until),
            )  # fmt: skip
        except ValueError as problem:
            raise typer.BadParameter(str(problem), param_hint="--by") from None
        rows = keys.database.read(lambda tx: report(tx, query))
        if scope is not None and not rows:
            keys.say_empty(scope, "counted requests")
    if csv:
        typer.echo(as_csv(rows, names), nl=False)
        return
    values = [as_json(row, names) for row in rows]
    titles = [name.upper() + (" (UTC)" if name in _TIMES else "") for name in (*names, "requests", "cost")]
    show(values, json_, lambda: table(titles, [[_cell(name, value[name]) for name in value] for value in values]))


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.replace(tzinfo=UTC).timestamp())


def _cell(name: str, value: str | int | None) -> str:
    """Return a value as text of the table."""
    if name in _TIMES and isinstance(value, int):
        return when(value)[: 10 if name == "day" else None]
    return f"{value:,}" if isinstance(value, int) else value or "-"
