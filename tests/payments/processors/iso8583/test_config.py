"""A configuration is checked before anything is opened; what is wrong is one sentence that names the setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.payments.processors.iso8583.steps import configuration
from tollkey.payments.processors import iso4217
from tollkey.payments.processors.iso8583.config import read


def test_a_short_configuration_has_careful_defaults() -> None:
    merchant = {"terminal": "TERM0001", "merchant": "MERCHANT0000001"}
    found = read({"link": {"host": "host.example", "port": 8583}, "merchant": merchant})
    assert found.tls is not None
    assert found.tls.check_hostname
    assert (found.numbers, found.currencies) == (False, iso4217.known())
    assert (found.timing.answer, found.timing.connect, found.timing.idle) == (30, 10, 60)
    assert found.merchant == {"41": "TERM0001", "42": "MERCHANT0000001"}


def test_a_dialect_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('name = "Acme"\n[messages.refund]\ntype = "0200"\n')
    assert read(configuration(dialect=str(tmp_path / "own.toml"))).dialect.messages["refund"].type == "0200"


def _with(place: str, name: str, value: Any) -> dict[str, Any]:
    given = dict(configuration())
    given[place] = {**given[place], name: value}
    return given


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "link is missing: a table"),
        ({"link": {"host": "h", "port": 1, "tls": False}}, "merchant is missing: a table"),
        (configuration(curencies=["usd"]), "curencies is no setting of this processor"),
        (_with("link", "hots", "x"), "link.hots is no setting of this processor"),
        (_with("link", "host", ""), "link.host is missing: a text"),
        (_with("link", "port", 70_000), "link.port must be a number from 1 to 65535"),
        (_with("link", "port", True), "link.port must be a number from 1 to 65535"),
        (_with("link", "tls", "no"), "link.tls must be true or false"),
        (_with("link", "ca_file", "ca.pem"), "link.ca_file has no effect without link.tls"),
        (configuration(link={"tls": True, "key_file": "k"}), "link.key_file needs link.certificate_file"),
        (configuration(link={"tls": True, "ca_file": "/nowhere"}), "the files of link.tls cannot be used: "),
        (_with("link", "answer_seconds", 0), "link.answer_seconds must be a number above 0, at most 3600"),
        (_with("link", "idle_seconds", "1"), "link.idle_seconds must be a number above 0, at most 3600"),
        (_with("merchant", "terminal", ""), "merchant.terminal is missing: a text"),
        (_with("merchant", "terminal", "TERM00001"), "the message authorize cannot be written: field 41 takes 8"),
        (_with("merchant", "acquirer", "x"), "the message authorize cannot be written: field 32 has characters"),
        (configuration(card="pan"), 'card must be "token" or "number"'),
        (configuration(currencies="usd"), "currencies must be a list of codes"),
        (configuration(currencies=["USD"]), "currencies names USD, which has no number"),
        (configuration(dialect=3), "dialect must be the path of a file, or a table"),
        (configuration(dialect="/nowhere.toml"), "dialect: /nowhere.toml cannot be read: "),
        (configuration(dialect={"nmae": ""}), "nmae is no setting of a dialect"),
        (configuration(dialect={"off_session": {"25": "123"}}), "the message authorize cannot be written: field 25"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_the_setting(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(given)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(("text", "end"), [("match = 1", "match must be a list of texts"), ("=", "cannot be read")])
def test_what_is_wrong_in_a_dialect_s_file_names_the_file(tmp_path: Path, text: str, end: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=end) as caught:
        read(configuration(dialect=str(path)))
    assert str(path) in str(caught.value)
