"""XML of strangers: no document type, no entities, nothing without a bound."""

from __future__ import annotations

import pytest

from tollkey.payments.processors.bank_files.xml import LARGEST, MOST, Unreadable, every, parse, text

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]><lolz>&b;</lolz>"""
FILE = b"""<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"""
PARAMETER = b"""<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/"> %x;]><a/>"""


@pytest.mark.parametrize("data", [LAUGHS, FILE, PARAMETER, b"<!DOCTYPE a><a/>"])
def test_a_document_type_is_refused_before_anything_in_it_is_read(data: bytes) -> None:
    with pytest.raises(Unreadable, match="document type"):
        parse(data)


@pytest.mark.parametrize(
    "data", [b"", b"<a>", b"<a></b>", b"\x00", b"<a>&x;</a>", b'<?xml version="1.0" encoding="nonsense"?><a/>', b"{}"]
)
def test_what_is_no_xml_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(data)


def test_depth_and_size_are_bounded() -> None:
    with pytest.raises(Unreadable, match="within one another"):
        parse(b"<a>" * 1_000_000)
    with pytest.raises(Unreadable, match="bytes"):
        parse(b" " * (LARGEST + 1))
    with pytest.raises(Unreadable, match="elements"):
        parse(b"<a>" + b"<b/>" * MOST + b"</a>")


def test_names_lose_their_namespace_whatever_its_prefix() -> None:
    for data in (b'<d xmlns="urn:x"><e>1</e><e> 2 </e></d>', b'<q:d xmlns:q="urn:x"><q:e>1</q:e><q:e> 2 </q:e></q:d>'):
        space, root = parse(data)
        assert (space, root.tag, text(root, "e"), text(root, "f"), text(None, "e")) == ("urn:x", "d", "1", "", "")
        assert [one.text for one in every(root, "f", "e")] == ["1", " 2 "]


def test_elements_of_another_namespace_are_not_taken_for_ours() -> None:
    _, root = parse(b'<d xmlns="urn:x" xmlns:y="urn:y"><y:e>1</y:e></d>')
    assert text(root, "e") == ""


def test_an_encoding_is_honoured() -> None:
    assert parse('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode("latin-1"))[1].text == "é"
