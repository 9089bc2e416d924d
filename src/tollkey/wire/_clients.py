"""Requests from clients without a secret key: people on hosted pages, browsers, apps with an ephemeral key."""

from __future__ import annotations

from html import escape
from typing import Any

from tollkey.wire import hosted, languages
from tollkey.wire._form import FormError, decode_query
from tollkey.wire.call import Call
from tollkey.wire.errors import invalid
from tollkey.wire.languages import Text
from tollkey.wire.messages import Request
from tollkey.wire.resource import Json, Reply


def limit_to_customer(call: Call, subject: str | None, params: Json) -> None:
    """Limit a request with an ephemeral key to the key's customer.

    subject: the customer. A list without a customer gets it as its filter.
    Raises ApiError resource_missing when the path or ``customer`` names an object of another customer.
    """
    named: list[tuple[str, str | None]] = [(id, None) for id in call.path.values()]
    if params.get("customer"):
        named.append((str(params["customer"]), "customer"))
    for id, param in named:
        resource = call.setup.tables.catalogue.of_id(id)
        if resource is None or not resource.stored:
            continue
        found = call.objects.find(resource.object, id)
        if found is not None and call.hides(found):
            raise call.objects.missing(resource.object, id, param)
    if not named and call.origin.method == "GET":
        params["customer"] = subject


def client_shape(call: Call, value: Any) -> Any:
    """Return what a publishable or ephemeral key sees of a value and of every object inside it.

    This is the last step of rendering, so that it also removes what a view, an older version or an expansion added.
    An object whose resource has no ``client_view`` is replaced by its id.
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


def error_page(status: int, message: str, accepted: str = "") -> Reply:
    """Return the HTML page that tells a person why a hosted page cannot be shown.

    accepted: the request's Accept-Language.
    """
    language = languages.first_of(languages.accepted(accepted))
    title = language.say("This did not work")
    body = f"<h1>{escape(title)}</h1>\n<p>{escape(language.say(message))}</p>"
    return hosted.html_page(title, body, status=status, language=language)


#: What such a page says most, besides the messages of the API.
GONE = Text("This page does not exist any more.")


def key_in_query(request: Request) -> str | None:
    """Return the publishable key in the query of a GET, as Stripe.js sends it (recorded traffic), or None.

    A HEAD is answered as the GET would be.
    """
    if request.method not in ("GET", "HEAD") or b"key=pk_" not in request.query:
        return None
    try:
        text = decode_query(request.query).get("key")
    except FormError:
        return None
    return text if isinstance(text, str) and text.startswith("pk_") else None


#: Parameter that Stripe.js sends in place of a header, which would cost a CORS preflight -> the header.
_FORM_HEADERS = {"_stripe_account": "stripe-account", "_stripe_version": "stripe-version"}


def apply_form_headers(request: Request) -> None:
    """Set the headers that a browser sent as parameters, unless it sent the header as well."""
    said = request.given
    found = {header: said[name] for name, header in _FORM_HEADERS.items() if isinstance(said.get(name), str)}
    request.headers = {**found, **request.headers}


def check_form_headers(call: Call, raw: Json) -> None:
    """Raise ApiError 400 when a browser's parameters and headers name different accounts or versions."""
    for name, header in _FORM_HEADERS.items():
        if name in raw and raw[name] != call.origin.headers.get(header):
            raise invalid(
                f"`{name}` and the header {header.title()} are not the same. Please send only one of the two.", name
            )
