"""The Python of the guides about frameworks runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GUIDES = Path(__file__).parents[3] / "docs" / "guides" / "frameworks"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.S | re.M)


@pytest.mark.parametrize("name", ["fastapi", "flask", "starlette"])
def test_the_python_of_a_guide_runs_from_top_to_bottom(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall((GUIDES / f"{name}.md").read_text())
    assert len(blocks) > 1
    space: dict[str, object] = {"__name__": f"guide_{name}"}
    for block in blocks:
        exec(compile(block, f"{name}.md", "exec"), space)
    space["api"].keys.close()  # type: ignore[attr-defined]
