"""The FastAPI adapter: the dependency, its responses, its OpenAPI document, WebSockets, CORS, tests of the host."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Header, Request, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from tests.keys.adapters.steps import Ten, bearer, with_projects
from tollkey.keys import Key, KeyService, Permission
from tollkey.keys.adapters.fastapi import ApiKeys
from tollkey.keys.asgi import KeyGate
from tollkey.keys.config import Config, Limit, Rate
from tollkey.keys.refusal import Refusal

ORIGIN = "https://app.example"


@contextmanager
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


def application(api: ApiKeys, *, installed: bool = True) -> FastAPI:
    app = FastAPI()
    if installed:
        api.install(app)

    @app.get("/reports")
    async def reports(key: Annotated[Key, api.needs("report_read")]) -> dict[str, str]:
        return {"id": key.id, "account": key.account}

    @app.post("/reports")
    def make_report(key: Annotated[Key, api.needs("report_write")]) -> dict[str, str]:
        return {"id": key.id}

    @app.get("/news")
    async def news(key: Annotated[Key | None, api.needs(optional=True)]) -> dict[str, str | None]:
        return {"id": key and key.id}

    @app.get("/open")
    async def open_page() -> dict[str, bool]:
        return {"up": True}

    @app.websocket("/live")
    async def live(socket: WebSocket, key: Annotated[Key, api.needs("report_read")]) -> None:
        await socket.accept()
        await socket.send_text(key.id)
        await socket.close()

    return app


@pytest.fixture
def api(keys: KeyService) -> ApiKeys:
    return ApiKeys(keys)


def test_a_handler_gets_the_key_of_an_accepted_request(keys: KeyService, api: ApiKeys) -> None:
    key, text = keys.create(permissions=["report_read"], account="alice")
    with client(application(api)) as http:
        answer = http.get("/reports", headers=bearer(text))
        assert (answer.status_code, answer.json()) == (200, {"id": key.id, "account": "alice"})


def test_refused_requests_are_answered_with_status_challenge_and_code(keys: KeyService, api: ApiKeys) -> None:
    _, text = keys.create(permissions=["report_read"])
    with client(application(api)) as http:
        for headers, code in (({}, "no_api_key"), (bearer(text[:-1]), "invalid_token"), (bearer(""), "no_api_key")):
            refused = http.get("/reports", headers=headers)
            assert (refused.status_code, refused.json()["error"]["code"]) == (401, code)
            assert refused.headers["www-authenticate"].startswith('Bearer realm="API"')
        forbidden = http.post("/reports", headers=bearer(text))
        assert (forbidden.status_code, forbidden.json()["error"]["code"]) == (403, "insufficient_scope")
        assert 'scope="report_write"' in forbidden.headers["www-authenticate"]


def test_without_install_the_status_and_the_challenge_are_the_same(keys: KeyService, api: ApiKeys) -> None:
    with client(application(api, installed=False)) as http:
        refused = http.get("/reports")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="API"')
        assert "error" in refused.json()["detail"]


def test_a_key_whose_permission_is_not_declared_is_refused_when_the_route_is_written(api: ApiKeys) -> None:
    with pytest.raises(ValueError, match="did you mean report_read"):
        api.needs("reports_read")
    with pytest.raises(ValueError, match="cannot be negative"):
        api.needs("report_read", cost=-1)


def test_an_optional_key_may_be_left_out_but_a_wrong_one_is_refused(keys: KeyService, api: ApiKeys) -> None:
    key, text = keys.create()
    with client(application(api)) as http:
        assert http.get("/news").json() == {"id": None}
        assert http.get("/news", headers=bearer(text)).json() == {"id": key.id}
        assert http.get("/news", headers=bearer("wrong")).status_code == 401
        assert http.get("/news", headers={"Authorization": "Digest x"}).status_code == 401


def test_publishable_keys_are_refused_unless_the_route_takes_them(keys: KeyService, api: ApiKeys) -> None:
    _, text = keys.create(kind="publishable")
    app = application(api)

    @app.get("/public")
    async def public(key: Annotated[Key, api.needs(publishable=True)]) -> str:
        return key.kind

    with client(app) as http:
        refused = http.get("/news", headers=bearer(text))
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "publishable_key_refused")
        assert http.get("/public", headers=bearer(text)).json() == "publishable"


def test_the_document_describes_the_scheme_the_permission_and_every_refusal(api: ApiKeys) -> None:
    app = application(api)
    document = app.openapi()
    reports = document["paths"]["/reports"]["get"]
    assert document["components"]["securitySchemes"] == {
        "ApiKey": {"type": "http", "scheme": "bearer", "description": "An API key."}
    }
    assert reports["security"] == [{"ApiKey": ["report_read"]}]
    assert {"401", "403", "429", "503"} <= reports["responses"].keys()
    assert "WWW-Authenticate" in reports["responses"]["401"]["headers"]
    assert "Retry-After" in reports["responses"]["429"]["headers"]
    assert document["paths"]["/news"]["get"]["security"] == [{}, {"ApiKey": []}]
    assert document["paths"]["/open"]["get"].keys() & {"security"} == set()
    assert "401" not in document["paths"]["/open"]["get"]["responses"]
    assert app.openapi() == document, "it may be asked for again"


def test_what_an_operation_says_of_a_status_itself_stays(api: ApiKeys) -> None:
    app = application(api)

    @app.get("/own", responses={403: {"description": "Only for members."}}, dependencies=[api.needs()])
    async def own() -> None: ...

    assert app.openapi()["paths"]["/own"]["get"]["responses"]["403"]["description"] == "Only for members."


def test_a_header_of_its_own_is_read_and_documented(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_read"])
    app = application(ApiKeys(keys, header="X-API-Key"))
    assert app.openapi()["components"]["securitySchemes"]["ApiKey"] == {
        "type": "apiKey", "in": "header", "name": "X-Api-Key"
    }  # fmt: skip
    with client(app) as http:
        assert http.get("/reports", headers={"X-API-Key": text}).json()["id"] == key.id
        assert http.get("/reports", headers=bearer(text)).status_code == 401
        assert http.get("/reports", headers=[("X-API-Key", text), ("X-API-Key", text)]).status_code == 401


def test_the_handler_does_not_see_the_header_with_the_key_unless_told(keys: KeyService) -> None:
    _, text = keys.create()
    for kept in (False, True):
        api = ApiKeys(keys, keep_header=kept)
        app = FastAPI()
        api.install(app)

        @app.get("/")
        async def seen(
            request: Request,
            key: Annotated[Key, api.needs()],
            authorization: Annotated[str | None, Header()] = None,
        ) -> bool:
            return authorization is not None or "authorization" in request.headers

        with client(app) as http:
            assert http.get("/", headers=bearer(text)).json() is kept


def test_a_permission_of_a_router_and_one_of_the_handler_are_both_checked_and_the_request_counts_once(
    keys: KeyService,
) -> None:
    api = ApiKeys(keys)
    key, text = keys.create(permissions=["report_read", "user_read"])
    _, weak = keys.create(permissions=["user_read"])
    router = APIRouter(prefix="/all", dependencies=[api.needs("report_read")])

    @router.get("/users")
    async def users(key: Annotated[Key, api.needs("user_read")]) -> bool:
        return bool(keys.verify(text))  # the handler verifies once more

    app = FastAPI()
    api.install(app)
    app.include_router(router)
    with client(app) as http:
        assert http.get("/all/users", headers=bearer(text)).json() is True
        assert http.get("/all/users", headers=bearer(weak)).status_code == 403
    keys.flush()
    usage = keys.usage(key)
    assert usage is not None
    assert (usage.uses, usage.endpoint) == (1, "GET /all/users")


def test_an_application_may_be_named_when_the_keys_are(keys: KeyService) -> None:
    app = FastAPI()
    api = ApiKeys(keys, app)
    app.get("/", dependencies=[api.needs()])(lambda: True)
    with client(app) as http:
        assert http.get("/").json()["error"]["code"] == "no_api_key"


def test_a_gate_around_the_application_verifies_the_key_once(keys: KeyService, api: ApiKeys) -> None:
    key, text = keys.create(permissions=["report_read"])
    app = application(api)
    app.add_middleware(KeyGate, keys=keys)
    with client(app) as http:
        assert http.get("/reports", headers=bearer(text)).status_code == 200
        assert http.post("/reports", headers=bearer(text)).status_code == 403
    keys.flush()
    usage = keys.usage(key)
    assert usage is not None
    assert usage.uses == 2


def test_a_browser_gets_through_its_preflight_and_reads_refusals(keys: KeyService, api: ApiKeys) -> None:
    _, text = keys.create(permissions=["report_read"])
    app = application(api)
    app.add_middleware(CORSMiddleware, allow_origins=[ORIGIN], allow_headers=["authorization"])
    asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    with client(app) as http:
        assert http.options("/reports", headers=asks).status_code == 200
        for headers, status in (({}, 401), (bearer(text), 403)):
            refused = http.post("/reports", headers={**headers, "Origin": ORIGIN})
            assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (status, ORIGIN)


def test_a_websocket_needs_what_its_route_says(keys: KeyService, api: ApiKeys) -> None:
    key, text = keys.create(permissions=["report_read"])
    _, weak = keys.create()
    with client(application(api)) as http:
        with http.websocket_connect("/live", headers=bearer(text)) as socket:
            assert socket.receive_text() == key.id
        for headers, status in (({}, 401), (bearer(weak), 403)):
            with pytest.raises(WebSocketDenialResponse) as refused, http.websocket_connect("/live", headers=headers):
                pytest.fail("it opened")
            assert refused.value.status_code == status


def test_a_websocket_is_closed_where_the_server_cannot_answer_its_handshake(keys: KeyService, api: ApiKeys) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/live", "query_string": b"", "headers": [], "client": None}
    asyncio.run(application(api)(scope, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


def test_too_many_requests_and_an_outage_have_a_status_of_their_own(tmp_path: Any) -> None:
    config = Config(permissions=(Permission("report", "Reports"),), limits=(Limit("one", Rate(0.001), burst=1),))
    with KeyService.open(str(tmp_path / "limited.db"), config=config, flush_seconds=0) as keys:
        _, text = keys.create(permissions=["report_read"])
        with client(application(ApiKeys(keys))) as http:
            assert http.get("/reports", headers=bearer(text)).status_code == 200
            limited = http.get("/reports", headers=bearer(text))
            assert (limited.status_code, limited.json()["error"]["code"]) == (429, "rate_limited")
            assert int(limited.headers["retry-after"]) > 0
            keys.database.write(lambda tx: tx.execute("ALTER TABLE api_keys RENAME TO lost"))
            keys.verifier.clear()
            away = http.get("/reports", headers=bearer(text))
            assert (away.status_code, away.json()["error"]["code"]) == (503, "unavailable")


def test_a_test_of_the_host_says_who_calls_and_permissions_still_count(keys: KeyService, api: ApiKeys) -> None:
    key, _ = keys.create(permissions=["report_read"], account="alice")
    app = application(api)
    app.dependency_overrides[api.caller] = lambda: key
    with client(app) as http:
        assert http.get("/reports").json()["account"] == "alice"
        assert http.post("/reports").status_code == 403
    app.dependency_overrides = {api.needs("report_write").dependency: lambda: key}  # type: ignore[dict-item]
    with client(app) as http:
        assert http.post("/reports").json() == {"id": key.id}
        assert http.get("/reports").status_code == 401
    with pytest.raises(RuntimeError, match="dependency_overrides"):
        api.caller()


def test_the_host_s_own_answer_and_address_are_used(keys: KeyService) -> None:
    api = ApiKeys(
        keys,
        on_denied=lambda refused: Refusal(418, (("x-own", "1"),), b"no"),
        client_ip=lambda connection: connection.headers.get("x-real-ip"),
    )
    _, text = keys.create(permissions=["report_read"], ip_allowlist=["192.0.2.1"])
    with client(application(api)) as http:
        refused = http.get("/reports", headers=bearer(text))
        assert (refused.status_code, refused.headers["x-own"], refused.text) == (418, "1", "no")
        assert http.get("/reports", headers={**bearer(text), "X-Real-IP": "192.0.2.1"}).status_code == 200


def projects(api: ApiKeys) -> FastAPI:
    app = FastAPI()
    api.install(app)

    @app.post("/projects/{id}")
    async def write(id: str, key: Annotated[Key, api.needs("project:{id}:write", cost=4)]) -> str:
        return id

    @app.get("/other", dependencies=[api.needs("project:{id}:write")])
    async def other() -> None: ...

    return app


def test_a_permission_takes_its_parameter_from_the_path(tmp_path: Path) -> None:
    with with_projects(tmp_path) as (keys, _), client(projects(ApiKeys(keys))) as http:
        _, text = keys.create(permissions=["project:42:write"])
        _, all_of_them = keys.create(permissions=["project:*:write"])
        _, secret = keys.create(kind="secret")
        assert http.post("/projects/42", headers=bearer(text)).json() == "42"
        assert http.post("/projects/43", headers=bearer(all_of_them)).json() == "43"
        refused = http.post("/projects/43", headers=bearer(text))
        assert (refused.status_code, 'scope="project:43:write"' in refused.headers["www-authenticate"]) == (403, True)
        for odd in ("*", "a%22b", "42:write", "a%0d%0ab", "%C3%BC" * 30):
            assert http.post(f"/projects/{odd}", headers=bearer(text)).status_code == 403, odd
            assert http.post(f"/projects/{odd}", headers=bearer(text[:-1])).status_code == 401
        assert http.post("/projects/a%22b", headers=bearer(secret)).json() == 'a"b'
        assert http.get("/other", headers=bearer(text)).status_code == 500, "its path has no id: a fault of the host"


def test_a_request_takes_its_cost_once_from_the_limits_under_the_name_of_its_route(tmp_path: Path) -> None:
    with with_projects(tmp_path) as (keys, limits):
        api = ApiKeys(keys)
        app = FastAPI()
        api.install(app)
        dear = api.needs("project:{id}:write", cost=lambda asked: int(asked.query_params["pages"]), route="print")

        @app.post("/projects/{id}", dependencies=[api.needs("project:{id}:read")])
        async def write(id: str, key: Annotated[Key, dear]) -> str:
            return id

        _, text = keys.create(permissions=["project:42:write"])
        with client(app) as http:
            accepted = http.post("/projects/42?pages=4", headers=bearer(text))
            assert (accepted.status_code, accepted.headers["ratelimit"]) == (200, '"ten";r=6;t=30')
            assert accepted.headers.get_list("ratelimit-policy") == ['"ten";q=10']
            assert limits.taken == [("POST /projects/{id}", 1), ("print", 3)]
            refused = http.post("/projects/42?pages=9", headers=bearer(text))
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
            assert refused.headers.get_list("ratelimit") == ['"ten";r=5;t=30']
            assert http.post("/projects/42?pages=-1", headers=bearer(text)).status_code == 500


def test_routes_that_are_declared_say_what_a_request_needs_and_costs(tmp_path: Path) -> None:
    declared, limits = tmp_path / "tollkey.toml", Ten()
    routes = '[[routes]]\nmatch = "GET /reports/{id}"\nneeds = "report_read"\ncost = 4\n'
    declared.write_text(f'[permissions.report]\nlabel = "Reports"\n{routes}')
    with KeyService.open(str(tmp_path / "declared.db"), config=declared, limits=limits, flush_seconds=0) as keys:
        app = FastAPI()
        api = ApiKeys(keys, app)
        for path in ("/reports/{id}", "/other"):
            app.get(path, dependencies=[api.needs()])(lambda: True)
        _, text = keys.create(permissions=["report_read"])
        _, weak = keys.create()
        with client(app) as http:
            assert http.get("/reports/42", headers=bearer(text)).status_code == 200
            assert http.get("/reports/42", headers=bearer(weak)).json()["error"]["code"] == "insufficient_scope"
            error = {"code": "route_unknown", "message": "This request matches no declared route."}
            assert http.get("/other", headers=bearer(text)).json() == {"error": error}
        assert limits.taken == [("GET /reports/42", 4)]
