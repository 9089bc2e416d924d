"""The Django adapter: the decorator, the middleware, asynchronous views, settings that do not fit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View

from tests.keys.adapters.steps import bearer, break_storage, limited, with_projects
from tollkey.keys import KeyService
from tollkey.keys.adapters.django import key_of, key_or_none, needs, open_to_all, site
from tollkey.keys.refusal import Refusal

CSRF = "django.middleware.csrf.CsrfViewMiddleware"
GATE = "tollkey.keys.adapters.django.KeyMiddleware"


@contextmanager
def served(*urls: Any, middleware: tuple[str, ...] = (CSRF,), **tollkey: Any) -> Iterator[Client]:
    with override_settings(ROOT_URLCONF=urls, MIDDLEWARE=list(middleware), TOLLKEY=tollkey):
        yield Client(raise_request_exception=False, enforce_csrf_checks=True)


@pytest.fixture(autouse=True)
def django(keys: KeyService) -> Iterator[None]:
    """A site whose keys are the test's."""
    with override_settings(TOLLKEY={"KEYS": keys}):
        yield


def whoami(request: HttpRequest, **parameters: Any) -> JsonResponse:
    key = key_or_none(request)
    return JsonResponse({"account": key and key.account, "header": "Authorization" in request.headers})


def test_a_view_gets_the_key_of_an_accepted_request_and_not_its_header(keys: KeyService) -> None:
    _, text = keys.create(permissions=["report_read"], account="alice")
    for kept in (False, True):
        view = path("reports", needs("report_read")(whoami))
        with served(view, KEYS=keys, KEEP_HEADER=kept) as http:
            assert http.get("/reports", headers=bearer(text)).json() == {"account": "alice", "header": kept}


def test_refused_requests_are_answered_with_status_challenge_and_code(keys: KeyService) -> None:
    _, text = keys.create(permissions=["report_read"])
    urls = path("reports", needs("report_read")(whoami)), path("make", needs("report_write")(whoami))
    with served(*urls, KEYS=keys) as http:
        for headers, code in (({}, "no_api_key"), (bearer(text[:-1]), "invalid_token")):
            refused = http.get("/reports", headers=headers)
            assert (refused.status_code, refused.json()["error"]["code"]) == (401, code)
            assert refused["WWW-Authenticate"].startswith('Bearer realm="API"')
        forbidden = http.post("/make", headers=bearer(text))
        assert (forbidden.status_code, forbidden.json()["error"]["code"]) == (403, "insufficient_scope")
        break_storage(keys)
        assert http.get("/reports", headers=bearer(text)).status_code == 503


def test_too_many_requests_are_answered_with_429(tmp_path: Path) -> None:
    with limited(tmp_path) as (keys, text), override_settings(TOLLKEY={"KEYS": keys}):
        view = path("", needs("report_read")(whoami))
        with_limits = served(view, KEYS=keys)
        with with_limits as http:
            assert http.get("/", headers=bearer(text)).status_code == 200
            refused = http.get("/", headers=bearer(text))
            assert (refused.status_code, int(refused["Retry-After"]) > 0) == (429, True)


def test_a_request_with_a_key_needs_no_csrf_token_and_one_without_a_key_does(keys: KeyService) -> None:
    _, text = keys.create(permissions=["report_write"])
    urls = path("make", needs("report_write")(whoami)), path("news", needs(optional=True)(whoami))
    with served(*urls, KEYS=keys) as http:
        assert http.post("/make", headers=bearer(text)).status_code == 200
        assert http.post("/news").status_code == 403
        assert http.get("/news").json()["account"] is None
        assert http.get("/news", headers=bearer("wrong")).status_code == 401


def test_asynchronous_views_and_classes(keys: KeyService) -> None:
    _, text = keys.create(permissions=["report_read"], account="alice")

    @needs("report_read")
    async def reports(request: HttpRequest) -> JsonResponse:
        return JsonResponse({"account": key_of(request).account})

    @method_decorator(needs("report_read"), name="dispatch")
    class Reports(View):
        def post(self, request: HttpRequest) -> JsonResponse:
            return JsonResponse({"account": key_of(request).account})

    async def go() -> None:
        http = AsyncClient()
        assert (await http.get("/reports", headers=bearer(text))).json() == {"account": "alice"}
        assert (await http.get("/reports")).status_code == 401

    with served(path("reports", reports), path("class", Reports.as_view()), KEYS=keys) as http:
        asyncio.run(go())
        assert http.post("/class", headers=bearer(text)).json() == {"account": "alice"}
        assert http.post("/class").status_code == 401


def test_the_middleware_asks_for_a_key_everywhere_below_its_paths(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_read"])
    urls = (
        path("api/reports", whoami),
        path("api/both", needs("user_read")(whoami)),
        path("api/health", open_to_all(whoami)),
        path("", whoami),
    )
    wanted = {"GET": "report_read", "*": "report_write"}
    with served(*urls, middleware=(GATE, CSRF), KEYS=keys, PATHS=["/api/"], PERMISSION_FOR=wanted) as http:
        assert http.get("/").status_code == 200
        assert http.get("/api/health").status_code == 200
        assert http.get("/api/reports").status_code == 401
        assert http.get("/api/reports", headers=bearer(text)).status_code == 200
        assert http.head("/api/reports", headers=bearer(text)).status_code == 200
        assert http.post("/api/reports", headers=bearer(text)).status_code == 403
        assert http.get("/api/both", headers=bearer(text)).status_code == 403
        asks = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
        assert http.options("/api/reports", headers=asks).status_code == 200
        assert http.options("/api/reports").status_code == 401
    keys.flush()
    usage = keys.usage(key)
    assert usage is not None
    assert usage.uses == 4


def test_the_middleware_asks_for_a_key_wherever_the_site_is_mounted(keys: KeyService) -> None:
    key, text = keys.create()
    mounted = override_settings(FORCE_SCRIPT_NAME="/shop")
    with mounted, served(path("api/reports", whoami), middleware=(GATE,), KEYS=keys, PATHS=["/api/"]) as http:
        assert http.get("/api/reports").status_code == 401
        assert http.get("/api/reports", headers=bearer(text)).status_code == 200
    keys.flush()
    usage = keys.usage(key)
    assert usage is not None
    assert usage.endpoint == "GET /api/reports"


def test_a_key_accepted_by_the_middleware_needs_no_csrf_token(keys: KeyService) -> None:
    _, text = keys.create(permissions=["report_write"])
    with served(path("", whoami), middleware=(GATE, CSRF), KEYS=keys, PERMISSION_FOR="report_write") as http:
        assert http.post("/", headers=bearer(text)).status_code == 200


def test_a_request_counts_once_if_the_view_verifies_too_also_asynchronously(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_read"])

    @needs("report_read")
    def reports(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(bool(keys.verify(text))))

    async def go() -> None:
        assert (await AsyncClient().get("/reports", headers=bearer(text))).content == b"True"

    with served(path("reports", reports), middleware=(GATE,), KEYS=keys) as http:
        assert http.get("/reports", headers=bearer(text)).content == b"True"
        asyncio.run(go())
    keys.flush()
    usage = keys.usage(key)
    assert usage is not None
    assert usage.uses == 2


def test_the_settings_choose_header_address_and_answer(keys: KeyService) -> None:
    _, text = keys.create(ip_allowlist=["192.0.2.1"])
    chosen: dict[str, Callable[..., Any]] = {
        "CLIENT_IP": lambda request: request.headers.get("X-Real-IP"),
        "ON_DENIED": lambda refused: Refusal(418, (("x-own", "1"),), b"no"),
    }
    with served(path("", needs()(whoami)), KEYS=keys, HEADER="X-API-Key", **chosen) as http:
        refused = http.get("/", headers={"X-API-Key": text})
        assert (refused.status_code, refused["X-Own"], refused.content) == (418, "1", b"no")
        assert http.get("/", headers={"X-API-Key": text, "X-Real-IP": "192.0.2.1"}).status_code == 200


@pytest.mark.parametrize(
    ("tollkey", "message"),
    [
        ({}, 'needs "KEYS"'),
        ({"KEYS": "tollkey.keys.schema.MIGRATIONS"}, "is not a KeyService"),
        ({"KEYS": "tollkey.keys.schema.MIGRATIONS", "HEADDER": "x"}, "no entry 'HEADDER'"),
    ],
)
def test_settings_that_do_not_fit_are_named(tollkey: dict[str, Any], message: str) -> None:
    with override_settings(TOLLKEY=tollkey), pytest.raises(ImproperlyConfigured, match=message):
        site()


def test_faults_of_the_host_are_named(keys: KeyService) -> None:
    with pytest.raises(ValueError, match="did you mean report_read"):
        needs("reports_read")
    with pytest.raises(LookupError, match="has no API key"):
        key_of(HttpRequest())
    site_wide = served(path("", whoami), middleware=(GATE,), KEYS=keys, PERMISSION_FOR={"GET": None})
    with site_wide as http, pytest.raises(ImproperlyConfigured, match="lacks"):
        http.get("/")
    relative = served(path("", whoami), middleware=(GATE,), KEYS=keys, PATHS=["api/"])
    with relative as http, pytest.raises(ImproperlyConfigured, match="begin it with"):
        http.get("/")


def test_a_view_has_a_permission_with_a_parameter_of_its_path_a_cost_and_a_route(tmp_path: Path) -> None:
    with with_projects(tmp_path) as (keys, limits), override_settings(TOLLKEY={"KEYS": keys}):
        needed = needs("project:{id}:write", cost=lambda asked: int(asked.GET["pages"]))
        _, text = keys.create(permissions=["project:42:write"])
        with served(path("projects/<id>", needed(whoami)), middleware=(GATE,), KEYS=keys) as http:
            accepted = http.post("/projects/42?pages=4", headers=bearer(text))
            assert (accepted.status_code, accepted["RateLimit"]) == (200, '"ten";r=6;t=30')
            assert http.post("/projects/43?pages=1", headers=bearer(text)).status_code == 403
            assert http.post("/projects/42?pages=9", headers=bearer(text)).status_code == 429
        assert limits.taken[:2] == [("POST /projects/<id>", 1), ("POST /projects/<id>", 3)]
