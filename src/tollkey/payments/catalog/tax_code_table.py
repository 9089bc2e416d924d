"""The tax codes that Stripe has published, and which ids a parameter may name.

``tax_codes.tsv`` has the id and name of each code that public copies of Stripe's list have. Stripe adds codes to its
groups at times, so an id that has the form of one and belongs to a group is accepted even if it is not in the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from tollkey.payments.catalog import kinds
from tollkey.wire import new_object
from tollkey.wire.errors import missing_object
from tollkey.wire.expand import NotAnId

if TYPE_CHECKING:
    from tollkey.wire import api

#: ``txcd_`` and eight digits: the first two name the group, the last four are zero for some of its general codes.
_ID = re.compile(r"txcd_(\d\d)\d{6}")


@cache
def names() -> Mapping[str, str]:
    """Return the name of each published code by its id, in the order of the ids."""
    rows = files("tollkey.payments.catalog").joinpath("tax_codes.tsv").read_text("utf-8").splitlines()
    return dict(row.split("\t") for row in rows)


@cache
def _groups() -> frozenset[str]:
    return frozenset(id.removeprefix("txcd_")[:2] for id in names())


def exists(id: str) -> bool:
    """Return whether an id is that of a published tax code, or may be that of one that was added later."""
    match = _ID.fullmatch(id)
    return id in names() or (match is not None and match[1] in _groups() and not id.endswith("0000"))


def check(id: str | None, param: str = "tax_code") -> None:
    """Raise ApiError resource_missing (400) for a tax code that does not exist. id: nothing is checked without one."""
    if id and not exists(id):
        raise missing_object("tax code", id, param, in_path=False)


def tax_code(id: str) -> api.TaxCode:
    """Return the object of a published tax code."""
    name = names()[id]
    return new_object(kinds.TAX_CODE, id=id, description=f"{name}.", name=name)


@cache
def every() -> Sequence[api.TaxCode]:
    """Return the objects of all published tax codes, in the order of their ids, which no caller changes."""
    return [tax_code(id) for id in names()]


def expanded(id: str | None) -> api.TaxCode | NotAnId | None:
    """Return what ``expand[]`` puts in the place of a tax code: its object, or its id when it is not in the table."""
    return None if id is None else tax_code(id) if id in names() else NotAnId(id)
