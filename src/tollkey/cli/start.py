"""Entry point of the command line."""

from __future__ import annotations

import importlib
import sys

from tollkey.cli.hidden_database import hide_database


def main() -> None:
    """Run the command line. Exits with a message if the packages of the extra ``server`` are not installed."""
    hide_database()  # before the commands are imported, which takes time
    try:
        app = importlib.import_module("tollkey.cli.commands").build(*sys.argv[1:2])
    except ModuleNotFoundError as missing:
        if (missing.name or "tollkey").startswith("tollkey"):
            raise
        raise SystemExit(
            f"The package {missing.name} is not installed. The server and the command line need more than the library:"
            " pip install 'tollkey[server]'"
        ) from missing

    app()
