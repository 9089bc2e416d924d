"""Who is let in, and what the others are told: reference sections 1.1 to 1.7, row by row."""

from __future__ import annotations

import pytest

from tests.support.api import Answer, Api, World
from tollkey.db import Scope
from tollkey.keys.actors import SYSTEM
from tollkey.wire.messages import Request
from tollkey.wire.policy import Policy
from tollkey.wire.rates import RequestRate
from tollkey.wire.service import Service
from tollkey.wire.versions import LATEST

SEE = "See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/."
UNKNOWN = "sk_test_" + "a" * 20 + "WXYZ"


@pytest.fixture
def api(sqlite_world: World) -> Api:
    return Api(sqlite_world)


def error(answer: Answer) -> tuple[int, str | None, str]:
    return answer.status, answer.error.get("code"), answer.error["message"]


def with_policy(api: Api, request: Request, **settings: object) -> Answer:
    """The answer of a service with other settings on the same core."""
    policy = Policy(connected=lambda *_: False, **settings)  # type: ignore[arg-type]
    service = Service(api.core.setup, api.world.server.edge, api.core.verifier, policy, lambda: api.now)
    response = api.world.runner.run(service.answer(request))
    return Answer(response.status, response.headers, response.body)


def ask(api: Api, key: str) -> Request:
    return Request("GET", "/v1/customers", b"", {"authorization": f"Bearer {key}"}, b"", "127.0.0.1")


def add(api: Api, *, livemode: bool = False, **options: object) -> tuple[str, str]:
    """A new secret key: its id and its text."""
    scope = Scope(api.account, livemode)
    made, text = api.core.database.write(
        lambda tx: api.core.authority.create(tx, scope, "secret", actor=SYSTEM, now=api.now, **options)  # type: ignore[arg-type]
    )
    return made.id, text


# -- 1.1 ways a key is accepted


@pytest.mark.parametrize("scheme", ["Bearer {}", "bearer {}", "BEARER  {}", "Basic {}"])
def test_a_bearer_token_or_a_bare_basic_key_is_accepted(api: Api, scheme: str) -> None:
    assert api.send("GET", "/v1/customers", key=None, headers={"Authorization": scheme.format(api.sk)}).status == 200


def test_the_user_of_basic_credentials_is_the_key(api: Api) -> None:
    assert api.send("GET", "/v1/customers", key=None, headers=api.basic(api.sk)).status == 200


def test_a_browser_may_send_its_publishable_key_in_the_form(api: Api) -> None:
    answer = api.send(
        "POST", "/v1/payment_methods", key=None, body=f"type=card&card[token]=tok_visa&key={api.pk}".encode()
    )
    assert answer.status == 200, answer


def test_a_secret_key_in_the_form_is_not_taken(api: Api) -> None:
    answer = api.send("POST", "/v1/customers", key=None, body=f"key={api.sk}".encode())
    assert answer.status == 401
    assert api.sk.encode() not in answer.body


def test_a_publishable_key_in_the_query_of_a_get_is_taken_and_no_other(api: Api) -> None:
    for method in ("GET", "HEAD"):
        refused = api.send(method, "/v1/customers", key=None, query=f"key={api.pk}")
        assert (refused.status, refused.error["code"]) == (403, "secret_key_required")
    assert api.send("GET", "/v1/customers", key=None, query=f"key={api.sk}").status == 401


def test_plain_http_is_refused_where_https_is_required(api: Api) -> None:
    answer = with_policy(api, ask(api, api.sk), require_https=True)
    assert answer.error == {
        "message": "The Stripe API is only accessible over HTTPS.  Please see <https://stripe.com/docs> for more"
        " information.",
        "type": "invalid_request_error",
    }
    secure = ask(api, api.sk)
    secure.secure = True
    assert with_policy(api, secure, require_https=True).status == 200


# -- 1.2 and 1.3 failures


def minimal(answer: Answer) -> bool:
    """Whether the answer leaves out what refusals of a key leave out."""
    left_out = {"request-id", "stripe-version", "idempotency-key", "original-request", "stripe-should-retry"}
    return not left_out & answer.headers.keys()


def test_without_a_key_it_is_told_how_to_send_one(api: Api) -> None:
    answer = api.send("GET", "/v1/customers", key=None)
    told = (
        "You did not provide an API key. You need to provide your API key in the Authorization header,"
        " using Bearer auth"
        f" (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). {SEE}"
    )
    assert error(answer) == (401, None, told)
    assert answer.headers["www-authenticate"] == 'Bearer realm="Stripe"'
    assert minimal(answer)


@pytest.mark.parametrize("header", ["null", "undefined", "Token abc", "Bearer"])
def test_an_unusable_header_is_shown_back(api: Api, header: str) -> None:
    answer = api.send("GET", "/v1/customers", key=None, headers={"Authorization": header})
    told = (
        f'You did not provide an API key, though you did set your Authorization header to "{header}".'
        f" Using Bearer auth, your"
        f" Authorization header should look something like 'Authorization: Bearer YOUR_SECRET_KEY'. {SEE}"
    )
    assert error(answer) == (401, None, told)
    assert minimal(answer)


def test_an_unknown_key_is_shown_back_masked(api: Api) -> None:
    headers = {"Idempotency-Key": "k", "Stripe-Version": "2020-08-27"}
    answer = api.send("POST", "/v1/customers", key=UNKNOWN, headers=headers)
    assert error(answer) == (401, None, "Invalid API Key provided: sk_test_" + "*" * 20 + "WXYZ")
    assert answer.headers["www-authenticate"] == 'Bearer realm="Stripe"'
    assert minimal(answer)
    assert list(answer.error) == ["message", "type"]
    assert answer.body.endswith(b"}\n")


def test_an_expired_a_rolled_and_a_deleted_key_answer_alike(api: Api) -> None:
    for end in ("expire", "revoke", "roll"):
        id, text = add(api)
        assert api.get("/v1/customers", key=text).status == 200
        assert api.post(f"/v1/api_keys/{id}/{end}").status == 200
        answer = api.get("/v1/customers", key=text)
        shown = "sk_test_" + "*" * 93 + text[-6:]
        assert error(answer) == (401, "api_key_expired", f"Expired API Key provided: {shown}")
        assert answer.error["doc_url"] == "https://stripe.com/docs/error-codes/api-key-expired"
        assert list(answer.error) == ["code", "doc_url", "message", "type"]
        assert minimal(answer)


def test_an_address_that_the_key_does_not_allow(api: Api) -> None:
    _, text = add(api, ip_allowlist=["10.0.0.0/8"])
    assert api.send("GET", "/v1/customers", key=text, ip="10.1.2.3").status == 200
    answer = api.send("GET", "/v1/customers", key=text, ip="1.2.3.4")
    assert error(answer) == (401, None, "The API key provided does not allow requests from your IP address (1.2.3.4).")


def test_a_publishable_key_on_a_secret_endpoint_has_a_request_id(api: Api) -> None:
    answer = api.get("/v1/customers", key=api.pk)
    assert (answer.status, answer.error["code"]) == (403, "secret_key_required")
    assert answer.error["doc_url"] == "https://stripe.com/docs/error-codes/secret-key-required"
    assert answer.headers["request-id"].startswith("req_")


def test_an_account_that_the_key_cannot_act_for(api: Api) -> None:
    answer = api.get("/v1/customers", headers={"Stripe-Account": "acct_fake_account"})
    shown = "sk_test_" + "*" * 93 + api.sk[-6:]
    told = (
        f"The provided key '{shown}' does not have access to account 'acct_fake_account' (or that account does not"
        f" exist)."
        " Application access may have been revoked."
    )
    assert error(answer) == (403, "account_invalid", told)
    assert list(answer.error) == ["message", "type", "code", "doc_url"]
    assert minimal(answer)
    assert "www-authenticate" not in answer.headers
    assert "request_log_url" not in answer.error


def test_an_empty_stripe_account_header(api: Api) -> None:
    answer = api.get("/v1/customers", headers={"Stripe-Account": ""})
    assert (answer.status, answer.error["code"]) == (403, "platform_account_required")
    assert answer.error["message"].startswith("Only Stripe Connect platforms can work with other accounts.")


def test_a_malformed_version_is_refused_by_name(api: Api) -> None:
    answer = api.get("/v1/customers", headers={"Stripe-Version": "not-a-real-version"})
    assert error(answer) == (400, None, "Invalid Stripe API version: not-a-real-version")
    assert "request_log_url" not in answer.error


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("2020-08-27", 200),
        ("2020-08-28", 400),
        ("2024-09-30.acacia", 200),
        ("2022-11-15;a_beta=v1;b_beta=v2", 200),
        ("2029-01-29.x", 400),
    ],
)
def test_a_version_is_a_day_on_which_there_was_one(api: Api, version: str, status: int) -> None:
    assert api.get("/v1/customers", headers={"Stripe-Version": version}).status == status


def test_who_asks_is_settled_before_what_is_asked(api: Api) -> None:
    assert api.get("/v1/no_such_thing", key=UNKNOWN).status == 401
    assert api.get("/v1/no_such_thing").status == 404


# -- 1.4 masks


@pytest.mark.parametrize(
    ("given", "shown"),
    [("undefined", "*****ined"), ("an_unknown_api_key", "an_unknown_***_key"), ("x" * 12, "*" * 8 + "xxxx")],
)
def test_a_text_that_is_no_key_is_shown_with_its_last_four_characters(api: Api, given: str, shown: str) -> None:
    assert api.get("/v1/customers", key=given).error["message"] == f"Invalid API Key provided: {shown}"


# -- 1.5 permissions


def test_a_lacking_permission_is_named_with_where_to_grant_it(api: Api) -> None:
    key = api.restricted("charge_read")
    answer = api.get("/v1/customers", key=key)
    (listed,) = [k for k in api.get("/v1/api_keys")["data"] if k["type"] == "restricted"]
    told = (
        f"Permission denied. The provided key '{listed['redacted']}' does not have the required permissions for this"
        f" endpoint on"
        f" account '{api.account}'. Enabling Customers Read ('customer_read')"
        f" permissions on this key would allow this request to"
        f" continue. You can edit permissions at"
        f" {api.core.setup.base_url}/b/{api.account}?destination=%2Fapikeys%2F{listed['id']}%2Fedit"
    )
    assert error(answer) == (403, "more_permissions_required", told)
    assert answer.headers["request-id"].startswith("req_")


def test_permission_comes_before_parameters_and_before_the_object(api: Api) -> None:
    key = api.restricted("charge_read")
    assert api.post("/v1/customers", key=key, no_such="x").status == 403
    assert api.get("/v1/customers/cus_nothing", key=key).status == 403
    allowed = api.restricted("customer_write")
    assert api.post("/v1/customers", key=allowed, no_such="x").status == 400
    assert api.get("/v1/customers/cus_nothing", key=allowed).status == 404


def test_who_may_write_may_read(api: Api) -> None:
    assert api.get("/v1/customers", key=api.restricted("customer_write")).status == 200


# -- 1.7 rate


def test_an_account_makes_25_requests_a_second_in_test_mode_and_100_in_live_mode(api: Api) -> None:
    for key, most in ((api.sk, 25), (api.live_sk, 100)):
        rate = RequestRate(25, 100, api.core.database, lambda: float(api.now))
        answers = [with_policy(api, ask(api, key), limit=rate).status for _ in range(most + 2)]
        assert answers == [200] * most + [429] * 2
        api.advance(1)
        assert with_policy(api, ask(api, key), limit=rate).status == 200


def test_every_key_of_an_account_counts_and_those_of_the_other_mode_do_not(api: Api) -> None:
    rate = RequestRate(2, 1, api.core.database, lambda: float(api.now))
    keys = [api.sk, api.restricted("customer_read"), api.live_sk, api.sk]
    assert [with_policy(api, ask(api, key), limit=rate).status for key in keys] == [200, 200, 200, 429]


def test_too_many_requests_are_answered_429(api: Api) -> None:
    answer = with_policy(api, ask(api, api.sk), limit=RequestRate(1, 1, api.core.database, lambda: float(api.now)))
    assert answer.status == 200
    answer = with_policy(api, ask(api, api.sk), limit=lambda key: False)
    assert (answer.status, answer.error["code"], answer.error["type"]) == (429, "rate_limit", "invalid_request_error")
    assert answer.error["message"].startswith(
        "Testmode request rate limit exceeded, the rate limits in testmode are lower than livemode."
    )
    assert answer.error["doc_url"] == "https://stripe.com/docs/error-codes/rate-limit"
    assert answer.headers["stripe-rate-limited-reason"] == "global-rate"
    assert "request-id" in answer.headers


def test_the_rate_of_live_mode_has_a_shorter_text(api: Api) -> None:
    answer = with_policy(api, ask(api, api.live_sk), limit=lambda key: False)
    assert error(answer) == (429, "rate_limit", "Request rate limit exceeded")


def test_a_refused_rate_says_that_trying_again_helps(api: Api) -> None:
    request = Request(
        "POST", "/v1/customers", b"", {"authorization": f"Bearer {api.sk}", "idempotency-key": "k"}, b"", "127.0.0.1"
    )
    answer = with_policy(api, request, limit=lambda key: False)
    assert answer.headers["stripe-should-retry"] == "true"
    assert api.post("/v1/customers", headers={"Idempotency-Key": "k"}).headers.get("idempotent-replayed") is None


# -- versions


@pytest.mark.parametrize("version", ["2020-08-27", "2022-11-15", LATEST, "2024-09-30.acacia"])
def test_a_version_is_echoed_as_it_was_sent(api: Api, version: str) -> None:
    answer = api.get("/v1/customers", headers={"Stripe-Version": version})
    assert (answer.status, answer.headers["stripe-version"]) == (200, version)


def test_without_a_version_the_account_s_own_is_spoken(api: Api) -> None:
    assert api.get("/v1/customers").headers["stripe-version"] == LATEST


def test_a_body_that_is_nested_too_deep_holds_no_key(api: Api) -> None:
    for body in (b'{"key":' + b"[" * 100_000, b'{"x":' + b"[" * 1000 + b"]" * 1000 + b',"key":"x"}'):
        assert (
            api.send("POST", "/v1/tokens", key=None, headers={"content-type": "application/json"}, body=body).status
            == 401
        )


def test_a_null_character_in_a_path_names_nothing(api: Api) -> None:
    assert api.get("/v1/customers/%00").status == 404
