"""What the documentation site is built from: names that exist, records that are listed."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_name_that_the_api_reference_documents_exists_and_has_a_docstring() -> None:
    names = [
        name
        for page in sorted((ROOT / "docs" / "python").glob("*.md"))
        for name in re.findall(r"(?m)^::: (\S+)$", page.read_text())
    ]
    assert len(names) > 20
    assert [name for name in names if not pkgutil.resolve_name(name).__doc__] == []


def test_every_decision_has_a_line_in_the_architecture_and_says_what_a_record_says() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text()
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        assert f"(docs/decisions/{record.name})" in architecture
        text = record.read_text()
        assert re.match(rf"# {int(record.name[:4])}\. \S", text), record.name
        assert re.findall(r"(?m)^## (.+)$", text) == ["Context", "Decision", "Consequences", "Measurement"], record.name


def test_every_link_between_files_leads_to_one() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("[dp]*/*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", page.read_text())
        if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists()
    ]
    assert broken == []
