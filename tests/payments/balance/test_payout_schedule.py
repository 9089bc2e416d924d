"""When an account is paid out by itself: the days that its ``settings.payouts.schedule`` names. Pure dates, and one
appointment.
"""

from __future__ import annotations

from tests.payments.balance.steps import payouts
from tests.support.api import Answer, Api
from tests.support.connected import acting, audit, available, connected, fund
from tests.support.openapi import assert_valid

DAY = 86_400


def scheduled(api: Api, **schedule: object) -> Answer:
    """A connected account with that payout schedule and 50 dollars less fees, available at once on January 1."""
    account = connected(api, settings={"payouts": {"schedule": schedule}})
    fund(api, 5_000, account)
    return account


def test_a_daily_schedule_pays_everything_out_at_the_next_midnight(api: Api) -> None:
    account = scheduled(api, interval="daily")
    before = available(api, account)
    api.advance(DAY - 60)
    assert payouts(api, account) == []
    api.advance(60)
    (payout,) = payouts(api, account)
    assert (payout["automatic"], payout["amount"], payout["status"]) == (True, before, "pending")
    assert_valid("GET", "/v1/payouts/{payout}", 200, payout)
    api.advance(10)
    assert (payouts(api, account)[0]["status"], available(api, account)) == ("paid", 0)
    made_of = api.get("/v1/balance_transactions", payout=payout["id"], headers=acting(account))["data"]
    assert [one["type"] for one in made_of] == ["payout", "charge"]
    assert api.post(f"/v1/payouts/{payout['id']}/cancel", headers=acting(account)).status == 400
    api.advance(3 * DAY)
    assert len(payouts(api, account)) == 1
    audit(api, account)


def test_weekly_and_monthly_schedules_wait_for_their_day(api: Api) -> None:
    weekly = scheduled(api, interval="weekly", weekly_anchor="monday")
    api.advance(3 * DAY)
    assert payouts(api, weekly) == []
    api.advance(DAY)  # Monday, January 5
    assert len(payouts(api, weekly)) == 1
    monthly = scheduled(api, interval="monthly", monthly_anchor=31)
    api.advance(25 * DAY)
    assert payouts(api, monthly) == []
    api.advance(DAY)
    assert len(payouts(api, monthly)) == 1


def test_nothing_is_paid_out_by_itself_on_a_manual_schedule_until_it_is_changed(api: Api) -> None:
    fund(api, 5_000)
    account = scheduled(api, interval="manual")
    api.advance(40 * DAY)
    assert payouts(api, account) == []
    assert api.get("/v1/payouts")["data"] == []
    changed = api.ok("post", f"/v1/accounts/{account['id']}", settings={"payouts": {"schedule": {"interval": "daily"}}})
    assert changed["settings"]["payouts"]["schedule"]["interval"] == "daily"
    api.advance(1)
    api.advance(DAY)
    assert len(payouts(api, account)) == 1


def test_automatic_payouts_leave_the_minimum_balance_and_say_so(api: Api) -> None:
    account = scheduled(api, interval="daily")
    before = available(api, account)
    minimums = {"payouts": {"minimum_balance_by_currency": {"usd": 1_000, "eur": 5}}}
    api.ok("post", "/v1/balance_settings", headers=acting(account), payments=minimums)
    api.advance(DAY)
    (payout,) = payouts(api, account)
    assert (payout["amount"], available(api, account)) == (before - 1_000, 1_000)
    made_of = api.get("/v1/balance_transactions", payout=payout["id"], headers=acting(account))["data"]
    kinds = {one["type"]: one["amount"] for one in made_of}
    assert kinds["payout_minimum_balance_hold"] == -1_000
    assert sum(one["net"] for one in made_of) == 0
    api.advance(2 * DAY)
    assert len(payouts(api, account)) == 1
    api.ok(
        "post",
        "/v1/balance_settings",
        headers=acting(account),
        payments={"payouts": {"minimum_balance_by_currency": ""}},
    )
    fund(api, 5_000, account)
    more = available(api, account)
    api.advance(2 * DAY)
    newest = payouts(api, account)[0]
    assert (newest["amount"], available(api, account)) == (more, 0)
    audit(api, account)


def test_a_payout_is_made_when_the_day_of_the_account_begins(api: Api) -> None:
    account = scheduled(api, interval="daily")
    start = {"hour": 9, "minutes": 30, "timezone": "America/New_York"}
    timing = {"settlement_timing": {"start_of_day": start}}
    api.ok(
        "post",
        "/v1/balance_settings",
        headers=acting(account),
        payments={**timing, "payouts": {"schedule": {"interval": "daily"}}},
    )
    api.advance(14 * 3_600)
    assert payouts(api, account) == []
    api.advance(1_800)  # half past nine in New York
    assert len(payouts(api, account)) == 1


def test_the_anchor_of_a_week_takes_the_place_of_its_days(api: Api) -> None:
    account = connected(api)
    path = f"/v1/accounts/{account['id']}"

    def told(**schedule: object) -> object:
        answer = api.ok("post", path, settings={"payouts": {"schedule": schedule}})
        return answer["settings"]["payouts"]["schedule"]["weekly_payout_days"]

    assert told(interval="weekly", weekly_payout_days=["monday", "friday"]) == ["monday", "friday"]
    assert told(weekly_anchor="tuesday") == ["tuesday"]
