"""Messages become bytes and come back, in each kind of encoding; errors say nothing of what stands in a field."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.payments.processors.iso8583.conversation import recorded
from tollkey.payments.processors.iso8583.codec import Codec, Malformed
from tollkey.payments.processors.iso8583.dialect import dialect

CARD = "4242424242424242"
MESSAGE = {
    "t": "0100", "2": CARD, "3": "000000", "4": "000000001000", "7": "1130221500", "11": "000001",
    "37": "ABC123", "41": "T1", "49": "840", "90": "0" * 42,
}  # fmt: skip
_EBCDIC = {"text": "cp500", "lengths": "cp500", "bitmaps": "b"}
_BCD_TEXTS = {
    name: {**one, "encoding": "ascii"}
    for name, one in (
        ("37", {"type": "ans", "size": 12}), ("41", {"type": "ans", "size": 8}), ("38", {"type": "ans", "size": 6}),
        ("39", {"type": "ans", "size": 2}), ("42", {"type": "ans", "size": 15}),
    )
}  # fmt: skip
_BCD = {"text": "b", "lengths": "bcd", "bitmaps": "b", "fields": _BCD_TEXTS}


@pytest.mark.parametrize("own", [{}, {"bitmaps": "b"}, _EBCDIC, _BCD, {"header": "ISO016000050"}])
def test_a_message_comes_back_as_it_was_written(own: dict[str, Any]) -> None:
    codec = Codec(dialect(own))
    assert codec.decode(codec.encode(MESSAGE)) == MESSAGE


def test_binary_coded_digits_take_half_the_bytes() -> None:
    assert Codec(dialect(_BCD)).encode({"t": "0800", "11": "900001"}).hex() == "08000020000000000000900001"


def test_numbers_are_filled_with_zeros_and_texts_with_blanks() -> None:
    codec = Codec(dialect())
    assert codec.encode({"t": "0100", "4": "5", "41": "T"}) == b"01001000000000800000000000000005T       "


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("2", "4" * 20, "field 2 takes 19 characters, and 20 are given"),
        ("4", "12a", "field 4 has characters that its type n does not have"),
        ("41", "é", "field 41 has characters that its type ans does not have"),
        ("41", "a\n", "field 41 has characters that its type ans does not have"),
        ("99", "1", "the dialect has no field 99"),
    ],
)
def test_what_a_field_does_not_take_is_refused(name: str, value: str, sentence: str) -> None:
    with pytest.raises(Malformed) as caught:
        Codec(dialect()).encode({"t": "0100", name: value})
    assert str(caught.value) == sentence


@given(st.binary(max_size=80))
def test_bytes_that_are_no_message_are_malformed_and_nothing_else(data: bytes) -> None:
    codec = Codec(dialect())
    with suppress(Malformed):
        codec.decode(data)


def test_an_error_shows_no_card_number() -> None:
    codec = Codec(dialect())
    for broken in ({"t": "0100", "2": CARD + "x"}, {"t": "01", "2": CARD}):
        with pytest.raises(Malformed) as caught:
            codec.encode(broken)
        assert CARD not in str(caught.value)
        assert caught.value.__cause__ is None
    data = codec.encode(MESSAGE)
    for end in range(len(data)):
        with pytest.raises(Malformed) as caught:
            codec.decode(data[:end])
        assert CARD not in str(caught.value)


def test_every_byte_that_jpos_wrote_is_read_and_written_the_same() -> None:
    codec = Codec(dialect())
    answers = [frame for frame in recorded() if frame["way"] == "answered"]
    for frame in answers:
        data = bytes.fromhex(frame["bytes"])
        assert codec.encode(codec.decode(data)) == data
    read = [(frame["step"], codec.decode(bytes.fromhex(frame["bytes"]))) for frame in answers]
    assert [(step, message["t"], message["39"]) for step, message in read] == [
        ("sign-on", "0810", "00"), ("sign-on", "0810", "00"), ("authorize", "0110", "00"), ("purchase", "0210", "00"),
        ("declined", "0110", "51"), ("capture", "0230", "00"), ("capture again", "0230", "00"),
        ("refund", "0230", "00"), ("void", "0410", "00"), ("void of nothing", "0410", "25"), ("reverse", "0430", "00"),
        ("reverse of nothing", "0430", "25"), ("reverse of nothing again", "0430", "25"), ("sign-off", "0810", "00"),
    ]  # fmt: skip
