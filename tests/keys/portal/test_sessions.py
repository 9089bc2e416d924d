from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clock
from tests.keys.conftest import refused
from tests.keys.portal.conftest import Component, Page, World, opened
from tollkey.keys.actors import Actor
from tollkey.keys.portal import Portal


def test_a_link_is_opened_once(stored_world: World) -> None:
    session = stored_world.portal.create_session(account="alice", permissions=["report_read"])
    assert session.url is not None
    assert stored_world.browser().post(session.url).status_code == 303
    again = stored_world.browser().post(session.url)
    assert again.status_code == 404
    assert "has been used or has expired" in again.text


def test_looking_at_a_link_does_not_use_it_up(stored_world: World) -> None:
    session = stored_world.portal.create_session(account="alice", permissions=["report_read"])
    assert session.url is not None
    for _ in range(2):  # a mail scanner, a chat's preview
        assert stored_world.browser().get(session.url).status_code == 200
    assert stored_world.browser().post(session.url).status_code == 303


def test_a_link_and_a_session_end(stored_world: World, clock: Clock) -> None:
    late = stored_world.portal.create_session(account="alice", permissions=["report_read"])
    page = stored_world.signed_in()
    clock.advance(600)
    assert late.url is not None
    assert stored_world.browser().post(late.url).status_code == 404
    clock.advance(2999)
    assert page.get("session").status_code == 200
    clock.advance(1)
    assert page.get("session").json()["error"]["code"] == "session_ended"
    assert page.browser.get("/portal").status_code == 401


def test_links_and_sessions_outlive_a_rotation_of_the_keyring(database_url: str, tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "keyring"
    with opened(database_url, tmp_path, clock) as before:
        link = before.portal.create_session(account="alice", permissions=["report_read"]).url
        page, component = before.signed_in(), before.component()
    before.keys.authority.keyring.rotate_digest().save(file)
    with opened(database_url, tmp_path, clock) as after:
        assert link is not None
        assert after.browser().post(link).status_code == 303
        assert after.browser().post(link).status_code == 404
        assert Component(after.browser(), component.token).get("session").status_code == 200
        browser = after.browser()
        browser.cookies = page.browser.cookies
        assert Page(browser).get("session").status_code == 200


def test_a_session_that_a_customers_key_asked_for_ends_with_that_key(world: World) -> None:
    key = world.keys.create(account="alice", permissions=["report_read"]).key
    component = world.component(actor=Actor("api_key", key.id))
    assert component.get("session").status_code == 200
    world.keys.revoke(key)
    assert component.get("session").status_code == 401


def test_tokens_are_stored_as_digests_and_not_shown(stored_world: World) -> None:
    hosted = stored_world.portal.create_session(account="alice", permissions=["report_read"])
    component = stored_world.portal.create_session(account="alice", permissions=["report_read"], ui_mode="component")
    assert hosted.url is not None
    assert component.token is not None
    rows = str(stored_world.keys.database.read(lambda tx: tx.execute("SELECT * FROM portal_sessions")))
    for secret in (hosted.url.rpartition("/")[2], component.token):
        assert secret not in rows
        assert secret not in repr(hosted) + repr(component)


def test_each_kind_of_token_opens_its_own_door_only(stored_world: World) -> None:
    component = stored_world.component()
    assert component.get("session").status_code == 200
    cookie = {"cookie": f"tollkey-portal={component.token}"}
    assert stored_world.browser().get("/portal", headers=cookie).status_code == 401
    assert stored_world.browser().post(f"/portal/start/{component.token}").status_code == 404


@pytest.mark.parametrize(
    ("code", "about"),
    [
        ("account_invalid", {"account": ""}), ("may_invalid", {"may": ["create", "reveal"]}),
        ("ui_mode_invalid", {"ui_mode": "popup"}), ("permissions_required", {"permissions": []}),
        ("permission_unknown", {"permissions": ["nonsense_read"]}),
        ("url_invalid", {"return_url": "javascript:alert(1)"}),
        ("url_invalid", {"return_url": "https://"}), ("url_invalid", {"return_url": "https://a.example/\nb"}),
    ],
)  # fmt: skip
def test_a_session_that_makes_no_sense_is_refused(world: World, code: str, about: dict[str, Any]) -> None:
    with refused(code):
        world.portal.create_session(**{"account": "alice", "permissions": ["report_read"], **about})


@pytest.mark.parametrize(
    "about", [{"base_url": "keys.example/portal"}, {"base_url": "https://keys.example"},
    {"base_url": "https://keys.example/portal", "origins": ["*"]},
    {"base_url": "https://keys.example/portal", "origins": ["https://app.example/"]}],
)  # fmt: skip
def test_a_portal_needs_a_url_and_whole_origins(world: World, about: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Portal(world.keys, **about)
