"""Where the command line begins."""

from __future__ import annotations

from tollkey.cli.hidden_database import hide_database


def main() -> None:
    """Run the command line."""
    hide_database()  # before the commands are loaded, which takes time
    from tollkey.cli.app import main as run

    run()
