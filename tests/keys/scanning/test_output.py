"""What a scan found, in forms for people and programs; none of them contains a key."""

from __future__ import annotations

import json

import pytest

from tollkey.db import Ids
from tollkey.keys.scanning import Finding, as_json, as_lines, as_sarif
from tollkey.keys.scanning.scanner import Status
from tollkey.keys.token import generate

TEXT = generate("secret", True, "1AaBbCcDdEeFfGgH", Ids.seeded(1))


def finding(status: Status = "unchecked", path: str = "src/a b.py", commit: str | None = None) -> Finding:
    masked = f"sk_live_...{TEXT[-4:]}"
    return Finding(path, 3, 7, commit, masked, "secret", True, "0123456789abcdef", True, False, status)


def test_a_line_names_place_kind_and_fingerprint() -> None:
    assert as_lines([finding()]) == [f"src/a b.py:3:7: live secret key sk_live_...{TEXT[-4:]} (0123456789abcdef)"]
    (line,) = as_lines([finding("revoked", "", "f" * 40)])
    assert line.startswith("ffffffffffff:message of the commit:3:7: revoked live secret key")


@pytest.mark.parametrize(
    ("path", "shown"),
    [("a\n::error::b", "a?::error::b"), ("::stop-commands::x", "./::stop-commands::x"), ("\x1b]0;x\x07", "?]0;x?"),
    ("  ::error::b", "./  ::error::b"), ("caf\udce9", "caf?"), ("a\u202eb", "a?b")],
)  # fmt: skip
def test_who_names_a_file_sends_no_command_to_a_terminal_or_a_runner(path: str, shown: str) -> None:
    (line,) = as_lines([finding(path=path)])
    assert line.startswith(f"{shown}:3:7: live secret key")
    line.encode()


def test_a_name_that_is_no_utf_8_stands_in_sarif_as_its_bytes() -> None:
    (found,) = json.loads(as_sarif([finding(path="caf\udce9")]))["runs"][0]["results"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "caf%E9"


def test_json_has_every_field() -> None:
    value = json.loads(as_json([finding("active")], 12, ["large.bin"]))
    assert (value["searched"], value["skipped"]) == (12, ["large.bin"])
    assert value["findings"] == [
        {
            "path": "src/a b.py", "line": 3, "column": 7, "commit": None, "key": f"sk_live_...{TEXT[-4:]}",
            "type": "secret", "livemode": True, "fingerprint": "0123456789abcdef", "checksum_valid": True,
            "base64": False, "status": "active",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(("status", "level"), [("unchecked", "error"), ("active", "error"), ("revoked", "note")])
def test_sarif_has_a_rule_a_level_and_a_place(status: Status, level: str) -> None:
    log = json.loads(as_sarif([finding(status)]))
    (run,) = log["runs"]
    (result,) = run["results"]
    assert (log["version"], result["level"]) == ("2.1.0", level)
    assert result["ruleId"] in [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "src/a%20b.py"
    assert place["region"] == {"startLine": 3, "startColumn": 7}
