"""A request in Go and in Java, whose libraries have a type for the parameters of each method."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from tollkey.dashboard.reference.naming import Request, camel, singular
from tollkey.wire.params import Param, operation_params


def _form(params: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in params.items():
        key = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, dict):
            found += _form(value, key)
        elif isinstance(value, list):
            for place, item in enumerate(value):
                found += _form(item, f"{key}[{place}]") if isinstance(item, dict) else [(f"{key}[]", str(item))]
        else:
            found.append((key, ("true" if value else "false") if isinstance(value, bool) else str(value)))
    return found


def _type(request: Request) -> str:
    """Return the beginning of the names of parameter types: ``PaymentIntentCapture``."""
    *namespaces, last = request.services
    return "".join(camel(name, True) for name in namespaces) + camel(singular(last), True) + camel(request.verb, True)


# -- Go

_INITIALS = {"url": "URL", "id": "ID", "cvc": "CVC", "ip": "IP", "api": "API"}


def _go_name(name: str) -> str:
    return "".join(_INITIALS.get(part, part.capitalize()) for part in name.split("_"))


def _go_value(value: Any, type: str, name: str, depth: int) -> str:
    pad, end = "\t" * (depth + 1), "\t" * depth
    if isinstance(value, bool):
        return f"stripe.Bool({'true' if value else 'false'})"
    if isinstance(value, int):
        return f"stripe.Int64({value})"
    if isinstance(value, float):
        return f"stripe.Float64({value})"
    if isinstance(value, str):
        return f"stripe.String({json.dumps(value)})"
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            items = "".join(f"{pad}{_go_struct(item, type + _go_name(singular(name)), depth + 1)},\n" for item in value)
            return f"[]*stripe.{type}{_go_name(singular(name))}Params{{\n{items}{end}}}"
        return f"stripe.StringSlice([]string{{{', '.join(json.dumps(str(item)) for item in value)}}})"
    if name == "metadata":
        return "map[string]string{" + ", ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "}"
    return f"&stripe.{type}{_go_name(name)}Params{_go_struct(value, type + _go_name(name), depth)}"


def _go_struct(fields: dict[str, Any], type: str, depth: int) -> str:
    pad, end = "\t" * (depth + 1), "\t" * depth
    lines = "".join(
        f"{pad}{_go_name(name)}: {_go_value(value, type, name, depth + 1)},\n" for name, value in fields.items()
    )
    return f"{{\n{lines}{end}}}"


def go(request: Request, key: str, base: str) -> str:
    """Write a request for ``stripe-go``."""
    head = (f'backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{{\n\tURL: stripe.String("{base}"),\n}})\n'
            f'sc := stripe.NewClient("{key}", stripe.WithBackends(backends))\n')  # fmt: skip
    if not request.services:
        content = json.dumps(urlencode(_form(request.params)))
        return head + f'result, err := sc.RawRequest("{request.method}", "{request.path}", {content}, nil)'
    service = "V1" + "".join(camel(name, True) for name in request.services)
    params = f"&stripe.{_type(request)}Params" + (
        _go_struct(request.params, _type(request), 0) if request.params else "{}"
    )
    ids = "".join(f"{json.dumps(id)}, " for id in request.ids)
    if request.verb == "list":
        body = f"for item, err := range sc.{service}.List(context.TODO(), {params}) {{\n\t// …\n}}"
        return head + body
    return head + f"result, err := sc.{service}.{camel(request.verb, True)}(context.TODO(), {ids}{params})"


# -- Java


def _choice(node: Param | None) -> bool:
    inner = getattr(node, "inner", node)
    item = getattr(inner, "item", inner)
    options = getattr(item, "options", (item,))
    return any(getattr(option, "words", None) for option in options)


def _fields(node: Param | None) -> dict[str, Param]:
    inner = getattr(node, "inner", node)
    item = getattr(inner, "item", inner)
    for option in getattr(item, "options", (item,)):
        fields = getattr(option, "fields", None)
        if fields:
            return dict(fields)
    return {}


def _java_value(value: Any, type: str, node: Param | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}L"
    if isinstance(value, float):
        return f"new BigDecimal({json.dumps(str(value))})"
    if _choice(node):
        return f"{type}.{str(value).replace('.', '__').upper()}"
    return json.dumps(str(value))


def _java_builder(fields: dict[str, Any], type: str, schema: dict[str, Param], depth: int) -> str:
    pad = "  " * (depth + 1)
    lines = [f"{type}.builder()"]
    for name, value in fields.items():
        inner, node = f"{type}.{camel(name, True)}", schema.get(name)
        if name == "metadata":
            lines += [f"{pad}.putMetadata({json.dumps(k)}, {json.dumps(v)})" for k, v in value.items()]
        elif isinstance(value, dict):
            lines.append(
                f"{pad}.set{camel(name, True)}(\n{pad}  {_java_builder(value, inner, _fields(node), depth + 2)})"
            )
        elif isinstance(value, list):
            item = f"{type}.{camel(singular(name), True)}"
            for one in value:
                said = (
                    _java_builder(one, item, _fields(node), depth + 2)
                    if isinstance(one, dict)
                    else _java_value(one, item, node)
                )
                lines.append(f"{pad}.add{camel(singular(name), True)}({said})")
        else:
            lines.append(f"{pad}.set{camel(name, True)}({_java_value(value, inner, node)})")
    return "\n".join([*lines, f"{pad}.build()"])


def java(request: Request, key: str, base: str) -> str:
    """Write a request for ``stripe-java``."""
    head = (
        f'StripeClient client = StripeClient.builder()\n  .setApiKey("{key}")\n  .setApiBase("{base}")\n  .build();\n'
    )
    if not request.services:
        content = json.dumps(urlencode(_form(request.params)))
        return (
            head + f'client.rawRequest(ApiResource.RequestMethod.{request.method}, "{request.path}", {content}, null);'
        )
    call = "client.v1()." + "().".join(camel(name) for name in request.services) + f"().{camel(request.verb)}"
    ids = [json.dumps(id) for id in request.ids]
    if not request.params:
        return head + f"{call}({', '.join(ids)});"
    path = request.path
    for id in request.ids:
        path = path.replace(f"/{id}", "/{}")
    type = camel(singular(request.services[-1]), True) + camel(request.verb, True) + "Params"
    built = _java_builder(request.params, type, operation_params(request.method, path).fields, 0)
    return head + f"{type} params = {built};\n{call}({', '.join([*ids, 'params'])});"
