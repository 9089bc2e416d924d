"""Rules for other secret scanners, for the keys of one's own brand.

They recognise the form; only ``tollkey scan`` checks the checksum. Both tools read patterns of Go's RE2.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from tollkey.keys.scanning.finding import SAMPLE
from tollkey.keys.token import BODY_LENGTH, Brand

Format = Literal["gitleaks", "trufflehog", "github"]
FORMATS: tuple[Format, ...] = ("gitleaks", "trufflehog", "github")


def rules_for(brands: Sequence[Brand], format: Format, verify_url: str | None = None) -> str:
    """Return the rules that find the secret and restricted keys of these brands.

    format: ``gitleaks`` (TOML), ``trufflehog`` (YAML) or ``github`` (the expressions that GitHub's secret scanning
    partner form asks for, as JSON). verify_url: where trufflehog asks whether a key is live.
    """
    if format == "gitleaks":
        return _gitleaks(brands)
    return _trufflehog(brands, verify_url) if format == "trufflehog" else _github(brands)


def _named(brands: Sequence[Brand]) -> list[tuple[str, str, str]]:
    """For each kind and mode a name for people, the prefix, and the expression for the key."""
    named = []
    for brand in brands:
        for kind, word in (("secret", brand.secret), ("restricted", brand.restricted)):
            for mode in (brand.live, brand.test):
                prefix = f"{word}_{mode}_"
                named.append((f"{kind} {mode} key", prefix, f"{prefix}[0-9A-Za-z]{{{BODY_LENGTH}}}"))
    return named


def _gitleaks(brands: Sequence[Brand]) -> str:
    lines = ['title = "API keys"', "", "[extend]", "useDefault = true"]
    for name, prefix, pattern in _named(brands):
        lines += [
            "",
            "[[rules]]",
            f'id = "tollkey-{prefix.strip("_").replace("_", "-")}"',
            f'description = "Found a {name} ({prefix}…). Roll it."',
            f"regex = '''({pattern})(?:[^0-9A-Za-z]|$)'''",
            "secretGroup = 1",
            f'keywords = ["{prefix}"]',
            "[[rules.allowlists]]",
            f'stopwords = ["{SAMPLE.decode().lower()}"]',
        ]
    return "\n".join(lines) + "\n"


def _trufflehog(brands: Sequence[Brand], verify_url: str | None) -> str:
    lines = ["detectors:"]
    for name, prefix, pattern in _named(brands):
        lines += [
            f"  - name: {_camel(prefix)}",
            f"    description: {json.dumps(name)}",
            "    keywords:",
            f"      - {prefix}",
            "    regex:",
            f"      key: '\\b({pattern})\\b'",
            "    exclude_words:",
            f"      - {SAMPLE.decode()}",
        ]
        if verify_url is not None:
            unsafe = "true" if verify_url.startswith("http://") else "false"
            lines += ["    verify:", f"      - endpoint: {json.dumps(verify_url)}", f"        unsafe: {unsafe}"]
    return "\n".join(lines) + "\n"


def _github(brands: Sequence[Brand]) -> str:
    named = [{"type": f"{prefix}key", "name": name, "expression": pattern} for name, prefix, pattern in _named(brands)]
    return json.dumps(named, indent=2) + "\n"


def _camel(prefix: str) -> str:
    return "".join(word.capitalize() for word in prefix.split("_")) + "Key"
