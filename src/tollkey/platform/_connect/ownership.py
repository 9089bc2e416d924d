"""What a platform may still change in an account once its owner has been asked.

requirement_collection   before an account link or session   afterwards
application              everything                          everything
stripe                   everything but the terms            neither who is behind it, nor where it is paid out,
                                                             with ``external_account`` at once and by the endpoints
                                                             of external accounts once its details are submitted;
                                                             its people are not shown either
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.platform._connect.loading import LoadedAccount
from tollkey.wire import ApiError, Json, invalid

#: What its owner says, and the platform no longer changes.
_OWNERS = ("business_type", "company", "individual", "external_account", "bank_account")
_TERMS = "You cannot accept the Terms of Service on behalf of Standard and Express connected accounts."
_TERMS_OF = (
    "You cannot accept the Terms of Service on behalf of account where `controller[requirement_collection]=stripe`"
)
_TOKENS = (
    "Connect platforms based in {} must create accounts via account tokens when"
    " `controller[requirement_collection]=application`, which includes Custom accounts."
)
#: Where platforms do not send what accounts tell through their servers ("Account tokens" in Stripe's documentation).
_WITH_TOKENS = frozenset({"FR"})


def collects(account: Json) -> bool:
    """Whether the platform collects the requirements of an account, as of Custom accounts."""
    return bool((account.get("controller") or {}).get("requirement_collection") == "application")


def check_update(loaded: LoadedAccount, params: Mapping[str, Any]) -> None:
    """Check the parameters of a new or changed account. params: also those that an account token held.

    Raises ApiError 400 for terms accepted for its owner, 403 for what only the owner may say now. Source of the text:
    public reports of platforms that update Express accounts.
    """
    account = loaded.account
    if loaded.is_own or collects(account):
        return
    if (params.get("tos_acceptance") or {}).get("date"):
        raise invalid(_TERMS_OF if account["type"] == "none" else _TERMS, "tos_acceptance")
    refused = next((name for name in _OWNERS if params.get(name) is not None), None)
    if account.get("_linked") and refused is not None:
        raise _forbidden(f"the parameter '{refused}'", account, refused)


def check_token(account: Json, platform: Json, *, given: bool) -> None:
    """Check that a new account was made with an account token where platforms have to.

    platform: the account of its platform. given: whether it was. Raises ApiError 400. Source of the text: public
    reports of platforms in France.
    """
    if platform["country"] in _WITH_TOKENS and collects(account) and not given:
        raise invalid(_TOKENS.format(platform["country"]), retry=False)


def check_external(loaded: LoadedAccount) -> None:
    """Check that a platform may add and delete external accounts.

    Raises ApiError 403 where Stripe collects the requirements, once its owner has told them. Source: reports of
    platforms whose Express accounts took a bank account before onboarding, and refused it afterwards.
    """
    account = loaded.account
    if not loaded.is_own and not collects(account) and account.get("_linked") and account["details_submitted"]:
        raise _forbidden("this endpoint", account, None)


def check_external_update(loaded: LoadedAccount, value: Json) -> None:
    """Check that a platform may update a bank account. Raises ApiError 403 where Stripe collects the requirements."""
    if not loaded.is_own and not collects(loaded.account) and value["object"] == "bank_account":
        raise _forbidden("this endpoint", loaded.account, None)


def check_people(loaded: LoadedAccount, *, by_owner: bool) -> None:
    """Check access to the people behind an account. by_owner: whether the account's own key asks.

    Raises ApiError 403 once the owner was asked where Stripe collects the requirements (API reference, "Persons").
    """
    if not loaded.is_own and not by_owner and are_closed(loaded.account):
        raise _forbidden("this endpoint", loaded.account, None)


def are_closed(account: Json) -> bool:
    """Whether the people behind an account are its owner's affair: Stripe collects, and the owner was asked."""
    return not collects(account) and bool(account.get("_linked"))


def ask_owner(loaded: LoadedAccount) -> None:
    """Record that an account link or session was made: its owner says from now on what the account needs."""
    if not loaded.is_own and not collects(loaded.account) and not loaded.account.get("_linked"):
        loaded.account["_linked"] = True
        loaded.home.objects.save(loaded.account)


def _forbidden(what: str, account: Json, param: str | None) -> ApiError:
    message = f"This application does not have the required permissions for {what} on account '{account['id']}'."
    return ApiError(403, code="oauth_not_supported", message=message, param=param)
