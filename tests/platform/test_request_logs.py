"""Request logs hold what was asked and answered, without secrets."""

from __future__ import annotations

from tests.support.api import Api
from tollkey.db import Scope
from tollkey.platform.request_logs import counts, find, one, redact


def test_a_request_is_logged_with_its_key_status_and_object(api: Api) -> None:
    made = api.ok("POST", "/v1/customers", email="jenny@example.com")
    database, scope = api.core.database, Scope(api.account, False)
    database.write(lambda tx: api.world.server.log.flush(tx, 100_000))
    (entry,) = database.read(lambda tx: find(tx, scope, path="/v1/customers"))
    assert (entry.method, entry.status, entry.object_id) == ("POST", 200, made["id"])
    full = database.read(lambda tx: one(tx, scope, entry.id))
    assert full is not None
    assert made["id"] in full.response_body
    assert api.sk not in repr(full)
    assert list(database.read(lambda tx: counts(tx, scope, entry.at, entry.at + 1, 3600))) == [(entry.at - entry.at % 3600, 2, 1)]


def test_keys_client_secrets_card_numbers_and_codes_are_redacted() -> None:
    key = "sk_live_" + "a" * 30 + "WXYZ"
    text = redact(f"key={key}&card[number]=4242424242424242&card[cvc]=123&x=pi_1_secret_abcdefgh")
    assert text == "key=sk_live_...WXYZ&card[number]=************4242&card[cvc]=[redacted]&x=pi_1_secret_[redacted]"
