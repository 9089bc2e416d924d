"""Where the browser of the tests is."""

from __future__ import annotations

import shutil

import pytest


def chromium_path() -> str:
    """The path of Chromium or Chrome. Fails the test where there is none."""
    for name in ("chromium", "google-chrome", "chromium-browser"):
        if (found := shutil.which(name)) is not None:
            return found
    pytest.fail("the browser tests need chromium or google-chrome on the PATH")
