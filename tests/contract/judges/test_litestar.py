"""The gate on the newest Litestar, which tests of the repository itself do not install."""

from __future__ import annotations

from pathlib import Path

from tests.contract.conftest import ROOT
from tests.contract.judges.installing import PROGRAMS, lines_of_json, python_with, run


def test_litestar_asks_for_the_keys_of_its_routes(tmp_path: Path) -> None:
    python = python_with("litestar", "litestar", "cryptography", "starlette", "httpx") / "bin" / "python"
    said = run(python, PROGRAMS / "litestar_flows.py", tmp_path / "keys.db", environ={"PYTHONPATH": str(ROOT / "src")})
    assert lines_of_json(said) == {
        "accepted": {"account": "alice", "header": False},
        "refused": [401, 401, 403],
        "parameter": [200, 403],
        "websocket": "alice",
    }
