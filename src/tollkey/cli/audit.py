"""``tollkey keys audit --verify``: verify the audit logs."""

from __future__ import annotations

from typing import Any

import typer

from tollkey import dashboard
from tollkey.cli.common import fail, show, when
from tollkey.cli.keys_opening import OpenKeys
from tollkey.db.schema import migrated_modules
from tollkey.keys import audit, chain
from tollkey.keys.header import beginning

_LOGS = {log.name: log for log in (audit.LOG, dashboard.LOG)}


def verify_logs(host: OpenKeys, expect: list[str], as_json: bool) -> None:
    """Verify the hash chains of the audit logs and print the results: of keys, and of the Dashboard if there is one.

    expect: heads that an earlier run printed, ``log:entries:code``. Raises typer.Exit with 1 when a log was changed.
    """
    expected = _heads(expect)
    people = "dashboard" in migrated_modules(host.database)
    logs = _LOGS if people else {audit.LOG.name: audit.LOG}
    found = host.database.read(
        lambda tx: [chain.verify(tx, host.authority.keyring, log, expected.get(name)) for name, log in logs.items()]
    )
    values = [{**verdict._asdict(), "head": f"{verdict.log}:{verdict.head}"} for verdict in found]
    show(values, as_json, lambda: [line for value in values for line in _lines(value)])
    if not all(verdict.whole for verdict in found):
        raise typer.Exit(1)


def _heads(expect: list[str]) -> dict[str, str]:
    """``log:entries:code`` as it was printed, by log."""
    heads: dict[str, str] = {}
    for text in expect:
        name, _, head = text.strip().partition(":")
        if name not in _LOGS or not head:
            raise fail(
                f"--expect takes a head as --verify prints it, for example keys:12:9f86…; not {beginning(text, 60)}"
            )
        heads[name] = head
    return heads


def _lines(value: dict[str, Any]) -> list[str]:
    if not value["whole"]:
        where = "" if value["seq"] is None else f"entry {value['seq']}: "
        return [f"FAIL  {value['log']}: {where}{value['why']}"]
    lines = [
        f"ok    {value['log']}: {value['entries']} entries, chained since {when(value['began_at'])}",
        f"      head {value['head']}",
    ]
    if value["before"]:
        lines.insert(1, f"      {value['before']} of them are older than the chain and cannot be verified")
    return lines
