"""Refuses parameters that name objects which are not there: another account's and another mode's among them."""

from __future__ import annotations

from collections.abc import Mapping

from tollkey.wire import Call
from tollkey.wire.errors import in_brackets
from tollkey.wire.objects import value_at


def check_named(call: Call, params: Mapping[str, object], places: Mapping[str, str], within: str = "") -> None:
    """Raise ApiError 400 ``resource_missing`` for an id that no object of the account has.

    places: path of a parameter, ``a.b``, with the kind of object that it names; its value is an id or a list of ids.
    within: the name of the hash that contains the parameters.
    """
    for path, kind in places.items():
        value = value_at(params, path)
        param = in_brackets(*([within] if within else []), *path.split("."))
        for place, id in enumerate(value if isinstance(value, list | tuple) else [value]):
            if id:
                call.objects.get(kind, id, f"{param}[{place}]" if isinstance(value, list | tuple) else param)
