"""The processor of an account: what is stored of it, and what live mode can do then."""

from __future__ import annotations

import json

import pytest

from tests.support.api import Api
from tests.support.processor import FEATURES, Network, connected
from tollkey.db import Scope
from tollkey.payments.processors import backends
from tollkey.payments.processors.network import Features


def test_its_configuration_is_sealed_and_its_features_are_kept(api: Api) -> None:
    with connected(api):
        scope, keyring = Scope(api.account, True), api.core.authority.keyring
        read = api.core.database.read
        found = read(lambda tx: backends.of(tx, scope))
        assert found is not None
        assert (found.provider, found.features) == ("scripted", FEATURES)
        assert read(lambda tx: backends.configuration(tx, keyring, scope)) == {"host": "example"}
        rows = read(lambda tx: tx.execute("SELECT sealed FROM processor_backends"))
        assert all(json.dumps({"host": "example"}).encode() not in bytes(sealed) for (sealed,) in rows)


def test_test_mode_and_other_accounts_have_none(api: Api) -> None:
    with connected(api):
        read = api.core.database.read
        assert read(lambda tx: backends.of(tx, Scope(api.account, False))) is None
        assert read(lambda tx: backends.of(tx, Scope(api.another().account, True))) is None


def test_another_provider_is_refused_while_one_is_connected(api: Api) -> None:
    with connected(api):
        scope, keyring = Scope(api.account, True), api.core.authority.keyring
        with pytest.raises(ValueError, match="disconnect it first"):
            api.core.database.write(lambda tx: backends.connect(tx, keyring, scope, "other", {}, FEATURES, api.now))


def test_another_configuration_is_a_new_revision(api: Api) -> None:
    with connected(api):
        scope, keyring = Scope(api.account, True), api.core.authority.keyring
        before = api.core.database.read(lambda tx: backends.of(tx, scope))
        api.core.database.write(
            lambda tx: backends.connect(tx, keyring, scope, "scripted", {"host": "b"}, FEATURES, api.now)
        )
        after = api.core.database.read(lambda tx: backends.of(tx, scope))
        assert before is not None
        assert after is not None
        assert after.revision > before.revision


def test_it_stays_while_an_outcome_is_unknown(api: Api) -> None:
    with connected(api) as live:
        method = live.method()
        live.network.script = ["unanswered"]
        live.pay()
        with pytest.raises(ValueError, match="not known yet"):
            api.core.database.write(lambda tx: backends.disconnect(tx, live.scope))
        live.recover(10)
        assert api.core.database.write(lambda tx: backends.disconnect(tx, live.scope))
        assert (
            live.post("/v1/payment_intents", amount=500, currency="usd", payment_method=method, confirm=True).error[
                "code"
            ]
            == "testmode_charges_only"
        )


def test_what_it_does_not_do_is_refused_as_without_a_processor(api: Api) -> None:
    with connected(api, Network(Features(frozenset({"authorize"})))) as live:
        paid = live.pay()
        assert paid["status"] == "succeeded"
        refused = live.post("/v1/refunds", payment_intent=paid["id"])
        assert (refused.status, refused.error["message"].partition(",")[0]) == (
            400, "Live mode on this server has no provider for refunds",
        )  # fmt: skip
        verified = live.post("/v1/setup_intents", payment_method=live.method(), confirm=True)
        assert (verified.status, verified.error["message"].partition(",")[0]) == (
            400, "Live mode on this server has no provider for verifying payment methods",
        )  # fmt: skip
