"""The TypeScript client passes its own tests, on its source as it is (Node reads TypeScript)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.contract.conftest import ROOT, node_binaries

CLIENT = ROOT / "clients" / "typescript"


def test_the_client_passes_its_tests() -> None:
    node, _ = node_binaries()
    files = sorted(str(file) for file in (CLIENT / "tests").glob("*.test.ts"))
    done = subprocess.run(
        [node, "--test", *files], cwd=CLIENT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_it_imports_nothing_but_its_own_files() -> None:
    imports = {
        found
        for file in (CLIENT / "src").glob("*.ts")
        for found in re.findall(r'(?:from|import)\s*\(?\s*"([^"]+)"', file.read_text())
    }
    assert [name for name in imports if not name.startswith("./") or not (CLIENT / "src" / Path(name)).exists()] == []
