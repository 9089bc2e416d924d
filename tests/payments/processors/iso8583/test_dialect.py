"""Dialects: the built-in one, what a file changes, and the sentence on what is wrong in it."""

from __future__ import annotations

from typing import Any

import pytest

from tollkey.payments.processors.iso8583.dialect import MESSAGES, dialect


def test_the_built_in_dialect_has_every_message() -> None:
    built_in = dialect()
    assert set(built_in.messages) == set(MESSAGES)
    names = ("authorize", "purchase", "capture", "void", "reverse", "echo")
    assert [built_in.messages[name].type for name in names] == ["0100", "0200", "0220", "0400", "0420", "0800"]


def test_a_dialect_says_only_what_differs() -> None:
    own = dialect(
        {
            "name": "Acme",
            "fields": {"127": {"type": "ans", "size": 50, "var": 2}},
            "messages": {"authorize": {"set": {"25": "08", "127": "X"}}},
            "answers": {"approved": ["00"]},
            "declines": {"05": "generic_decline"},
        }
    )
    assert own.messages["authorize"].set == {"3": "000000", "22": "010", "25": "08", "127": "X"}
    assert own.messages["purchase"] == dialect().messages["purchase"]
    assert own.answers["approved"] == {"00"}
    assert own.fields["4"] == dialect().fields["4"]


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"nmae": "x"}, "nmae is no setting of a dialect"),
        ({"messages": {"sale": {}}}, "messages.sale is no setting of a dialect"),
        ({"messages": "x"}, "messages must be a table"),
        ({"name": 1}, "name must be a text"),
        ({"match": "11"}, "match must be a list of texts"),
        ({"match": []}, "match must name at least one field"),
        ({"match": ["37"]}, "messages.sign_on.send must have the fields of match: 37 is missing"),
        ({"echoed": ["127"]}, "echoed names the field 127, which fields does not have"),
        ({"messages": {"void": {"type": "0410"}}}, "messages.void.type must be four digits of a request"),
        ({"messages": {"void": {"set": {"99": "1"}}}}, "messages.void.set names the field 99"),
        ({"fields": {"1": {"type": "n", "size": 1}}}, "fields.1 is no field: they are 2 to 128"),
        ({"fields": {"60": {"type": "n"}}}, "fields.60 must have type and size"),
        ({"fields": {"60": {"type": "x", "size": 1}}}, "fields.60.type must be one of n, an, ans, b"),
        ({"fields": {"60": {"type": "n", "size": 0}}}, "fields.60 must have a size of 1 to 999"),
        ({"bitmaps": "octal"}, "bitmaps must be hex or b"),
        ({"text": "ebcdic-of-mars"}, "there is no encoding ebcdic-of-mars"),
        ({"text": "hex"}, "there is no encoding hex of texts"),
        ({"fields": {"48": {"type": "ans", "size": 9, "encoding": ["x"]}}}, "fields.48.encoding must be a text"),
        ({"fields": {"48": {"type": "ans", "size": 9, "encoding": "hex"}}}, "there is no encoding hex of texts"),
        ({"repeatable": ["authorize"]}, "repeatable may name capture, void and refund"),
        ({"cvc": "127"}, "cvc names the field 127, which fields does not have"),
        ({"off_session": {"99": "1"}}, "off_session names the field 99"),
    ],
)
def test_what_is_wrong_in_a_dialect_is_one_sentence_that_names_it(own: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        dialect(own)
    assert str(caught.value).startswith(sentence)
