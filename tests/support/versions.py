"""API versions that several tests compare."""

from __future__ import annotations

#: The version that removed much, and the one before it.
ENDIVE, BEFORE_ENDIVE = "2026-09-30.endive", "2026-08-26.dahlia"
