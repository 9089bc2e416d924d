"""Headers, versions and kinds of body: each is acted on, refused in the wire's form, or said to be ignored; none is
taken in silence.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.api import Answer, Api
from tollkey.core import open_core
from tollkey.settings import Settings
from tollkey.wire.app import headers_of
from tollkey.wire.policy import Policy
from tollkey.wire.versions import LATEST, newer_than_built

NEWEST = newer_than_built()[-1]


def connected(api: Api) -> str:
    account: str = api.ok("POST", "/v1/accounts", type="express", country="US")["id"]
    return account


# -- Stripe-Context


def test_a_context_acts_for_the_account_it_names(api: Api) -> None:
    account = connected(api)
    made = api.post("/v1/customers", headers={"Stripe-Context": account})
    assert (made.status, made.headers["stripe-account"]) == (200, account)
    assert api.get(f"/v1/customers/{made['id']}").status == 404
    assert api.get(f"/v1/customers/{made['id']}", headers={"Stripe-Account": account})["id"] == made["id"]


@pytest.mark.parametrize("header", ["Stripe-Account", "Stripe-Context"])
def test_a_path_from_the_key_s_own_account_leads_to_a_connected_one(api: Api, header: str) -> None:
    account = connected(api)
    assert api.get("/v1/customers", headers={header: f"{api.account}/{account}"}).headers["stripe-account"] == account
    assert api.get("/v1/customers", headers={header: api.account}).status == 200


@pytest.mark.parametrize("header", ["Stripe-Account", "Stripe-Context"])
@pytest.mark.parametrize(
    "value", ["acct_nobody", "{stranger}", "{account}/acct_nobody", "{connected}/acct_1", "{stranger}/{connected}"]
)
def test_an_account_out_of_reach_is_refused(api: Api, header: str, value: str) -> None:
    named = value.format(stranger=api.another().account, account=api.account, connected=connected(api))
    answer = api.get("/v1/customers", headers={header: named})
    assert (answer.status, answer.error["code"]) == (403, "account_invalid")


def test_an_empty_context_is_refused_as_an_empty_account_is(api: Api) -> None:
    for header in ("Stripe-Account", "Stripe-Context"):
        assert api.get("/v1/customers", headers={header: ""}).error["code"] == "platform_account_required"


def test_a_context_that_contradicts_the_account_is_refused(api: Api) -> None:
    one, other = connected(api), connected(api)
    answer = api.get("/v1/customers", headers={"Stripe-Account": one, "Stripe-Context": other})
    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
    assert "Stripe-Context" in answer.error["message"]
    assert api.get("/v1/customers", headers={"Stripe-Account": one, "Stripe-Context": one}).status == 200


def test_a_context_on_a_v2_path_acts_for_the_account_too(api: Api) -> None:
    account = connected(api)
    session = api.send(
        "POST",
        "/v2/billing/meter_event_session",
        body=b"{}",
        headers={"Content-Type": "application/json", "Stripe-Context": account},
    )
    assert (session.status, session.headers["stripe-account"]) == (200, account)
    nobody = api.send(
        "POST",
        "/v2/billing/meter_event_session",
        body=b"{}",
        headers={"Content-Type": "application/json", "Stripe-Context": "acct_x"},
    )
    assert (nobody.status, nobody.error["code"]) == (403, "account_invalid")


def test_a_restricted_key_has_its_connect_permissions_in_a_context(api: Api) -> None:
    account, key = connected(api), api.restricted("customer_read")
    assert api.get("/v1/customers", key=key).status == 200
    answer = api.get("/v1/customers", key=key, headers={"Stripe-Context": account})
    assert (answer.status, answer.error["code"]) == (403, "more_permissions_required")


# -- Stripe-Livemode, which the Stripe CLI sends


def test_a_mode_that_contradicts_the_key_is_refused(api: Api) -> None:
    assert api.get("/v1/customers", headers={"Stripe-Livemode": "false"}).status == 200
    answer = api.get("/v1/customers", headers={"Stripe-Livemode": "true"})
    assert (answer.status, answer.error["code"]) == (400, "livemode_mismatch")


# -- versions


@pytest.mark.parametrize(
    "version",
    [
        "not-a-real-version", "2020-08-28", "2029-01-29.x", "2027-01-27.endive", "2024-09-30.basil",
        "2025-09-30.acacia",
        "2020-08-27.acacia", "2026-05-27.dahlia, 2026-05-27.dahlia", "2019-2-19",
    ],
)  # fmt: skip
def test_a_version_that_was_never_published_is_refused_by_name(api: Api, version: str) -> None:
    answer = api.get("/v1/customers", headers={"Stripe-Version": version})
    assert (answer.status, answer.error["message"]) == (400, f"Invalid Stripe API version: {version}")


@pytest.mark.parametrize(
    "version", ["2011-01-01", "2020-08-27", "2022-11-15;a_beta=v1", "2024-09-30.acacia", "2024-09-30", LATEST]
)
def test_a_version_that_is_built_is_spoken(api: Api, version: str) -> None:
    answer = api.get("/v1/customers", headers={"Stripe-Version": version})
    assert (answer.status, answer.headers["stripe-version"]) == (200, version)
    assert ("stripe-notice" in answer.headers) == (";" in version)


@pytest.mark.parametrize("version", newer_than_built())
def test_a_published_version_that_is_not_built_is_answered_in_the_newest_shape_and_says_so(
    api: Api, version: str
) -> None:
    made = api.ok("POST", "/v1/customers")["id"]
    for path in ("/v1/customers", f"/v1/customers/{made}", "/v1/customers/cus_none"):
        answer = api.get(path, headers={"Stripe-Version": version})
        assert answer.headers["stripe-version"] == LATEST
        assert answer.headers["stripe-notice"] == (
            f"API version {version} is newer than this server is built for: answers have the shape of {LATEST}."
        )


def test_preview_features_are_said_not_to_be_there(api: Api) -> None:
    answer = api.get("/v1/customers", headers={"Stripe-Version": "2026-05-27.preview"})
    assert "preview" in answer.headers["stripe-notice"]


def test_a_webhook_endpoint_takes_published_versions_and_no_others(api: Api) -> None:
    given = {"url": "https://example.com/h", "enabled_events": ["*"]}
    made = api.ok("POST", "/v1/webhook_endpoints", **given, api_version=NEWEST)
    assert (made["api_version"], LATEST in made.headers["stripe-notice"]) == (NEWEST, True)
    assert api.post("/v1/webhook_endpoints", **given, api_version="2027-01-27.endive").error["param"] == "api_version"
    assert "stripe-notice" not in api.ok("POST", "/v1/webhook_endpoints", **given, api_version="2020-08-27").headers


# -- kinds of body

UNSUPPORTED = (
    "Invalid request: unsupported Content-Type {}. If error persists and you need assistance, please contact "
    "support@stripe.com."
)


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "text/plain", "", "application/xml"])
def test_v1_takes_forms_only(api: Api, kind: str) -> None:
    answer = api.send("POST", "/v1/customers", body=b"name=j", headers={"Content-Type": kind})
    assert (answer.status, answer.error["message"]) == (400, UNSUPPORTED.format(kind))
    assert api.get("/v1/customers")["data"] == []


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_json_on_v1_is_refused_with_a_hint(api: Api, method: str) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    kind = {"Content-Type": "application/json; charset=utf-8"}
    answer = api.send(method, f"/v1/customers/{customer}", body=b'{"name": "j"}', headers=kind)
    assert answer.status == 400
    assert answer.error["message"].startswith(
        "Invalid request (check that your POST content type is application/x-www-form-urlencoded)."
    )


def test_v2_takes_json_only(api: Api) -> None:
    path = "/v2/billing/meter_event_session"
    assert api.send("POST", path, body=b"{}", headers={"Content-Type": "application/json"}).status == 200
    assert api.send("POST", path).status == 200
    refused = api.send("POST", path, body=b"a=b")
    assert (refused.status, refused.error["code"]) == (400, "invalid_request")


# -- the v2 API's errors


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/v2/core/nothing", "/v2/", "/v2/billing/meter_event_session/x"])
def test_an_unknown_v2_path_is_answered_in_the_v2_error_shape(api: Api, method: str, path: str) -> None:
    answer = api.send(method, path)
    assert (answer.status, set(answer.error)) == (404, {"code", "message", "type"})
    assert answer.error["code"] == "not_found"
    assert answer.error["message"].startswith(f"Unrecognized request URL ({method}: {path}).")


def test_a_refused_v2_field_is_answered_in_the_v2_error_shape(api: Api) -> None:
    answer = api.send(
        "POST", "/v2/billing/meter_event_session", body=b'{"wat": 1}', headers={"Content-Type": "application/json"}
    )
    assert (answer.status, answer.error) == (
        400,
        {"code": "invalid_fields", "message": "Received unknown parameter: wat"},
    )


# -- what Stripe.js says in the form or the query instead


def _browser(api: Api, query: str = "", **headers: str) -> Answer:
    """A payment method made by a browser, which has no header but those given. query: further pairs of the form."""
    body = f"type=card&card[token]=tok_visa&key={api.pk}&{query}".encode()
    return api.send("POST", "/v1/payment_methods", key=None, body=body, headers=headers)


@pytest.mark.parametrize("name", ["_stripe_account", "%5Fstripe%5Faccount"])
def test_a_browser_acts_for_the_account_that_its_form_names(api: Api, name: str) -> None:
    account = api.ok("POST", "/v1/accounts", type="express", country="US")["id"]
    made = _browser(api, f"_stripe_account={account}")
    assert (made.status, made.headers["stripe-account"]) == (200, account)
    there = {"Stripe-Account": account}
    assert api.get(f"/v1/payment_methods/{made['id']}", headers=there).status == 200
    assert api.get(f"/v1/payment_methods/{made['id']}").status == 404
    other = _browser(api, f"{name}={account}")
    assert other.status == 400 or other.headers.get("stripe-account") == account, "never in silence on the platform"


def test_an_account_in_a_form_is_refused_where_a_header_would_be(api: Api) -> None:
    stranger = api.another().account
    for value in (stranger, "acct_1NothingHere"):
        answer = _browser(api, f"_stripe_account={value}")
        assert (answer.status, answer.error["code"]) == (403, "account_invalid")
    assert _browser(api, "_stripe_account=").error["code"] == "platform_account_required"


def test_an_account_in_a_form_that_contradicts_the_header_is_refused(api: Api) -> None:
    first, second = (api.ok("POST", "/v1/accounts", type="express", country="US")["id"] for _ in range(2))
    assert _browser(api, f"_stripe_account={first}", **{"Stripe-Account": first}).status == 200
    answer = _browser(api, f"_stripe_account={first}", **{"Stripe-Account": second})
    assert (answer.status, answer.error["param"]) == (400, "_stripe_account")


def test_only_a_publishable_key_names_its_account_in_a_form(api: Api) -> None:
    account = api.ok("POST", "/v1/accounts", type="express", country="US")["id"]
    answer = api.post("/v1/customers", _stripe_account=account)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "parameter_unknown", "_stripe_account")


def test_a_browser_speaks_the_version_that_its_form_names(api: Api) -> None:
    assert _browser(api, "_stripe_version=2020-03-02").headers["stripe-version"] == "2020-03-02"
    answer = _browser(api, "_stripe_version=1999-01-01")
    assert (answer.status, answer.error["message"]) == (400, "Invalid Stripe API version: 1999-01-01")


def test_a_browser_reads_with_its_key_in_the_query(api: Api) -> None:
    account = api.ok("POST", "/v1/accounts", type="express", country="US")["id"]
    intent = api.post("/v1/payment_intents", amount=500, currency="usd", headers={"Stripe-Account": account})
    path, said = (
        f"/v1/payment_intents/{intent['id']}",
        f"key={api.pk}&is_stripe_sdk=false&client_secret={intent['client_secret']}",
    )
    there = api.send("GET", path, key=None, query=f"{said}&_stripe_account={account}&_stripe_version=2020-08-27")
    assert (there.status, there["id"], there.headers["stripe-version"]) == (200, intent["id"], "2020-08-27")
    assert api.send("GET", path, key=None, query=said).status == 404


def test_no_other_key_and_no_other_method_has_its_key_in_the_query(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    made = api.ok("POST", "/v1/ephemeral_keys", customer=customer, headers={"Stripe-Version": "2024-06-20"})
    for key in (api.sk, api.restricted("customer_read"), made["secret"]):
        answer = api.send("GET", f"/v1/customers/{customer}", key=None, query=f"key={key}")
        assert answer.status == 401
        assert key.encode() not in answer.body
    assert api.send("POST", "/v1/tokens", key=None, query=f"key={api.pk}", body=b"pii[id_number]=1").status == 401


@pytest.mark.parametrize(
    ("name", "values", "status"),
    [
        ("authorization", ["Bearer {sk}", "Bearer {sk}"], 401),
        ("authorization", ["Bearer {sk}", "Bearer sk_test_wrong"], 401),
        ("stripe-account", ["{account}", "acct_other"], 403),
        ("stripe-context", ["{account}", "{account}"], 403),
        ("stripe-version", ["2020-08-27", "2015-10-16"], 400),
        ("stripe-livemode", ["false", "true"], 400),
    ],
)  # fmt: skip
def test_a_header_that_is_sent_twice_is_refused_instead_of_read_once(
    api: Api, name: str, values: list[str], status: int
) -> None:
    pairs = [(name.encode(), value.format(sk=api.sk, account=api.account).encode()) for value in values]
    if name != "authorization":
        pairs.append((b"authorization", f"Bearer {api.sk}".encode()))
    sent = headers_of(pairs)
    assert api.send("GET", "/v1/customers", key=None, headers=sent).status == status


def test_a_request_that_names_no_version_has_the_servers_default(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path), default_version="2025-02-24.acacia")
    core = open_core(settings)
    assert core.settings.default_version == "2025-02-24.acacia"
    core.close()
    with pytest.raises(ValueError, match="default_version: Invalid Stripe API version: 2025-01-01"):
        open_core(Settings(data=str(tmp_path), default_version="2025-01-01"))
    assert (
        Policy(lambda tx, scope, account: True, default_version="2025-02-24.acacia").read_version(None).date
        == "2025-02-24"
    )
    assert Policy(lambda tx, scope, account: True).read_version(None).headers["Stripe-Version"] == LATEST
