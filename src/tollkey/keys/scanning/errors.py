"""What stops a scan."""

from __future__ import annotations


class ScanFailed(Exception):
    """Something could not be searched. The message says what, and contains no key."""
