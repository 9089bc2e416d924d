"""What must not be kept of a request or an answer: keys, client secrets, page tokens, card and account numbers, codes.

What counts is what was meant, not how it was written: percent-encoded text is judged as it reads decoded, and kept
    decoded where something had to be taken out. Every pattern goes over a text once, whatever the text: none begins
    again within what it has just looked at (possessive groups), and nobody gives these functions more than a few
    thousand characters.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

_KEYS = re.compile(r"(?<![0-9A-Za-z])((?:sk|rk|ek|pss)_(?:test|live)_|whsec_)([0-9A-Za-z_]{6,}+)")
_SECRETS = re.compile(r"_secret_[0-9A-Za-z]{6,}+")
#: 13 digits and more, in one piece or in the groups that people write. More than the 19 of a card: what follows it may
#: be its expiry.
_NUMBERS = re.compile(r"(?<![0-9A-Za-z_])\d(?:[ +-]?\d){12,}+")
#: The same in groups with whatever people and spreadsheets put between them: 4-4-4-4 and 4-6-5.
_BETWEEN = r"[\s.,/_:;|\-\u00a0\u2000-\u206f\u2212]{1,3}+"
_GROUPS = re.compile(
    rf"(?<!\d)\d{{4}}{_BETWEEN}(?:\d{{4}}{_BETWEEN}\d{{4}}{_BETWEEN}\d{{1,7}}|\d{{6}}{_BETWEEN}\d{{4,5}})(?!\d)"
)
#: What hangs on a word (``card4242…``) is a card's only when its check digit says so, an account's when it is a valid
#: IBAN.
_HANGING = re.compile(r"(?<![0-9])[0-9]{13,19}(?![0-9A-Za-z])")
_IBAN = re.compile(r"(?<![0-9A-Za-z])[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}(?![0-9A-Za-z])", re.IGNORECASE)
_PRIVATE = (
    "cvc|cvv|client_secret|websocket_id|password|id_number|id_number_secondary|ssn_last_4|account_number|iban"
    "|sort_code|track_data|payload|tax_id|vat_id|registration_number|encrypted_number|private_key_file_password"
    "|cryptogram|descriptor_code|verification_code"
)
_PRIVATE_NAMES = tuple(_PRIVATE.split("|"))
_CARD_NAME = re.compile(r"(?:card|source|external_account)\]?\[number\]|^number(?:\[|$)", re.IGNORECASE)
_JSON = rf"(\"(?:{_PRIVATE})\"\s*+:\s*+)(?:\"(?:[^\"\\]|\\.)*+\"?|-?[0-9.]++|\[[^\[\]]*+\]?|\{{[^{{}}]*+\}}?)"
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
    decoded = _decoded(text)
    shown = _sent(decoded)
    return plain if shown == decoded else shown


def redact_form(text: str) -> str:
    """A form or a query: only pairs that hold something private are written anew."""
    decoded = _meant(text)
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
    text = _NUMBERS.sub(_masked_number, _PAGES.sub("[redacted]", redact_ours(text)))
    return _IBAN.sub(_masked_iban, _HANGING.sub(_masked_card, _GROUPS.sub(_masked_number, text)))


def _redact_pair(pair: str, inside: bool, outer: bool = True) -> str:
    """One name and its value. inside: whether something that must not be kept stands anywhere in the form.

    outer: not in a name.
    """
    name, equals, value = pair.partition("=")
    meant_name = _meant(name)
    if outer and "=" in meant_name:  # a whole form that was encoded as one name
        shown_name = "&".join([_redact_pair(one, True, False) for one in meant_name.split("&")])
        if (shown_name, value) == (meant_name, ""):
            return pair
        return quote(shown_name, safe="[]*./:=&") + equals + ("[redacted]" if value else "")
    # Any of them: ``cvc[]`` and ``cvc[0]`` are wrong, and hold it all the same.
    parts = [part.strip() for part in meant_name.lower().replace("]", "").split("[")]
    private, number = (
        any(part.endswith(_PRIVATE_NAMES) for part in parts),
        "number" in parts and _CARD_NAME.search(meant_name) is not None,
    )
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
    return _decoded(text.replace("+", " ")) if "%" in text or "+" in text else text


def _decoded(text: str) -> str:
    """Percent-decoded as often as a client may have encoded it by mistake."""
    for _ in range(3):
        if "%" not in text:
            break
        text = unquote(text, errors="replace")
    return text


def _masked_key(found: re.Match[str]) -> str:
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
    """The last four digits; none when there are more than a card's, as those behind may be its expiry and its code."""
    digits = _DIGIT.findall(text)
    most = 19 if len(digits) == len(text) else 16
    return "************" + "".join(digits[-4:]) if len(digits) <= most else "[redacted]"


def _unescaped(found: re.Match[str]) -> str:
    """A character that JSON need not have escaped; a quote and a backslash it must."""
    character = chr(int(found[1], 16))
    return found[0] if character in '"\\' else character
