"""The command line application with all commands. Exit codes: 0 success, 1 refused or failed, 2 usage error, 3
database unreachable.
"""

from __future__ import annotations

from tollkey.cli.commands import build

app = build()
