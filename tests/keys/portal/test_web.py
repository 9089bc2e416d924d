from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from starlette.requests import Request

from tests.keys.portal.conftest import APP, World
from tollkey.keys import KeyRefused
from tollkey.keys.actors import Actor
from tollkey.keys.portal import actions
from tollkey.keys.portal.sessions import end


def test_a_customer_makes_a_key_sees_it_once_rolls_and_revokes_it(stored_world: World) -> None:
    world = stored_world
    page = world.signed_in(permissions=["report_read", "user_read"])
    made = page.post("keys", name="Nightly export", permissions=["report_read"], expires="90").json()
    assert world.keys.check(made["secret"], "report_read")
    world.keys.flush()
    (listed,) = page.get("keys").json()["data"]
    assert (listed["name"], listed["uses"], listed["permissions"]) == ("Nightly export", 1, ["Reports Read"])
    assert "secret" not in listed
    rolled = page.post(f"keys/{made['id']}/roll", grace="1h").json()
    assert world.keys.verify(made["secret"])
    assert world.keys.verify(rolled["secret"])
    assert page.post(f"keys/{rolled['id']}/revoke").json() == {"id": rolled["id"], "revoked": True}
    assert not world.keys.verify(rolled["secret"])
    actors = {str(entry.actor).partition("_")[0] for entry in world.keys.audit(account="alice")}
    assert actors == {"portal:ps"}


def test_it_gives_nothing_beyond_its_rights(world: World) -> None:
    page = world.signed_in(may=["create"])
    strong = world.keys.create(account="alice", permissions=["report_write"]).key
    assert page.post("keys", name="A", permissions=["report_write"]).json()["error"]["param"] == "permissions"
    assert page.post(f"keys/{strong.id}/roll").json()["error"]["code"] == "not_permitted"
    assert page.post(f"keys/{strong.id}/revoke").status_code == 403
    assert page.get("keys").json()["data"][0]["can_roll"] is False


def test_a_key_with_more_rights_is_not_rolled_as_that_would_show_its_successor(world: World) -> None:
    page = world.signed_in()
    strong = world.keys.create(account="alice", permissions=["report_write"]).key
    secret = world.keys.create(account="alice", kind="secret").key
    for key in (strong, secret):
        assert page.post(f"keys/{key.id}/roll").json()["error"]["code"] == "permissions_exceeded"
    assert page.post(f"keys/{strong.id}/revoke").status_code == 200


def test_keys_of_another_account_and_mode_are_not_there(world: World) -> None:
    page = world.signed_in()
    others = world.keys.create(account="bob", permissions=["report_read"]).key
    test = world.keys.create(account="alice", livemode=False, permissions=["report_read"]).key
    for key in (others, test):
        assert page.post(f"keys/{key.id}/revoke").status_code == 404
    assert page.get("keys").json()["data"] == []


def test_errors_name_the_field(world: World) -> None:
    page = world.signed_in()
    for sent, param in (
        ({"name": " ", "permissions": ["report_read"]}, "name"), ({"name": "A", "permissions": []}, "permissions"),
        ({"name": "A", "permissions": "report_read"}, "permissions"), ({"name": 7}, "name"),
        ({"name": "A", "permissions": ["report_read"], "expires": "soon"}, "expires"),
        ({"name": "A", "colour": "red"}, "colour"),
    ):  # fmt: skip
        answer = page.post("keys", **sent)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    key = world.keys.create(account="alice", permissions=["report_read"]).key
    assert page.post(f"keys/{key.id}/roll", grace="1y").json()["error"]["param"] == "grace"
    assert len(world.keys.list(account="alice")) == 1


def test_a_body_that_is_no_json_object_is_refused(world: World) -> None:
    component = world.component()
    headers = {"authorization": f"Bearer {component.token}"}
    for status, body, type in (
        (400, b"[]", "application/json"), (400, b"{", "application/json"), (400, b"[" * 9_000, "application/json"),
        (415, b"name=A", "application/x-www-form-urlencoded"), (413, b" " * 20_000, "application/json"),
    ):  # fmt: skip
        answer = component.browser.post("/portal/api/keys", content=body, headers={**headers, "content-type": type})
        assert answer.status_code == status


def test_another_site_cannot_change_anything_with_the_cookie(world: World) -> None:
    page = world.signed_in()
    sent = {"name": "A", "permissions": ["report_read"]}
    for headers in ({}, {"x-csrf-token": "0" * 64}):
        assert page.browser.post("/portal/api/keys", json=sent, headers=headers).status_code == 403
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert page.post("keys", headers=headers, **sent).json()["error"]["code"] == "csrf_failed"
    assert page.post("keys", headers={"sec-fetch-site": "same-origin", "origin": "null"}, **sent).status_code == 200


def test_the_cookie_and_the_headers_keep_the_session_to_its_page(world: World) -> None:
    session = world.portal.create_session(
        account="alice", permissions=["report_read"], return_url="https://a.example/?x=1&y=<"
    )
    assert session.url is not None
    browser = world.browser()
    opened = browser.post(session.url)
    cookie = opened.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=strict", "secure", "path=/portal", "max-age=3600"):
        assert part in cookie
    assert opened.headers["location"] == "/portal"
    page = browser.get("/portal")
    assert 'href="https://a.example/?x=1&amp;y=&lt;"' in page.text
    for answer in (opened, page):
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "unsafe-inline" not in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "<script>" not in page.text
    assert "style=" not in page.text


def test_only_pages_of_listed_origins_may_use_the_component(world: World) -> None:
    component = world.component()
    answer = component.get("keys")
    assert answer.headers["access-control-allow-origin"] == APP
    assert "access-control-allow-credentials" not in answer.headers
    foreign = component.get("keys", origin="https://evil.example")
    assert foreign.status_code == 403
    assert "access-control-allow-origin" not in foreign.headers
    made = component.post("keys", name="From the app", permissions=["report_read"]).json()
    assert world.keys.check(made["secret"], "report_read")


def test_a_preflight_is_answered_without_a_session(world: World) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization, content-type"}
    allowed = world.browser().options("/portal/api/keys", headers={"origin": APP, **asked})
    assert allowed.status_code == 204
    assert "Authorization" in allowed.headers["access-control-allow-headers"]
    refused = world.browser().options("/portal/api/keys", headers={"origin": "https://evil.example", **asked})
    assert "access-control-allow-origin" not in refused.headers


def test_without_the_database_nothing_is_said_about_the_session(world: World) -> None:
    page = world.signed_in()
    world.keys.database.close()
    answer = page.get("keys")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert "Traceback" not in json.dumps(answer.json())
    shown = page.browser.get("/portal")
    assert (shown.status_code, "not available" in shown.text) == (503, True)


def test_only_the_cookie_opens_the_page(world: World) -> None:
    component = world.component()
    for origin in (APP, "https://evil.example"):
        headers = {"authorization": f"Bearer {component.token}", "origin": origin, "sec-fetch-site": "cross-site"}
        assert component.browser.get("/portal", headers=headers).status_code == 401


def test_an_account_has_a_limited_number_of_keys(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_KEYS", 2)
    page = world.signed_in()
    for expected in (200, 200, 400):
        answer = page.post("keys", name="One more", permissions=["report_read"])
        assert answer.status_code == expected
    assert answer.json()["error"]["code"] == "too_many_keys"


def test_a_roll_with_a_grace_makes_no_key_more_than_the_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_KEYS", 1)
    page = world.signed_in()
    made = page.post("keys", name="One", permissions=["report_read"]).json()
    assert page.post(f"keys/{made['id']}/roll", grace="1h").json()["error"]["code"] == "too_many_keys"
    assert page.post(f"keys/{made['id']}/roll", grace="now").status_code == 200


def test_two_requests_at_once_do_not_both_make_the_last_key(
    stored_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_KEYS", 1)
    rights, both = stored_world.rights(), Barrier(2)
    count = actions._check_room

    def together(*given: Any) -> None:
        with suppress(BrokenBarrierError):
            both.wait(0.2)  # both would have counted before either has made one
        count(*given)

    monkeypatch.setattr(actions, "_check_room", together)

    def make(name: str) -> str:
        try:
            actions.create_key(
                stored_world.keys, rights, {"name": name, "permissions": ["report_read"]}, stored_world.portal.clock()
            )
        except KeyRefused as refused:
            return refused.code
        return "made"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(make, ("A", "B"))) == ["made", "too_many_keys"]


def test_a_key_that_is_given_more_while_it_is_rolled_is_not_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = world.signed_in()
    key = world.keys.create(account="alice", permissions=["report_read"]).key
    write = world.keys.database.write

    def after_another(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(world.keys.database, "write", write)
        world.keys.update(key, permissions=["report_write"])
        return write(*given, **more)

    monkeypatch.setattr(world.keys.database, "write", after_another)
    assert page.post(f"keys/{key.id}/roll").json()["error"]["code"] == "permissions_exceeded"


@pytest.mark.parametrize("sent", [b'{"permissions": ["\\ud800"], "name": "A"}', b'{"\\udfff": 1}'])
def test_half_a_surrogate_pair_is_no_json_that_could_be_answered(world: World, sent: bytes) -> None:
    component = world.component()
    headers = {"authorization": f"Bearer {component.token}", "content-type": "application/json"}
    answer = component.browser.post("/portal/api/keys", content=sent, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "json_invalid")


def test_no_error_repeats_a_key_that_was_sent_in_another_place(world: World) -> None:
    page = world.signed_in()
    text = world.keys.create(account="bob", permissions=["report_read"]).secret
    for answer in (page.post("keys", **{text: 1}), page.post(f"keys/{text}/roll"), page.post(f"keys/{text}/revoke")):
        assert answer.status_code in (400, 404)
        assert text[:30] not in answer.text


def test_who_has_no_link_makes_nobody_wait_for_a_write(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    session = world.portal.create_session(account="alice", permissions=["report_read"])
    assert session.url is not None
    writes: list[object] = []
    write = world.keys.database.write
    monkeypatch.setattr(world.keys.database, "write", lambda *given, **more: writes.append(1) or write(*given, **more))
    assert world.browser().post(f"/portal/start/ps_link_{'a' * 43}").status_code == 404
    assert writes == []
    assert world.browser().post(session.url).status_code == 303


def test_the_script_is_served_and_nothing_else(world: World) -> None:
    browser = world.browser()
    script = browser.get("/portal/static/tollkey-keys.js")
    assert "javascript" in script.headers["content-type"]
    assert "customElements.define" in script.text
    for name in ("web.py", "..%2fweb.py", "%2e%2e"):
        assert browser.get(f"/portal/static/{name}").status_code == 404


def test_a_session_that_ends_while_its_body_arrives_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = world.keys.create(permissions=["report_read"], account="alice").key
    actor = Actor("api_key", maker.id)
    read_body = world.portal._body

    async def slow(request: Request) -> bytes:
        world.keys.disable(maker)
        return await read_body(request)

    monkeypatch.setattr(world.portal, "_body", slow)
    for visitor in (world.signed_in(actor=actor), world.component(actor=actor)):
        assert visitor.post("keys", name="Till", permissions=["report_read"]).json()["error"]["code"] == "session_ended"
        world.keys.enable(maker)
    assert [key.id for key in world.keys.list(account="alice")] == [maker.id]


@pytest.mark.parametrize("verb", ["create", "roll", "revoke"])
@pytest.mark.parametrize("ends", ["session", "maker"])
def test_a_session_that_ends_before_the_transaction_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, verb: str, ends: str
) -> None:
    maker = world.keys.create("Host", kind="secret", account="host").key
    page = world.signed_in(actor=Actor("api_key", maker.id))
    key = world.keys.create(account="alice", permissions=["report_read"]).key
    session = world.keys.database.read(lambda tx: tx.execute("SELECT id FROM portal_sessions"))[0][0]
    write = world.keys.database.write

    def after_another(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(world.keys.database, "write", write)
        if ends == "maker":
            world.keys.revoke(maker)
        else:
            write(lambda tx: end(tx, session))
        return write(*given, **more)

    page.get("session")
    monkeypatch.setattr(world.keys.database, "write", after_another)
    path = "keys" if verb == "create" else f"keys/{key.id}/{verb}"
    sent = {"name": "New", "permissions": ["report_read"]} if verb == "create" else {}
    answer = page.post(path, **sent)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "session_ended")
    assert [one.version for one in world.keys.account("alice").list()] == [key.version]
