"""The report of an import: it repeats no key, and nothing that acts on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NOW
from tollkey.keys import KeyService
from tollkey.keys.actors import SYSTEM
from tollkey.keys.importing import Defaults, Record, Report, as_json, as_lines, import_records

TEXT = "rk_live_" + "a1B2" * 12


@pytest.fixture
def service(tmp_path: Path) -> Iterator[KeyService]:
    with KeyService.open(str(tmp_path / "keys.db"), allow_imported=True, flush_seconds=0) as opened:
        yield opened


def reported(service: KeyService, record: Record) -> Report:
    return import_records(service, [record], Defaults(), SYSTEM, NOW)


def test_a_key_in_another_field_is_not_repeated(service: KeyService) -> None:
    for record in ({"key": "a" * 40, "permissions": [TEXT]}, {"key": "b" * 40, "ip_allowlist": [TEXT]}):
        report = reported(service, record)
        assert report.count("failed") == 1
        assert TEXT[8:30] not in as_json(report) + "".join(as_lines(report))
    report = reported(service, {"key": TEXT, TEXT: "1"})
    assert report.count("imported") == 1
    assert TEXT[8:30] not in as_json(report) + "".join(as_lines(report))


def test_names_of_fields_send_nothing_to_the_terminal(service: KeyService) -> None:
    report = reported(service, {"key": TEXT, "\x1b[2J\ud800\n::error::": "1"})
    lines = as_lines(report)
    assert lines[0] == "fields without effect: ?[2J??::error::"
    "".join(lines).encode()
    assert json.loads(as_json(report))["imported"] == 1
