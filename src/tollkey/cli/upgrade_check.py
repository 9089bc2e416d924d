"""``tollkey upgrade-check``: which logged requests a newer API version would refuse or answer differently."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from tollkey.cli.common import AsJson, Data, Database, fail, opened, show
from tollkey.core import Core
from tollkey.db import Tx
from tollkey.platform import request_logs
from tollkey.wire import ApiError
from tollkey.wire.upgrades import Asked, Difference, Upgrades
from tollkey.wire.versions import LATEST, read_version

_PAGE = 500
_ORDER = {"refused": 0, "behavior": 1, "form": 2}
_TITLES = {
    "refused": "Refused",
    "behavior": "Done differently",
    "form": "Answered in another form",
}
_AGES = {"h": 3_600, "d": 86_400}


@dataclass
class Found:
    """A difference and the requests that meet it. request: the latest one's id. requests: how many."""

    difference: Difference
    request: str
    requests: int = 0


def upgrade_check(
    to: Annotated[str, typer.Option("--to", help="API version to upgrade to.")] = LATEST,
    from_: Annotated[
        str | None,
        typer.Option("--from", help="Look only at requests of this API version. [all, each from its own version]"),
    ] = None,
    since: Annotated[str, typer.Option(help="How far back to look: hours or days, as 12h or 30d.")] = "30d",
    account: Annotated[str | None, typer.Option(help="Look only at requests of this account. [all]")] = None,
    as_json: AsJson = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """List the logged requests that a newer API version would refuse or answer differently.

    Reads the request logs of both modes. Exits with 1 when there is a difference, with 0 when there is none.
    """
    target, before, age = _day(to, "--to"), None if from_ is None else _day(from_, "--from"), _seconds(since)
    if before is not None and before >= target:
        raise fail(f"--from {from_} is not older than --to {to}", 2)
    with opened(data, database) as core:
        found, looked_at = _examine(core, target, before, int(core.now()) - age, account)
    ordered = sorted(
        found.values(),
        key=lambda each: (_ORDER[each.difference.kind], each.difference.version, -each.requests, each.difference),
    )
    value = {"to": to, "requests": looked_at, "differences": [_row(each) for each in ordered]}
    show(value, as_json, lambda: _lines(to, looked_at, ordered))
    if ordered:
        raise typer.Exit(1)


def _day(version: str, option: str) -> str:
    """Return a version's day. Raises typer.BadParameter for one that was never published."""
    try:
        return read_version(version).date
    except ApiError as error:
        raise typer.BadParameter(error.message, param_hint=option) from error


def _seconds(age: str) -> int:
    match = re.fullmatch(r"(\d{1,6})([hd])", age)
    if match is None:
        raise typer.BadParameter("Give hours or days, such as 12h or 30d.", param_hint="--since")
    return int(match[1]) * _AGES[match[2]]


def _examine(
    core: Core, target: str, before: str | None, since: int, account: str | None
) -> tuple[dict[Difference, Found], int]:
    """Return what was found, by difference, and how many requests were looked at.

    target: the day of the version to compare with. before: of the requests' version, None for all. since: UTC epoch
    seconds.
    """
    upgrades, found, looked_at, last = Upgrades(core.catalogue), dict[Difference, Found](), 0, 0
    shown = time.monotonic()

    def read(tx: Tx) -> list[request_logs.RequestLog]:
        return request_logs.logged(tx, last, since=since, account=account, day=before, limit=_PAGE)

    while page := core.database.read(read):
        for log in page:
            asked = Asked(log.method, log.path, log.query, log.request_body, log.response_body)
            for difference in upgrades.differences(asked, log.version[:10], target):
                each = found.setdefault(difference, Found(difference, log.id))
                each.request, each.requests = log.id, each.requests + 1
        looked_at, last = looked_at + len(page), page[-1].seq
        if time.monotonic() - shown > 1:
            shown = time.monotonic()
            print(f"{looked_at:,} requests …", file=sys.stderr, flush=True)
    return found, looked_at


def _row(found: Found) -> dict[str, Any]:
    return {**found.difference._asdict(), "requests": found.requests, "request": found.request}


def _lines(to: str, looked_at: int, found: list[Found]) -> list[str]:
    lines = [f"{looked_at:,} successful requests, compared with {to}"]
    if not found:
        return [*lines, "No differences"]
    kind = ""
    for each in found:
        if each.difference.kind != kind:
            kind = each.difference.kind
            lines += ["", f"{_TITLES[kind]}:"]
        noun = "request" if each.requests == 1 else "requests"
        lines += [
            f"  {each.difference.operation}  ({each.requests:,} {noun}, such as {each.request})",
            f"    {each.difference.version}: {each.difference.what}",
            f"    {each.difference.link}",
        ]
    return lines
