"""The command line, called in process."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from tollkey.cli.app import app


def run(folder: Path, *words: str) -> Result:
    """What a command says about the data in that folder."""
    return CliRunner().invoke(app, [*words, "--data", str(folder)])
