"""Account links: opened once, by one browser, in time; everybody else is led to where a new one is made."""

from __future__ import annotations

import pytest

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid
from tests.support.versions import BEFORE_ENDIVE, ENDIVE

RETURN, REFRESH = "https://p.example/r", "https://p.example/f"


def connected(api: Api, kind: str = "express") -> str:
    wanted = {"card_payments": {"requested": True}, "transfers": {"requested": True}}
    return str(api.ok("post", "/v1/accounts", type=kind, country="US", capabilities=wanted)["id"])


def link(api: Api, account: str, refresh_url: str = REFRESH) -> str:
    """The path of a new link."""
    about = {"account": account, "type": "account_onboarding", "return_url": RETURN, "refresh_url": refresh_url}
    made = api.ok("post", "/v1/account_links", **about)
    assert_valid("POST", "/v1/account_links", 200, made)
    assert made["expires_at"] == api.now + 300
    return "/" + str(made["url"]).split("/", 3)[3]


class Visitor:
    """A browser: it keeps the cookie that it is given."""

    def __init__(self, api: Api) -> None:
        self.api, self.cookie = api, ""

    def open(self, path: str) -> Answer:
        answer = self.api.send("GET", path, key=None, headers={"Cookie": f"other=1; {self.cookie}"})
        self.cookie = answer.headers.get("set-cookie", self.cookie).partition(";")[0]
        return answer

    def submit(self, path: str) -> Answer:
        return self.api.send(
            "POST", f"{path}/submit", key=None, body=b"first_name=Jenny", headers={"Cookie": self.cookie}
        )


def led(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.headers.get("location")


@pytest.mark.parametrize("kind", ["express", "standard"])
def test_a_link_leads_through_onboarding_back_to_the_platform(api: Api, kind: str) -> None:
    id = connected(api, kind)
    path, visitor = link(api, id), Visitor(api)
    page = visitor.open(path)
    assert page.status == 200
    assert b"address_full_match" in page.body
    assert led(visitor.submit(path)) == (303, RETURN)
    api.advance(10)
    account = api.get(f"/v1/accounts/{id}")
    assert account["details_submitted"]
    assert account["charges_enabled"]
    assert "individual" not in account
    assert api.post(f"/v1/accounts/{id}/login_links").status == (200 if kind == "express" else 400)


def test_a_link_that_is_opened_late_leads_to_its_refresh_url(api: Api) -> None:
    account = connected(api)
    path, later = link(api, account), link(api, account, "https://p.example/other")
    api.advance(299)
    assert Visitor(api).open(link(api, account)).status == 200
    api.advance(1)
    assert led(Visitor(api).open(path)) == (303, REFRESH)
    assert led(Visitor(api).open(later)) == (303, "https://p.example/other")


def test_a_link_that_was_opened_leads_every_other_browser_to_its_refresh_url(api: Api) -> None:
    path, first = link(api, connected(api)), Visitor(api)
    assert first.open(path).status == 200
    assert led(Visitor(api).open(path)) == (303, REFRESH)
    assert first.open(path).status == 200  # reloading the page is not opening the link again


def test_only_the_browser_that_opened_the_link_submits_the_form(api: Api) -> None:
    id = connected(api)
    path, first = link(api, id), Visitor(api)
    first.open(path)
    refused = Visitor(api).submit(path)
    assert refused.status == 410
    assert f'href="{REFRESH}"'.encode() in refused.body
    assert not api.get(f"/v1/accounts/{id}")["details_submitted"]
    assert led(first.submit(path)) == (303, RETURN)


def test_a_link_whose_form_was_submitted_has_ended(api: Api) -> None:
    path, visitor = link(api, connected(api)), Visitor(api)
    visitor.open(path)
    visitor.submit(path)
    assert led(visitor.open(path)) == (303, REFRESH)
    assert visitor.submit(path).status == 410


def test_a_link_that_is_not_stored_any_more_has_expired(api: Api) -> None:
    path, visitor = link(api, connected(api)), Visitor(api)
    api.core.database.write(lambda tx: tx.execute("DELETE FROM account_links WHERE account = ?", (api.account,)))
    for answer in (visitor.open(path), visitor.submit(path)):
        assert answer.status == 410
        assert b"This link has expired" in answer.body


def test_a_browser_has_an_hour_for_the_form(api: Api) -> None:
    path, visitor = link(api, connected(api)), Visitor(api)
    visitor.open(path)
    api.advance(3599)
    assert visitor.open(path).status == 200
    api.advance(1)
    assert led(visitor.open(path)) == (303, REFRESH)
    assert visitor.submit(path).status == 410


def test_the_cookie_is_for_this_link_and_not_for_scripts(api: Api) -> None:
    path = link(api, connected(api))
    cookie = Visitor(api).open(path).headers["set-cookie"].split("; ")
    assert {f"Path={path}", "HttpOnly", "SameSite=Lax"} <= set(cookie)


def test_an_address_that_was_never_a_link_does_not_exist(api: Api) -> None:
    assert Visitor(api).open("/connect/onboarding/nothing").status == 404


def of_v2(api: Api, account: str, type: str = "account_onboarding", **more: object) -> Answer:
    given = {"configurations": ["merchant"], "refresh_url": REFRESH, **more}
    return api.post("/v2/core/account_links", account=account, use_case={"type": type, type: given}, headers=BEFORE)


BEFORE = {"Stripe-Version": BEFORE_ENDIVE}


@pytest.mark.parametrize(("more", "end"), [({}, REFRESH), ({"return_url": RETURN}, RETURN)])
def test_a_link_of_v2_leads_there_too_for_ten_minutes(api: Api, more: dict[str, str], end: str) -> None:
    made = of_v2(api, connected(api), **more)
    assert (made.status, made["object"], made["use_case"]["type"]) == (
        200,
        "v2.core.account_link",
        "account_onboarding",
    )
    assert made["use_case"]["account_onboarding"] == {"configurations": ["merchant"], "refresh_url": REFRESH, **more}
    path = "/" + str(made["url"]).split("/", 3)[3]
    api.advance(599)
    assert (visitor := Visitor(api)).open(path).status == 200
    assert led(visitor.submit(path)) == (303, end)
    late = "/" + str(of_v2(api, connected(api))["url"]).split("/", 3)[3]
    api.advance(600)
    assert led(Visitor(api).open(late)) == (303, REFRESH)


def test_configurations_are_gone_since_endive(api: Api) -> None:
    id = connected(api)
    case = {"type": "account_onboarding", "account_onboarding": {"refresh_url": REFRESH}}
    for version, status in ((BEFORE["Stripe-Version"], 400), (ENDIVE, 200)):
        headers = {"Stripe-Version": version}
        made = api.post("/v2/core/account_links", account=id, use_case=case, headers=headers)
        assert made.status == status
        assert status == 400 or made["use_case"]["account_onboarding"]["configurations"] == ["merchant", "recipient"]
    case["account_onboarding"] |= {"configurations": ["merchant"]}
    assert api.post("/v2/core/account_links", account=id, use_case=case, headers=headers).status == 400


@pytest.mark.parametrize(("kind", "status"), [("standard", 400), ("express", 400), ("custom", 200)])
def test_links_of_v2_are_for_the_accounts_that_those_of_v1_are_for(api: Api, kind: str, status: int) -> None:
    id = connected(api, kind)
    assert of_v2(api, id, "account_update").status == status
    assert of_v2(api, id).status == 200
    assert of_v2(api, api.account).status == 400
    assert of_v2(api, "acct_1nobody00000000").error["code"] == "not_found"
    lacking = {"type": "account_update", "account_onboarding": {"configurations": [], "refresh_url": REFRESH}}
    assert api.post("/v2/core/account_links", account=id, use_case=lacking, headers=BEFORE).status == 400


def test_what_is_collected_is_said_once(api: Api) -> None:
    about = {"account": connected(api), "type": "account_onboarding", "return_url": RETURN, "refresh_url": REFRESH}
    options = {"fields": "eventually_due", "future_requirements": "include"}
    assert api.post("/v1/account_links", collection_options=options, **about).status == 200
    refused = api.post("/v1/account_links", collect="currently_due", collection_options=options, **about)
    assert (refused.status, refused.error["code"]) == (400, "parameters_exclusive")
