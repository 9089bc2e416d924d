"""Long texts in indexed columns: PostgreSQL takes at most 2,704 bytes in a row of an index.

A text that may be longer stands there by its beginning and its SHA-256. Queries look for it in the same form.
"""

from __future__ import annotations

import hashlib

#: Characters up to which a text stands in an index as it is: 2,400 bytes at most, which leaves room for other columns.
LONGEST = 600
_BEGINNING = 100

#: The same as ``indexed`` in PostgreSQL, for the text in the variable ``whole``.
IN_POSTGRES = (
    f"CASE WHEN length(whole) > {LONGEST} THEN left(whole, {_BEGINNING}) || '…' ||"
    " encode(sha256(convert_to(whole, 'UTF8')), 'hex') ELSE whole END"
)


def indexed(text: str) -> str:
    """Return a text as it stands in an indexed column: whole, or by its beginning and a digest."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:_BEGINNING]}…{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def indexed_or_null(text: str | None) -> str | None:
    """Return what ``indexed`` does, or None for None: a function for SQLite."""
    return None if text is None else indexed(text)
