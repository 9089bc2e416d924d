"""The Flask adapter: the decorator, its refusals, blueprints, asynchronous views, CORS."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Blueprint, Flask, request
from flask.views import MethodView

from tests.keys.adapters.steps import bearer, limited, with_projects
from tollkey.keys import KeyService, wsgi
from tollkey.keys.adapters.flask import ApiKeys


@pytest.fixture
def api(keys: KeyService) -> ApiKeys:
    return ApiKeys(keys)


def application(api: ApiKeys) -> Flask:
    app = Flask(__name__)
    api.init_app(app)

    @app.get("/reports")
    @api.needs("report_read")
    def reports() -> dict[str, Any]:
        return {"account": api.key.account, "header": "Authorization" in request.headers}

    @app.post("/reports")
    @api.needs("report_write")
    def make_report() -> dict[str, Any]:
        return {"made": True}

    @app.get("/news")
    @api.needs(optional=True)
    def news() -> dict[str, Any]:
        return {"id": api.key_or_none and api.key.id}

    @app.route("/live", methods=["GET", "OPTIONS"])
    @api.needs()
    def live() -> str:
        return "live"

    return app


def test_a_view_gets_the_key_of_an_accepted_request_and_not_its_header(keys: KeyService, api: ApiKeys) -> None:
    _, text = keys.create(permissions=["report_read"], account="alice")
    with application(api).test_client() as http:
        assert http.get("/reports", headers=bearer(text)).json == {"account": "alice", "header": False}
    with application(ApiKeys(keys, keep_header=True)).test_client() as http:
        assert http.get("/reports", headers=bearer(text)).json == {"account": "alice", "header": True}


def test_refused_requests_are_answered_with_status_challenge_and_code(keys: KeyService, api: ApiKeys) -> None:
    _, text = keys.create(permissions=["report_read"])
    with application(api).test_client() as http:
        for headers, code in (({}, "no_api_key"), (bearer(text[:-1]), "invalid_token")):
            refused = http.get("/reports", headers=headers)
            assert (refused.status_code, refused.json["error"]["code"]) == (401, code)  # type: ignore[index]
            assert refused.headers["WWW-Authenticate"].startswith('Bearer realm="API"')
            assert refused.content_type == "application/json"
        forbidden = http.post("/reports", headers=bearer(text))
        assert (forbidden.status_code, forbidden.json["error"]["code"]) == (403, "insufficient_scope")  # type: ignore[index]
        assert http.head("/reports").data == b""


def test_too_many_requests_are_answered_with_429(tmp_path: Any) -> None:
    with limited(tmp_path) as (keys, text), application(ApiKeys(keys)).test_client() as http:
        assert http.get("/reports", headers=bearer(text)).status_code == 200
        refused = http.get("/reports", headers=bearer(text))
        assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (429, True)


def test_an_optional_key_may_be_left_out_but_a_wrong_one_is_refused(keys: KeyService, api: ApiKeys) -> None:
    key, text = keys.create()
    with application(api).test_client() as http:
        assert http.get("/news").json == {"id": None}
        assert http.get("/news", headers=bearer(text)).json == {"id": key.id}
        assert http.get("/news", headers=bearer("wrong")).status_code == 401


def test_a_preflight_reaches_the_view_and_other_options_need_a_key(api: ApiKeys) -> None:
    asks = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    with application(api).test_client() as http:
        assert http.options("/live", headers=asks).status_code == 200
        assert http.options("/live").status_code == 401
        assert http.get("/live", headers=asks).status_code == 401


def test_refusals_go_through_what_the_application_adds_to_responses(api: ApiKeys) -> None:
    app = application(api)

    @app.after_request
    def cors(response: Any) -> Any:
        response.headers["Access-Control-Allow-Origin"] = "https://app.example"
        return response

    with app.test_client() as http:
        refused = http.get("/reports")
        assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, "https://app.example")


def test_a_blueprint_is_guarded_as_a_whole_and_the_request_counts_once(keys: KeyService, api: ApiKeys) -> None:
    key, text = keys.create(permissions=["report_read", "user_read"])
    _, weak = keys.create(permissions=["user_read"])
    app, blueprint = Flask(__name__), Blueprint("all", __name__, url_prefix="/all")
    blueprint.before_request(lambda: api.check("report_read"))

    @blueprint.get("/users")
    @api.needs("user_read")
    def users() -> str:
        return api.key.id

    app.register_blueprint(blueprint)
    with app.test_client() as http:
        assert http.get("/all/users", headers=bearer(text)).text == key.id
        assert http.get("/all/users", headers=bearer(weak)).status_code == 403
    keys.flush()
    usage = keys.usage(key)
    assert usage is not None
    assert (usage.uses, usage.endpoint) == (1, "GET /all/users")


def test_a_gate_around_the_application_verifies_the_key_once(keys: KeyService, api: ApiKeys) -> None:
    key, text = keys.create(permissions=["report_read"])
    app = application(api)
    app.wsgi_app = wsgi.KeyGate(app.wsgi_app, keys)  # type: ignore[method-assign]
    with app.test_client() as http:
        assert http.get("/reports", headers=bearer(text)).status_code == 200
        assert http.post("/reports", headers=bearer(text)).status_code == 403
    keys.flush()
    usage = keys.usage(key)
    assert usage is not None
    assert usage.uses == 2


def test_classes_of_views_and_publishable_keys(keys: KeyService, api: ApiKeys) -> None:
    _, text = keys.create(kind="publishable")

    class Public(MethodView):
        decorators = (api.needs(publishable=True),)

        def get(self) -> str:
            return api.key.kind

    app = application(api)
    app.add_url_rule("/public", view_func=Public.as_view("public"))
    with app.test_client() as http:
        assert http.get("/public", headers=bearer(text)).text == "publishable"
        assert http.get("/news", headers=bearer(text)).status_code == 403


def test_faults_of_the_host_are_named(api: ApiKeys) -> None:
    with pytest.raises(ValueError, match="did you mean report_read"):
        api.needs("reports_read")
    app = Flask(__name__)
    with app.test_request_context("/"), pytest.raises(RuntimeError, match="has no API key"):
        _ = api.key
    assert ApiKeys(api.keys, app).keys is app.extensions["tollkey"].keys


def test_a_view_has_a_permission_with_a_parameter_of_its_path_a_cost_and_a_route(tmp_path: Any) -> None:
    with with_projects(tmp_path) as (keys, limits):
        api, app = ApiKeys(keys), Flask(__name__)

        @app.post("/projects/<id>")
        @api.needs("project:{id}:write", cost=lambda asked: int(asked.args["pages"]))
        def write(id: str) -> str:
            return id

        _, text = keys.create(permissions=["project:42:write"])
        with app.test_client() as http:
            accepted = http.post("/projects/42?pages=4", headers=bearer(text))
            assert (accepted.text, accepted.headers["RateLimit"]) == ("42", '"ten";r=6;t=30')
            assert http.post("/projects/43?pages=4", headers=bearer(text)).status_code == 403
            assert http.post("/projects/*?pages=4", headers=bearer(text)).status_code == 403
            assert http.post("/projects/42?pages=9", headers=bearer(text)).status_code == 429
        assert limits.taken[0] == ("POST /projects/<id>", 4)
