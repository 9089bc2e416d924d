"""Handlers read the parameters that their operations take: types say which, and a misspelt name is found."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tollkey.payments
import tollkey.platform
from tollkey.core import gather
from tollkey.wire import Endpoint, P, Resource
from tollkey.wire.resource import Catalogue
from tollkey.wire.shapes import documented_paths
from tollkey.wire.spec import object_facts
from tools.find_unread import Excuse, Unread, excuses, find_unread, left, unread_of
from tools.make_operations import OUT, Operations, operation_name, read_by_handlers

if TYPE_CHECKING:
    from tollkey.wire import operations

ROOT = Path(__file__).resolve().parent.parent
_TYPE = re.compile(r"\boperations\.(\w+)")
#: Functions that copy the parameters whose names they are given.
_ASSIGN = ("assign", "assign_with_metadata")


@pytest.fixture(scope="module")
def endpoints() -> list[Endpoint]:
    """The endpoints with a handler of their own."""
    return read_by_handlers()


@pytest.fixture(scope="module")
def known(endpoints: list[Endpoint]) -> dict[str, set[str]]:
    """Class of ``wire.operations`` -> the names of its parameters."""
    return Operations(endpoints).parameters()


def _types_of(endpoint: Endpoint) -> set[str]:
    """The operations in the annotation of a handler's parameters; none when they are untyped."""
    annotations = inspect.get_annotations(inspect.unwrap(endpoint.handler))
    return set(_TYPE.findall(str(annotations.get("params", ""))))


def test_the_types_of_parameters_are_those_that_the_endpoints_check_with(endpoints: list[Endpoint]) -> None:
    assert OUT.read_text() == Operations(endpoints).write(), "run python tools/make_operations.py"


def test_the_parameters_of_a_handler_have_the_type_of_its_operation(endpoints: list[Endpoint]) -> None:
    wrong = [
        f"{endpoint.method} {endpoint.path}: {endpoint.handler.__name__}(call, params: operations.{own})"
        for endpoint in endpoints
        if (own := operation_name(endpoint.method, endpoint.path)) not in _types_of(endpoint)
    ]
    assert wrong == []


def _read(function: ast.FunctionDef, argument: str) -> Iterator[tuple[int, str]]:
    """What a function reads of an argument ``a``, by line.

    Ways of reading: ``a["x"]``, ``a.get("x")``, ``"x" in a``, ``given(a, "x")``, ``assign(object, a, ("x",))``.
    """
    for node in ast.walk(function):
        names: list[ast.expr] = []
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=key) if name == argument:
                names = [key]
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get" | "pop"), args=[key, *_]) if (
                name == argument
            ):
                names = [key]
            case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=name)]) if (
                name == argument
            ):
                names = [key]
            case ast.Call(func=ast.Attribute(attr="given"), args=[ast.Name(id=name), key, *_]) if name == argument:
                names = [key]
            case ast.Call(func=ast.Attribute(attr=called), args=[_, ast.Name(id=name), ast.Tuple(elts=keys)]) if (
                name == argument and called in _ASSIGN
            ):
                names = keys
        yield from (
            (node.lineno, each.value)
            for each in names
            if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )


def _misspelt(text: str, known: dict[str, set[str]]) -> list[tuple[int, str]]:
    """The lines that read a parameter which none of the types of the argument has, with its name."""
    found = []
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for argument in function.args.args:
            types = _TYPE.findall(ast.unparse(argument.annotation)) if argument.annotation else []
            names = set().union(*(known.get(each, set()) for each in types))
            if types:
                found += [(line, name) for line, name in _read(function, argument.arg) if name not in names]
    return found


def test_a_misspelt_parameter_is_found_however_it_is_read() -> None:
    text = """
def update(call, params: operations.PostCoupons | operations.PostCouponsCoupon):
    params["name"], params.get("id"), "metadata" in params
    params["nmae"]
    params.get("idd")
    if "metdata" in params:
        fields.assign(coupon, params, ("name", "redem_by"))
        fields.given(params, "duraton", "once")
"""
    known = {"PostCoupons": {"id", "name", "metadata"}, "PostCouponsCoupon": {"name"}}
    assert [name for _, name in sorted(_misspelt(text, known))] == ["nmae", "idd", "metdata", "redem_by", "duraton"]


def test_no_function_reads_a_parameter_that_its_operation_does_not_take(known: dict[str, set[str]]) -> None:
    found = {
        f"{file.relative_to(ROOT)}:{line}: {name}"
        for file in (ROOT / "src" / "tollkey").rglob("*.py")
        for line, name in _misspelt(file.read_text(), known)
    }
    assert found == set()


@pytest.fixture(scope="module")
def unread() -> list[Unread]:
    """The parameters that no code names behind their handler."""
    return find_unread()


def test_every_parameter_that_an_endpoint_accepts_is_read_or_its_effect_is_explained(unread: list[Unread]) -> None:
    found = left(unread, excuses())
    assert found == [], (
        "read it, refuse it by name (wire/spec/unbuilt.py), or say in the room's unread.jsonl how it acts"
    )


def test_what_is_explained_is_about_a_parameter_that_no_code_names(unread: list[Unread]) -> None:
    stale = [
        (room, excuse.path.pattern)
        for room, rows in excuses().items()
        for excuse in rows
        if not any(excuse.covers(each) for each in unread if each.room == room)
    ]
    assert stale == []


def test_a_parameter_of_which_nobody_knows_is_found_with_its_path() -> None:
    def handler(call: object, params: dict[str, dict[str, str]]) -> dict[str, object]:
        """Name a parameter "written" in vain."""
        if params["read"].get("within") == "compared":
            raise ValueError("raised")
        return {"written": None}

    handler.__module__ = "tollkey.payments.tea"

    schema = P.object(
        read=P.nested(within=P.string(), compared=P.string()), written=P.nested(inner=P.string()), raised=P.string()
    )
    assert list(unread_of(schema, handler)) == ["read.compared", "written", "written.inner", "raised"]


def test_a_name_that_is_read_in_another_hash_is_found_too() -> None:
    def handler(call: object, params: operations.PostCoupons) -> object:
        card, given = params["card"], _any(params)
        return card["cvc"], params.get("country"), given["city"]

    handler.__module__ = "tollkey.payments.tea"
    one = P.object(cvc=P.string(), country=P.string(), city=P.string())
    schema = P.object(card=one, bank=one, cvc=P.string(), country=P.string(), city=P.string())
    assert list(unread_of(schema, handler, operation="PostCoupons")) == [
        "card.country", "bank", "bank.cvc", "bank.country", "cvc",
    ]  # fmt: skip


def _any(value: Any) -> Any:
    return value


def test_every_filter_of_a_plain_list_is_a_field_of_its_objects() -> None:
    lost = [
        f"{endpoint.path}: {name}"
        for resource in Catalogue(gather(tollkey.platform, tollkey.payments)).resources
        for endpoint in resource.endpoints
        if endpoint.handler.__qualname__.startswith("listing.")
        for name in _lost_filters(endpoint, resource)
    ]
    assert lost == []


def _lost_filters(endpoint: Endpoint, resource: Resource) -> set[str]:
    """The filters of ``wire.pages.listing`` that no field of the listed objects answers to."""
    code, cells = endpoint.handler.__code__, endpoint.handler.__closure__ or ()
    given = dict(zip(code.co_freevars, (cell.cell_contents for cell in cells), strict=True))
    shown = documented_paths(given["object"]) if given["object"] in object_facts().roots else []
    filters = {given["fields"].get(name, name) for name in endpoint.schema.fields}
    return filters - {*shown, *resource.indexed, "created", "expand", "limit", "starting_after", "ending_before"}


def test_an_explanation_covers_one_level_or_everything_within() -> None:
    rows = [Unread("room", "POST /v1/a", path) for path in ("a", "a.b", "a.b.c", "d", "d.e")]
    one, all = Excuse(re.compile(r"a\.[^.]*"), None, ""), Excuse(re.compile(r"a\..*"), re.compile("POST /v1/a"), "")
    assert [each.path for each in left(rows, {"room": [one]})] == ["a", "d"]
    assert [each.path for each in left(rows[1:], {"room": [one]})] == ["a.b.c", "d"]
    assert [each.path for each in left(rows[1:], {"room": [all]})] == ["d"]
