"""The command line: ``tollkey serve | keys | accounts | doctor``."""

from tollkey.cli.start import main

__all__ = ["main"]
