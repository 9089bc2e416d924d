"""Parameters that a business adds to the URL of a payment link: who comes, what is filled in, and from where.

    client_reference_id, locale, locked_prefilled_email, prefilled_email, prefilled_promo_code, utm_…

A value that cannot be used is left out, and the link works all the same. Source: documentation, "Customize payment
links", section on URL parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import quote, urlsplit

from tollkey.payments.checkout.rules import check_email
from tollkey.wire import ApiError, P

#: Those of the API whose languages the pages speak.
_LOCALES: Final = frozenset({"de", "en", "en-GB", "es", "es-419", "fr", "fr-CA", "ja"})
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
_MARK: Final = re.compile(r"[A-Za-z0-9_.~-]{1,150}")
_LONGEST_EMAIL: Final = 512
_LONGEST_CODE: Final = 500
MARKS: Final = ("utm_campaign", "utm_content", "utm_id", "utm_medium", "utm_source", "utm_term")
NAMES: Final = (
    "client_reference_id", "locale", "locked_prefilled_email", "prefilled_email", "prefilled_promo_code", *MARKS,
)  # fmt: skip
PARAMS: Final = P.object().extended({name: P.string(blank=True) for name in NAMES})


def usable(given: Mapping[str, object]) -> dict[str, str]:
    """Return the parameters of a link's URL that can be used, by their names."""
    return {name: value for name in NAMES if isinstance(value := given.get(name), str) and _is_usable(name, value)}


def _is_usable(name: str, value: str) -> bool:
    if name == "client_reference_id":
        return _REFERENCE.fullmatch(value) is not None
    if name == "locale":
        return value in _LOCALES
    if name in MARKS:
        return _MARK.fullmatch(value) is not None
    if name == "prefilled_promo_code":
        return 0 < len(value) <= _LONGEST_CODE
    try:
        check_email(value, name)
    except ApiError:
        return False
    return len(value) <= _LONGEST_EMAIL


def hidden(given: Mapping[str, str]) -> str:
    """Return inputs of a form that carry the parameters on, as HTML."""
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in given.items())


def marked(url: str, given: Mapping[str, str]) -> str:
    """Return the URL that a customer is sent to after paying, with the marks of the link's URL added."""
    marks = "&".join(f"{name}={quote(value, safe='')}" for name, value in given.items() if name in MARKS)
    if not marks:
        return url
    rest, sharp, fragment = url.partition("#")
    return f"{rest}{'&' if urlsplit(rest).query else '?'}{marks}{sharp}{fragment}"
