"""The report of an import, as text and as JSON. Neither contains a key."""

from __future__ import annotations

import json
from dataclasses import asdict

from tollkey.keys.header import one_line
from tollkey.keys.importing.importer import Report, RowReport

_FAILURES = 20  # that are printed; the JSON has all


def as_value(report: Report) -> dict[str, object]:
    """Return the report as a value for JSON: counts, then the rows in their order, without empty fields."""
    return {
        "object": "key_import",
        "dry_run": report.dry_run,
        "total": len(report.rows),
        "imported": report.count("imported"),
        "existing": report.count("existing"),
        "skipped": report.count("skipped"),
        "failed": report.count("failed"),
        "error": report.error,
        "rows": [_row(row) for row in report.rows],
    }


def as_json(report: Report) -> str:
    """Return the report as JSON."""
    return json.dumps(as_value(report), indent=2)


def as_lines(report: Report) -> list[str]:
    """Return the report as lines: the first rows that failed, fields without effect, and the counts."""
    failed = [row for row in report.rows if row.status == "failed"]
    lines = [f"row {row.row}: {row.message} ({row.code})" for row in failed[:_FAILURES]]
    if len(failed) > _FAILURES:
        lines.append(f"… and {len(failed) - _FAILURES} more rows that failed; --report FILE has all")
    ignored = sorted({name for row in report.rows for name in row.ignored})
    if ignored:
        lines.append(f"fields without effect: {', '.join(ignored)}")
    did = "would be imported" if report.dry_run else "imported"
    counts = [f"{report.count('imported')} {did}", f"{report.count('existing')} existed"]
    counts += [f"{report.count('skipped')} had ended", f"{report.count('failed')} failed"]
    return [one_line(line) for line in (*lines, ", ".join(counts))]


def _row(row: RowReport) -> dict[str, object]:
    return {name: value for name, value in asdict(row).items() if value not in (None, "", ())}
