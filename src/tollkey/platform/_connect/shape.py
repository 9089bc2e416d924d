"""New accounts, and what parameters change in them.

Identity numbers are never kept: only that they were given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tollkey.platform._connect import countries, kyc
from tollkey.wire import Call, Json, Params, invalid, new_object
from tollkey.wire.metadata import merged_metadata
from tollkey.wire.pages import nested_list
from tollkey.wire.urls import is_site

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
#: Countries whose companies are answered with every field.
EVERY_FIELD = frozenset({"AE"})
_JAPANESE_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state", "town")
_FULL_WIDTH = {ord("0") + digit: ord("\uff10") + digit for digit in range(10)}
_COMPANY_TEXTS = (
    "name",
    "name_kana",
    "name_kanji",
    "phone",
    "structure",
    "directors_provided",
    "executives_provided",
    "export_license_id",
    "export_purpose_code",
    "owners_provided",
    "ownership_exemption_reason",
    "tax_id_registrar",
)
#: Who declared something about a company, when and from where.
_DECLARATIONS = ("directorship_declaration", "ownership_declaration", "representative_declaration")
_SIGNATURE = ("date", "ip", "user_agent")


def address(given: Any, country: str | None = None) -> Json:
    """An address with every field."""
    given = given or {}
    return {name: given.get(name) or (country if name == "country" else None) for name in _ADDRESS}


def blank_places(country: str, shown: str | None) -> Json:
    """Return the empty address of somebody there; in Japan one in each script. shown: its country, when it is known."""
    if country not in countries.IN_SCRIPTS:
        return {"address": address(None, shown)}
    blank = {name: country if name == "country" else None for name in _JAPANESE_ADDRESS}
    return {f"address_{script}": dict(blank) for script in countries.SCRIPTS}


def set_places(value: Json, given: Params) -> None:
    """Set the addresses in kana and kanji of a person or a company.

    A postal code that is told in one script is known in the other: in digits of half width in kana, of full width in
    kanji (recorded). Here it is not looked up: city and prefecture are null when they are not given.
    """
    scripts = [f"address_{script}" for script in countries.SCRIPTS if given.get(f"address_{script}")]
    for name in scripts:
        before = value.get(name) or {"country": "JP"}
        value[name] = {field: given[name].get(field) or before.get(field) for field in _JAPANESE_ADDRESS}
    told = next((given[name]["postal_code"] for name in scripts if given[name].get("postal_code")), None)
    if told is None:
        return
    digits = "".join(str(int(character)) for character in told if character.isdecimal())
    for script in countries.SCRIPTS:
        name = f"address_{script}"
        place = value[name] = value.get(name) or {**dict.fromkeys(_JAPANESE_ADDRESS), "country": "JP"}
        place["postal_code"] = digits if script == "kana" else digits.translate(_FULL_WIDTH)


def settings(country: str, interval: str = "daily", *, recipient: bool = False, covers_losses: bool = False) -> Json:
    """``settings`` of a new account. covers_losses: whether negative balances are debited from its bank."""
    delay = 0 if recipient else 1 if interval == "manual" else 2 if country == "US" else 7
    return {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "capital": {},
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
        "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": "offer"},
        "payments": {
            "statement_descriptor": None,
            "statement_descriptor_kana": None,
            "statement_descriptor_kanji": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "payouts": {
            "debit_negative_balances": covers_losses,
            "schedule": {"delay_days": delay, "interval": interval},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }


def new_account(
    call: Call, id: str, kind: str, controller: Json, country: str, currency: str, params: Mapping[str, Any]
) -> Json:
    """A new connected account without data."""
    schedule = ((params.get("settings") or {}).get("payouts") or {}).get("schedule") or {}
    recipient = (params.get("tos_acceptance") or {}).get("service_agreement") == "recipient"
    return new_object(
        "account",
        id=id,
        type=kind,
        controller=controller,
        business_profile=new_object("account_business_profile"),
        capabilities={},
        charges_enabled=False,
        company=blank_company(country, every=recipient or country in EVERY_FIELD),
        country=country,
        created=call.now,
        default_currency=currency,
        details_submitted=False,
        external_accounts=nested_list([], f"/v1/accounts/{id}/external_accounts", total_count=0),
        payouts_enabled=False,
        settings=settings(
            country,
            schedule.get("interval") or "daily",
            recipient=recipient,
            covers_losses=kind in ("standard", "express"),
        ),
        tos_acceptance={"date": None, "ip": None, "user_agent": None},
    )


def blank_company(country: str, *, every: bool = False) -> Json:
    """``company`` of an account without data.

    every: also what only some countries ask for (recorded of recipients).
    """
    company: Json = {
        **blank_places(country, None),
        "directors_provided": True,
        "executives_provided": True,
        "name": None,
        "owners_provided": True,
        "tax_id_provided": False,
        "verification": {"document": blank_document()},
    }
    if every:
        company.update(ownership_declaration=None, vat_id_provided=False)
    if every or country in countries.IN_SCRIPTS:
        company.update(name_kana=None, name_kanji=None)
    return dict(sorted(company.items()))


def blank_document() -> Json:
    return {"back": None, "details": None, "details_code": None, "front": None}


def merge(into: Json, given: Params) -> None:
    """Set the given fields in a hash, going down into hashes; None unsets."""
    for name, value in given.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            merge(into[name], value)
        else:
            into[name] = value


def merge_metadata(value: Json, given: Any) -> None:
    """Add keys to ``metadata``, which stands sorted; an empty text unsets one, None all of them."""
    value["metadata"] = dict(sorted(merged_metadata(value.get("metadata"), given).items()))


def set_account(call: Call, account: Json, params: Params) -> None:
    """What an account's parameters change in it, besides people, capabilities and external accounts."""
    for name in ("business_type", "default_currency", "email", "groups", "_locales"):  # the last from the v2 API
        if name in params:
            account[name] = params[name]
    if "metadata" in params:
        merge_metadata(account, params["metadata"])
    profile = params.get("business_profile") or {}
    if profile.get("url") and not is_site(profile["url"]):  # its scheme may be missing (recorded)
        raise invalid("Not a valid URL", "business_profile[url]", "url_invalid")
    merge(account["business_profile"], profile)
    if params.get("support_phone"):
        account["business_profile"]["support_phone"] = params["support_phone"]
    given = params.get("settings") or {}
    schedule = (given.get("payouts") or {}).get("schedule") or {}
    merge(account["settings"], {**given, "payouts": {**(given.get("payouts") or {}), "schedule": {}}})
    set_schedule(account["settings"]["payouts"]["schedule"], schedule)
    if params.get("debit_negative_balances") is not None:
        account["settings"]["payouts"]["debit_negative_balances"] = params["debit_negative_balances"]
    if params.get("tos_acceptance"):
        merge(account.setdefault("tos_acceptance", {}), params["tos_acceptance"])
    if "company" in params or params.get("business_type") == "company":
        set_company(call, account, params.get("company") or {})
    _describe(account, given)
    if account["business_type"] == "company" and account["business_profile"]["name"] is None:
        account["business_profile"]["name"] = account["company"]["name"]


def set_schedule(schedule: Json, given: Params) -> None:
    """Set what is given of a payout schedule. An anchor alone takes the place of several days."""
    for interval in ("weekly", "monthly"):
        if given.get(f"{interval}_anchor") is not None:
            schedule.pop(f"{interval}_payout_days", None)
    schedule.update(given)
    _tidy_schedule(schedule)


def _tidy_schedule(schedule: Json) -> None:
    """The days of a weekly or monthly schedule are only there while it is one."""
    for interval, usual in (("weekly", "monday"), ("monthly", 1)):
        names = (f"{interval}_anchor", f"{interval}_payout_days")
        if schedule["interval"] != interval:
            for name in names:
                schedule.pop(name, None)
        else:
            days = schedule.get(names[1]) or [schedule.get(names[0]) or usual]
            schedule.update({names[0]: days[0], names[1]: days})


def set_company(call: Call, account: Json, given: Params) -> None:
    """What ``company`` changes. A company has to say itself that it named its owners and directors."""
    company = account.setdefault("company", {})  # a merchant's own account has none until it tells
    if account["business_type"] != "individual" and not account.get("_company_told"):
        account["_company_told"] = True
        company.update(owners_provided=False, directors_provided=False, executives_provided=False)
    for name in _COMPANY_TEXTS:
        if name in given:
            company[name] = given[name]
    for name in _DECLARATIONS:
        if given.get(name):
            company[name] = {**dict.fromkeys(_SIGNATURE), **(company.get(name) or {}), **given[name]}
    if "registration_date" in given:
        date = given["registration_date"]
        company["registration_date"] = {name: date[name] for name in ("day", "month", "year")} if date else None
    set_places(company, given)
    if given.get("address"):
        company["address"] = {**address(company.get("address")), **given["address"]}
        company["address"]["country"] = company["address"]["country"] or account["country"]
    for name in ("tax_id", "vat_id"):
        if given.get(name):
            company[f"{name}_provided"] = True
            account[f"_{name}"] = kyc.of_number(given[name])
    document = (given.get("verification") or {}).get("document") or {}
    if document:
        company["verification"]["document"].update(
            {side: file_of(call, text) for side, text in document.items() if text}
        )
        account["_document"] = kyc.of_document(document.get("front"))


def _describe(account: Json, given: Params) -> None:
    """Statement descriptor and display name follow the business's name or address unless they were given."""
    profile, settings_of = account["business_profile"], account["settings"]
    url = profile["url"] or ""
    host = (urlsplit(url if "://" in url else f"//{url}").hostname or "").removeprefix("www.")
    name = profile["name"] or host
    if not name:
        return
    payments, cards = settings_of["payments"], settings_of["card_payments"]
    if not (given.get("payments") or {}).get("statement_descriptor") and not account.get("_described"):
        payments["statement_descriptor"] = _descriptor(name, 22)
    else:
        account["_described"] = True
    if (given.get("card_payments") or {}).get("statement_descriptor_prefix"):
        account["_prefixed"] = True
    if cards["statement_descriptor_prefix"] is None or not (account.get("_described") or account.get("_prefixed")):
        cards["statement_descriptor_prefix"] = _descriptor(name, 10)
    if settings_of["dashboard"]["display_name"] is None:
        settings_of["dashboard"]["display_name"] = profile["name"] or _titled(host.rpartition(".")[0])


def _titled(site: str) -> str:
    """A site's own name begins with a capital; one below another's stays as it is (recorded)."""
    return site if "." in site else site.capitalize()


def _descriptor(text: str, length: int) -> str:
    allowed = "".join(character for character in text.upper() if character.isascii() and character not in "<>\\'\"*")
    return allowed[:length].strip()


def file_of(call: Call, text: str) -> str:
    """A file's id; the names of test documents stand for a file of their own."""
    return text if text.startswith("file_") and not text.startswith("file_identity_document") else call.ids.new("file")


def international(phone: str | None) -> str | None:
    """A phone number with its country code; one without is taken for North American."""
    if not phone:
        return None
    digits = "".join(character for character in phone if character.isdigit())
    return f"+{digits}" if phone.startswith("+") else f"+1{digits}"
