"""What must not be kept of a request or an answer: keys, client secrets, page tokens, card and account numbers, codes.

What counts is what was meant, not how it was written: percent-encoded text is judged as it reads decoded, and kept decoded
where something had to be taken out. Every pattern goes over a text once, whatever the text: none begins again within what
it has just looked at (possessive groups), and nobody gives these functions more than a few thousand characters.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

_KEYS = re.compile(r"(?<![0-9A-Za-z])((?:sk|rk|ek|pss)_(?:test|live)_|whsec_)([0-9A-Za-z_]{6,}+)")
_SECRETS = re.compile(r"_secret_[0-9A-Za-z]{6,}+")
#: 13 digits and more, in one piece or in the groups that people write. More than the 19 of a card: what follows it may be its expiry.
_NUMBERS = re.compile(r"(?<![0-9A-Za-z_])\d(?:[ +-]?\d){12,}+")
_PRIVATE = (
    "cvc|cvv|client_secret|websocket_id|password|id_number|id_number_secondary|ssn_last_4|account_number|iban|sort_code|track_data|payload|tax_id|vat_id"
    "|registration_number|encrypted_number|private_key_file_password|cryptogram"
)
_PRIVATE_NAMES = tuple(_PRIVATE.split("|"))
_CARD_NAME = re.compile(r"(?:card|source|external_account)\]?\[number\]|^number(?:\[|$)", re.IGNORECASE)
_JSON = rf"(\"(?:{_PRIVATE})\"\s*+:\s*+)(?:\"(?:[^\"\\]|\\.)*+\"?|-?[0-9.]++|\[[^\[\]]*+\]?)"
_IN_JSON = re.compile(_JSON, re.IGNORECASE)
_IN_OURS = re.compile(_JSON)  # we write names in one way; to look for others takes five times as long
#: The token of a page for people (``wire.hosted``): whoever has it may do what the page offers.
_PAGES = re.compile(r"(?<=/)[0-9A-Za-z]{43,48}+(?=[\"/?\\&\s#]|$)")
_CARD_SHOWN = re.compile(r"(\"number\":\s*+)\"\d{8,15}(\d{4})\"")  # of an issued card, when it was asked to be expanded
_ESCAPED = re.compile(r"\\u00([2-7][0-9a-fA-F])")
_DIGIT = re.compile(r"\d")


def redact(text: str) -> str:
    """A text as somebody sent it, a JSON body above all. Forms have ``redact_form``."""
    if '"' in text:
        if "\\u00" in text:
            text = _ESCAPED.sub(_unescaped, text)
        text = _IN_JSON.sub(r'\1"[redacted]"', text)
    plain = _sent(text)
    if "%" not in text:
        return plain
    decoded = unquote(text, errors="replace")
    shown = _sent(decoded)
    return plain if shown == decoded else shown


def redact_form(text: str) -> str:
    """A form or a query: only pairs that hold something private are written anew."""
    decoded = unquote(text.replace("+", " "), errors="replace") if "%" in text or "+" in text else text
    inside = _sent(decoded) != decoded
    pairs = text.split("&")
    return "&".join([_redact_pair(pair, inside) for pair in pairs])


def redact_ours(text: str) -> str:
    """An answer of ours, whose long numbers are no card's unless they are said to be."""
    if "_test_" in text or "_live_" in text or "whsec_" in text:
        text = _KEYS.sub(_masked_key, text)
    if '"' in text:
        text = _CARD_SHOWN.sub(r'\1"************\2"', _IN_OURS.sub(r'\1"[redacted]"', text))
    if "http" in text:
        text = _PAGES.sub("[redacted]", text)
    return _SECRETS.sub("_secret_[redacted]", text) if "_secret_" in text else text


def _sent(text: str) -> str:
    """Without keys, secrets, tokens and long numbers, wherever they stand."""
    return _NUMBERS.sub(_masked_number, _PAGES.sub("[redacted]", redact_ours(text)))


def _redact_pair(pair: str, inside: bool) -> str:
    """One name and its value. inside: whether something that must not be kept stands anywhere in the form."""
    name, equals, value = pair.partition("=")
    meant_name = _meant(name)
    parts = meant_name.lower().replace("]", "").split("[")  # any of them: ``cvc[]`` and ``cvc[0]`` are wrong, and hold it all the same
    private, number = any(part.endswith(_PRIVATE_NAMES) for part in parts), "number" in parts and _CARD_NAME.search(meant_name) is not None
    if not (inside or private or number):
        return pair
    meant = _meant(value)
    shown_name, shown = _sent(meant_name), _sent(meant)
    if private:
        shown = "[redacted]" if meant else ""
    elif number and len(_DIGIT.findall(meant)) >= 8:
        shown = _masked_digits(meant)
    if (shown_name, shown) == (meant_name, meant):
        return pair
    name = name if shown_name == meant_name else quote(shown_name, safe="[]*.")
    return name + equals + quote(shown, safe="[]*./:")


def _meant(text: str) -> str:
    return unquote(text.replace("+", " "), errors="replace") if "%" in text or "+" in text else text


def _masked_key(found: re.Match[str]) -> str:
    return f"{found[1]}...{found[2][-4:]}"


def _masked_number(found: re.Match[str]) -> str:
    return _masked_digits(found[0])


def _masked_digits(text: str) -> str:
    """The last four digits; none when there are more than a card's, as those behind may be its expiry and its code."""
    digits = _DIGIT.findall(text)
    most = 19 if len(digits) == len(text) else 16
    return "************" + "".join(digits[-4:]) if len(digits) <= most else "[redacted]"


def _unescaped(found: re.Match[str]) -> str:
    """A character that JSON need not have escaped; a quote and a backslash it must."""
    character = chr(int(found[1], 16))
    return found[0] if character in '"\\' else character
