"""Reads files of keys: CSV and JSON in our own form, Unkey's migration form, djangorestframework-api-key's table.

CSV has a header with the names of fields; JSON is a list, an object with ``keys``, or one object a line (JSONL).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, cast

from tollkey.keys.importing.rows import Record, Value

Format = Literal["auto", "plain", "unkey", "drf"]
FORMATS: tuple[Format, ...] = ("auto", "plain", "unkey", "drf")
LARGEST = 256 * 1024 * 1024  # bytes of a file
_LONGEST_FIELD = 1024 * 1024
_ENABLED = ("", "none", "true", "t", "1")  # what Unkey's ``enabled`` may be for a key that is not paused


class FileRefused(Exception):
    """A file that cannot be read. The message says where it is wrong, and repeats nothing of it."""


def read_file(path: Path, format: Format = "auto") -> list[Record]:
    """Return the records of a file, in our own form. format: ``auto`` tells it by its fields.

    Raises FileRefused for what is no CSV or JSON, or too large; OSError.
    """
    with path.open("rb") as file:
        return read_stream(file, format)


def read_stream(stream: BinaryIO, format: Format = "auto") -> list[Record]:
    """Return the records of an open file or of standard input, see ``read_file``. Raises FileRefused, OSError."""
    content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise FileRefused(f"the file is larger than {LARGEST // 1024 // 1024} MB: split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused("the file is not UTF-8") from None
    return list(read_text(text, format))


def read_text(text: str, format: Format = "auto") -> Iterator[Record]:
    """Yield the records in the text of a file, see ``read_file``. Raises FileRefused."""
    for record in _records(text):
        if format == "drf" or (format == "auto" and _is_drf(record)):
            yield _from_drf(record)
        elif format == "unkey" or (format == "auto" and _is_unkey(record)):
            yield _from_unkey(record)
        else:
            yield record


def _records(text: str) -> Iterator[Record]:
    start = text.lstrip()[:1]
    if start in ("[", "{"):
        yield from _json(text)
    elif start:
        yield from _csv(text)


def _csv(text: str) -> Iterator[Record]:
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
        if len(set(names)) < len(names) or not {"key", "hash", "hashed_key"} & set(names):
            raise FileRefused("the first line must name the columns, each once, and key or hash among them")
        reader.fieldnames = names
        for record in reader:
            if None in record or None in record.values():
                raise FileRefused(f"line {reader.line_num} has more or fewer fields than the first line")
            yield dict(record)
    except csv.Error as error:
        raise FileRefused(f"line {reader.line_num} is no CSV: {error}") from None


def _json(text: str) -> Iterator[Record]:
    try:
        whole: object = json.loads(text)
    except RecursionError:
        raise FileRefused("the JSON is nested too deeply") from None
    except ValueError:
        whole = [_line(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if isinstance(whole, dict) and isinstance(whole.get("keys"), list):
        whole = whole["keys"]
    members = whole if isinstance(whole, list) else [whole]
    for number, member in enumerate(members, 1):
        if not isinstance(member, dict):
            raise FileRefused(f"entry {number} is no object")
        yield member


def _line(number: int, line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise FileRefused(f"line {number} is no JSON") from None


def _is_unkey(record: Record) -> bool:
    return isinstance(record.get("hash"), dict) or bool({"externalId", "ownerId", "apiId"} & record.keys())


def _from_unkey(record: Record) -> Record:
    """A key in the form of Unkey's migration API: ``hash`` with ``variant``, ``meta``, times in milliseconds."""
    hash = record.get("hash")
    value = hash.get("value") if isinstance(hash, dict) else hash
    variant = hash.get("variant") if isinstance(hash, dict) else "sha256"
    identity = record.get("identity")
    owner = record.get("externalId") or record.get("ownerId")
    if owner is None and isinstance(identity, dict):
        owner = identity.get("externalId")
    known = {"hash", "externalId", "ownerId", "identity", "name", "meta", "permissions", "expires", "enabled"}
    known |= {"environment", "start", "prefix", "apiId", "plaintext"}
    mode = str(record.get("environment") or "").lower()
    made: dict[str, Value] = {
        "account": owner, "name": record.get("name"), "permissions": record.get("permissions"),
        "metadata": record.get("meta"), "mode": mode if mode in ("test", "live") else None,
        "expires_at": _seconds(record.get("expires")),
        "disabled": str(record.get("enabled", "")).strip().lower() not in _ENABLED, "shown": record.get("start"),
    }  # fmt: skip
    made |= {"key": record["plaintext"]} if record.get("plaintext") else {"hash": value, "algorithm": variant}
    return made | {name: each for name, each in record.items() if name not in known}


def _seconds(milliseconds: Value) -> Value:
    """Return a time in milliseconds, also as a text of CSV, in seconds. What is no number stays as it is."""
    if isinstance(milliseconds, int) and not isinstance(milliseconds, bool):
        return milliseconds // 1000
    if isinstance(milliseconds, str) and milliseconds.isascii() and milliseconds.isdigit():
        return milliseconds[:-3] or "0"
    return milliseconds / 1000 if isinstance(milliseconds, float) else milliseconds


def _is_drf(record: Record) -> bool:
    fields = record.get("fields")
    return "hashed_key" in (cast(Record, fields) if isinstance(fields, dict) else record)


def _from_drf(record: Record) -> Record:
    """A key of djangorestframework-api-key: a row of its table as CSV, or an object of ``manage.py dumpdata``."""
    fields = record.get("fields")
    row: dict[str, Value] = dict(fields) if isinstance(fields, dict) else dict(record)
    if isinstance(fields, dict):
        row["id"] = record.get("pk")
    prefix, hashed = row.pop("prefix", None), row.pop("hashed_key", None)
    if not prefix and isinstance(row.get("id"), str):  # before its version 1.4 both stood in the id
        prefix, _, hashed = str(row["id"]).partition(".")
    row.pop("id", None)
    row.pop("created", None)
    ends = row.pop("expiry_date", None)
    made: dict[str, Value] = {"hash": hashed, "lookup": prefix, "shown": prefix, "name": row.pop("name", None)}
    made["expires_at"] = ends
    return made | row
