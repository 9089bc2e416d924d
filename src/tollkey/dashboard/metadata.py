"""The fields of a form for metadata: rows of a name and a value, with some empty ones for new entries."""

from __future__ import annotations

from collections.abc import Mapping

from tollkey.dashboard.page import Context, FormErrors, Params

NAME, VALUE = "metadata_name", "metadata_value"
_EMPTY_ROWS = 3


def rows(ctx: Context, metadata: Mapping[str, str]) -> list[tuple[str, str]]:
    """The rows of the form: the typed ones if it is shown again, otherwise those of ``metadata``."""
    filled = list(metadata.items())
    if ctx.values is not None and NAME in ctx.values:
        filled = [row for row in _typed(ctx.values) if any(row)]
    return [*filled, *[("", "")] * _EMPTY_ROWS]


def chosen(params: Params) -> dict[str, str]:
    """The entries of a form. Raises FormErrors for a value without a name, and a name that is there twice."""
    entries: dict[str, str] = {}
    for name, value in _typed(params):
        if not name and value:
            raise FormErrors(metadata=f"Enter a name for the value {value[:40]}.")
        if name in entries:
            raise FormErrors(metadata=f"The name {name[:40]} is there twice.")
        if value:
            entries[name] = value
    return entries


def change(present: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str | None]:
    """What to pass to ``Authority.update`` so that a key has exactly the wanted entries."""
    return {**dict.fromkeys(name for name in present if name not in wanted), **wanted}


def _typed(params: Params) -> list[tuple[str, str]]:
    names, values = params.all(NAME), params.all(VALUE)
    return [(name.strip(), value.replace("\r\n", "\n").strip()) for name, value in zip(names, values, strict=False)]
