"""What the door of the key library shows is documented and typed."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
import typing
from collections.abc import Callable
from pathlib import Path

import pytest

from tollkey import keys as keys_room
from tollkey.keys import actors, asgi, attempts, errors, header, key, keyring, limits, refusal, token, wsgi

#: The modules of the core whose names are kept from version to version, as those of the door are.
PUBLIC = (keys_room, actors, asgi, attempts, errors, header, key, keyring, limits, refusal, token, wsgi)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "python" / "keys.md"


def public_callables() -> list[tuple[str, Callable[..., object]]]:
    found: list[tuple[str, Callable[..., object]]] = []
    for name, value in ((f"{room.__name__}.{name}", getattr(room, name)) for room in PUBLIC for name in room.__all__):
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


def test_the_door_explains_each_of_its_names() -> None:
    explained = set(re.findall(r"``(\w+)(?:\.\w+)?``", keys_room.__doc__ or ""))
    assert set(keys_room.__all__) <= explained


def test_the_modules_that_the_door_speaks_of_are_there() -> None:
    parts = (keys_room.__doc__ or "").partition("a module with a name:")[2].partition("The other modules")[0]
    modules = [name for name in re.findall(r"``(\w+)``", parts) if name.islower()]
    assert "errors" in modules
    assert [name for name in modules if importlib.util.find_spec(f"tollkey.keys.{name}") is None] == []


def test_the_reference_describes_every_public_name_and_nothing_that_is_not_there() -> None:
    described = re.findall(r"^::: (tollkey\.keys[\w.]*)\.(\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [f"{m}.{n}" for m, n in described if not hasattr(importlib.import_module(m), n)] == []
    values = {id(getattr(importlib.import_module(m), n)) for m, n in described}
    lacking = [
        f"{room.__name__}.{name}"
        for room in PUBLIC
        for name in room.__all__
        if id(getattr(room, name)) not in values
        and typing.get_origin(getattr(room, name)) is None  # no alias of a type
    ]
    assert lacking == []


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
        "httpx",
        "psycopg",
        "uvicorn",
        "typer",
        "jinja2",
    }
    assert unwanted & {name.partition(".")[0] for name in loaded} == set()
