"""Odd values of the right type, at any place of an endpoint's parameters."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

from tollkey.wire.params import Array, Choice, Map, Object, OneOf, Param, Unset

Json = dict[str, Any]
#: By the name of a node's class; any other takes texts.
_ODD: dict[str, tuple[str, ...]] = {
    "Timestamp": ("0", "1", "4102444800", "253402300799", "253402300800", "1767225600000", str(2**53 - 1)),
    "Integer": ("-1", "0", "99999999", "2147483648", "99999999999", str(10**15), str(10**18 - 1)),
    "Number": ("-1", "0", "0.5", "1" * 30, "0." + "0" * 20 + "1"),
    "DecimalText": ("-1", "0", "0.5", "1" * 30, "0." + "0" * 20 + "1"),
    "Boolean": ("true", "false"),
}
_TEXTS = (
    "http://[", "http://[::1/", "https://a\u2100b/", "myapp://[", "\u202e", "\uff11\uff12", "\xb2", "\u0663", "-", ".",
    "..", "@", "a@b", "%",
    "%zz", "\\",
    "'", '"', "x" * 4_999, "é" * 500, "0", "00", "1e9", "[x", "{}", "{0}", "a b", "2026-13-45", "ZZ", "zzz",
    "xx_YY", "#fff", "/", "DE", "usd", "auto", "card", "pm_card_visa",
)  # fmt: skip


def odd_value(chance: random.Random, node: Param) -> str | None:
    """A value of that type which nobody sends; None for a hash or a list, whose parts have types of their own."""
    if isinstance(node, Unset):
        return chance.choice(("", odd_value(chance, node.inner)))
    if isinstance(node, OneOf):
        return odd_value(chance, chance.choice(list(node.options)))
    if isinstance(node, Object | Array | Map):
        return None
    if isinstance(node, Choice):
        return chance.choice([*node.words, "nothing"])
    return chance.choice(_ODD.get(type(node).__name__, _TEXTS))


def with_value(params: Json, path: tuple[str, ...], value: str) -> Json | None:
    """A copy of the parameters with a value at a path (``[]``: the first item); None where something else stands."""
    whole: Any = {"": deepcopy(params)}
    outer: Any = whole
    key: Any = ""
    for part in path:
        kind: type[Any] = list if part == "[]" else dict
        if not outer[key]:
            outer[key] = kind()
        outer = outer[key]
        if not isinstance(outer, kind):
            return None
        key = 0 if part == "[]" else part
        if part == "[]" and not outer:
            outer.append(None)
        elif part != "[]":
            outer.setdefault(key, None)
    outer[key] = value
    found: Json = whole[""]
    return found
