"""What the door of the key library shows is documented and typed."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from tollkey import keys as keys_room


def public_callables() -> list[tuple[str, Callable[..., object]]]:
    found: list[tuple[str, Callable[..., object]]] = []
    doors = [(name, getattr(keys_room, name)) for name in keys_room.__all__]
    doors += [(f"{room.__name__}.KeyGate", room.KeyGate) for room in (keys_room.asgi, keys_room.wsgi)]
    for name, value in doors:
        if inspect.isclass(value) and value.__module__.startswith("tollkey"):
            members = [
                (f"{name}.{n}", v) for n, v in inspect.getmembers(value) if not n.startswith("_") and callable(v)
            ]
            found += [
                (name, value),
                *((n, v) for n, v in members if str(getattr(v, "__module__", "")).startswith("tollkey")),
            ]
        elif inspect.isfunction(value):
            found.append((name, value))
    return found


@pytest.mark.parametrize(
    ("name", "function"), public_callables(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_option_of_the_key_library_is_a_written_keyword_with_a_type(
    name: str, function: Callable[..., object]
) -> None:
    assert function.__doc__, f"{name} says nothing about itself"
    if inspect.isclass(function) and (
        issubclass(function, tuple | str | Exception) or getattr(function, "_is_protocol", False)
    ):
        return  # made by Python
    for parameter in inspect.signature(function).parameters.values():
        assert parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL), f"{name}(**{parameter.name})"
        if parameter.name != "self":
            assert parameter.annotation not in (parameter.empty, "Any"), f"{name}({parameter.name})"
