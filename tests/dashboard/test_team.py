"""Teams, accounts, the business and the audit log."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from tests.support.dashboard import PASSWORD, Site, url


def test_an_invitation_is_a_link_that_is_shown_once(site: Site) -> None:
    admin = site.browser("administrator")
    answer = admin.post(url(site, "/settings/team/invite"), {"email": "New@Example.com", "role": "developer"})
    link = re.search(r'<code id="link">http://dashboard.test(/join/\w+)</code>', answer.text)
    assert link
    page = admin.get(url(site, "/settings/team")).text
    assert "new@example.com" in page
    assert link[1] not in page
    joining = site.browser()
    joining.get(link[1])
    assert joining.post(link[1], {"name": "New", "password": PASSWORD}).status == 303
    assert joining.get(url(site, "/apikeys")).status == 200


def test_an_invitation_that_was_taken_back_is_refused(site: Site) -> None:
    admin = site.browser("administrator")
    answer = admin.post(url(site, "/settings/team/invite"), {"email": "late@example.com", "role": "support"})
    link = re.search(r"/join/\w+", answer.text)
    withdraw = re.search(r"/settings/team/invitations/\w+/withdraw", admin.get(url(site, "/settings/team")).text)
    assert link
    assert withdraw
    admin.sure(url(site, withdraw[0]))
    assert site.browser().get(link[0]).status == 404


@pytest.mark.parametrize("ends", ["remove", "role"])
def test_an_invitation_ends_with_the_right_of_whoever_made_it(site: Site, ends: str) -> None:
    inviter = site.person("administrator")
    asking = site.browser().sign_in(inviter.email)
    sent = {"email": f"{ends}@example.com", "role": "administrator"}
    link = re.search(r"/join/\w+", asking.post(url(site, "/settings/team/invite"), sent).text)
    assert link
    joining = site.browser()
    assert joining.get(link[0]).status == 200
    admin = site.browser("administrator")
    path = url(site, f"/settings/team/{inviter.id}/{ends}")
    assert (admin.sure(path) if ends == "remove" else admin.post(path, {"role": "developer"})).status == 303
    assert joining.get(link[0]).status == 404
    assert joining.post(link[0], {"name": "Mallory", "password": PASSWORD}).status == 404
    assert sent["email"] not in admin.get(url(site, "/settings/team")).text


def test_nobody_is_invited_as_owner(site: Site) -> None:
    admin = site.browser("administrator")
    assert admin.post(url(site, "/settings/team/invite"), {"email": "x@example.com", "role": "owner"}).status == 422


def test_a_changed_role_counts_at_once(site: Site) -> None:
    admin, person = site.browser("administrator"), site.person("view_only")
    browser = site.browser().sign_in(person.email)
    assert browser.get(url(site, "/apikeys")).status == 403
    admin.post(url(site, f"/settings/team/{person.id}/role"), {"role": "developer"})
    assert browser.get(url(site, "/apikeys")).status == 200
    admin.sure(url(site, f"/settings/team/{person.id}/remove"))
    assert browser.get(url(site, "/apikeys")).status == 404


def test_the_owner_stays_until_the_ownership_is_handed_on(site: Site) -> None:
    owner, heir = site.person("owner", name="Olive Owner"), site.person("developer", name="Hal Heir")
    admin = site.browser("administrator")
    for path in (f"/settings/team/{owner.id}/remove", f"/settings/team/{owner.id}/role"):
        assert admin.post(url(site, path), {"role": "support"}).status == 422
    assert admin.post(url(site, "/settings/team/owner"), {"person": heir.id}).status == 403
    browser = site.browser().sign_in(owner.email)
    assert browser.sure(url(site, "/settings/team/owner"), {"person": heir.id}).status == 303
    page = browser.get(url(site, "/settings/team")).text
    assert "Hal Heir" in page
    assert browser.post(url(site, "/settings/team/owner"), {"person": owner.id}).status == 403


def test_a_new_account_has_keys_of_its_own_and_is_in_the_switcher(site: Site) -> None:
    person = site.browser("view_only")
    answer = person.post("/accounts/new", {"name": "Second shop", "country": "DE"})
    path = answer.location
    assert path.endswith("/test/apikeys")
    assert person.get(path).status == 200
    assert "Second shop" in person.get(url(site, "/settings/team")).text


def test_the_audit_log_keeps_no_key_that_was_typed_into_a_field(site: Site) -> None:
    admin = site.browser("administrator")
    key = site.api.sk
    sent = {"name": "Rocket Rides", "url": f"https://example.com/?key={key}"}
    assert admin.post(url(site, "/settings/business/edit"), sent).status == 303
    rows = site.api.core.database.read(
        lambda tx: tx.execute("SELECT details FROM dash_log WHERE account = ?", (site.account,))
    )
    kept = " ".join(row[0] for row in rows)
    assert "https://example.com/?key=sk_t" in kept
    assert key not in kept


def test_the_business_details_are_on_the_account_s_object(site: Site) -> None:
    admin = site.browser("administrator")
    sent = {"name": "Rocket Rides", "url": "https://rocket.example", "support_email": "help@rocket.example"}
    assert admin.post(url(site, "/settings/business/edit"), sent).status == 303
    assert site.api.get("/v1/account")["business_profile"]["name"] == "Rocket Rides"
    page = admin.get(url(site, "/settings/business")).text
    assert "Not active" in page
    assert "until a provider is configured" in page
    assert admin.post(url(site, "/settings/business/edit"), {**sent, "url": "javascript:alert(1)"}).status == 422


def test_the_audit_log_holds_keys_of_both_modes_and_the_team(site: Site) -> None:
    admin = site.browser("administrator", name="Ann Admin")
    admin.post(url(site, "/settings/team/invite"), {"email": "a@example.com", "role": "support"})
    page = admin.get(url(site, "/settings/audit")).text
    for words in ("Member invited", "Key created", "Ann Admin", ">live<", ">test<"):
        assert words in page


def test_the_audit_log_goes_along_as_csv_and_json(site: Site) -> None:
    admin = site.browser("administrator")
    admin.post(url(site, "/settings/team/invite"), {"email": "=cmd@example.com", "role": "support"})
    answer = admin.get(url(site, "/settings/audit/export?format=csv"))
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.body.decode())))
    found = json.loads(admin.get(url(site, "/settings/audit/export?format=json")).body)
    assert len(rows) == len(found) + 1
    assert {row["mode"] for row in found} == {"test", "live", ""}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert site.api.live_sk not in answer.text


def test_pages_of_the_audit_log_follow_one_another_without_gap(site: Site) -> None:
    admin = site.browser("administrator")
    for number in range(60):
        admin.post(url(site, "/settings/team/invite"), {"email": f"p{number}@example.com", "role": "support"})
    first = admin.get(url(site, "/settings/audit")).text
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older
    both = first + admin.get(older[1]).text
    assert all(both.count(f"email: p{number}@example.com") == 1 for number in range(60))


def test_nobody_makes_an_invitation_that_the_list_does_not_show(site: Site) -> None:
    admin = site.browser("administrator")
    for word in ("owner", "OWNER", " owner "):  # what marks the link that makes the owner, which no list shows
        answer = admin.post(url(site, "/settings/team/invite"), {"email": word, "role": "administrator"})
        assert (answer.status, "/join/" in answer.text) == (422, False)
