"""Pages without a key: their addresses, and what their headers allow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.altered import altered
from tests.support.api import Api
from tollkey.db import Scope
from tollkey.wire._check import Anything, Array, Hash, Map, Object, OneOf, Unset
from tollkey.wire.hosted import grant_of, hosted_url, html_page, kind_of, redirect, safe_link, with_query
from tollkey.wire.params import Param


def test_the_token_of_an_address_gives_the_scope_and_the_object_of_its_own_kind_of_page_only(api: Api) -> None:
    scope = Scope(api.account, False)
    url = api.core.database.write(
        lambda tx: hosted_url(api.core.call(tx, scope, api.now), "3ds", "pi_1", expires_at=api.now + 60)
    )
    token = url.rpartition("/")[2]
    grant = api.core.database.read(lambda tx: grant_of(tx, "3ds", token, api.now))
    assert grant is not None
    assert (grant.scope, grant.id) == (scope, "pi_1")
    assert api.core.database.read(lambda tx: grant_of(tx, "invoice", token, api.now)) is None
    assert api.core.database.read(lambda tx: grant_of(tx, "3ds", token, api.now + 60)) is None
    assert api.core.database.read(lambda tx: grant_of(tx, "3ds", altered(token), api.now)) is None


def test_the_token_itself_is_not_stored(api: Api) -> None:
    url = api.core.database.write(
        lambda tx: hosted_url(api.core.call(tx, Scope(api.account, False), api.now), "3ds", "pi_1")
    )
    token = url.rpartition("/")[2]
    assert api.core.database.read(lambda tx: tx.execute("SELECT COUNT(*) FROM hosted WHERE digest = ?", (token,))) == [
        (0,)
    ]


def test_the_kind_of_page_is_what_stands_before_the_token() -> None:
    assert kind_of("/3ds/{token}/complete") == "3ds"
    assert kind_of("/account/onboarding/{token}") == "account/onboarding"


def test_a_page_lets_forms_lead_to_this_server_and_to_the_return_url_only() -> None:
    policy = html_page("Pay", "<h1>Pay</h1>", leads_to="https://shop.example/done?x=1").headers[
        "Content-Security-Policy"
    ]
    assert "form-action 'self' https://shop.example;" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_a_title_is_escaped() -> None:
    assert b"<title>&lt;b&gt;</title>" in html_page("<b>", "").body


def anything_in(node: Param, path: str) -> Iterator[str]:
    """The places below a parameter that take any value."""
    if isinstance(node, Anything | Hash):
        yield path
    if isinstance(node, Unset):
        yield from anything_in(node.inner, path)
    if isinstance(node, Array | Map):
        yield from anything_in(node.item, f"{path}[]")
    for option in node.options if isinstance(node, OneOf) else ():
        yield from anything_in(option, path)
    for name, inner in node.fields.items() if isinstance(node, Object) else ():
        yield from anything_in(inner, f"{path}[{name}]")


def test_every_field_of_every_page_says_what_may_be_typed_into_it(api: Api) -> None:
    """What strangers type is stored in a business's objects: where these have a text, there is no hash."""
    endpoints = [e for resource in api.core.catalogue.resources for e in resource.endpoints if e.public]
    assert len(endpoints) > 30
    assert [place for e in endpoints for place in anything_in(e.params, f"{e.method} {e.path} ")] == []


def test_a_query_is_added_to_the_one_that_is_there() -> None:
    assert (
        with_query("https://shop.example/done?x=1", redirect_status="succeeded")
        == "https://shop.example/done?x=1&redirect_status=succeeded"
    )


@pytest.mark.parametrize(
    "url", [
        "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "app:x\r\nX: y", "file:/x", "",
        "//evil.example", "/\\evil.example",
    ],
)  # fmt: skip
def test_a_page_never_leads_to_a_script_or_into_another_header(url: str) -> None:
    assert safe_link(url) == "/"
    assert redirect(url).headers["Location"] == "/"
    assert "form-action 'self';" in html_page("Pay", "", leads_to=url).headers["Content-Security-Policy"]


def test_a_return_url_cannot_add_rules_to_a_page_s_policy() -> None:
    policy = html_page("Pay", "", leads_to="https://a;script-src%20*/x").headers["Content-Security-Policy"]
    assert "script-src" not in policy


def test_pages_lead_to_the_web_and_to_apps() -> None:
    for url in ("https://shop.example/done?x=1", "http://localhost:3000", "my.app://done", "/done"):
        assert safe_link(url) == url


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "app:x\r\nSet-Cookie: a=b"])
def test_an_address_that_no_page_should_lead_to_is_refused(api: Api, url: str) -> None:
    given = {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True, "return_url": url}
    answer = api.post("/v1/payment_intents", **given)
    assert (answer.status, answer.error["message"]) == (400, "Not a valid URL")
    account = api.ok("POST", "/v1/accounts", type="express", country="US")["id"]
    answer = api.post(
        "/v1/account_links", account=account, type="account_onboarding", return_url=url, refresh_url="https://a.example"
    )
    assert (answer.status, answer.error["message"]) == (400, "Not a valid URL")
