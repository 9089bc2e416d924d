"""Imports keys that another system made, by their texts or the hashes that it stored. Nobody has to change a key."""

from tollkey.keys.importing.files import FORMATS, FileRefused, Format, read_file, read_stream, read_text
from tollkey.keys.importing.importer import Report, RowReport, import_records
from tollkey.keys.importing.output import as_json, as_lines, as_value
from tollkey.keys.importing.rows import FIELDS, Defaults, Record, Value

__all__ = [
    "FIELDS",
    "FORMATS",
    "Defaults",
    "FileRefused",
    "Format",
    "Record",
    "Report",
    "RowReport",
    "Value",
    "as_json",
    "as_lines",
    "as_value",
    "import_records",
    "read_file",
    "read_stream",
    "read_text",
]
