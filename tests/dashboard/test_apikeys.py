"""The API keys pages: reveal, roll, restrict, tighten; what is shown and what never is."""

from __future__ import annotations

import re

import pytest

from tests.support.dashboard import Browser, Site
from tollkey.dashboard import matrix
from tollkey.db import Scope, Tx
from tollkey.keys import Key
from tollkey.keys.actors import SYSTEM
from tollkey.wire.messages import Request


@pytest.fixture
def dev(site: Site) -> Browser:
    return site.browser("developer")


def keys(site: Site, livemode: bool = False, **about: object) -> tuple[Key, ...]:
    return site.core.database.read(lambda tx: site.core.authority.list(tx, Scope(site.account, livemode), **about))  # type: ignore[arg-type]


def default(site: Site, livemode: bool = False) -> Key:
    return next(key for key in keys(site, livemode) if key.is_default and key.kind == "secret")


def url(site: Site, path: str, livemode: bool = False) -> str:
    return f"/{site.account}{'' if livemode else '/test'}{path}"


def fresh(site: Site, livemode: bool = False, *, kind: str = "restricted", **about: object) -> tuple[Key, str]:
    if kind == "restricted":
        about.setdefault("permissions", ["dispute_read", "charge_read", "customer_write"])
    return site.core.database.write(
        lambda tx: site.core.authority.create(
            tx, Scope(site.account, livemode), kind, actor=SYSTEM, now=site.now, **about,  # type: ignore[arg-type]
        )
    )  # fmt: skip


def unrevealed(site: Site) -> Key:
    """A live key whose text still waits for its one reveal."""
    key, _ = fresh(site, True, kind="secret")
    rolled = site.core.database.write(
        lambda tx: site.core.authority.roll(tx, key.scope, key.id, 3600, actor=SYSTEM, now=site.now)
    )
    return rolled[1]


def test_no_secret_stands_on_the_page_unasked(site: Site, dev: Browser) -> None:
    for livemode in (False, True):
        text = dev.get(url(site, "/apikeys", livemode)).text
        assert not re.search(r"\b[sr]k_(test|live)_[0-9A-Za-z]{8,}", text)
        assert (site.api.live_pk if livemode else site.api.pk) in text


def test_a_test_key_is_revealed_as_often_as_one_likes_and_never_cached(site: Site, dev: Browser) -> None:
    for _ in range(2):
        answer = dev.post(url(site, f"/apikeys/{default(site).id}/reveal"), accept="application/json")
        assert answer.status == 200
        assert site.api.sk in answer.text
        assert answer.headers["cache-control"] == "no-store"


def test_a_live_key_is_revealed_once_and_its_note_is_kept(site: Site, dev: Browser) -> None:
    key = unrevealed(site)
    path = url(site, f"/apikeys/{key.id}/reveal", True)
    assert "only once" in dev.get(path).text
    answer = dev.post(path, {"note": "Vault, entry 7"})
    text = re.search(r'<code id="secret">(.*?)</code>', answer.text)
    assert text
    assert site.api.get("/v1/balance", key=text[1]).status == 200
    again = dev.post(path, {"note": "later"})
    assert again.status == 422
    assert text[1] not in again.text
    held = next(one for one in keys(site, True) if one.id == key.id)
    assert held.note == "Vault, entry 7"
    assert "now hidden" in dev.get(path).text


def test_a_rolled_key_says_when_it_ends_and_can_be_ended_or_kept(site: Site, dev: Browser) -> None:
    key = default(site)
    answer = dev.post(url(site, f"/apikeys/{key.id}/roll"), {"expires_in": "in_24_hours"})
    assert "Your new key" in answer.text
    page = dev.get(url(site, f"/apikeys/{key.id}")).text
    assert f'data-until="{site.now + 86400}"' in page
    assert site.api.get("/v1/balance").status == 200
    assert dev.post(url(site, f"/apikeys/{key.id}/cancel_expiry")).status == 303
    assert "data-until" not in dev.get(url(site, f"/apikeys/{key.id}")).text
    dev.post(url(site, f"/apikeys/{key.id}/roll"), {"expires_in": "in_7_days"})
    assert dev.sure(url(site, f"/apikeys/{key.id}/expire")).status == 303
    assert site.api.get("/v1/balance").error["code"] == "api_key_expired"


def test_rolling_needs_one_of_the_five_expirations(site: Site, dev: Browser) -> None:
    page = dev.get(url(site, f"/apikeys/{default(site).id}/roll")).text
    for words in ("Now", "In 1 hour", "In 24 hours", "In 3 days", "In 7 days"):
        assert f"<strong>{words}</strong>" in page
    answer = dev.post(url(site, f"/apikeys/{default(site).id}/roll"), {"expires_in": "in_a_year"})
    assert answer.status == 422
    assert 'id="expires_in-error"' in answer.text


def test_a_restricted_key_from_a_template_can_do_that_and_no_more(site: Site, dev: Browser) -> None:
    page = dev.get(url(site, "/apikeys/create?template=disputes")).text
    chosen = dict(re.findall(r'name="(p:\w+)" value="(\w+)" checked', page))
    assert {name for name, level in chosen.items() if level != "none"} == {"p:dispute", "p:charge", "p:payment_intent"}
    answer = dev.post(url(site, "/apikeys/create"), {"kind": "restricted", "name": "Monitor", **chosen})
    text = re.search(r'<code id="secret">(.*?)</code>', answer.text)
    assert text
    assert site.api.get("/v1/disputes", key=text[1]).status == 200
    assert site.api.get("/v1/customers", key=text[1]).status == 403


def test_every_template_grants_something_that_exists(site: Site) -> None:
    catalogue = site.core.authority.catalogue
    for template in matrix.TEMPLATES:
        grants = matrix.template_grants(matrix.TEMPLATES, template.name, catalogue)
        assert grants, template.name
        assert template.grants == ("*_read",) or grants == frozenset(template.grants), template.name


def test_a_prefilled_link_chooses_name_and_permissions_and_names_unknown_ones(site: Site, dev: Browser) -> None:
    page = dev.get("/test/apikeys/create?name=Shipping&permissions[]=rak_charge_read&permissions[]=rak_nonsense_read")
    page = dev.get(page.location)
    assert 'value="Shipping"' in page.text
    assert re.search(r'name="p:charge" value="read" checked', page.text)
    assert "rak_nonsense_read" in page.text


def test_a_group_can_be_set_as_a_whole_without_scripts(site: Site, dev: Browser) -> None:
    dev.post(url(site, "/apikeys/create"), {"kind": "restricted", "name": "Billing reader", "g:Billing": "read"})
    made = next(key for key in keys(site) if key.name == "Billing reader")
    billing = {
        row.name for row in site.core.authority.catalogue.rows if row.group == "Billing" and "read" in row.levels
    }
    assert made.permissions == {f"{name}_read" for name in billing}


def test_a_key_without_permission_or_with_a_bad_address_is_refused_beside_the_field(site: Site, dev: Browser) -> None:
    answer = dev.post(url(site, "/apikeys/create"), {"kind": "restricted", "name": "Nothing"})
    assert answer.status == 422
    assert "at least one permission" in answer.text
    sent = {"kind": "restricted", "name": "Far", "p:charge": "read", "ip_allowlist": "300.1.2.3"}
    answer = dev.post(url(site, "/apikeys/create"), sent)
    assert 'id="ip_allowlist-error"' in answer.text
    assert 'value="Far"' in answer.text
    assert re.search(r'name="p:charge" value="read" checked', answer.text)


def test_a_duplicate_starts_with_the_same_permissions(site: Site, dev: Browser) -> None:
    key, _ = fresh(site, name="First")
    page = dev.get(url(site, f"/apikeys/create?from={key.id}")).text
    assert 'value="First"' in page
    assert re.search(r'name="p:customer" value="write" checked', page)


def test_unused_permissions_are_named_and_taken_away_with_one_click(site: Site, dev: Browser) -> None:
    key, text = fresh(site)
    site.api.get("/v1/disputes", key=text)
    site.api.get("/v1/customers", key=text)
    site.world.write_uses()
    page = dev.get(url(site, f"/apikeys/{key.id}")).text
    assert "Charges Read" in page.split("Unused permissions")[1]
    assert dev.sure(url(site, f"/apikeys/{key.id}/tighten")).status == 303
    assert next(one for one in keys(site) if one.id == key.id).permissions == {"dispute_read", "customer_read"}


def test_removed_permissions_are_given_back_with_one_click(site: Site, dev: Browser) -> None:
    key, text = fresh(site)
    assert dev.post(url(site, f"/apikeys/{key.id}/loosen")).status == 422
    site.api.get("/v1/disputes", key=text)
    site.world.write_uses()
    dev.sure(url(site, f"/apikeys/{key.id}/tighten"))
    assert "Give them back" in dev.get(url(site, f"/apikeys/{key.id}")).text
    assert dev.post(url(site, f"/apikeys/{key.id}/loosen")).status == 303
    assert next(one for one in keys(site) if one.id == key.id).permissions == key.permissions
    assert "Give them back" not in dev.get(url(site, f"/apikeys/{key.id}")).text


def test_a_permission_that_an_expansion_needed_counts_as_used(site: Site, dev: Browser) -> None:
    key, text = fresh(site)
    _, secret = fresh(site, kind="secret")
    customer = site.api.post("/v1/customers", key=secret, source="tok_visa")
    charge = site.api.post("/v1/charges", key=secret, amount=500, currency="usd", customer=customer["id"])
    assert site.api.get(f"/v1/charges/{charge['id']}", key=text, expand=["customer"]).status == 200
    site.world.write_uses()
    dev.sure(url(site, f"/apikeys/{key.id}/tighten"))
    assert next(one for one in keys(site) if one.id == key.id).permissions == {"charge_read", "customer_read"}


def test_requests_that_a_key_may_not_make_are_shown_with_what_they_need(site: Site, dev: Browser) -> None:
    key, text = fresh(site)
    assert site.api.get("/v1/payouts", key=text).status == 403
    site.world.write_uses()
    page = dev.get(url(site, f"/apikeys/{key.id}")).text.split("Refused for want of a permission")[1]
    assert "GET /v1/payouts" in page
    assert "Payouts Read" in page


def test_a_deleted_key_is_refused_and_leaves_the_list(site: Site, dev: Browser) -> None:
    key, text = fresh(site, name="Gone soon")
    assert dev.post(url(site, f"/apikeys/{key.id}/delete")).status == 303
    assert site.api.get("/v1/disputes", key=text).status == 401
    assert "was deleted" in dev.get(url(site, "/apikeys")).text
    assert "Gone soon" not in dev.get(url(site, "/apikeys")).text.split("<table")[-1]
    assert "Gone soon" in dev.get(url(site, "/apikeys?ended=1")).text


def test_the_history_names_the_person_and_the_address(site: Site) -> None:
    browser = site.browser("developer", name="Grace Hopper")
    key, _ = fresh(site)
    browser.post(url(site, f"/apikeys/{key.id}/edit"), {"name": "New name", "note": "Server 2"})
    page = browser.get(url(site, f"/apikeys/{key.id}")).text
    assert "Grace Hopper" in page
    assert "from 192.0.2.1" in page
    assert "name: New name" in page


def test_a_lost_key_has_an_answer(site: Site, dev: Browser) -> None:
    assert "cannot be revealed again" in dev.get(url(site, "/apikeys/lost", True)).text


def test_without_developer_role_the_page_names_the_owner(site: Site) -> None:
    site.person("owner", name="Olive Owner")
    for role in ("analyst", "support", "view_only"):
        answer = site.browser(role).get(url(site, "/apikeys"))
        assert answer.status == 403
        assert "Olive Owner" in answer.text
        assert "as a developer" in answer.text


def test_a_thousand_keys_come_in_pages(site: Site, dev: Browser) -> None:
    for number in range(120):
        fresh(site, name=f"Key {number}")
    page = dev.get(url(site, "/apikeys")).text
    assert page.count('aria-hidden="true">⋯') == 102
    older = re.search(r'href="([^"]+)" rel="next"', page)
    assert older
    assert dev.get(older[1]).text.count('aria-hidden="true">⋯') == 20


def test_the_api_still_answers_with_the_dashboard_beside_it(site: Site) -> None:
    answer = site.world.runner.run(site.world.server.service.answer(Request("GET", "/v1/balance", b"", {})))
    assert answer.status == 401


def test_the_history_of_a_rolled_key_says_that_it_took_anothers_place(site: Site, dev: Browser) -> None:
    old = default(site)
    dev.post(url(site, f"/apikeys/{old.id}/roll"), {"expires_in": "in_24_hours"})
    new = next(key for key in keys(site) if key.rolled_from == old.id)
    history = dev.get(url(site, f"/apikeys/{new.id}")).text.partition('id="history"')[2]
    assert re.findall(r"<strong>([^<]+)</strong>", history) == ["Made by rolling"]
    assert f'in place of: <a href="{url(site, f"/apikeys/{old.id}")}">' in history
    before = dev.get(url(site, f"/apikeys/{old.id}")).text.partition('id="history"')[2]
    assert "<strong>Rolled</strong>" in before
    assert f'replaced by: <a href="{url(site, f"/apikeys/{new.id}")}">' in before
    assert "Key made by rolling" in dev.get(url(site, "/settings/audit")).text


def test_a_list_of_secret_keys_that_is_cut_says_so(site: Site, dev: Browser) -> None:
    path, words = url(site, "/apikeys"), "Only the newest keys are shown."
    assert words not in dev.get(path).text
    scope = Scope(site.account, False)

    def work(tx: Tx) -> None:
        for _ in range(201):
            site.core.authority.create(tx, scope, "secret", actor=SYSTEM, now=site.now)

    site.core.database.write(work)
    assert words in dev.get(path).text


def test_the_page_shows_how_often_the_key_was_used_by_day_and_route(site: Site, dev: Browser) -> None:
    key, text = fresh(site)
    assert "Not used in the last 30 days" in dev.get(url(site, f"/apikeys/{key.id}")).text
    assert site.api.get("/v1/disputes", key=text).status == 200
    assert site.api.get("/v1/payouts", key=text).status == 403
    site.world.write_uses()
    page = dev.get(url(site, f"/apikeys/{key.id}")).text.split("Use in the last 30 days")[1]
    assert "2 in total: 1 accepted, 1 refused." in page
    assert "GET /v1/disputes" in page
    lines = dev.get(url(site, f"/apikeys/{key.id}/usage.csv")).text.splitlines()
    assert lines[0] == "day,route,outcome,requests,cost"
    assert [line.split(",")[1:] for line in lines[1:]] == [
        ["GET /v1/disputes", "accepted", "1", "1"],
        ["GET /v1/payouts", "forbidden", "1", "1"],
    ]
    assert dev.get(url(site, "/apikeys/mk_none/usage.csv")).status == 404


def test_a_key_is_paused_and_resumed_with_a_confirmation(site: Site, dev: Browser) -> None:
    key = default(site)
    page = url(site, f"/apikeys/{key.id}")
    assert "refused within a second" in dev.post(f"{page}/disable").text
    assert dev.sure(f"{page}/disable").status == 303
    shown = dev.get(page).text
    assert "Paused" in shown
    assert "Resume key" in shown
    assert f"{page}/roll" not in shown
    assert site.api.get("/v1/balance").status == 401
    assert dev.sure(f"{page}/enable").status == 303
    assert "Paused" not in dev.get(page).text
    assert site.api.get("/v1/balance").status == 200


def test_metadata_is_shown_and_edited_as_rows(site: Site, dev: Browser) -> None:
    key = default(site)
    page = url(site, f"/apikeys/{key.id}")
    rows = {"name": "Main", "metadata_name": ["team", "", "host"], "metadata_value": ["billing\r\nEU", "", "ci-1"]}
    assert dev.post(f"{page}/edit", rows).status == 303
    assert next(one for one in keys(site) if one.id == key.id).metadata == {"team": "billing\nEU", "host": "ci-1"}
    assert "ci-1" in dev.get(page).text
    assert 'value="team"' in dev.get(f"{page}/edit").text
    dev.post(f"{page}/edit", {"metadata_name": ["team", "host"], "metadata_value": ["billing", ""]})
    assert next(one for one in keys(site) if one.id == key.id).metadata == {"team": "billing"}


@pytest.mark.parametrize(
    ("names", "values"),
    [(["", "a"], ["lost", "b"]), (["a", "a"], ["1", "2"]), (["x" * 41], ["1"]), (["a"], ["v" * 501])],
    ids=["no name", "twice", "long name", "long value"],
)
def test_metadata_that_is_not_valid_is_shown_again_with_its_error(
    site: Site, dev: Browser, names: list[str], values: list[str]
) -> None:
    page = url(site, f"/apikeys/{default(site).id}/edit")
    answer = dev.post(page, {"metadata_name": names, "metadata_value": values})
    assert answer.status == 422
    assert 'id="metadata-error"' in answer.text
    assert values[0] in answer.text
    assert default(site).metadata == {}


def test_the_page_of_a_rolled_key_tells_whether_somebody_still_uses_it(site: Site, dev: Browser) -> None:
    key = default(site)
    dev.post(url(site, f"/apikeys/{key.id}/roll"), {"expires_in": "in_24_hours"})
    new = default(site)
    page = dev.get(url(site, f"/apikeys/{new.id}")).text
    assert 'id="old-key"' in page
    assert "has not been used" in page
    site.world.clock[0] += 120
    assert site.api.get("/v1/balance").status == 200
    site.world.write_uses()
    for one in (key, new):
        page = dev.get(url(site, f"/apikeys/{one.id}")).text
        assert "was still used" in page
        assert "GET /v1/balance" in page
