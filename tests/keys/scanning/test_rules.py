"""Rules for other scanners find our keys, and nothing shorter or longer."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from tollkey.db import Ids
from tollkey.keys.scanning import FORMATS, rules_for
from tollkey.keys.token import Brand, Kind, generate

ACME = Brand(publishable="acmepk", secret="acmesk", restricted="acmerk")


def key(kind: Kind, livemode: bool) -> str:
    return generate(kind, livemode, "1AaBbCcDdEeFfGgH", Ids.seeded(1), ACME)


def test_gitleaks_rules_are_toml_with_one_rule_for_each_kind_and_mode() -> None:
    rules = tomllib.loads(rules_for([ACME], "gitleaks"))["rules"]
    assert [rule["id"] for rule in rules] == [
        "tollkey-acmesk-live", "tollkey-acmesk-test", "tollkey-acmerk-live", "tollkey-acmerk-test",
    ]  # fmt: skip
    kinds: list[tuple[Kind, bool]] = [("secret", True), ("secret", False), ("restricted", True), ("restricted", False)]
    for rule, (kind, livemode) in zip(rules, kinds, strict=True):
        text = key(kind, livemode)
        match = re.search(rule["regex"], f"'{text}'")
        assert match
        assert match[rule["secretGroup"]] == text
        assert rule["keywords"][0] in text
        assert not re.search(rule["regex"], text[:-1])
        assert not re.search(rule["regex"], f"{text}A")


def test_trufflehog_rules_ask_the_url_that_was_named() -> None:
    assert "verify" not in rules_for([ACME], "trufflehog")
    text = rules_for([ACME], "trufflehog", "http://localhost:9/leaks")
    assert 'endpoint: "http://localhost:9/leaks"\n        unsafe: true' in text
    assert "unsafe: false" in rules_for([ACME], "trufflehog", "https://keys.acme.com/leaks")


def test_github_is_told_an_expression_for_each_type() -> None:
    types = json.loads(rules_for([ACME], "github"))
    assert [each["type"] for each in types][:2] == ["acmesk_live_key", "acmesk_test_key"]
    assert re.fullmatch(types[0]["expression"], key("secret", True))


@pytest.mark.parametrize("format", FORMATS)
def test_publishable_keys_have_no_rule(format: str) -> None:
    assert "acmepk" not in rules_for([ACME], next(each for each in FORMATS if each == format))
