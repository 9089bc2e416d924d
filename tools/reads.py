"""What a function reads: names, with the hash that they are looked up in where the function shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

_TYPE = re.compile(r"\boperations\.(\w+)")
_IN_HASH, _IN_TYPE = "\0", "\1"


def placed(where: str, name: str, *, root: bool = False) -> str:
    """A name that is looked up in a hash of that name; with ``root``, in a class of ``wire.operations``."""
    return f"{where}{_IN_TYPE if root else _IN_HASH}{name}"


def rooted(operation: str) -> Callable[[str], str]:
    """A function that takes what ``placed`` returned: the name, if it is of another class than that; else empty."""

    def name_of(place: str) -> str:
        where, _, name = place.partition(_IN_TYPE)
        return name if where != operation else ""

    return name_of


class Reader(ast.NodeVisitor):
    """Gathers the names that a function reads, and the expressions that refer to other code.

    names: those that are read without a hash that the function shows. places: the others (``placed``).
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.places: set[str] = set()
        self.references: list[str] = []
        self.objects: set[str] = set()
        #: Variable -> the hashes that it may stand for; without an entry, nobody knows.
        self._origins: dict[str, frozenset[str]] = {}

    def read(self, node: ast.FunctionDef | ast.Lambda) -> None:
        """Visit the body of a function without its annotations and its docstring."""
        self._note_objects(node)
        self._note_origins(node)
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        for statement in body:
            self.visit(statement)
        for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.visit(default)

    def _note_objects(self, node: ast.FunctionDef | ast.Lambda) -> None:
        """Note the variables that hold objects of the API: what is looked up in them is no parameter."""
        for argument in [*node.args.args, *node.args.kwonlyargs]:
            text = ast.unparse(argument.annotation) if argument.annotation else ""
            if "operations." not in text and ("api." in text or "Stored" in text):
                self.objects.add(argument.arg)
        for inner in ast.walk(node):
            match inner:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=called)) if ast.unparse(
                    called
                ).startswith(("call.objects.", "new_object")):
                    self.objects.add(name)

    def _note_origins(self, node: ast.FunctionDef | ast.Lambda) -> None:
        """Note which hash the variables stand for: those of a typed argument, and what was looked up in one."""
        for argument in [*node.args.args, *node.args.kwonlyargs]:
            types = _TYPE.findall(ast.unparse(argument.annotation)) if argument.annotation else []
            if types:
                self._origins[argument.arg] = frozenset(placed(each, "", root=True) for each in types)
        unclear: set[str] = set()
        for inner in ast.walk(node):
            for name, value in _assigned(inner):
                found = self._origin(value)
                self._origins[name] = self._origins.get(name, frozenset()) | (found or frozenset())
                if found is None:
                    unclear.add(name)
        for name in unclear:
            self._origins.pop(name, None)

    def _origin(self, node: ast.expr) -> frozenset[str] | None:
        """The hashes that a value may be, as the beginnings of ``placed``; None if the function does not show it."""
        match node:
            case ast.Subscript(slice=ast.Constant(value=str(key))):
                return frozenset((placed(key, ""),))
            case ast.Subscript(value=inner, slice=ast.Constant(value=int())):
                return self._origin(inner)
            case ast.Call(func=ast.Attribute(attr="get" | "pop"), args=[ast.Constant(value=str(key)), *_]):
                return frozenset((placed(key, ""),))
            case ast.Call(func=ast.Name(id="value_at"), args=[_, ast.Constant(value=str(key))]):
                return frozenset((placed(key.rpartition(".")[2], ""),))
            case ast.Call(func=ast.Name(id="cast"), args=[_, inner]):
                return self._origin(inner)
            case ast.BoolOp(values=values):
                return self._any_of(values)
            case ast.IfExp(body=one, orelse=other):
                return self._any_of([one, other])
            case ast.Name(id=name):
                return self._origins.get(name)
        return None

    def _any_of(self, values: list[ast.expr]) -> frozenset[str] | None:
        """The hashes that one of several values may be; an empty one, or a constant, is none."""
        found = [self._origin(each) for each in values if not isinstance(each, ast.Dict | ast.Tuple | ast.Constant)]
        known = [each for each in found if each is not None]
        return frozenset().union(*known) if known and len(known) == len(found) else None

    def _look_up(self, base: ast.expr, name: str) -> None:
        """Note that a name is looked up in a value."""
        self.visit(base)
        if isinstance(base, ast.Name) and base.id in self.objects:
            return
        origins = self._origin(base)
        if origins is None:
            self.names.add(name)
        else:
            self.places.update(f"{each}{name}" for each in origins)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.names.add(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        for inner in ast.walk(node):  # an error's text and param
            if isinstance(inner, ast.Name):
                self.visit(inner)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self.visit(value.value)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None and not isinstance(key, ast.Constant):
                self.visit(key)
            self.visit(value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not (isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)):
            self.visit(node.value)
            self.visit(node.slice)
        elif isinstance(node.ctx, ast.Load):
            self._look_up(node.value, node.slice.value)
        else:
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        match node:
            case ast.Call(
                func=ast.Attribute(value=base, attr="get" | "pop"), args=[ast.Constant(value=str(key)), *rest]
            ):
                self._look_up(base, key)
            case ast.Call(func=ast.Attribute(attr="given") as called, args=[base, ast.Constant(value=str(key)), *rest]):
                self.visit(called)
                self._look_up(base, key)
            case ast.Call(func=ast.Name(id="value_at"), args=[base, ast.Constant(value=str(key)), *rest]):
                first, *inner = key.split(".")
                self._look_up(base, first)
                self.places.update(placed(a, b) for a, b in zip([first, *inner], inner, strict=False))
            case _:
                self.generic_visit(node)
                return
        for each in rest:
            self.visit(each)

    def visit_Compare(self, node: ast.Compare) -> None:
        contains = isinstance(node.ops[0], ast.In | ast.NotIn)
        if contains and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
            self._look_up(node.comparators[0], node.left.value)
            return
        for side in [node.left, *node.comparators]:
            if not _literal(side):
                self.visit(side)

    def visit_MatchValue(self, node: ast.MatchValue) -> None:
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        if node.value:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.read(node)

    def visit_Name(self, node: ast.Name) -> None:
        self.references.append(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        text = ast.unparse(node)
        if all(part.isidentifier() for part in text.split(".")):
            self.references.append(text)
        else:
            self.visit(node.value)


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The variables that a statement sets, each with its value; for a loop, with what it runs through."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            yield from ((one.id, each) for one, each in zip(names, values, strict=False) if isinstance(one, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            inner = value.args[0] if isinstance(value, ast.Call) and ast.unparse(value.func) == "enumerate" else value
            last = target.elts[-1] if isinstance(target, ast.Tuple) else target
            if isinstance(last, ast.Name):
                yield last.id, inner


def _literal(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple | ast.Set | ast.List):
        return all(_literal(each) for each in node.elts)
    return isinstance(node, ast.Constant)
