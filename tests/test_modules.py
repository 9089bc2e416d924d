"""Resources, migrations and pages are gathered from every package and module, or the start fails."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from tollkey.core import gather, gather_migrations


@pytest.mark.parametrize("broken", ["", "sub/", "sub/deeper/"])
@pytest.mark.parametrize(
    "fault", ["import a_module_that_is_not_there", "raise ImportError('half installed')", "1 / 0", "class"]
)
def test_a_package_or_module_that_cannot_be_imported_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, fault: str
) -> None:
    name = "declared_" + "".join(c if c.isalnum() else "_" for c in broken + fault)
    for folder in ("", "sub", "sub/deeper"):
        place = tmp_path / name / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / "__init__.py").write_text("")
    target = tmp_path / name / broken / ("widgets.py" if not broken else "__init__.py")
    target.write_text(fault + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    package = importlib.import_module(name)
    for look in (gather, gather_migrations):
        with pytest.raises((ImportError, ZeroDivisionError, SyntaxError)):
            look(package)
    for loaded in [module for module in sys.modules if module.startswith(name)]:
        del sys.modules[loaded]
