"""The table ``[scanning]``."""

from __future__ import annotations

import pytest

from tollkey.keys.config import ConfigError, parse
from tollkey.keys.scanning.section import Section


def test_what_is_declared_is_read() -> None:
    config = parse('[scanning]\non_leak = "roll"\ngrace_seconds = 3600\ngithub = true\npossession = false\n')
    assert config.section(Section) == Section(on_leak="roll", grace_seconds=3600, github=True, possession=False)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('on_leak = "ignore"', "revoke"),
        ("grace_seconds = 0", "1 to 604800"),
        ('github_keys_url = "http://keys.example"', "https://"),
        ("githb = true", "github"),
    ],
)
def test_what_is_not_valid_is_named(line: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        parse(f"[scanning]\n{line}\n")
