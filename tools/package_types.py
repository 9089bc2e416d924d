"""The parameters and objects that the official ``stripe`` package declares, as OpenAPI schemas.

Read from the syntax tree of the package; see ``tools/read_package.py``.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
Fields = dict[str, ast.expr]

_SCALARS: dict[str, Schema] = {
    "str": {"type": "string", "maxLength": 5000},
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "Decimal": {"type": "string", "format": "decimal"},
    "Any": {},
    "object": {},
}
_EMPTY: Schema = {"type": "string", "enum": [""]}
_TIME = re.compile(r"(^|_)(at|created|timestamp|before|after|date|due|from|until|expires|gt|gte|lt|lte)$")
#: Fields that the package has had for longer than the document: previews, and marks of deleted objects.
_PREVIEWS = ("deleted", "iin", "moto", "persistent_token", "validate")
_OWN = (*_PREVIEWS, "OBJECT_NAME", "_inner_class_types", "_inner_class_dicts", "_field_remappings", "_field_encodings")


@dataclass
class Class:
    """A class of the package: its fields, and the name of the API's object when it is one."""

    module: Module
    name: str
    fields: Fields = field(default_factory=dict)
    object: str | None = None


@dataclass
class Module:
    """One file: its classes by qualified name, and where its other names come from."""

    tree: ast.Module
    classes: dict[str, Class] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                self.imports.update({a.asname or a.name: (node.module, a.name) for a in node.names})
        self._collect(self.tree.body, "")

    def _collect(self, body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                made = self.classes[prefix + node.name] = Class(self, prefix + node.name)
                for base in node.bases:
                    inherited = self.classes.get(ast.unparse(base))
                    made.fields.update(inherited.fields if inherited else {})
                self._read(made, node)
                self._collect(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and len(node.value.args) == 2:
                self._functional(node.value)

    def _functional(self, call: ast.Call) -> None:
        """A TypedDict made by a call, for fields whose names are words of the language."""
        name, fields = call.args
        if isinstance(name, ast.Constant) and isinstance(fields, ast.Dict) and ast.unparse(call.func) == "TypedDict":
            keys = [key.value for key in fields.keys if isinstance(key, ast.Constant)]
            made = Class(self, str(name.value), dict(zip(map(str, keys), fields.values, strict=True)))
            self.classes[made.name] = made

    def _read(self, made: Class, node: ast.ClassDef) -> None:
        renamed: dict[str, str] = {}
        for line in node.body:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "_field_remappings":
                renamed = ast.literal_eval(line.value)
        for line in node.body:
            if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
                continue
            if line.target.id == "OBJECT_NAME" and line.value is not None:
                made.object = ast.literal_eval(line.value)
            if line.target.id not in _OWN:
                made.fields[renamed.get(line.target.id, line.target.id)] = line.annotation


@dataclass
class Package:
    """The installed package. root: its folder."""

    root: Path
    _modules: dict[str, Module | None] = field(default_factory=dict)

    @classmethod
    def installed(cls) -> Package:
        """Return the package of this environment."""
        return cls(Path(str(distribution("stripe").locate_file("stripe"))))

    def module(self, name: str) -> Module | None:
        """Return a module by its dotted name, None when it is not the package's."""
        if name not in self._modules:
            path = self.root.joinpath(*name.split(".")[1:])
            path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            known = name.startswith("stripe.") and path.exists()
            self._modules[name] = Module(ast.parse(path.read_text(encoding="utf-8"))) if known else None
        return self._modules[name]

    @cached_property
    def _all(self) -> list[Module]:
        files = sorted(p for p in self.root.rglob("_*.py") if "params" not in p.parts)
        names = [".".join(("stripe", *p.relative_to(self.root).with_suffix("").parts)) for p in files]
        return [module for name in names if (module := self.module(name)) is not None]

    def operations(self) -> dict[str, Schema]:
        """Return the parameters of every operation by method and path: ``POST /v1/customers/{}``."""
        found: dict[str, Schema] = {}
        for module in self._all:
            for cls in (node for node in module.tree.body if isinstance(node, ast.ClassDef) and "Service" in node.name):
                for method in (line for line in cls.body if isinstance(line, ast.FunctionDef)):
                    named = _request(method)
                    if named:
                        found[named] = self._params_of(method, module)
        return found

    def objects(self) -> dict[str, Schema]:
        """Return the objects by name: ``customer``, ``checkout.session``."""
        return {
            cls.object: self.record(cls, params=False)
            for module in self._all
            for cls in module.classes.values()
            if cls.object and "." not in cls.name and cls.fields
        }

    def _params_of(self, method: ast.FunctionDef, module: Module) -> Schema:
        for argument in method.args.args:
            if argument.arg == "params" and argument.annotation is not None:
                text = ast.unparse(argument.annotation)
                for name in re.findall(r"\w+Params\b", text):
                    cls = self._find(name, module, "")
                    if cls is not None:
                        return self.record(cls, params=True)
        return {"type": "object", "properties": {}}

    def _find(self, name: str, module: Module, within: str) -> Class | None:
        """Return the class that a name means inside a class of a module."""
        while True:
            found = module.classes.get(f"{within}.{name}" if within else name)
            if found is not None or not within:
                break
            within = within.rpartition(".")[0]
        if found is not None or name not in module.imports:
            return found
        source, original = module.imports[name]
        other = self.module(source)
        return self._find(original, other, "") if other is not None else None

    def record(self, cls: Class, params: bool, seen: tuple[str, ...] = ()) -> Schema:
        """Return the schema of a class.

        params: of parameters, not of an object. seen: the classes that it is within.
        """
        properties: Schema = {}
        required, expandable = [], []
        for name, annotation in cls.fields.items():
            node = _parsed(annotation)
            optional = isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("NotRequired", "Optional")
            inner = _parsed(node.slice) if optional and isinstance(node, ast.Subscript) else node
            schema = self._schema(inner, cls, name, params, (*seen, cls.name))
            if not optional:
                required.append(name)
            elif not params:
                schema = {**schema, "nullable": True}
            if "ExpandableField" in ast.unparse(node):
                expandable.append(name)
            properties[name] = schema
        made: Schema = {"type": "object", "properties": properties}
        made |= {"required": required} if required else {}
        return made | ({"x-expandableFields": expandable} if expandable else {})

    def _schema(self, node: ast.expr, cls: Class, name: str, params: bool, seen: tuple[str, ...]) -> Schema:
        node = _parsed(node)
        if isinstance(node, ast.BinOp):
            return self._either(_alternatives(node), cls, name, params, seen)
        if isinstance(node, ast.Subscript):
            return self._generic(node, cls, name, params, seen)
        text = ast.unparse(node)
        if text in _SCALARS:
            return (
                {"type": "integer", "format": "unix-time"} if text == "int" and _TIME.search(name) else _SCALARS[text]
            )
        found = self._find(text, cls.module, cls.name)
        if found is None or found.name in seen:
            return {"type": "object"} if text != "None" else {}
        if found.object is not None and not params:
            return {"$ref": f"#/components/schemas/{found.object}"}
        return self.record(found, params, seen)

    def _generic(self, node: ast.Subscript, cls: Class, name: str, params: bool, seen: tuple[str, ...]) -> Schema:
        outer = ast.unparse(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if outer == "Literal":
            return {"type": "string", "enum": [part.value for part in parts if isinstance(part, ast.Constant)]}
        if outer == "Union":
            return self._either(list(parts), cls, name, params, seen)
        if outer == "ExpandableField":
            target = self._schema(parts[0], cls, name, False, seen)
            references = target.get("anyOf", [target])
            return {"type": "string", "x-expansionResources": {"oneOf": [r for r in references if "$ref" in r]}}
        inner = self._schema(parts[-1], cls, name, params, seen)
        if outer in ("List", "ListObject", "Sequence"):
            return {"type": "array", "items": inner}
        if outer in ("Dict", "UntypedStripeObject"):
            return {"type": "object", "additionalProperties": inner}
        return inner

    def _either(self, parts: list[ast.expr], cls: Class, name: str, params: bool, seen: tuple[str, ...]) -> Schema:
        """Return the schema of a union. Text beside words means that more words may follow; it is left out."""
        made = [self._schema(part, cls, name, params, seen) for part in parts if ast.unparse(part) != "None"]
        listed = [word for schema in made for word in schema.get("enum", [])]
        if any(listed):
            made = [schema for schema in made if schema != _SCALARS["str"]]
        kept = [{**s, "enum": [w for w in s["enum"] if w]} if "enum" in s else s for s in made]
        kept = [s for n, s in enumerate(kept) if s not in kept[:n] and s.get("enum", True)]
        maps = [s for s in kept if "additionalProperties" in s]
        kept = [s for s in kept if s not in maps[1:]] + ([_EMPTY] if "" in listed else [])
        return kept[0] if len(kept) == 1 else {"anyOf": kept}


def _parsed(node: ast.expr) -> ast.expr:
    """Return an annotation that is written as text as the expression it means."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _parsed(ast.parse(node.value.strip(), mode="eval").body)
    return node


def _alternatives(node: ast.expr) -> list[ast.expr]:
    """Return the members of ``a | b | c``."""
    if isinstance(node, ast.BinOp):
        return [*_alternatives(node.left), *_alternatives(node.right)]
    return [node]


def _request(method: ast.FunctionDef) -> str | None:
    """Return the method and path of the request that a function of a service sends."""
    for node in ast.walk(method):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_request":
            verb, path = node.args[:2]
            if isinstance(path, ast.Call) and isinstance(path.func, ast.Attribute):
                path = path.func.value
            if isinstance(verb, ast.Constant) and isinstance(path, ast.Constant):
                shape = re.sub(r"{[^}]*}", "{}", str(path.value))
                return f"{str(verb.value).upper()} {shape}"
    return None
