"""The audit log of an account: entries about its keys in both modes and about its team, with export."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, NamedTuple

from tollkey.dashboard import activity
from tollkey.dashboard.naming import action_label, actor_label, person_names
from tollkey.dashboard.page import Answer, Context, File, FormErrors, Nav, Page, Params, Render
from tollkey.dashboard.view import iso
from tollkey.db import Scope
from tollkey.keys import audit
from tollkey.keys.actors import Actor

_PAGE = 50
_MOST = 100_000  # lines of an export


class Line(NamedTuple):
    """One entry of either log.

    at: UTC epoch seconds. source: t or l (keys in test or live mode) or a (account). mode: test, live or "".
    """

    at: int
    source: str
    seq: int
    mode: str
    action: str
    about: str
    actor: Actor
    details: dict[str, Any]


def _keys(ctx: Context, livemode: bool, before: int | None, limit: int) -> list[Line]:
    found = audit.entries(ctx.tx, Scope(ctx.account, livemode), limit=limit, before=before)
    mode = "live" if livemode else "test"
    return [
        Line(
            e.at, mode[0], e.seq, mode, f"key_{e.action}" if e.key_id else e.action, e.key_id, e.actor,
            {"before": e.was, "after": e.became, **_plans(e)},
        )
        for e in found
    ]  # fmt: skip


def _plans(entry: audit.AuditEntry) -> dict[str, str]:
    """The names of the plans of an entry about an account. An entry about a key has none."""
    if entry.action != audit.PLAN_CHANGED:
        return {}
    return {"was": entry.was["plan"] or "default", "became": entry.became["plan"] or "default"}


def _team(ctx: Context, before: int | None, limit: int) -> list[Line]:
    found = activity.entries(ctx.tx, ctx.team, limit=limit, before=before)
    return [Line(e.at, "a", e.seq, "", e.action, e.about, _actor(e), e.details) for e in found]


def _actor(entry: activity.Entry) -> Actor:
    if entry.person == activity.COMMAND:
        return Actor(*entry.person.split(":"))
    return Actor("user", entry.person, entry.ip)


def lines(ctx: Context, cursors: dict[str, int], limit: int) -> list[Line]:
    """Entries of all logs, newest first. cursors: by source, the ``seq`` before which to continue."""
    found = [
        *_keys(ctx, False, cursors.get("t"), limit), *_keys(ctx, True, cursors.get("l"), limit),
        *_team(ctx, cursors.get("a"), limit)
    ]  # fmt: skip
    return sorted(found, key=lambda line: (-line.at, line.source, -line.seq))[:limit]


def _after(cursors: dict[str, int], shown: list[Line]) -> dict[str, Any]:
    return {**cursors, **{line.source: line.seq for line in shown}}


def index(ctx: Context, params: Params) -> Answer:
    """Show a page of the audit log."""
    cursors = {name: params.number(name, 0) for name in "tla" if params.get(name).isdigit()}
    found = lines(ctx, cursors, _PAGE + 1)
    shown = found[:_PAGE]
    names = person_names(ctx.tx, [one for line in shown for one in (line.actor.id, line.about)])
    older = ctx.url("/settings/audit", **_after(cursors, shown)) if len(found) > _PAGE else ""
    about = [
        (
            line,
            action_label(line.action, line.details.get("after", {})),
            actor_label(line.actor, names),
            names.get(line.about, line.about),
        )
        for line in shown
    ]
    return Render(
        "team/audit.html", {"lines": about, "older": older, "newer": ctx.url("/settings/audit") if cursors else ""}
    )


def export(ctx: Context, params: Params) -> Answer:
    """Export the log as CSV or JSON, at most 100,000 entries."""
    found: list[Line] = []
    cursors: dict[str, int] = {}
    while len(found) < _MOST:
        more = lines(ctx, cursors, 1000)
        found += more
        cursors.update(_after(cursors, more))
        if len(more) < 1000:
            break
    rows = [
        {
            "at": iso(line.at), "mode": line.mode, "action": line.action, "about": line.about, "actor": str(line.actor),
            "ip": line.actor.ip, "details": line.details,
        }
        for line in found
    ]  # fmt: skip
    if params.get("format") == "json":
        return File("audit-log.json", "application/json", json.dumps(rows, indent=1).encode())
    if params.get("format") != "csv":
        raise FormErrors({"": "The format must be csv or json."})
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("at", "mode", "action", "about", "actor", "ip", "details"))
    for row in rows:
        writer.writerow(
            [_cell(json.dumps(value) if isinstance(value, dict) else value or "") for value in row.values()]
        )
    return File("audit-log.csv", "text/csv; charset=utf-8", text.getvalue().encode())


def _cell(value: Any) -> str:
    """A CSV cell. Text that a spreadsheet would run as a formula is prefixed."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


PAGES = (
    Page("/settings/audit", index, action="audit.see", scope="account", nav=Nav("Account", "Audit log", 30)),
    Page("/settings/audit/export", export, action="audit.see", scope="account"),
)
