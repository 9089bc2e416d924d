"""Finds keys that leaked: in files, in commits, and as reported by others. Works offline, by the checksum of a key."""

from tollkey.keys.scanning.errors import ScanFailed
from tollkey.keys.scanning.finding import FoundKey, Words, find_keys, is_sample
from tollkey.keys.scanning.output import as_json, as_lines, as_sarif
from tollkey.keys.scanning.rules import FORMATS, rules_for
from tollkey.keys.scanning.scanner import Finding, Scanner
from tollkey.keys.scanning.status import status_in

__all__ = [
    "FORMATS",
    "Finding",
    "FoundKey",
    "ScanFailed",
    "Scanner",
    "Words",
    "as_json",
    "as_lines",
    "as_sarif",
    "find_keys",
    "is_sample",
    "rules_for",
    "status_in",
]
