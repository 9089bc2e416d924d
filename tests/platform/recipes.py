"""How tests make the objects of ``platform`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.support.connected import acting, connected, everything
from tests.support.recipes import BANK, HOME, META, Body, CannotMake, Json, Maker, Visit, visit_of


def new_account(m: Maker, **more: Any) -> Json:
    return m.post("/v1/accounts", **{**m.body("POST /v1/accounts"), **more})


def _in_account(path: str, **params: Any) -> Callable[[Maker], Json]:
    """Something that hangs on a connected account; it may not say so itself."""

    def make(m: Maker) -> Json:
        account = new_account(m)["id"]
        made = (
            m.post(f"/v1/accounts/{account}/{path}", **params)
            if path != "capabilities"
            else m.first(f"/v1/accounts/{account}/{path}")
        )
        return {**made, "_parent": account}

    return make


def _event(m: Maker) -> Json:
    m.post("/v1/customers")
    return m.first("/v1/events")


def _heard_event(m: Maker) -> list[str]:
    """An event that an enabled webhook endpoint hears of."""
    m.post("/v1/webhook_endpoints", url="https://example.com/hook", enabled_events=["*"])
    return [_event(m)["id"]]


def _upload(m: Maker) -> Json:
    boundary = "part"
    lines = [
        f"--{boundary}", 'Content-Disposition: form-data; name="purpose"', "", "dispute_evidence",
        f"--{boundary}", 'Content-Disposition: form-data; name="file"; filename="a.png"', "Content-Type: image/png", "",
        "\x89PNG\r\n\x1a\n", f"--{boundary}--", "",
    ]  # fmt: skip
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", **(m.headers or {})}
    answer = m.api.send("POST", "/v1/files", headers=headers, body="\r\n".join(lines).encode("latin-1"))
    if answer.status != 200:
        raise CannotMake(f"POST /v1/files: {answer.status} {answer.body!r}")
    return answer


def _key(m: Maker) -> str:
    found: str = m.make("api_key")["id"]
    return found


def _rolled(m: Maker) -> list[str]:
    id = _key(m)
    m.post(f"/v1/api_keys/{id}/roll", expires_in="in_24_hours")
    return [id]


def _express(m: Maker) -> str:
    """An Express account whose person has been through the onboarding page."""
    account = new_account(m, type="express")["id"]
    link = m.post("/v1/account_links", account=account, refresh_url=HOME, return_url=HOME, type="account_onboarding")[
        "url"
    ]
    page = re.sub(r"^https?://[^/]+", "", link)
    m.api.post(f"{page}/submit", key=None)
    found: str = account
    return found


def _second_bank_account(m: Maker) -> list[str]:
    made = m.make("external_account")
    account = made["_parent"]
    second = {
        "object": "bank_account",
        "country": "US",
        "currency": "usd",
        "account_number": "000111111116",
        "routing_number": "110000000",
    }
    return [account, m.post(f"/v1/accounts/{account}/external_accounts", external_account=second)["id"]]


def enabled_account(m: Maker) -> Json:
    """A connected account of which nothing is required any more."""
    return m.post("/v1/accounts", **everything(m.api))


def _paid_by(m: Maker, token: str) -> None:
    """A connected account that was paid with a test card that changes what the account may do."""
    account = connected(m.api)
    m.api.ok("post", "/v1/charges", amount=1_000, currency="usd", source=token, headers=acting(account))


def _owner_is_checked(m: Maker) -> None:
    """A connected account with a document about the owner of its bank account, who did not match."""
    number = {"account_number": "000999999992", "routing_number": "110000000"}
    bank = {"object": "bank_account", "country": "US", "currency": "usd", **number}
    account = connected(m.api, external_account=bank)["id"]
    m.api.advance(200)
    document = {"files": ["file_identity_document_success"]}
    m.api.ok("post", f"/v1/accounts/{account}", documents={"bank_account_ownership_verification": document})


def _deleted_with_a_debt(m: Maker) -> None:
    """A deleted account that owed money to its platform."""
    account = connected(m.api)
    m.api.ok("post", "/v1/transfers", amount=15, currency="usd", destination=m.api.account, headers=acting(account))
    m.api.ok("delete", f"/v1/accounts/{account['id']}")


COLLECTIONS = {
    "/v1/accounts/{}/external_accounts": "external_account",
    "/v1/accounts/{}/bank_accounts": "external_account",
    "/v1/accounts/{}/people": "person",
    "/v1/reporting/report_types": "reporting.report_type",
}


def _person_token(m: Maker) -> Json:
    account = new_account(m)["id"]
    return {**m.post(f"/v2/core/accounts/{account}/person_tokens", given_name="Jane"), "_parent": account}


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "v2.core.event": lambda m: (m.post("/v1/customers"), m.first("/v2/core/events"))[1],
    "capability": _in_account("capabilities"),
    "event": _event,
    "external_account": _in_account(
        "external_accounts",
        external_account={
            "object": "bank_account",
            **{k: v for k, v in BANK.items() if not k.startswith("account_holder")},
        },
    ),
    "file": _upload,
    "country_spec": lambda m: {"id": "US"},
    "reporting.report_type": lambda m: {"id": "balance.summary.1"},
    "v2.core.account_person": _in_account("persons", first_name="Jane", last_name="Diaz"),
    "v2.core.account_person_token": _person_token,
    "person": _in_account("persons", first_name="Jane", last_name="Diaz"),
}


BODIES: dict[str, Body] = {
    "POST /v2/core/accounts": {
        "contact_email": "a@example.com", "display_name": "A", "identity": {"country": "us", "entity_type": "company"},
        "configuration": {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}},
    "POST /v2/core/accounts/{}": {"display_name": "B"},
    "POST /v2/core/accounts/{}/close": {"applied_configurations": ["merchant"]},
    "POST /v2/core/account_links": lambda m: {
        "account": m.id("account"), "use_case": {"type": "account_onboarding", "account_onboarding": {
            "refresh_url": HOME, "return_url": HOME}}},
    "POST /v2/core/accounts/{}/persons": {"given_name": "Jane"},
    "POST /v2/core/accounts/{}/persons/{}": {"surname": "Rosen"},
    "POST /v2/core/event_destinations": {
        "name": "Mine", "type": "webhook_endpoint", "event_payload": "thin",
        "enabled_events": ["v1.customer.created"], "webhook_endpoint": {"url": "https://example.com/hook"}},
    "POST /v2/core/event_destinations/{}": {"name": "Yours"},
    "POST /v2/core/account_tokens": {"contact_email": "a@example.com"},
    "POST /v2/core/accounts/{}/person_tokens": {"given_name": "Jane"},
    "POST /v1/accounts": lambda m: {
        "type": "custom", "country": "US", "email": f"a{m.next()}@example.com",
        "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
    },
    "POST /v1/accounts/{}": META,
    "POST /v1/accounts/{}/reject": {"reason": "fraud_other"},
    "POST /v1/accounts/{}/capabilities/{}": {"requested": True},
    "POST /v1/accounts/{}/persons": {"first_name": "Jane"},
    "POST /v1/accounts/{}/people": {"first_name": "Jane"},
    "POST /v1/accounts/{}/persons/{}": {"last_name": "Rosen"},
    "POST /v1/accounts/{}/people/{}": {"last_name": "Rosen"},
    "POST /v1/accounts/{}/external_accounts": {"external_account": "btok_us_verified"},
    "POST /v1/accounts/{}/bank_accounts": {"external_account": "btok_us_verified"},
    "POST /v1/accounts/{}/external_accounts/{}": META,
    "POST /v1/accounts/{}/bank_accounts/{}": META,
    "POST /v1/account_links": lambda m: {
        "account": m.id("account"), "refresh_url": HOME, "return_url": HOME, "type": "account_onboarding"},
    "POST /v1/account_sessions": lambda m: {"account": m.id("account"), "components": {"payments": {"enabled": True}}},
    "POST /v1/api_keys": {"type": "restricted", "permissions": ["customer_read"], "name": "For a test"},
    "POST /v1/api_keys/{}": {"name": "Renamed"},
    "POST /v1/apps/secrets": lambda m: {"name": f"key_{m.next()}", "payload": "hush", "scope": {"type": "account"}},
    "GET /v1/apps/secrets": {"scope": {"type": "account"}},
    "GET /v1/apps/secrets/find": lambda m: {"name": m.make("apps.secret")["name"], "scope": {"type": "account"}},
    "POST /v1/apps/secrets/delete": lambda m: {"name": m.make("apps.secret")["name"], "scope": {"type": "account"}},
    "POST /v1/file_links": lambda m: {"file": m.id("file")},
    "POST /v1/file_links/{}": META,
    "POST /v1/reporting/report_runs": {
        "report_type": "balance.summary.1", "parameters": {"interval_start": 1_764_547_200,
        "interval_end": 1_767_139_200}},
    "POST /v1/stripecli/key_permissions": {"endpoints": ["GET /v1/customers"]},
    "POST /v1/webhook_endpoints": {"url": "https://example.com/hook", "enabled_events": ["*"]},
    "POST /v1/webhook_endpoints/{}": META,
}  # fmt: skip


PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "POST /v2/core/event_destinations/{}/ping": lambda m: [m.id("v2.core.event_destination")],
    "POST /v1/api_keys/{}/cancel_expiry": _rolled,
    "POST /v1/events/{}/retry": _heard_event,
    "DELETE /v1/accounts/{}/bank_accounts/{}": lambda m: _second_bank_account(m),
    "DELETE /v1/accounts/{}/external_accounts/{}": lambda m: _second_bank_account(m),
    "POST /v1/accounts/{}/login_links": lambda m: [_express(m)],
}


DUE: dict[str, Callable[[Maker], object]] = {
    "account.charge_block": lambda m: _paid_by(m, "tok_visa_triggerChargeBlock"),
    "account.owner_check": _owner_is_checked,
    "account.next_requirements": lambda m: _paid_by(m, "tok_visa_triggerVerification"),
    "account.payout_block": lambda m: _paid_by(m, "tok_visa_triggerTransferBlock"),
    "account.verify": lambda m: m.make("transfer"),
    "balance.write_off": _deleted_with_a_debt,
    "apps.secret.expire": lambda m: m.post(
        "/v1/apps/secrets", name="k", payload="p", scope={"type": "account"}, expires_at=m.api.now + 60
    ),
    "report_run": lambda m: m.make("reporting.report_run"),
}


VISITS: dict[str, tuple[Callable[[Maker, Json], Visit], ...]] = {
    "GET /connect/onboarding/{token}": (visit_of("account"),),
    "POST /connect/onboarding/{token}/submit": (visit_of("account"),),
}
