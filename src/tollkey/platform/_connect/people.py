"""What a platform may do with the people behind an account, and what it may say of them.

one representative    the flag is taken from one person and given to another, in two requests
ownership             each owns 0 to 100 percent, all together no more than 100
verified              names, dates, addresses and numbers are verified again; a document is not replaced
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.platform._connect.documents import check_persons
from tollkey.platform._connect.identity_rules import check_data
from tollkey.platform._connect.loading import LoadedAccount
from tollkey.wire import Json, invalid

EXCEEDED = "The total combined ownership of the company would exceed 100 percent."
_SUPPORT = "https://support.stripe.com/contact"


def check_person(loaded: LoadedAccount, person: Json, given: Mapping[str, Any], outer: str | None = None) -> None:
    """Check the parameters of a new or changed person. outer: the parameter that contains them, None for none.

    Raises ApiError 400.
    """
    check_data(loaded.account["country"], given, outer, loaded.home.real)
    check_persons(loaded, given, outer)
    relation = given.get("relationship") or {}
    represents, owned = relation.get("representative"), relation.get("percent_ownership")
    asks = represents or owned not in (None, "")
    others = [other for other in loaded.people() if other["id"] != person["id"]] if asks else []
    if represents and any(other["relationship"]["representative"] for other in others):
        raise invalid("An account can only have one representative.", "relationship[representative]")
    if owned is not None and owned != "":
        _check_owned(float(owned), others)
    if person["verification"]["status"] == "verified":
        _check_documents(given, outer)


def _check_owned(owned: float, others: list[Json]) -> None:
    """Raise ApiError 400 for a part outside 0 to 100, and one that is no longer free (text: public reports)."""
    if not 0 <= owned <= 100:
        raise invalid("Percent ownership must be between 0 and 100.", "relationship[percent_ownership]")
    if exceeds(owned, others):
        raise invalid(EXCEEDED, "relationship[percent_ownership]")


def exceeds(owned: float, others: list[Json]) -> bool:
    """Return whether a person's part and those of the others are more than the company."""
    return owned + sum(other["relationship"]["percent_ownership"] or 0 for other in others) > 100


def _check_documents(given: Mapping[str, Any], outer: str | None) -> None:
    """Raise ApiError 400 for a document of somebody who is verified (text: public reports)."""
    for name in ("document", "additional_document"):
        sides = (given.get("verification") or {}).get(name) or {}
        side = next((side for side, file in sides.items() if file), None)
        if side is not None:
            inner = f"[verification][{name}][{side}]" if outer else f"verification[{name}][{side}]"
            param = f"{outer or ''}{inner}"
            message = (
                f"You cannot change `{param}` via API if an account is verified. Please contact us via {_SUPPORT} if"
                " you need to change the legal entity information associated with this account."
            )
            raise invalid(message, param)
