"""The adapter for Django REST framework: authentication, permissions, throttles, and the OpenAPI document."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from django.urls import path
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from tests.keys.adapters.steps import bearer, break_storage, limited, with_projects
from tollkey.keys import Key, KeyService
from tollkey.keys.adapters.rest_framework import (
    ApiKeyAccountThrottle,
    ApiKeyAuthentication,
    ApiKeyThrottle,
    ApiKeyUser,
    needs,
)

CACHE = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "throttles"}}


@pytest.fixture(autouse=True)
def django(keys: KeyService) -> Iterator[None]:
    """A site whose keys are the test's."""
    with override_settings(TOLLKEY={"KEYS": keys}, CACHES=CACHE):
        yield


def client(*views: Any) -> APIClient:
    """A client of these views, at ``/0``, ``/1`` and so on."""
    urls = tuple(path(str(number), view.as_view()) for number, view in enumerate(views))
    override = override_settings(ROOT_URLCONF=urls, MIDDLEWARE=[])
    override.enable()
    return APIClient(raise_request_exception=False)


class Reports(APIView):
    """The caller, as the view sees it."""

    authentication_classes = (ApiKeyAuthentication,)

    def get_permissions(self) -> list[Any]:
        return [needs("report_read" if self.request.method == "GET" else "report_write")()]

    def get(self, request: Request) -> Response:
        assert isinstance(request.auth, Key)
        return Response({"account": request.user.account, "signed in": request.user.is_authenticated,
                         "id": request.auth.id, "header": "Authorization" in request.headers})  # fmt: skip

    post = get


def test_the_view_gets_the_key_and_a_user_that_is_signed_in(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_read"], account="alice")
    seen = client(Reports).get("/0", headers=bearer(text))
    assert seen.json() == {"account": "alice", "signed in": True, "id": key.id, "header": False}
    user = ApiKeyUser(key)
    assert (str(user), user == ApiKeyUser(key), hash(user) == hash(ApiKeyUser(key))) == ("alice", True, True)


def test_refused_requests_have_their_status_and_the_frameworks_form(keys: KeyService) -> None:
    _, text = keys.create(permissions=["report_read"])
    http = client(Reports)
    for headers in ({}, bearer(text[:-1]), {"Authorization": "Digest x"}):
        refused = http.get("/0", headers=headers)
        assert (refused.status_code, refused["WWW-Authenticate"], list(refused.json())) == (
            401, 'Bearer realm="API"', ["detail"]
        )  # fmt: skip
    forbidden = http.post("/0", headers=bearer(text))
    assert (forbidden.status_code, forbidden.json()) == (
        403, {"detail": "The API key lacks the permission report_write."}
    )  # fmt: skip
    break_storage(keys)
    away = http.get("/0", headers=bearer(text))
    assert (away.status_code, away["Retry-After"]) == (503, "1")


def test_a_limit_of_the_key_service_is_answered_with_429(tmp_path: Path) -> None:
    with limited(tmp_path) as (keys, text), override_settings(TOLLKEY={"KEYS": keys}):
        http = client(Reports)
        assert http.get("/0", headers=bearer(text)).status_code == 200
        refused = http.get("/0", headers=bearer(text))
        assert (refused.status_code, int(refused["Retry-After"]) > 0) == (429, True)


def test_publishable_keys_are_refused_unless_the_view_takes_them(keys: KeyService) -> None:
    class Public(Reports):
        def get_permissions(self) -> list[Any]:
            return [needs(publishable=True)()]

    class Secret(Reports):
        def get_permissions(self) -> list[Any]:
            return [needs()()]

    _, text = keys.create(kind="publishable")
    http = client(Public, Secret)
    assert http.get("/0", headers=bearer(text)).status_code == 200
    assert http.get("/1", headers=bearer(text)).status_code == 403


def test_whoever_calls_with_a_publishable_key_is_not_authenticated(keys: KeyService) -> None:
    class Owner(ApiKeyAuthentication):
        def user_for(self, key: Key) -> Any:
            return ApiKeyUser(keys.create(account=key.account).key)

    class Members(Reports):
        def get_permissions(self) -> list[Any]:
            return [IsAuthenticated()]

    class Owners(Members):
        authentication_classes = (Owner,)

    _, public = keys.create(kind="publishable")
    _, text = keys.create()
    http = client(Members, Owners)
    for view in ("/0", "/1"):
        assert http.get(view, headers=bearer(public)).status_code == 403
        assert http.get(view, headers=bearer(text)).status_code == 200


class Visitor(BaseAuthentication):
    """Another way to sign in, by a header of its own."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        return (ApiKeyUser.__new__(ApiKeyUser), None) if "X-Visitor" in request.headers else None


class IsVisitor(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return "X-Visitor" in request.headers


def test_keys_stand_beside_other_ways_to_sign_in_and_permissions_combine(keys: KeyService) -> None:
    class Both(APIView):
        authentication_classes = (ApiKeyAuthentication, Visitor)
        permission_classes = (needs("report_read") | IsVisitor,)

        def get(self, request: Request) -> Response:
            return Response(isinstance(request.auth, Key))

    _, text = keys.create(permissions=["report_read"])
    http = client(Both)
    assert http.get("/0", headers=bearer(text)).json() is True
    assert http.get("/0", headers={"X-Visitor": "1"}).json() is False
    assert http.get("/0").status_code == 401


def test_the_host_chooses_its_own_user(keys: KeyService) -> None:
    class Own(ApiKeyAuthentication):
        def user_for(self, key: Key) -> Any:
            return type("User", (), {"account": f"user of {key.account}", "is_authenticated": True})()

    class View(Reports):
        authentication_classes = (Own,)

    _, text = keys.create(permissions=["report_read"], account="alice")
    assert client(View).get("/0", headers=bearer(text)).json()["account"] == "user of alice"


@pytest.mark.parametrize(("throttle", "for_other_key"), [(ApiKeyThrottle, 200), (ApiKeyAccountThrottle, 429)])
def test_throttles_count_by_key_or_by_account_and_rolling_does_not_reset_an_account(
    keys: KeyService, throttle: type[ApiKeyThrottle], for_other_key: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = {"api_key": "1/hour", "api_key_account": "1/hour"}
    monkeypatch.setattr(throttle, "THROTTLE_RATES", rates)

    class View(Reports):
        throttle_classes = (throttle,)

    key, text = keys.create(permissions=["report_read"], account="alice")
    http = client(View)
    assert http.get("/0", headers=bearer(text)).status_code == 200
    refused = http.get("/0", headers=bearer(text))
    assert (refused.status_code, int(refused["Retry-After"]) > 0) == (429, True)
    _, _, rolled = keys.roll(key, 60)
    assert http.get("/0", headers=bearer(rolled)).status_code == for_other_key


@pytest.mark.parametrize("first", ["rest_framework.views", "rest_framework.schemas", "drf_spectacular.views"])
def test_a_project_may_name_the_classes_in_its_settings(first: str, tmp_path: Path) -> None:
    program = f'''
from importlib import import_module
import django
from django.conf import settings
here = "tollkey.keys.adapters.rest_framework"
settings.configure(INSTALLED_APPS=["rest_framework"], TOLLKEY={{"KEYS": "mysite.keys"}}, REST_FRAMEWORK={{
    "DEFAULT_AUTHENTICATION_CLASSES": [f"{{here}}.ApiKeyAuthentication"],
    "DEFAULT_THROTTLE_CLASSES": [f"{{here}}.ApiKeyThrottle"],
    "DEFAULT_THROTTLE_RATES": {{"api_key": "5/minute"}},
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}})
django.setup()
import_module("{first}")
view = import_module("rest_framework.views").APIView()
print(*(type(one).__name__ for one in [*view.get_authenticators(), *view.get_throttles()]))
from drf_spectacular.extensions import OpenApiAuthenticationExtension
print(type(OpenApiAuthenticationExtension.get_match(view.get_authenticators()[0])).__name__)
'''
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["ApiKeyAuthentication ApiKeyThrottle", "ApiKeyScheme"], done.stderr[-2000:]


def test_the_document_of_drf_spectacular_has_the_scheme_and_the_refusals(keys: KeyService) -> None:
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.openapi import AutoSchema

    from tollkey.keys.adapters.rest_framework_schema import refusals

    class View(Reports):
        schema = AutoSchema()

        def get_serializer_class(self) -> Any:
            from rest_framework.serializers import Serializer

            return Serializer

    for header, scheme in (
        ("Authorization", {"type": "http", "scheme": "bearer", "description": "An API key."}),
        ("X-API-Key", {"type": "apiKey", "in": "header", "name": "X-Api-Key"}),
    ):
        with override_settings(TOLLKEY={"KEYS": keys, "HEADER": header}):
            document = SchemaGenerator(patterns=[path("reports", View.as_view())]).get_schema(public=True)
            document = refusals(document, None, None, True)
            assert document["components"]["securitySchemes"] == {"ApiKey": scheme}
            operation = document["paths"]["/reports"]["get"]
            assert {"ApiKey": []} in operation["security"]
            assert {"401", "403", "429", "503"} <= operation["responses"].keys()


def test_a_view_has_a_permission_with_a_parameter_of_its_path_and_a_cost(tmp_path: Path) -> None:
    with with_projects(tmp_path) as (keys, limits), override_settings(TOLLKEY={"KEYS": keys}):

        class Project(Reports):
            key_cost, key_route = 4, "print"

            def get_permissions(self) -> list[Any]:
                return [needs("project:{id}:read")()]

            def get(self, request: Request, id: str) -> Response:
                return Response(id)

        _, text = keys.create(permissions=["project:42:read"])
        with override_settings(ROOT_URLCONF=(path("projects/<id>", Project.as_view()),), MIDDLEWARE=[]):
            http = APIClient()
            accepted = http.get("/projects/42", headers=bearer(text))
            assert (accepted.json(), accepted["RateLimit"]) == ("42", '"ten";r=6;t=30')
            assert http.get("/projects/43", headers=bearer(text)).status_code == 403
            assert http.get("/projects/42", headers=bearer(text)).status_code == 429
        assert limits.taken == [("print", 4), ("print", 4)]
