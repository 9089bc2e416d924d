"""The configuration of an ISO 8583 processor: the tables of its file, checked before anything is opened.

currencies = ["eur"]              # default: all that have a number
card = "token"                    # or "number": the host needs card numbers themselves
dialect = "/etc/tollkey/acquirer.toml"   # or a table; default: the built-in dialect

[link]
host = "host.acquirer.example"
port = 8583
tls = true                        # false: a private line or network
ca_file, certificate_file, key_file: of TLS
answer_seconds, connect_seconds, idle_seconds

[merchant]
terminal = "TERM0001"             # DE 41
merchant = "MERCHANT0000001"      # DE 42
name, category, acquirer          # DE 43, DE 18, DE 32
"""

from __future__ import annotations

import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tollkey.payments.processors import iso4217
from tollkey.payments.processors.iso8583.codec import Codec, Malformed
from tollkey.payments.processors.iso8583.dialect import Dialect, dialect
from tollkey.payments.processors.iso8583.link import Timing
from tollkey.payments.processors.tables import only, table

_TOP: Final = ("currencies", "card", "dialect", "link", "merchant")
_LINK: Final = (
    "host", "port", "tls", "ca_file", "certificate_file", "key_file", "answer_seconds", "connect_seconds",
    "idle_seconds",
)  # fmt: skip
#: Fields of ``merchant``, by name.
_MERCHANT: Final = {"terminal": "41", "merchant": "42", "name": "43", "category": "18", "acquirer": "32"}


@dataclass(frozen=True, slots=True)
class Config:
    """A checked configuration. merchant: the fields that every message has, by number. tls: None for a plain link."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    timing: Timing
    merchant: Mapping[str, str]
    currencies: frozenset[str]
    numbers: bool
    dialect: Dialect


def read(given: Mapping[str, Any]) -> Config:
    """Check a configuration. Raises ValueError with a sentence that names the setting."""
    only(given, _TOP, "")
    link, merchant = table(given, "link"), table(given, "merchant")
    only(link, _LINK, "link.")
    only(merchant, tuple(_MERCHANT), "merchant.")
    card = given.get("card", "token")
    if card not in ("token", "number"):
        raise ValueError('card must be "token" or "number"')
    port = link.get("port")
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65_536:
        raise ValueError("link.port must be a number from 1 to 65535")
    found = Config(
        host=_text(link, "host", "link."),
        port=port,
        tls=_tls(link),
        timing=Timing(
            answer=_seconds(link, "answer", _STANDARD.answer),
            connect=_seconds(link, "connect", _STANDARD.connect),
            idle=_seconds(link, "idle", _STANDARD.idle),
        ),
        merchant=_merchant(merchant),
        currencies=_currencies(given),
        numbers=card == "number",
        dialect=_dialect(given.get("dialect")),
    )
    _try(found)
    return found


_STANDARD: Final = Timing()


def _text(given: Mapping[str, Any], name: str, place: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{place}{name} is missing: a text")
    return value


def _seconds(link: Mapping[str, Any], name: str, standard: float) -> float:
    value = link.get(f"{name}_seconds", standard)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 3_600:
        raise ValueError(f"link.{name}_seconds must be a number above 0, at most 3600")
    return float(value)


def _merchant(given: Mapping[str, Any]) -> Mapping[str, str]:
    for name in ("terminal", "merchant"):
        _text(given, name, "merchant.")
    return {field: _text(given, name, "merchant.") for name, field in _MERCHANT.items() if name in given}


def _currencies(given: Mapping[str, Any]) -> frozenset[str]:
    named = given.get("currencies")
    if named is None:
        return iso4217.known()
    if not isinstance(named, list) or not named or not all(isinstance(one, str) for one in named):
        raise ValueError("currencies must be a list of codes")
    unknown = [one for one in named if one not in iso4217.known()]
    if unknown:
        raise ValueError(f"currencies names {unknown[0]}, which has no number: codes are in lower case")
    return frozenset(named)


def _dialect(given: object) -> Dialect:
    if given is None or isinstance(given, Mapping):
        return dialect(given)
    if not isinstance(given, str):
        raise ValueError("dialect must be the path of a file, or a table")
    try:
        own = tomllib.loads(Path(given).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as problem:
        raise ValueError(f"dialect: {given} cannot be read: {problem}") from None
    try:
        return dialect(own)
    except ValueError as problem:
        raise ValueError(f"dialect: {given}: {problem}") from None


def _tls(link: Mapping[str, Any]) -> ssl.SSLContext | None:
    wanted = link.get("tls", True)
    if not isinstance(wanted, bool):
        raise ValueError("link.tls must be true or false")
    names = [name for name in ("ca_file", "certificate_file", "key_file") if name in link]
    if not wanted:
        if names:
            raise ValueError(f"link.{names[0]} has no effect without link.tls")
        return None
    paths = {name: _text(link, name, "link.") for name in names}
    if "key_file" in paths and "certificate_file" not in paths:
        raise ValueError("link.key_file needs link.certificate_file")
    try:
        context = ssl.create_default_context(cafile=paths.get("ca_file"))
        if "certificate_file" in paths:
            context.load_cert_chain(paths["certificate_file"], paths.get("key_file"))
    except OSError as problem:  # ssl.SSLError is one
        raise ValueError(f"the files of link.tls cannot be used: {problem}") from None
    return context


def _try(config: Config) -> None:
    """Write a message with the texts of the configuration and the dialect, so that none of them fails later."""
    codec = Codec(config.dialect)
    for name, message in config.dialect.messages.items():
        try:
            codec.encode(message.made_of(config.merchant))
            codec.encode({"t": message.type, **config.dialect.off_session})
        except Malformed as problem:
            raise ValueError(f"the message {name} cannot be written: {problem}") from None
