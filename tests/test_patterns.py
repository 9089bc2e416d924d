"""No regular expression takes longer than its text: of every pattern of the package, on texts made to mislead it.

A pattern that goes back over what it has read takes the square of the length, or worse: seconds for the 512 KB that a
request may have. The texts are made of what each pattern itself names, so that a new one is tried without a word here.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import tollkey

SOURCE = Path(tollkey.__file__).parent
LENGTH = 4_000  # characters: the square of it takes 0.015 to 0.15 s
MOST_SECONDS = 0.01
_CALLS = "match|fullmatch|search|sub|finditer|findall|split"
_PIECES = re.compile(r"[A-Za-z0-9]{1,12}|[^A-Za-z0-9\s\\]")
#: Patterns that meet only the files and settings of whoever runs the server, and short texts.
NOT_STRANGERS = (
    "tollkey.cli", "tollkey.keys.config", "tollkey.keys.vaults", "tollkey.dashboard.reference", "tollkey.db",
    "tollkey.keys.adapters",
)  # fmt: skip


@cache
def _sources() -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(SOURCE.rglob("*.py")))


def _patterns() -> Iterator[tuple[str, str, re.Pattern[str] | re.Pattern[bytes]]]:
    """Module, name and value of every pattern that a module holds."""
    for found in pkgutil.walk_packages(tollkey.__path__, "tollkey."):
        if found.name.startswith(NOT_STRANGERS) or found.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(found.name)).items():
            if isinstance(value, re.Pattern):
                yield found.name, name, value


@cache
def _methods(name: str) -> frozenset[str]:
    """How a pattern of that name is called anywhere."""
    return frozenset(re.findall(rf"\b{re.escape(name)}\.({_CALLS})\(", _sources()))


def _texts(pattern: str) -> Iterator[str]:
    """Texts that a pattern may begin to match at every place, and does not match in the end."""
    always = ("a", "A", "1", " ", ".", "@", "_", "-", "\t", '"', "\\", "a.", "1 ", "a_", "a@")
    pieces = dict.fromkeys([*_PIECES.findall(pattern), *always])
    for piece in pieces:
        body = (piece * LENGTH)[:LENGTH]
        for start in ("", *(one for one in ("a@",) if one[0] not in piece)):
            yield from (start + body + end for end in ("\x00", "@"))


def _seconds(pattern: re.Pattern[str] | re.Pattern[bytes], method: str, text: str) -> float:
    given = text if isinstance(pattern.pattern, str) else text.encode()
    more = (b"" if isinstance(given, bytes) else "",) if method == "sub" else ()
    began = time.process_time()
    found = getattr(pattern, method)(*more, given)
    if method == "finditer":
        list(found)
    return time.process_time() - began


def test_every_pattern_takes_time_in_proportion_to_its_text() -> None:
    slow = {}
    for module, name, pattern in _patterns():
        source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
        for method in sorted(_methods(name)):
            for text in _texts(source):
                if all(_seconds(pattern, method, text) > MOST_SECONDS for _ in range(3)):
                    slow[f"{module}.{name}.{method}"] = text[:20] + "…" + text[-3:]
    assert slow == {}


@pytest.mark.parametrize("pattern", [r"[^@\s]+@[^@\s]+\.[^@\s]+", r"(a|a)*b", r"[a-z0-9]+_[a-z0-9]+_[0-9]{9}"])
def test_a_pattern_that_goes_back_is_noticed(pattern: str) -> None:
    texts = _texts(pattern) if pattern != r"(a|a)*b" else iter(["a" * 24])
    found = re.compile(pattern)
    assert max(_seconds(found, method, text) for text in texts for method in ("fullmatch", "search")) > MOST_SECONDS
