"""The command line: ``tollkey serve | keys | accounts | doctor``."""

from tollkey.cli.app import main

__all__ = ["main"]
