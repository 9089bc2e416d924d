"""Keys as a server tells of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tollkey.db import Scope
from tollkey.keys import Key


@pytest.fixture
def key() -> Callable[..., Key]:
    """Makes a key: ``key("mk_1", version=3)``."""
    plain = Key.of_host("session", Scope("cus_1", True), "mk_0", "CI", "x", created=0, expires=0)

    def make(id: str, version: int = 1) -> Key:
        return replace(plain, kind="restricted", id=id, version=version, expires_at=None)

    return make
