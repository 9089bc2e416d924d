"""The processors that a process has opened, and the providers that it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.processor import FEATURES, Network, connected, provider
from tollkey.db import Scope
from tollkey.payments.processors import backends, links
from tollkey.payments.processors.network import Clock, Provider


def test_a_processor_is_opened_once_and_anew_when_its_configuration_changes(api: Api) -> None:
    opened: list[Mapping[str, Any]] = []

    def open_one(config: Mapping[str, Any], clock: Clock) -> Network:
        opened.append(config)
        assert clock() == api.core.now()
        return Network()

    with connected(api) as live:
        found = api.world.server.sender.links
        found.find = lambda: {"scripted": Provider("scripted", "", open_one)}
        api.world.runner.run(found.close())
        first = api.world.runner.run(found.of(live.scope))
        assert api.world.runner.run(found.of(live.scope)) is first
        keyring = api.core.authority.keyring
        api.core.database.write(
            lambda tx: backends.connect(tx, keyring, live.scope, "scripted", {"host": "b"}, FEATURES, api.now)
        )
        assert api.world.runner.run(found.of(live.scope)) is not first
        assert opened == [{"host": "example"}, {"host": "b"}]


class Stubborn(Network):
    async def close(self) -> None:
        await asyncio.Event().wait()


def test_a_processor_that_does_not_close_holds_up_nobody_for_long(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(links, "_CLOSE_SECONDS", 0.05)
    with connected(api, Stubborn()) as live:
        found = api.world.server.sender.links
        assert api.world.runner.run(found.of(live.scope)) is live.network
        api.world.runner.run(found.close())
        assert "could not be closed: TimeoutError" in caplog.text


def test_an_account_without_a_processor_has_no_link(api: Api) -> None:
    assert api.world.runner.run(api.world.server.sender.links.of(Scope(api.account, True))) is None


def test_a_provider_that_is_not_installed_or_does_not_open_sends_nothing(api: Api) -> None:
    def broken(config: Mapping[str, Any], clock: Clock) -> Network:
        raise ValueError("host is missing")

    with connected(api) as live:
        found = api.world.server.sender.links
        for known in ({}, {"scripted": Provider("scripted", "", broken)}):
            found.find = lambda known=known: known  # type: ignore[misc]
            api.world.runner.run(found.close())
            assert api.world.runner.run(found.of(live.scope)) is None


def test_installed_packages_bring_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise ImportError

    entries = [
        SimpleNamespace(name="mine", load=lambda: provider(Network(), "mine")),
        SimpleNamespace(name="broken", load=fails),
        SimpleNamespace(name="other", load=lambda: "no provider"),
    ]
    monkeypatch.setattr(links.metadata, "entry_points", lambda group: entries if group == links.GROUP else [])
    known = links.known()
    assert known["mine"].title == "A scripted processor"
    assert "broken" not in known
    assert "other" not in known
