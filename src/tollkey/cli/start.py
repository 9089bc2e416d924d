"""Entry point of the command line."""

from __future__ import annotations

from tollkey.cli.hidden_database import hide_database


def main() -> None:
    """Run the command line."""
    hide_database()  # before the commands are imported, which takes time
    try:
        from tollkey.cli.app import main as run
    except ModuleNotFoundError as missing:
        if (missing.name or "tollkey").startswith("tollkey"):
            raise
        raise SystemExit(
            f"The package {missing.name} is not installed. The server and the command line need more than the library:"
            " pip install 'tollkey[server]'"
        ) from missing

    run()
