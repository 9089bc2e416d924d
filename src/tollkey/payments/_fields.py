"""Small steps that many resources share: merging metadata, taking over parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tollkey.wire import Json, Params


def merged(old: Json | None, new: Json | None) -> Json:
    """Metadata after an update: given keys replace, empty values remove, None removes everything."""
    if new is None:
        return {}
    both = {**(old or {}), **new}
    return {key: value for key, value in both.items() if value not in ("", None)}


def fresh_metadata(params: Params) -> Json:
    """The metadata of a new object."""
    return merged({}, params.get("metadata") or {})


def take(value: Json, params: Params, names: Iterable[str]) -> None:
    """Copy the parameters that were sent into the object; metadata is merged."""
    for name in names:
        if name in params:
            value[name] = params[name]
    if "metadata" in params:
        value["metadata"] = merged(value.get("metadata"), params["metadata"])


def given(params: Params, name: str, default: Any = None) -> Any:
    """The parameter, or the default when it was not sent or unset."""
    found = params.get(name)
    return default if found is None else found
