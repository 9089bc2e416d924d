"""The command line, called in process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from typer import testing
from typer.main import get_command
from typer.testing import CliRunner, Result

from tollkey.cli.app import app

testing._get_command = cache(get_command)  # typer reads the signature of every command anew for each call


def run(folder: Path, *words: str) -> Result:
    """What a command says about the data in that folder."""
    return CliRunner().invoke(app, [*words, "--data", str(folder)])
