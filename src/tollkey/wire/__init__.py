"""HTTP API: authenticates requests, calls handlers with typed parameters, and renders their objects as responses.

These are the names that a declaration of a resource begins with. Everything else is imported from the module that
defines it: lists and lookups from ``wire.pages``, live mode from ``wire.live``, further errors from ``wire.errors``.
"""

from tollkey.wire.call import Call
from tollkey.wire.errors import ApiError, invalid
from tollkey.wire.pages import Page
from tollkey.wire.params import P
from tollkey.wire.resource import Action, Endpoint, Json, Params, Reply, Resource
from tollkey.wire.shapes import new_object

__all__ = [
    "Action",
    "ApiError",
    "Call",
    "Endpoint",
    "Json",
    "P",
    "Page",
    "Params",
    "Reply",
    "Resource",
    "invalid",
    "new_object",
]
