"""What the answers of a host (DE 39) mean in the words of the API.

``declines.tsv`` has the response codes of ISO 8583:1987 (table "response code", DE 39; codes from 61 on as the networks
use them), each with one of the decline codes of Stripe's page https://docs.stripe.com/declines/codes, and the advice of
its table of network advice codes. No source says which belong together: the ISO's sentence was put beside the one of
that page which says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from tollkey.payments.processors.network import Declined

#: For answers that the table does not have.
OTHER: Final = "generic_decline"


@cache
def _table() -> Mapping[str, tuple[str, str | None]]:
    text = (files(__package__) / "declines.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return {answer: (code, advice or None) for answer, _, code, advice in rows}


def declined(answer: str, own: Mapping[str, str] = {}) -> Declined:
    """Return a decline. answer: DE 39. own: decline codes that the dialect has instead, by answer."""
    code, advice = _table().get(answer, (OTHER, None))
    return Declined(own.get(answer, code), advice, answer)
