"""What a server uses of the room of processors."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tollkey.payments.processors import serving
from tollkey.payments.processors.sending import WAIT_SECONDS, Sender
from tollkey.platform.connections import platform_of
from tollkey.wire.owners import Owners


def sender(api: Api, request_seconds: float) -> Sender:
    core, edge = api.core, api.world.server.edge
    return serving.sender_of(
        edge, Owners(platform_of), core.call, core.authority.keyring, core.now, request_seconds
    )  # fmt: skip


@pytest.mark.parametrize(("request_seconds", "waits"), [(3.0, 2.0), (600.0, WAIT_SECONDS)])
def test_a_request_waits_for_a_part_of_the_time_that_it_has(api: Api, request_seconds: float, waits: float) -> None:
    assert sender(api, request_seconds).times.wait == waits


def test_the_built_in_providers_are_installed() -> None:
    assert {"bank_files", "combined", "iso8583"} <= serving.installed().keys()
