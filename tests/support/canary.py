"""Looks for a card's number, however it is spelled, in bytes and files."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote


def spellings(number: str, code: str) -> Iterator[bytes]:
    """How a number may be written; the code together with what names it."""
    for sign in ("", " ", "-", "+", "%20", ".", "/"):
        yield sign.join(number[at : at + 4] for at in range(0, len(number), 4)).encode()
    yield "".join(f"%{ord(digit):02X}" for digit in number).encode()
    yield "".join(f"%{ord(digit):02x}" for digit in number).encode()
    yield "".join(f"\\u{ord(digit):04x}" for digit in number).encode()
    yield " ".join(number).encode()
    yield number.encode().hex().encode()
    yield number.encode().hex().upper().encode()
    yield number.encode("utf-16-le")
    yield bytes.fromhex(number)  # packed decimal digits, as ISO 8583 may have them
    yield int(number).to_bytes(8, "big").lstrip(b"\x00")
    yield number[:12].encode()
    yield number[:4].encode() + b"******" + number[-6:].encode()
    for before in range(3):  # base64 has three alignments; the first and last characters depend on the neighbours
        text = base64.b64encode(b"x" * before + number.encode()).decode().rstrip("=")
        yield text[-(-8 * before // 6) : len(text) - 2].encode()
    for name in ("cvc", "cvv", "[cvc]", quote("[cvc]")):
        for sign in ("=", "': '", '": "', '":"', ": "):
            yield f"{name}{sign}{code}".encode()


def found_in(what: bytes, number: str, code: str) -> list[bytes]:
    """The spellings that some bytes have."""
    return [one for one in spellings(number, code) if one in what]


def searched(places: Iterable[Path], number: str, code: str) -> dict[str, list[bytes]]:
    """What is found in files, and in all files of folders, by path."""
    files = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*")))]
    assert files, "nothing was searched"
    found = {str(file): found_in(file.read_bytes(), number, code) for file in files if file.is_file()}
    return {file: what for file, what in found.items() if what}
