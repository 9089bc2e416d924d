"""Who may call the service."""

from __future__ import annotations

import asyncio
import base64

import pytest

from tests.conftest import NOW, Clock
from tests.keys.conftest import refused
from tests.keys.http.conftest import Start, Web
from tollkey.keys import NewKey
from tollkey.keys.actors import SYSTEM
from tollkey.keys.http import SERVICE_ACCOUNT
from tollkey.keys.http.callers import SERVICE_SCOPE
from tollkey.keys.importing import Defaults, Value, import_records

VERIFY = "/v1/keys/verify"


def test_a_caller_without_a_service_key_is_told_how_to_send_one(web: Web) -> None:
    answer = web.post(VERIFY, {"key": "x"}, key=None)
    assert answer.error == (401, "no_api_key")
    assert answer.headers["www-authenticate"] == 'Bearer realm="API"'
    assert web.post(VERIFY, {"key": "x"}, key=None, headers={"Authorization": "Digest x"}).error == (401, "no_api_key")


def test_only_live_keys_of_the_reserved_account_are_service_keys(web: Web) -> None:
    customer = web.keys.create(kind="secret", account="cus_1")[1]
    own = web.app.server.callers.keys
    test_mode = own.create(kind="secret", account=SERVICE_ACCOUNT, livemode=False)[1]
    public = own.create(kind="publishable", account=SERVICE_ACCOUNT)[1]
    for text in (customer, test_mode, public, "nothing", customer[:-1]):
        answer = web.post(VERIFY, {"key": "x"}, key=text)
        assert answer.error == (401, "invalid_token")
        assert text not in answer.body.decode()


def test_a_service_key_may_do_what_its_permissions_say(web: Web) -> None:
    _, text = web.service_key("usage_read")
    answer = web.post(VERIFY, {"key": "x"}, key=text)
    assert answer.error == (403, "insufficient_scope")
    assert 'scope="key_verify_write"' in answer.headers["www-authenticate"]
    assert web.post(VERIFY, {"key": "x"}, key=web.service_key("key_read")[1]).status == 200
    assert web.post(VERIFY, {"key": "x"}, key=web.service_key("key_verify_write")[1]).status == 200


def test_a_customer_who_is_called_like_the_account_of_service_keys_gets_no_service_key(web: Web) -> None:
    """Neither from the library, nor by an import: the name of an account may come from outside."""
    about: dict[str, Value] = {"account": SERVICE_ACCOUNT, "type": "secret"}
    with refused("account_reserved"):
        web.keys.create(account=SERVICE_ACCOUNT, permissions=["report_write"])
    with refused("account_reserved"):
        web.keys.create_many([NewKey(account=SERVICE_ACCOUNT, kind="secret")])
    for record in ({"key": "a1B2" * 10, **about}, {"hash": "a" * 64, **about}):
        (row,) = import_records(web.keys, [record], Defaults(), SYSTEM, NOW).rows
        assert (row.status, row.code) == ("failed", "account_reserved")


def test_a_service_key_is_still_rolled_on_its_schedule(web: Web, clock: Clock) -> None:
    made = web.app.server.callers.keys.create(permissions=["usage_read"], account=SERVICE_ACCOUNT, rotate_every=3600)
    clock.advance(3600)
    (rolled,) = web.keys.rotate_due()
    assert (rolled.old.id, rolled.key.account) == (made.key.id, SERVICE_ACCOUNT)
    assert web.get("/v1/usage", key=made.secret).status == 200


def test_a_service_key_is_no_key_for_an_application_on_the_same_database(web: Web) -> None:
    for _ in range(2):  # from the database, and from memory
        assert web.keys.verify(web.admin).reason == "unknown"
        assert web.keys.check(web.admin).reason == "unknown"
        assert not web.keys.verify_cached(web.admin)
    _, text = web.keys.create(account="cus_1")
    assert web.keys.verify(text)
    sent = {"key": web.service_key("key_verify_write")[1], "audience": "edge", "permissions": []}
    assert web.post("/v1/tokens", sent).error == (400, "api_key_invalid")


def test_basic_authentication_takes_the_key_as_user_name(web: Web) -> None:
    basic = "Basic " + base64.b64encode(f"{web.admin}:".encode()).decode()
    assert web.post(VERIFY, {"key": "x"}, key=None, headers={"Authorization": basic}).status == 200


def test_a_revoked_or_expired_service_key_is_refused_at_once(web: Web, clock: Clock) -> None:
    key, text = web.service_key("key_verify_write")
    assert web.post(VERIFY, {"key": "x"}, key=text).status == 200
    web.app.server.callers.keys.revoke(key)
    assert web.post(VERIFY, {"key": "x"}, key=text).error == (401, "invalid_token")


def test_guesses_of_one_address_are_slowed_down_but_keys_in_memory_are_not(web: Web) -> None:
    assert web.post(VERIFY, {"key": "x"}).status == 200
    guesses = [web.keys.create(kind="secret", account=f"cus_{index}")[1] for index in range(31)]
    answers = [web.post(VERIFY, {"key": "x"}, key=text).error for text in guesses]
    assert answers == [(401, "invalid_token")] * 30 + [(429, "rate_limited")]
    assert web.post(VERIFY, {"key": "x"}).status == 200
    assert web.post(VERIFY, {"key": "x"}, key=guesses[0], ip="198.51.100.1").error == (401, "invalid_token")
    web.ticker.now += 2.0
    assert web.post(VERIFY, {"key": "x"}, key=guesses[0]).error == (401, "invalid_token")


def test_a_guess_with_a_wrong_checksum_never_reads_the_database(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr(web.keys.database, "read", lambda *given, **named: read.append(given))
    assert web.post(VERIFY, {"key": "x"}, key="sk_live_" + "a" * 99).error == (401, "invalid_token")
    assert read == []


def test_the_use_of_a_service_key_is_kept(web: Web) -> None:
    key, text = web.service_key("key_verify_write")
    web.post(VERIFY, {"key": "x"}, key=text, ip="192.0.2.3")
    own = web.app.server.callers.keys
    own.flush()
    usage = own.usage(key)
    assert usage is not None
    assert (usage.ip, usage.endpoint) == ("192.0.2.3", "POST /v1/keys/verify")


def test_the_first_admin_key_is_made_once_also_by_two_nodes(start: Start) -> None:
    first, second = start(), start()
    own = first.app.server.callers
    for key in own.keys.list(account=SERVICE_ACCOUNT):
        own.keys.revoke(key)

    async def both() -> list[str | None]:
        return await asyncio.gather(
            *(asyncio.to_thread(node.app.server.callers.first_admin_key) for node in (first, second))
        )

    made = [text for text in first.run(both()) if text]
    assert len(made) == 1
    assert second.post(VERIFY, {"key": "x"}, key=made[0]).status == 200
    assert own.first_admin_key() is None
    assert len(own.keys.list(account=SERVICE_SCOPE.account, active=True)) == 1
