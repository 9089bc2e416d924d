"""What drf-spectacular writes into the OpenAPI document about keys. The module is imported by ``rest_framework``.

Add ``"tollkey.keys.adapters.rest_framework_schema.refusals"`` to ``SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"]`` for
the responses to refused requests.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from tollkey.keys.adapters.django import site
from tollkey.keys.adapters.openapi import documented
from tollkey.keys.guard import AUTHORIZATION

NAME = "ApiKey"


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The security scheme of ``ApiKeyAuthentication`` and its subclasses."""

    target_class = "tollkey.keys.adapters.rest_framework.ApiKeyAuthentication"
    match_subclasses = True
    name = NAME

    def get_security_definition(self, auto_schema: object) -> dict[str, Any]:
        """Return the scheme: a bearer token, or a header of its own."""
        header = site().guard.header
        if header == AUTHORIZATION:
            return {"type": "http", "scheme": "bearer", "description": "An API key."}
        return {"type": "apiKey", "in": "header", "name": header.title()}


def refusals(result: dict[str, Any], generator: object, request: object, public: bool) -> dict[str, Any]:
    """Return the document with the responses to refused requests; a hook of drf-spectacular.

    result: the document, changed in place. generator, request, public: not used.
    """
    return documented(result, NAME)
