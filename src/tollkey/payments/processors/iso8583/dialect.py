"""A dialect of ISO 8583: which fields there are and how they are written, which messages, what answers mean.

The built-in one is ``iso87.toml``, which explains each setting; another is a file with what differs from it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

#: The names of messages, and the operations among them.
MESSAGES: Final = (
    "authorize", "purchase", "capture", "void", "refund", "verify", "reverse", "sign_on", "sign_off", "echo",
)  # fmt: skip
_TYPES: Final = ("n", "an", "ans", "b")
_BINARY: Final = frozenset({"b", "bcd"})


@dataclass(frozen=True, slots=True)
class Field:
    """How a field is written. ``iso87.toml`` explains the names."""

    type: str
    size: int
    var: int = 0
    encoding: str | None = None
    length_encoding: str | None = None

    def padded(self, value: str) -> str:
        """Return a text as it is written: at its whole length, unless the length is written too."""
        if self.var:
            return value
        return value.rjust(self.size, "0") if self.type in ("n", "b") else value.ljust(self.size)


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its type, the fields that are sent where there is something to be sent, and those with fixed texts."""

    type: str
    send: frozenset[str]
    set: Mapping[str, str]

    def made_of(self, values: Mapping[str, str], *, repeated: bool = False) -> dict[str, str]:
        """Return it with those of the values that it sends. repeated: whether its type says that it was sent before."""
        kind = f"{self.type[:3]}1" if repeated else self.type
        return {"t": kind, **{name: values[name] for name in self.send if name in values}, **self.set}


@dataclass(frozen=True, slots=True)
class Dialect:
    """A dialect as its file says it. ``iso87.toml`` explains the names."""

    name: str
    text: str
    lengths: str
    bitmaps: str
    header: str
    match: tuple[str, ...]
    echoed: tuple[str, ...]
    token: str
    number: str
    cvc: str
    repeatable: frozenset[str]
    off_session: Mapping[str, str]
    answers: Mapping[str, frozenset[str]]
    declines: Mapping[str, str]
    messages: Mapping[str, Message]
    fields: Mapping[str, Field]

    def specification(self) -> Mapping[str, Mapping[str, Any]]:
        """Return it in the form that pyiso8583 takes."""
        hexadecimal = self.bitmaps == "hex"
        bitmap = {
            "data_enc": "ascii" if hexadecimal else "b", "len_enc": "ascii", "len_type": 0,
            "max_len": 16 if hexadecimal else 8, "desc": "",
        }  # fmt: skip
        plain = {"data_enc": self.text, "len_enc": self.text, "len_type": 0, "desc": ""}
        start = {"h": {**plain, "max_len": len(self.header)}, "t": {**plain, "max_len": 4 if self.text != "b" else 2}}
        return {**start, "p": bitmap, "1": bitmap, **{name: self._of(one) for name, one in self.fields.items()}}

    def _of(self, field: Field) -> Mapping[str, Any]:
        encoding = field.encoding or self.text
        lengths = field.length_encoding or self.lengths
        found = {"data_enc": encoding, "len_enc": lengths, "len_type": field.var, "max_len": field.size, "desc": ""}
        if field.var and lengths in _BINARY:
            found["len_type"] = (field.var + 1) // 2
        if encoding == "b":
            found |= {"len_count": "nibbles", "left_pad": "0"}
        return found


@cache
def _standard() -> Mapping[str, Any]:
    text = files("tollkey.payments.processors.iso8583").joinpath("iso87.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def dialect(own: Mapping[str, Any] | None = None) -> Dialect:
    """Return a dialect. own: what differs from the built-in one, as its file has it.

    Raises ValueError with a sentence that names the setting that is unknown or wrong.
    """
    given = _merged(_standard(), own or {}, "")
    fields = {name: _field(name, one) for name, one in given["fields"].items()}
    answers = {name: frozenset(_texts(f"answers.{name}", some)) for name, some in given["answers"].items()}
    found = Dialect(
        **{name: _text(name, given[name]) for name in ("name", "text", "lengths", "bitmaps", "header")},
        match=tuple(_texts("match", given["match"])),
        echoed=tuple(_texts("echoed", given["echoed"])),
        token=_text("token", given["token"]),
        number=_text("number", given["number"]),
        cvc=_text("cvc", given["cvc"]),
        repeatable=frozenset(_texts("repeatable", given["repeatable"])),
        off_session={name: _text(f"off_session.{name}", value) for name, value in given["off_session"].items()},
        answers=answers,
        declines={name: _text(f"declines.{name}", code) for name, code in given["declines"].items()},
        messages={name: _message(name, given["messages"][name], given["cvc"]) for name in MESSAGES},
        fields=fields,
    )
    _check(found)
    return found


def _merged(standard: Mapping[str, Any], own: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """Put what a dialect has into the built-in one. Single fields, answers and fixed texts may be new, settings not."""
    found = dict(standard)
    for name, value in own.items():
        free = place in ("fields.", "declines.", "off_session.") or place.endswith(".set.")
        if name not in standard and not free:
            raise ValueError(f"{place}{name} is no setting of a dialect")
        before = standard.get(name)
        whole = place == "fields."
        if isinstance(before, Mapping) and not whole:
            if not isinstance(value, Mapping):
                raise ValueError(f"{place}{name} must be a table")
            value = _merged(before, value, f"{place}{name}.")
        found[name] = value
    return found


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text")
    return value


def _texts(name: str, value: object) -> Iterable[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{name} must be a list of texts")
    return value


def _field(name: str, given: object) -> Field:
    place = f"fields.{name}"
    if not name.isdigit() or not 2 <= int(name) <= 128 or name != str(int(name)):
        raise ValueError(f"{place} is no field: they are 2 to 128")
    known = isinstance(given, Mapping) and given.keys() <= set(Field.__slots__)
    if not isinstance(given, Mapping) or not known or not {"type", "size"} <= given.keys():
        raise ValueError(f"{place} must have type and size, and may have var, encoding and length_encoding")
    for setting in ("encoding", "length_encoding"):
        if setting in given:
            _text(f"{place}.{setting}", given[setting])
    field = Field(**given)
    if field.type not in _TYPES:
        raise ValueError(f"{place}.type must be one of {', '.join(_TYPES)}")
    if not _whole(field.size, 1, 999) or not _whole(field.var, 0, 4):
        raise ValueError(f"{place} must have a size of 1 to 999 and a var of 0 to 4")
    return field


def _whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _message(name: str, given: Mapping[str, Any], cvc: str) -> Message:
    place = f"messages.{name}"
    kind = _text(f"{place}.type", given["type"])
    if len(kind) != 4 or not kind.isdigit() or int(kind[2]) % 2 or kind[3] != "0":
        raise ValueError(f"{place}.type must be four digits of a request or an advice, such as 0100")
    fixed = {field: _text(f"{place}.set.{field}", value) for field, value in given["set"].items()}
    more = {cvc} if cvc and name in ("authorize", "purchase") else set()
    return Message(kind, frozenset({*_texts(f"{place}.send", given["send"]), *more}), fixed)


def _check(found: Dialect) -> None:
    """Raise ValueError for settings that do not go together."""
    if found.bitmaps not in ("hex", "b"):
        raise ValueError("bitmaps must be hex or b")
    encodings = {one.encoding for one in found.fields.values()} | {found.text}
    lengths = {one.length_encoding for one in found.fields.values()} | {found.lengths}
    for encoding in (encodings - {None, "b"}) | (lengths - {None, *_BINARY}):
        try:
            "".encode(str(encoding))
        except LookupError:  # also for one that does not write texts, such as hex
            raise ValueError(f"there is no encoding {encoding} of texts") from None
    if not found.repeatable <= {"capture", "void", "refund"}:
        raise ValueError("repeatable may name capture, void and refund")
    named = {"match": found.match, "echoed": found.echoed, "token": (found.token,), "number": (found.number,)}
    named["cvc"] = (found.cvc,) if found.cvc else ()
    named["off_session"] = tuple(found.off_session)
    for name, message in found.messages.items():
        named |= {f"messages.{name}.send": tuple(message.send), f"messages.{name}.set": tuple(message.set)}
        lacking = [field for field in found.match if field not in message.send]
        if lacking:
            raise ValueError(f"messages.{name}.send must have the fields of match: {', '.join(lacking)} is missing")
    for place, fields in named.items():
        unknown = [field for field in fields if field not in found.fields]
        if unknown:
            raise ValueError(f"{place} names the field {unknown[0]}, which fields does not have")
    if not found.match:
        raise ValueError("match must name at least one field")
