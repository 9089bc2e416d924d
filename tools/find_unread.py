"""Find the parameters that an endpoint accepts and that no code behind its handler reads.

    python tools/find_unread.py            print them, by room
    python tools/find_unread.py issuing    those of one room (or of ``platform``)

A parameter is read when a function that the handler reaches, or a table that such a function uses, names it: as a key
that is looked up, as an argument, or as a pattern. What is only written (the key of a new object, the target of an
assignment), compared as a value or named in an error is not read, nor what is looked up in an object of the API. The
search goes by the name and the hash that it is looked up in, as far as a function shows which: ``given["card"]["cvc"]``
reads no other ``cvc``, and what is looked up in the parameters of the operation reads nothing within a hash
(``tools/reads.py``). A name that is looked up in a variable of unknown origin counts for every hash. What acts although
no code names it, such as a hash that is kept and shown as it was sent, stands in
``tests/payments/<room>/unread.jsonl`` (and in ``tests/platform``), a JSON object a line: its ``path``, ``why``, and the
operation if it is only ``of`` one.
``tests/test_parameters.py`` demands that nothing else is left.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import NamedTuple, TypeAlias

import tollkey.payments
import tollkey.platform
from tollkey.core import gather
from tollkey.wire.params import Array, Choice, Map, ObjectSchema, OneOf, Param, Refused, Unset
from tollkey.wire.resource import Catalogue
from tools.make_operations import operation_name
from tools.reads import Reader, placed, rooted

TESTS = Path(__file__).resolve().parent.parent / "tests"
#: Code that a handler may reach. Tables of the specification name every parameter, and prove nothing.
_OURS = ("tollkey.payments.", "tollkey.platform.", "tollkey.wire.")
_NOT_OURS = "tollkey.wire.spec."
#: What every operation or every list takes, and ``wire`` itself acts on.
_COMMON = frozenset({"expand", "limit", "starting_after", "ending_before"})


#: A fact's type -> the functions that are called when it is announced.
Reactions: TypeAlias = Mapping[type, Iterable[object]]


class Unread(NamedTuple):
    """A parameter that nobody reads. room: of the handler. operation: method and path. path: dotted, with ``[]``."""

    room: str
    operation: str
    path: str


class Excuse(NamedTuple):
    """Parameters that act although no code names them.

    path: of them; in its file ``*`` stands for one name and ``**`` for everything within. of: the only operations; in
    its file ``*`` stands for any text.
    """

    path: re.Pattern[str]
    of: re.Pattern[str] | None
    why: str

    def covers(self, found: Unread) -> bool:
        """Whether it is about that parameter."""
        mine = self.of is None or self.of.fullmatch(found.operation) is not None
        return mine and self.path.fullmatch(found.path) is not None


class Seen(NamedTuple):
    """What a function names (with the hash, ``tools.reads.placed``, where that is known), and what it refers to."""

    names: frozenset[str]
    uses: tuple[object, ...]


def room_of(module: str) -> str:
    """``tollkey.payments.issuing.cards`` as ``issuing``, ``tollkey.platform.accounts`` as ``platform``."""
    parts = module.split(".")
    return parts[2] if parts[1] == "payments" else parts[1]


@cache
def _functions(file: str) -> dict[int, ast.FunctionDef | ast.Lambda]:
    """The functions of a file by the line where their code begins."""
    found: dict[int, ast.FunctionDef | ast.Lambda] = {}
    if not Path(file).is_file():  # the methods that ``dataclass`` writes
        return found
    for node in ast.walk(ast.parse(Path(file).read_text())):
        if isinstance(node, ast.FunctionDef):
            found[min([node.lineno, *(each.lineno for each in node.decorator_list)])] = node
        elif isinstance(node, ast.Lambda):
            found.setdefault(node.lineno, node)
    return found


@cache
def _seen(function: FunctionType) -> Seen:
    """What a function names and refers to."""
    node = _functions(function.__code__.co_filename).get(function.__code__.co_firstlineno)
    if node is None:
        return Seen(frozenset(), ())
    reader = Reader()
    reader.read(node)
    values = (each.cell_contents for each in function.__closure__ or ())
    cells = dict(zip(function.__code__.co_freevars, values, strict=True))
    uses = [*cells.values(), *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for text in dict.fromkeys(reader.references):
        first, *rest = text.split(".")
        found = cells.get(first, function.__globals__.get(first, _seen))
        for name in rest:
            found = getattr(found, name, _seen)
        if found is not _seen:
            uses.append(found)
    return Seen(frozenset(reader.names | reader.places), tuple(uses))


def _ours(module: str | None) -> bool:
    return bool(module) and str(module).startswith(_OURS) and not str(module).startswith(_NOT_OURS)


class Reach:
    """What is behind a handler. reactions: a fact's type -> the functions that are called when it is announced."""

    def __init__(self, reactions: Reactions) -> None:
        self._reactions = reactions

    def names(self, handler: object) -> set[str]:
        """Every name that the functions and tables behind a handler read."""
        names: set[str] = set()
        waiting, known = [handler], dict[int, object]()  # kept, so that no id is given twice
        while waiting:
            found = waiting.pop()
            if isinstance(found, str):
                names.add(found)
                continue
            if id(found) in known:
                continue
            known[id(found)] = found
            waiting += self._next(found)
        return names

    def _next(self, found: object) -> Iterator[object]:
        """The names of a thing and what it refers to."""
        if isinstance(found, FunctionType):
            inner = getattr(found, "__wrapped__", None)
            if inner is not None:
                yield inner
            if _ours(found.__module__):
                seen = _seen(found)
                yield from seen.names
                yield from seen.uses
        elif isinstance(found, MethodType):
            yield found.__func__
        elif isinstance(found, partial):
            yield found.func
            yield from found.args
            yield from found.keywords.values()
        elif isinstance(found, type):
            yield from self._reactions.get(found, ())
            if _ours(found.__module__):
                yield from (getattr(each, "fget", getattr(each, "__func__", each)) for each in vars(found).values())
                yield from found.__mro__[1:]
        elif isinstance(found, Mapping):
            yield from found.keys()
            yield from found.values()
        elif isinstance(found, tuple | list | set | frozenset):
            yield from found
        elif not isinstance(found, ModuleType) and _ours(type(found).__module__):
            yield type(found)
            yield from getattr(found, "__dict__", {}).values()


def parameters(node: Param, path: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every parameter of a schema: its dotted path, with ``[]`` after a list or a map, and the names that read it.

    What is refused, and a choice of one word, of which nothing depends, are left out.
    """
    if isinstance(node, ObjectSchema):
        for name, inner in node.fields.items():
            if isinstance(inner, Refused) or (isinstance(inner, Choice) and len(inner.words) == 1):
                continue
            full = f"{path}.{name}" if path else name
            yield full, (name, "type") if _named_by_type(node, name) else (name,)
            yield from parameters(inner, full)
    elif isinstance(node, OneOf):
        for option in node.options:
            yield from parameters(option, path)
    elif isinstance(node, Unset):
        yield from parameters(node.inner, path)
    elif isinstance(node, Array | Map):
        yield from parameters(node.item, f"{path}[]")


def _named_by_type(record: ObjectSchema, name: str) -> bool:
    """Whether a hash is looked up by what its sibling ``type`` says: ``details[details["type"]]``."""
    kind = record.fields.get("type")
    return isinstance(kind, Choice) and name in kind.words


def find_unread() -> list[Unread]:
    """Every parameter that nobody reads."""
    catalogue = Catalogue(gather(tollkey.platform, tollkey.payments))
    return [
        Unread(room_of(endpoint.handler.__module__), f"{endpoint.method} {endpoint.path}", path)
        for resource in catalogue.resources
        for endpoint in resource.endpoints
        if not endpoint.handler.__module__.startswith("tollkey.wire.")
        for path in unread_of(
            endpoint.schema,
            endpoint.handler,
            catalogue.reactions,
            operation_name(endpoint.method, endpoint.path),
        )
    ]


def unread_of(
    schema: ObjectSchema, handler: object, reactions: Reactions | None = None, operation: str = ""
) -> Iterator[str]:
    """The paths of the parameters that no code behind a handler reads.

    reactions: a fact's type -> what it starts. operation: the class of ``wire.operations`` of the handler's parameters.
    """
    names = Reach(reactions or {}).names(handler) | _COMMON
    elsewhere: set[str] = set()
    for path, own in dict.fromkeys(parameters(schema)):
        parts = path.replace("[]", "").strip(".").split(".")
        places = [placed(parts[-2], name) for name in own] if len(parts) > 1 else [placed(operation, own[0], root=True)]
        if not names.isdisjoint((*own, *places)):
            continue
        elsewhere = elsewhere or {"", *map(rooted(operation), names)}  # read as a parameter of another operation
        if elsewhere.isdisjoint(own):
            yield path


def excuses() -> dict[str, list[Excuse]]:
    """The parameters of each room that act although no code names them."""
    files = [*TESTS.glob("payments/*/unread.jsonl"), *TESTS.glob("platform/unread.jsonl")]
    return {file.parent.name: [_excuse(line) for line in file.read_text().splitlines()] for file in files}


def _excuse(line: str) -> Excuse:
    row = json.loads(line)
    if row.keys() - {"of"} != {"path", "why"}:
        raise ValueError(f"not an excuse: {line}")
    of = row.get("of")
    return Excuse(_pattern(row["path"], r"[^.]*"), _pattern(of, ".*") if of else None, row["why"])


def _pattern(text: str, one: str) -> re.Pattern[str]:
    """Return the expression for a text with stars. one: what a single star stands for."""
    return re.compile(re.escape(text).replace(r"\*\*", ".*").replace(r"\*", one))


def left(found: Iterable[Unread], excused: Mapping[str, list[Excuse]]) -> list[Unread]:
    """What no excuse covers; of a hash that nobody reads, only the hash."""
    kept: list[Unread] = []
    missed: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for each in found:
        if any(excuse.covers(each) for excuse in excused.get(each.room, ())):
            continue
        if not each.path.startswith(missed[each.operation]):
            kept.append(each)
            missed[each.operation] += (f"{each.path}.", f"{each.path}[]")
    return kept


def main() -> None:
    """Print what nobody reads, each path once with its operations."""
    rooms: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for each in left(find_unread(), excuses()):
        rooms[each.room][each.path].append(each.operation)
    for room in sys.argv[1:] or sorted(rooms):
        print(f"{room}: {len(rooms[room])}")
        for path, operations in sorted(rooms[room].items()):
            print(f"    {path}  ({', '.join(operations)})")


if __name__ == "__main__":
    main()
