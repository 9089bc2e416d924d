"""HTTP API: authenticates requests, calls handlers with typed parameters, and renders their objects as responses."""

from tollkey.wire._guesses import GuessLimiter
from tollkey.wire._special import merged_metadata
from tollkey.wire.access import Access, publishable_access
from tollkey.wire.app import WireApp
from tollkey.wire.call import Call, EventSink, Origin, Setup
from tollkey.wire.errors import (
    ApiError,
    card_error,
    exclusive,
    in_the_past,
    invalid,
    missing_object,
    missing_param,
    too_small,
)
from tollkey.wire.expand import NotAnId
from tollkey.wire.hosted import hosted_url, html_page, redirect, with_query
from tollkey.wire.jobs import ScheduledJob, due_jobs, run_job
from tollkey.wire.live import Capability, Live, asks, needs, only_in_test, records
from tollkey.wire.messages import Request, Response, Rest
from tollkey.wire.objects import Deleted, Objects, Tables, encode, first_page, public, split, value_at
from tollkey.wire.openapi import document as openapi_document
from tollkey.wire.pages import Page, created_ranges, list_page, listing, nested_list, page_of_list, retrieve
from tollkey.wire.params import P, operation_params
from tollkey.wire.policy import Logged, Policy
from tollkey.wire.rates import RequestRate
from tollkey.wire.removed import Removed, removed_since
from tollkey.wire.resource import (
    Action,
    Catalogue,
    Endpoint,
    Json,
    MoreEndpoints,
    Params,
    Reaction,
    Reply,
    Resource,
    join_endpoints,
)
from tollkey.wire.reveals import Reveals
from tollkey.wire.search import search_page, searching
from tollkey.wire.service import Service
from tollkey.wire.shapes import new_object
from tollkey.wire.staging import Staged
from tollkey.wire.versions import LATEST, Change, is_newer, newer_notice, newer_than_built, read_version

__all__ = [
    "LATEST",
    "Access",
    "Action",
    "ApiError",
    "Call",
    "Capability",
    "Catalogue",
    "Change",
    "Deleted",
    "Endpoint",
    "EventSink",
    "GuessLimiter",
    "Json",
    "Live",
    "Logged",
    "MoreEndpoints",
    "NotAnId",
    "Objects",
    "Origin",
    "P",
    "Page",
    "Params",
    "Policy",
    "Reaction",
    "Removed",
    "Reply",
    "Request",
    "RequestRate",
    "Resource",
    "Response",
    "Rest",
    "Reveals",
    "ScheduledJob",
    "Service",
    "Setup",
    "Staged",
    "Tables",
    "WireApp",
    "asks",
    "card_error",
    "created_ranges",
    "due_jobs",
    "encode",
    "exclusive",
    "first_page",
    "hosted_url",
    "html_page",
    "in_the_past",
    "invalid",
    "is_newer",
    "join_endpoints",
    "list_page",
    "listing",
    "merged_metadata",
    "missing_object",
    "missing_param",
    "needs",
    "nested_list",
    "new_object",
    "newer_notice",
    "newer_than_built",
    "only_in_test",
    "openapi_document",
    "operation_params",
    "page_of_list",
    "public",
    "publishable_access",
    "read_version",
    "records",
    "redirect",
    "removed_since",
    "retrieve",
    "run_job",
    "search_page",
    "searching",
    "split",
    "too_small",
    "value_at",
    "with_query",
]
