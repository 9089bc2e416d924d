"""What a scan found, as text, JSON and SARIF 2.1.0. None of them contains a key."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from urllib.parse import quote

from tollkey import __version__
from tollkey.keys.header import one_line
from tollkey.keys.scanning.scanner import Finding

_RULES = {
    "secret": "A secret API key stands in a file or a commit. Roll it, and keep keys outside the repository.",
    "restricted": "A restricted API key stands in a file or a commit. Roll it, and keep keys outside the repository.",
}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_lines(findings: Sequence[Finding]) -> list[str]:
    """Return one line for each finding: ``path:line:column: what it is``.

    Whoever named a file can neither add a line nor send commands to a terminal or a CI system that reads the lines.
    """
    return [one_line(f"{_where(each)}: {_what(each)} {each.masked} ({each.fingerprint})") for each in findings]


def as_json(findings: Sequence[Finding], searched: int, skipped: Sequence[str]) -> str:
    """Return the findings as JSON. searched: files, or lines of commits. skipped: files that are too large."""
    values = [
        {
            "path": each.path or None,
            "line": each.line,
            "column": each.column,
            "commit": each.commit,
            "key": each.masked,
            "type": each.kind,
            "livemode": each.livemode,
            "fingerprint": each.fingerprint,
            "checksum_valid": each.checksummed,
            "base64": each.encoded,
            "status": each.status,
        }
        for each in findings
    ]
    return json.dumps({"findings": values, "searched": searched, "skipped": list(skipped)}, indent=2)


def as_sarif(findings: Sequence[Finding]) -> str:
    """Return the findings as a SARIF 2.1.0 log, which GitHub code scanning and editors read.

    Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
    """
    rules = [
        {"id": f"{kind}-key", "shortDescription": {"text": text}, "defaultConfiguration": {"level": "error"}}
        for kind, text in _RULES.items()
    ]
    driver = {"name": "tollkey", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": [_result(x) for x in findings]}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(found: Finding) -> dict[str, object]:
    region = {"startLine": found.line, "startColumn": found.column}
    place = {"artifactLocation": {"uri": quote(os.fsencode(found.path or "COMMIT_EDITMSG"))}, "region": region}
    return {
        "ruleId": f"{found.kind}-key",
        "level": "error" if found.harmful else "note",
        "message": {"text": f"{_what(found)} {found.masked}"},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"tollkeyFingerprint/v1": found.fingerprint},
    }


def _where(found: Finding) -> str:
    command = found.path.lstrip().startswith("::")  # GitHub's runner reads ``::error::``, also behind spaces
    path = f"./{found.path}" if command else found.path
    place = f"{path or 'message of the commit'}:{found.line}:{found.column}"
    return place if found.commit is None else f"{found.commit[:12]}:{place}"


def _what(found: Finding) -> str:
    words = ["live" if found.livemode else "test", found.kind, "key"]
    if found.status != "unchecked":
        words.insert(0, {"unknown": "unknown to the database:"}.get(found.status, found.status))
    if found.encoded:
        words.append("in base64")
    if not found.checksummed:
        words.append("without our checksum")
    return " ".join(words)
