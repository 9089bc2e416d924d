"""Redaction of request logs: keys, client secrets, page tokens, card and account numbers, security codes.

Percent-encoded text is decoded before it is checked, and stored decoded where something was redacted. All patterns run
in linear time (possessive groups prevent backtracking), and texts are limited to a few thousand characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, unquote

import orjson

from tollkey.keys.header import BASE64_KEY, BASE64_SIGNS

_KEYS = re.compile(r"((?:sk|rk|ek|pss)_(?:test|live)_|whsec_)([0-9A-Za-z_]{6,}+)")
_WHOLE_KEY = 24  # characters after the prefix; a shorter text that hangs on a word, as in ``task_test_``, is none
_CREDENTIALS = re.compile(BASE64_KEY)
_SECRETS = re.compile(r"_secret_[0-9A-Za-z]{6,}+")
#: 13 digits and more, with or without separators. May be longer than a card number, as an expiry date may follow.
_NUMBERS = re.compile(r"(?<![0-9A-Za-z_])\d(?:[ +-]?\d){12,}+")
#: Card numbers in groups (4-4-4-4 and 4-6-5) with any separators.
_BETWEEN = r"[\s.,/_:;|\-\u00a0\u2000-\u206f\u2212]{1,3}+"
_GROUPS = re.compile(
    rf"(?<!\d)\d{{4}}{_BETWEEN}(?:\d{{4}}{_BETWEEN}\d{{4}}{_BETWEEN}\d{{1,7}}|\d{{6}}{_BETWEEN}\d{{4,5}})(?!\d)"
)
#: What every match of the patterns for numbers begins with; most texts have no such digits.
_FOUR_DIGITS = re.compile(r"\d\D{0,3}\d\D{0,3}\d\D{0,3}\d")
#: Digits attached to a word (``card4242…``) are redacted only with a valid check digit, IBANs only when valid.
_HANGING = re.compile(r"(?<![0-9])[0-9]{13,19}(?![0-9A-Za-z])")
_IBAN = re.compile(r"(?<![0-9A-Za-z])[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}(?![0-9A-Za-z])", re.IGNORECASE)
_PRIVATE = (
    "cvc|cvv|client_secret|websocket_id|password|id_number|id_numbers|id_number_secondary|ssn_last_4"
    "|account_number|iban|sort_code|track_data|payload|tax_id|vat_id|registration_number|encrypted_number"
    "|private_key_file_password|personal_id_number|business_tax_id|business_vat_id|cryptogram|descriptor_code"
    "|verification_code|authentication_token|access_token|refresh_token"
)
_PRIVATE_NAMES = tuple(_PRIVATE.split("|"))
_LONGEST_KEPT = 100  # characters of a parameter's name that is cached


def _alternatives(names: Iterable[str]) -> str:
    """Return the pattern of any of these names, grouped by their first letters: it fails four times as fast."""
    grouped: dict[str, list[str]] = {}
    for name in names:
        grouped.setdefault(name[0], []).append(name[1:])
    return "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in grouped.items())


_ANY_PRIVATE = _alternatives(_PRIVATE_NAMES)
_CARD_NAME = re.compile(r"(?:card|source|external_account)\]?\[number\]|^number(?:\[|$)", re.IGNORECASE)
#: A token of a processor stands for a card; one of this server (``tok_…``) is used up when it is logged.
_CARD_TOKEN = re.compile(r"(?:^|\[)card\]?\[token\]$", re.IGNORECASE)
_OWN_TOKENS = ("tok_", "btok_")
_STRING = r"\"(?:[^\"\\]|\\.)*+\""


def _container(depth: int) -> str:
    """Return the pattern of a JSON array or object nested up to ``depth`` levels deep."""
    inside = f"|{_container(depth - 1)}" if depth > 1 else ""
    return rf"[\[{{](?:[^\[\]{{}}\"]|{_STRING}{inside})*+[\]}}]"


#: A private name and its value. A value that is cut, or nested deeper, extends to the end of the text. The quotes of
#: JSON within a string are escaped.
_JSON = (
    rf"(\"(?:{_ANY_PRIVATE})(\\*+)\"\s*+:\s*+)"
    rf"(?:{_STRING}|\"[\s\S]*+|\\++\"[^\"]*+\"?|-?[0-9.]++|{_container(3)}|[\[{{][\s\S]*+)"
)
_PRIVATE_VALUE = r'\1\2"[redacted]\2"'
_IN_JSON = re.compile(_JSON, re.IGNORECASE)
_IN_OURS = re.compile(_JSON)  # our own responses have one spelling; matching others takes five times as long
#: A private name and its value in other notations, such as ``cvc: 123``, ``{'cvc': '123'}`` and ``<cvc>123</cvc>``.
_IN_TEXT = re.compile(
    rf"((?:{_ANY_PRIVATE})[\"'\\\]]*+\s*+[:=>][\s\"'\\\[{{(]*+)"
    r"(?!redacted\]|(?:null|true|false)\b)[^\s\"'\\<>,;&)\]}]++",
    re.IGNORECASE,
)
#: What may follow a private name in brackets: a field or an index. Anything else may be the value.
_FIELD = re.compile(r"[a-z_]*+|[0-9]{1,2}")
#: Tokens of hosted pages (``wire.hosted``), which are credentials. A pattern that begins with a character is searched
#: for sixty times as fast as one that begins with a lookbehind.
_PAGES = re.compile(r"/[0-9A-Za-z]{43,48}+(?=[\"/?\\&\s#]|$)")
_CARD_SHOWN = re.compile(r"(\"number\":\s*+)\"\d{8,15}(\d{4})\"")  # of an issued card, when expanded
_ESCAPED = re.compile(r"\\u00([2-7][0-9a-fA-F])")
_DIGIT = re.compile(r"\d")


def redact(text: str) -> str:
    """Redact text from a caller, such as a JSON body. For forms use ``redact_form``."""
    if '"' in text:
        if "\\u00" in text:
            text = _ESCAPED.sub(_unescaped, text)
        text = _IN_JSON.sub(_PRIVATE_VALUE, text)
    plain = _redact_any(text)
    if "%" not in text:
        return plain
    decoded = _decoded(text)
    shown = _redact_any(decoded)
    return plain if shown == decoded else shown


def redact_form(text: str) -> str:
    """Redact a form body or query. Pairs without private data are left unchanged."""
    decoded = _decoded_form(text)
    pairs = text.split("&")
    inside = _redact_plain(decoded) != decoded or _has_other_notation(decoded, len(pairs))
    return "&".join([_redact_pair(pair, inside) for pair in pairs])


def redact_response(text: str) -> str:
    """Redact a response of this server. Long numbers are only redacted in fields of card numbers."""
    if "_test_" in text or "_live_" in text or "whsec_" in text:
        text = _KEYS.sub(_masked_key, text)
    if any(sign in text for sign in BASE64_SIGNS):
        text = _CREDENTIALS.sub("[redacted]", text)
    if '"' in text:
        text = _IN_OURS.sub(_PRIVATE_VALUE, text)
    if '"number"' in text:
        text = _CARD_SHOWN.sub(r'\1"************\2"', text)
    if "http" in text:
        text = _PAGES.sub("/[redacted]", text)
    return _SECRETS.sub("_secret_[redacted]", text) if "_secret_" in text else text


def redact_error(text: str) -> str:
    """Redact an error response, which repeats names and values that the caller sent."""
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        return redact(text)
    error = whole.get("error") if isinstance(whole, dict) else None
    if isinstance(error, dict):
        message, param = error.get("message"), error.get("param")
        if isinstance(param, str):
            error["param"] = _redact_subnames(redact(param))
            if isinstance(message, str) and _is_private(param):  # "Invalid string: …" repeats the value
                message = message.replace(param, error["param"])
                start, colon, value = message.partition(": ")
                message = message if value == error["param"] else start + (": [redacted]" if colon else "")
        if isinstance(message, str):
            error["message"] = redact(message)
        text = orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode()
    return redact(text)


def _redact_plain(text: str) -> str:
    """Redact keys, secrets, tokens and long numbers anywhere in a text."""
    text = _PAGES.sub("/[redacted]", redact_response(text))
    if _FOUR_DIGITS.search(text):
        text = _HANGING.sub(_masked_card, _GROUPS.sub(_masked_number, _NUMBERS.sub(_masked_number, text)))
    return _IBAN.sub(_masked_iban, text)


def _redact_any(text: str) -> str:
    """Redact what ``_redact_plain`` does, and the values of private names."""
    return _redact_plain(_IN_TEXT.sub(r"\1[redacted]", text) if _may_have_names(text) else text)


def _may_have_names(text: str) -> bool:
    """Return whether a text may have a private name with a value. It takes a hundredth of the time of ``_IN_TEXT``."""
    if ":" not in text and "=" not in text and ">" not in text:
        return False
    lowered = text.lower()
    return any(name in lowered for name in _PRIVATE_NAMES)


def _has_other_notation(form: str, pairs: int) -> bool:
    """Return whether a decoded form has a private name with a value inside a name or value. pairs: how many it has."""
    nested = ":" in form or ">" in form or form.count("=") > pairs
    return nested and _may_have_names(form) and _IN_TEXT.search(form) is not None


def _redact_pair(pair: str, inside: bool, outer: bool = True) -> str:
    """Redact a name=value pair.

    inside: whether the form contains private data anywhere. outer: whether the pair is not nested in a name.
    """
    name, equals, value = pair.partition("=")
    meant_name = _decoded_form(name)
    if outer and "=" in meant_name:  # a whole form encoded as one name
        shown_name = "&".join([_redact_pair(one, True, False) for one in meant_name.split("&")])
        if (shown_name, value) == (meant_name, ""):
            return pair
        return quote(shown_name, safe="[]*./:=&") + equals + ("[redacted]" if value else "")
    private = _is_private(meant_name)
    number = "number" in meant_name.lower() and _CARD_NAME.search(meant_name) is not None
    token = meant_name.endswith("]") and _CARD_TOKEN.search(meant_name) is not None
    if not (inside or private or number or token):
        return pair
    meant = _decoded_form(value)
    shown_name = _redact_any(meant_name)
    if private:
        shown_name = _redact_subnames(shown_name)
        shown = "[redacted]" if meant else ""
    elif token and not meant.startswith(_OWN_TOKENS):
        shown = "[redacted]" if meant else ""
    elif number and len(_DIGIT.findall(meant)) >= 8:
        shown = _masked_digits(meant)
    else:
        shown = _redact_any(meant)
    if (shown_name, shown) == (meant_name, meant):
        return pair
    name = name if shown_name == meant_name else quote(shown_name, safe="[]*.")
    return name + equals + quote(shown, safe="[]*./:")


def _is_private(name: str) -> bool:
    """Return whether any part of a name is private: ``cvc[]`` and ``cvc[0]`` are invalid, but contain the code."""
    return _has_private(name) if len(name) <= _LONGEST_KEPT else _has_private.__wrapped__(name)


@lru_cache(maxsize=4096)
def _has_private(name: str) -> bool:
    return any(part.strip().endswith(_PRIVATE_NAMES) for part in name.lower().replace("]", "").split("["))


def _redact_subnames(name: str) -> str:
    """Redact what follows a private name in brackets, unless it is a field or an index."""
    parts, shown, after = name.split("["), list[str](), False
    for part in parts:
        plain = part.replace("]", "").strip()
        shown.append(part if not after or _FIELD.fullmatch(plain) else "redacted]")
        after = after or plain.lower().endswith(_PRIVATE_NAMES)
    return "[".join(shown)


def _decoded_form(text: str) -> str:
    return _decoded(text.replace("+", " ")) if "%" in text or "+" in text else text


def _decoded(text: str) -> str:
    """Percent-decode up to three times, since clients encode repeatedly by mistake."""
    for _ in range(3):
        if "%" not in text:
            break
        text = unquote(text, errors="replace")
    return text


def _masked_key(found: re.Match[str]) -> str:
    if len(found[2]) < _WHOLE_KEY and found.start() and found.string[found.start() - 1].isalnum():
        return found[1] + _KEYS.sub(_masked_key, found[2])
    return f"{found[1]}...{found[2][-4:]}"


def _masked_number(found: re.Match[str]) -> str:
    return _masked_digits(found[0])


def _masked_card(found: re.Match[str]) -> str:
    digits = [int(digit) for digit in found[0]]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return _masked_digits(found[0]) if (sum(doubled) + sum(digits[::-2])) % 10 == 0 else found[0]


def _masked_iban(found: re.Match[str]) -> str:
    text = found[0].upper()
    valid = int("".join([str(int(letter, 36)) for letter in text[4:] + text[:4]])) % 97 == 1
    return f"{found[0][:4]}************{found[0][-4:]}" if valid else found[0]


def _masked_digits(text: str) -> str:
    """Keep the last four digits; none of a longer number, whose last digits may be expiry date and security code."""
    digits = _DIGIT.findall(text)
    most = 19 if len(digits) == len(text) else 16
    return "************" + "".join(digits[-4:]) if len(digits) <= most else "[redacted]"


def _unescaped(found: re.Match[str]) -> str:
    """Unescape a JSON escape, except of a quote or backslash."""
    character = chr(int(found[1], 16))
    return found[0] if character in '"\\' else character
