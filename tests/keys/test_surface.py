"""What the door of the key library shows is documented and typed."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
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


def test_the_door_names_what_an_application_needs_and_has_it() -> None:
    doc = keys_room.__doc__ or ""
    named = set(re.findall(r"``(\w+)``", doc.partition("The other names")[0]))
    assert named <= {*keys_room.__all__}
    assert {"KeyService", "AccountKeys", "Permission", "Key", "Made", "Checked", "Reason", "TollkeyError"} <= named
    assert len(named) <= 14


def test_importing_the_library_loads_no_event_loop_no_web_framework_and_nothing_that_only_a_rare_call_needs() -> None:
    code = "import sys, tollkey.keys; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    unwanted = {
        "asyncio",
        "csv",
        "difflib",
        "random",
        "socket",
        "tempfile",
        "uuid",
        "tomllib",
        "ssl",
        "starlette",
        "fastapi",
        "psycopg",
        "uvicorn",
        "typer",
        "jinja2",
    }
    assert unwanted & {name.partition(".")[0] for name in loaded} == set()
