"""Names and values of parameters as error messages show them."""

from __future__ import annotations

import json
import re
from typing import Any

from tollkey.wire.errors import ApiError, in_brackets, invalid

#: A parameter's place: the path of what it is in, and its key there.
Path = tuple[Any, str] | None

_LONGEST_SHOWN = 500  # characters of a refused value
_LONG_NUMBER = re.compile(r"(?:[0-9][ -]?){12,}", re.ASCII)


def bracket_name(path: Path) -> str:
    """Return a parameter's path in bracket form: ``line_items[0][price]``."""
    keys: list[str] = []
    while path is not None:
        path, key = path
        keys.append(key)
    return in_brackets(*reversed(keys))


def empty(path: Path) -> ApiError:
    """Return the 400 for an empty string where the parameter cannot be unset."""
    name = bracket_name(path)
    return invalid(
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; however"
        f" '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty value.",
        name,
        "parameter_invalid_empty",
    )


def shown(value: object) -> str:
    """Return a refused value as error messages show it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def as_json(value: object) -> str:
    """Return an object or a list as error messages show it: shortened, with long numbers, as of cards, masked."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if len(text) > _LONGEST_SHOWN:
        text = (
            text[:_LONGEST_SHOWN].rstrip("0123456789 -") + "..."
        )  # a truncated card number would not be recognised and masked
    return _LONG_NUMBER.sub("*", text)
