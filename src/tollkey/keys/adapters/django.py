"""API keys in Django: ``@needs("report_read")`` for views, and a middleware for whole sites.

# settings.py
TOLLKEY = {"KEYS": "mysite.keys.keys"}  # where your KeyService is
# views.py
@needs("report_read")
def reports(request): return JsonResponse({"account": key_of(request).account})
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any, NamedTuple, TypeVar, cast

from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt

from tollkey.keys.accepted import Accepted
from tollkey.keys.carried import carried, carried_key, carry, variable_of
from tollkey.keys.guard import AUTHORIZATION, Asked, Guard, target_of
from tollkey.keys.key import Key
from tollkey.keys.needs import Need
from tollkey.keys.once import one_request
from tollkey.keys.refusal import Refused

ViewT = TypeVar("ViewT", bound=Callable[..., Any])
_OPEN = "tollkey_open"
_SETTINGS = {"KEYS", "HEADER", "KEEP_HEADER", "ON_DENIED", "CLIENT_IP", "PERMISSION_FOR", "PATHS"}


class Site(NamedTuple):
    """What ``settings.TOLLKEY`` says.

    guard: checks requests. variable: the header with the key, as it is named in ``request.META``.
    keep_header: leave the header in an accepted request. client_ip: returns the caller's address.
    """

    guard: Guard
    variable: str
    keep_header: bool
    client_ip: Callable[[HttpRequest], str | None]


def site() -> Site:
    """Return what the settings say. Raises ImproperlyConfigured."""
    given: Mapping[str, Any] = getattr(settings, "TOLLKEY", {})
    if unknown := sorted(given.keys() - _SETTINGS):
        raise ImproperlyConfigured(
            f"settings.TOLLKEY has no entry {unknown[0]!r}; it has {', '.join(sorted(_SETTINGS))}"
        )
    if "KEYS" not in given:
        raise ImproperlyConfigured(
            'settings.TOLLKEY needs "KEYS": the KeyService or RemoteKeys, or the dotted path to it'
        )
    return _site(
        given["KEYS"], given.get("HEADER", AUTHORIZATION), given.get("KEEP_HEADER", False), given.get("ON_DENIED"),
        given.get("CLIENT_IP"),
    )  # fmt: skip


@functools.cache
def _site(keys: object, header: str, keep_header: bool, on_denied: object, client_ip: object) -> Site:
    service = _imported(keys)
    if not hasattr(service, "permission_names") or not hasattr(service, "check"):
        raise ImproperlyConfigured(f'settings.TOLLKEY["KEYS"] is not a KeyService: {type(service).__name__}')
    guard = Guard(service, header=header, on_denied=_imported(on_denied))
    address = _imported(client_ip) or (lambda request: request.META.get("REMOTE_ADDR"))
    return Site(guard, variable_of(guard.header), keep_header, address)


def _imported(value: object) -> Any:
    """Return a setting's value, or what its dotted path names."""
    return import_string(value) if isinstance(value, str) else value


def key_of(request: HttpRequest) -> Key:
    """Return the key of a request. Raises LookupError if none was checked or sent."""
    key = key_or_none(request)
    if key is None:
        raise LookupError("this request has no API key: its view needs @needs(…), and not optional=True")
    return key


def key_or_none(request: HttpRequest) -> Key | None:
    """Return the key of a request, or None if none was checked or an optional one was not sent."""
    return carried_key(request.META, site().guard.keys)


def needs(
    permission: str | None = None,
    *,
    cost: int | Callable[[HttpRequest], int] | None = None,
    route: str | None = None,
    optional: bool = False,
    publishable: bool = False,
) -> Callable[[ViewT], ViewT]:
    """Return a decorator of a view, also an asynchronous one. The view finds the key with ``key_of(request)``.

    For a class: ``@method_decorator(needs("report_read"), name="dispatch")``.

    permission: the permission that the key must have; ``project:{id}:write`` takes ``id`` from the path. None: any key.
    cost: how much the request takes from the key's limits, or a function of the request; by default that of the
        declared route (``tollkey.toml``), or 1.
    route: the name of the route for limits and usage; by default the declared route, or the pattern of the path.
    optional: accept requests without a key. A key that is not valid is still refused.
    publishable: accept publishable keys too. They are public.
    The view needs no CSRF token, unless the key is optional.
    Raises ValueError for a permission that is not declared, or a cost below 0; ImproperlyConfigured.
    """
    need: Need[HttpRequest] = site().guard.need(
        permission, cost=cost, route=route, optional=optional, publishable=publishable
    )

    def decorate(view: ViewT) -> ViewT:
        @functools.wraps(view)
        def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            with one_request():
                refusal = check(request, need, kwargs)
                return _with_headers(request, view(request, *args, **kwargs) if refusal is None else refusal)

        @functools.wraps(view)
        async def checked_async(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            with one_request():
                refusal = await acheck(request, need, kwargs)
                return _with_headers(request, await view(request, *args, **kwargs) if refusal is None else refusal)

        chosen = checked_async if iscoroutinefunction(view) else checked
        return cast(ViewT, chosen if optional else csrf_exempt(chosen))  # a page cannot make a browser send a key

    return decorate


def check(request: HttpRequest, need: Need[HttpRequest], parameters: Mapping[str, object]) -> HttpResponse | None:
    """Return the response to a refused request, or None for an accepted one, which then has its key.

    parameters: of the path. Raises MissingParameter if the permission has a parameter that the path lacks.
    """
    if _is_preflight(request):
        return None
    here = site()
    asked = asked_of(request, here, parameters)
    earlier = accepted_in(request, here)
    answer = here.guard.check(asked, need) if earlier is None else here.guard.check_again(earlier, asked, need)
    return _concluded(request, here, answer)


async def acheck(
    request: HttpRequest, need: Need[HttpRequest], parameters: Mapping[str, object]
) -> HttpResponse | None:
    """Do what ``check`` does without blocking the event loop."""
    if _is_preflight(request):
        return None
    here = site()
    asked = asked_of(request, here, parameters)
    earlier = accepted_in(request, here)
    if earlier is None:
        return _concluded(request, here, await here.guard.acheck(asked, need))
    return _concluded(request, here, await here.guard.acheck_again(earlier, asked, need))


def asked_of(request: HttpRequest, here: Site, parameters: Mapping[str, object]) -> Asked[HttpRequest]:
    """Return what a guard must know of a request. parameters: of the path."""
    value = request.META.get(here.variable)
    match = request.resolver_match
    return Asked(
        request, [] if value is None else [value], parameters, here.client_ip(request),
        f"{request.method} {request.path_info}", target_of(request.method or "", request.path_info),
        f"{request.method} /{match.route}" if match else None,
    )  # fmt: skip


def accepted_in(request: HttpRequest, here: Site) -> Accepted | None:
    """Return the earlier check of a request by a middleware, a decorator or a ``KeyGate``."""
    return carried(request.META, here.guard.keys)


def attach(request: HttpRequest, here: Site, accepted: Accepted) -> None:
    """Give an accepted request its key, and remove the header from it unless the settings say otherwise."""
    carry(request.META, here.guard.keys, accepted)
    if not here.keep_header:
        request.META.pop(here.variable, None)
        request.__dict__.pop("headers", None)  # Django's cached view of META


def _concluded(request: HttpRequest, here: Site, answer: Accepted | Refused | None) -> HttpResponse | None:
    """Attach an accepted key to its request, or return the response to a refused one."""
    if answer is None:
        return None
    if isinstance(answer, Accepted):
        attach(request, here, answer)
        return None
    status, headers, body = here.guard.refusal(answer)
    return HttpResponse(b"" if request.method == "HEAD" else body, status=status, headers=dict(headers))


def _with_headers(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return the response with the header fields about limits, if it lacks them."""
    accepted = accepted_in(request, site())
    for name, value in () if accepted is None else accepted.headers:
        response.headers.setdefault(name, value)
    return response


def _is_preflight(request: HttpRequest) -> bool:
    """Return whether this is a CORS preflight request (Fetch standard, "CORS-preflight request")."""
    asks = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
    return request.method == "OPTIONS" and bool(asks and request.META.get("HTTP_ORIGIN"))


def open_to_all(view: ViewT) -> ViewT:
    """Let requests without a key reach this view, although ``KeyMiddleware`` asks for one elsewhere."""

    @functools.wraps(view)
    def opened(*args: object, **kwargs: object) -> HttpResponse:
        response: HttpResponse = view(*args, **kwargs)
        return response

    @functools.wraps(view)
    async def opened_async(*args: object, **kwargs: object) -> HttpResponse:
        response: HttpResponse = await view(*args, **kwargs)
        return response

    chosen = opened_async if iscoroutinefunction(view) else opened
    vars(chosen)[_OPEN] = True  # of the copy: the same view may need a key at another path
    return cast(ViewT, chosen)


class KeyMiddleware:
    """Middleware that asks for a key at every view, or at those below ``TOLLKEY["PATHS"]``, a list of prefixes.

    A prefix begins with ``/`` and is compared with the path that the URLconf sees, without the ``SCRIPT_NAME``.
    ``TOLLKEY["PERMISSION_FOR"]``: the permission that is needed; a name, a mapping from method to name with ``"*"`` for
    the others, or None for any key. A view that is marked ``@open_to_all`` is left out; what ``@needs`` asks for at a
    view comes in addition. In one request a key counts once. It stands before ``CsrfViewMiddleware`` in the settings;
    requests with a key need no token. Raises ImproperlyConfigured, ValueError.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        guard = site().guard
        given: Mapping[str, Any] = settings.TOLLKEY
        self._paths = tuple(given.get("PATHS", ("/",)))
        if wrong := [path for path in self._paths if not path.startswith("/")]:
            raise ImproperlyConfigured(f'TOLLKEY["PATHS"] has {wrong[0]!r}, which is below no path: begin it with "/"')
        wanted = given.get("PERMISSION_FOR")
        by_method = wanted if isinstance(wanted, Mapping) else {"*": wanted}
        if "*" not in by_method:
            raise ImproperlyConfigured('TOLLKEY["PERMISSION_FOR"] lacks "*", the permission of the other methods')
        self._needs: dict[str, Need[HttpRequest]] = {
            method.upper(): guard.need(name) for method, name in by_method.items()
        }
        self._async = iscoroutinefunction(get_response)
        if self._async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if self._async:
            return self._call_async(request)
        with one_request():
            return _with_headers(request, self._get_response(request))

    async def _call_async(self, request: HttpRequest) -> HttpResponse:
        with one_request():
            return _with_headers(request, await self._get_response(request))

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: object, kwargs: Mapping[str, object]
    ) -> HttpResponse | None:
        """Check the key before the view is called; Django calls this with the view it has found."""
        if getattr(view, _OPEN, False) or not request.path_info.startswith(self._paths):
            return None
        method = "GET" if request.method == "HEAD" else request.method or ""
        refusal = check(request, self._needs.get(method, self._needs["*"]), kwargs)
        if refusal is None and key_or_none(request) is not None:
            request.csrf_processing_done = True  # type: ignore[attr-defined]  # Django's mark: no token is needed
        return refusal
