"""Those who come without a key of the account's own: people at a page, browsers, apps with an ephemeral key."""

from __future__ import annotations

from html import escape
from typing import Any

from tollkey.wire import hosted
from tollkey.wire._form import FormError, decode_form
from tollkey.wire.call import Call
from tollkey.wire.errors import invalid
from tollkey.wire.messages import Request
from tollkey.wire.resource import Json, Reply


def limit_to_customer(call: Call, subject: str | None, params: Json) -> None:
    """Raise "No such …" when a request with an ephemeral key names an object of anybody but the key's customer."""
    named: list[tuple[str, str | None]] = [(id, None) for id in call.path.values()]
    if params.get("customer"):
        named.append((str(params["customer"]), "customer"))
    for id, param in named:
        resource = call.setup.tables.catalogue.of_id(id)
        if resource is None or not resource.stored:
            continue
        found = call.objects.find(resource.object, id)
        owner = None if found is None else found["id"] if found["object"] == "customer" else found.get("customer")
        if owner is not None and owner != subject:
            raise call.objects.missing(resource.object, id, param)
    if not named and call.origin.method == "GET":
        params["customer"] = subject


def client_shape(call: Call, value: Any) -> Any:
    """What a client key sees of an object (or a list of them) and of every object inside, such as a failure's payment
    method.

    It is the last thing that happens to an answer, so that nothing is left of what a view, an older version or an
    expansion added. An object without a shape for such keys is left as its id.
    """
    if isinstance(value, list):
        return [client_shape(call, item) for item in value]
    if not isinstance(value, dict):
        return value
    resource = call.setup.tables.catalogue.by_object.get(value.get("object") or "")
    if resource is not None and value.get("deleted") is not True:
        if resource.client_view is None:
            return value.get("id")
        value = resource.client_view(call, value)
    return {name: client_shape(call, inner) for name, inner in value.items()}


def error_page(status: int, message: str) -> Reply:
    """What a person sees when a page without a key cannot be shown."""
    return hosted.html_page("This did not work", f"<h1>This did not work</h1>\n<p>{escape(message)}</p>", status=status)


def key_in_query(request: Request) -> str | None:
    """The ``key`` in the query of a GET, as Stripe.js sends it (recorded traffic); only publishable keys are taken from
    there.
    """
    if request.method != "GET" or b"key=pk_" not in request.query:
        return None
    try:
        text = decode_form(request.query).get("key")
    except FormError:
        return None
    return text if isinstance(text, str) and text.startswith("pk_") else None


#: What Stripe.js says in a form or a query, since a header would cost the browser a preflight -> the header that it
#: stands for.
_FORM_HEADERS = {"_stripe_account": "stripe-account", "_stripe_version": "stripe-version"}


def apply_form_headers(request: Request) -> None:
    """Let what a browser says in its form or query act as the header it stands for, where that header was not sent."""
    said = request.given
    found = {header: said[name] for name, header in _FORM_HEADERS.items() if isinstance(said.get(name), str)}
    request.headers = {**found, **request.headers}


def check_form_headers(call: Call, raw: Json) -> None:
    """Raise ApiError 400 when a browser's form names another account or version than its headers: neither may be passed
    over.
    """
    for name, header in _FORM_HEADERS.items():
        if name in raw and raw[name] != call.origin.headers.get(header):
            raise invalid(
                f"`{name}` and the header {header.title()} are not the same. Please send only one of the two.", name
            )
