"""The command line, called in process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from typer import testing
from typer.main import get_command
from typer.testing import CliRunner, Result

from tollkey.cli.app import app
from tollkey.core import open_core
from tollkey.dashboard import activity
from tollkey.platform.merchants import merchants
from tollkey.settings import Settings

testing._get_command = cache(get_command)  # typer reads the signature of every command anew for each call


def run(folder: Path, *words: str) -> Result:
    """What a command says about the data in that folder."""
    return CliRunner().invoke(app, [*words, "--data", str(folder)])


def audited(folder: Path) -> list[tuple[str, str]]:
    """Action and object of what commands did, oldest first; the chain of the audit log is whole."""
    checked = run(folder, "keys", "audit", "--verify")
    assert checked.exit_code == 0, checked.output
    core = open_core(Settings(data=str(folder)))
    accounts = [one.id for one in core.database.read(merchants)]
    found = [entry for one in accounts for entry in core.database.read(lambda tx, one=one: activity.entries(tx, one))]
    core.close()
    assert all((one.person, one.ip, "mode" in one.details) == (activity.COMMAND, None, True) for one in found)
    return [(one.action, one.about) for one in reversed(found)]
