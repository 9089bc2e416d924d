"""API keys in Django REST framework: authentication, permissions, throttles. The settings are those of ``django``.

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tollkey.keys.adapters.rest_framework.ApiKeyAuthentication"],
}
class Reports(APIView):
    permission_classes = [needs("report_read")]
"""

from __future__ import annotations

import json
import math
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from tollkey.keys.accepted import Accepted
from tollkey.keys.adapters.django import accepted_in, asked_of, attach, site
from tollkey.keys.key import Denied, Key, Reason
from tollkey.keys.needs import Need
from tollkey.keys.refusal import Forbidden, Refused, rfc6750

# REST framework imports this module while it imports its views, because its settings name the classes here.
if TYPE_CHECKING:
    from rest_framework.views import APIView


@cache
def _let_spectacular_know() -> None:
    """Import the extension of drf-spectacular, where that is installed: it finds what was imported."""
    if find_spec("drf_spectacular"):
        import_module("tollkey.keys.adapters.rest_framework_schema")


class ApiKeyUser:
    """Who calls with a key: ``request.user``. It is no user of the database.

    key: the key, also in ``request.auth``. account: your name for the customer. pk: the id of the key.
    A publishable key is public, so that whoever calls with one is not authenticated.
    """

    is_active = True
    is_staff = is_superuser = False

    def __init__(self, key: Key) -> None:
        self.key = key
        self.is_authenticated = key.kind != "publishable"
        self.is_anonymous = not self.is_authenticated
        self.account = key.account
        self.pk = self.id = key.id

    def __str__(self) -> str:
        return self.account

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKeyUser) and other.pk == self.pk

    def __hash__(self) -> int:
        return hash(self.pk)


class ApiKeyAuthentication(BaseAuthentication):
    """Authenticates requests with a key. ``request.auth`` is the ``Key``, ``request.user`` what ``user_for`` returns.

    A request without a key, or with another scheme in its header, is left to the next authentication class. A view may
    have ``key_cost``, how much a request takes from the limits of its key, and ``key_route``, the name of its route.
    """

    def __init__(self) -> None:
        super().__init__()
        _let_spectacular_know()

    def authenticate(self, request: Request) -> tuple[Any, Key] | None:
        """Return the user and the key; None if the request has no key. Raises APIException if it is refused."""
        here, asked = site(), request._request
        answer: Accepted | Refused | None = accepted_in(asked, here)
        if answer is None:
            view = (request.parser_context or {}).get("view")
            need: Need[HttpRequest] = Need(
                cost=getattr(view, "key_cost", None), route=getattr(view, "key_route", None), publishable=True
            )
            answer = here.guard.check(asked_of(asked, here, {}), need)
            if view is not None and isinstance(answer, Accepted):
                view.headers.update(answer.headers)  # REST framework adds them to the response
        if isinstance(answer, Accepted):
            attach(asked, here, answer)
            key = answer.key
            return (ApiKeyUser(key) if key.kind == "publishable" else self.user_for(key)), key
        if answer is None or (isinstance(answer, Denied) and answer.reason in (Reason.missing, Reason.unusable_header)):
            return None
        raise _exception(answer)

    def user_for(self, key: Key) -> Any:
        """Return ``request.user``, an ``ApiKeyUser`` by default. Override it to load your own user for ``key.account``.

        Raises AuthenticationFailed to refuse the key.
        """
        return ApiKeyUser(key)

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401 response."""
        return dict(site().guard.refusal(Denied(Reason.missing)).headers)["www-authenticate"]


def needs(permission: str | None = None, *, publishable: bool = False) -> type[BasePermission]:
    """Return a permission class: the request has a key with this permission.

    It combines with others: ``permission_classes = [needs("report_read") | IsAdminUser]``.

    permission: the permission; ``project:{id}:write`` takes ``id`` from the path. None: any key.
    publishable: accept publishable keys too. They are public.
    Raises ValueError for a permission that is not declared; ImproperlyConfigured.
    """
    need: Need[Request] = site().guard.need(permission, publishable=publishable)

    class NeedsKey(BasePermission):
        """The request has a key with the permission."""

        code = "insufficient_scope"

        def has_permission(self, request: Request, view: APIView) -> bool:
            if not isinstance(request.auth, Key):
                return False
            refused = site().guard.lacks(request.auth, need, getattr(view, "kwargs", {}))
            if refused is None:
                return True
            self.code, self.message = _words(refused)
            return False

    return NeedsKey


class ApiKeyThrottle(SimpleRateThrottle):
    """A throttle for each key, with the rate ``DEFAULT_THROTTLE_RATES["api_key"]``; requests without a key pass.

    It counts in Django's cache. Limits of the ``KeyService`` itself are checked with the key, before any throttle.
    """

    scope = "api_key"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """Return what the requests of a key are counted by."""
        key = _key(request)
        return None if key is None else self.cache_format % {"scope": self.scope, "ident": key.id}


class ApiKeyAccountThrottle(SimpleRateThrottle):
    """A throttle for each account, over all its keys: ``DEFAULT_THROTTLE_RATES["api_key_account"]``.

    A new or rolled key does not reset it.
    """

    scope = "api_key_account"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """Return what the requests of an account are counted by."""
        key = _key(request)
        if key is None:
            return None
        mode = "live" if key.livemode else "test"
        return self.cache_format % {"scope": self.scope, "ident": f"{mode}:{key.account}"}


def _key(request: Request) -> Key | None:
    return request.auth if isinstance(request.auth, Key) else None


class _Unavailable(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE

    def __init__(self, message: str, code: str, wait: int) -> None:
        super().__init__(message, code)
        self.wait = wait  # seconds; REST framework makes Retry-After of it


def _exception(refused: Refused) -> APIException:
    """Return the exception that answers a refused key, in REST framework's own form."""
    code, message = _words(refused)
    if isinstance(refused, Forbidden):
        return PermissionDenied(message, code)
    http, headers, _ = site().guard.refusal(refused)
    wait = math.ceil(float(dict(headers).get("retry-after", "1")))
    if http == status.HTTP_429_TOO_MANY_REQUESTS:
        return Throttled(wait, message, code)
    if http == status.HTTP_503_SERVICE_UNAVAILABLE:
        return _Unavailable(message, code, wait)
    return AuthenticationFailed(message, code)


def _words(refused: Refused) -> tuple[str, str]:
    """Return code and message of a refusal."""
    error: dict[str, str] = json.loads(rfc6750(refused, header=site().guard.header).body)["error"]
    return error["code"], error["message"]
