"""A key service with permissions of a host's own, for the adapters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.conf import settings

from tollkey.keys import KeyService, Permission


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyService]:
    permissions = [Permission("report", "Reports"), Permission("user", "Users")]
    with KeyService.open(str(tmp_path / "keys.db"), permissions, flush_seconds=0) as opened:
        yield opened


def pytest_configure() -> None:
    """Give Django settings; tests override them."""
    if not settings.configured:
        apps = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "drf_spectacular"]
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="only for tests", USE_TZ=True, INSTALLED_APPS=apps)
        django.setup()
