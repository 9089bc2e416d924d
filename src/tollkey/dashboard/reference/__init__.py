"""The API reference, generated from the declarations of resources: endpoints, parameters, objects, and
examples in seven languages.
"""

from tollkey.dashboard.reference.languages import LANGUAGES, Language
from tollkey.dashboard.reference.naming import Request
from tollkey.dashboard.reference.pages import Operation, Property, ResourcePage, page_of, resources_shown
from tollkey.dashboard.reference.samples import Samples

__all__ = [
    "LANGUAGES",
    "Language",
    "Operation",
    "Property",
    "Request",
    "ResourcePage",
    "Samples",
    "page_of",
    "resources_shown",
]
